"""The backends' health as the load balancer reports it (DescribeHealthStatus, SLB 2014-05-15)."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from operations.errors import OperationError
from operations.outputs import StackOutputs

ENDPOINT_VARIABLES = ("ALIBABA_CLOUD_ENDPOINT_SLB", "SLB_ENDPOINT")
"""Where the alicloud provider finds another endpoint, host:port, in its order."""

ACCESS_KEY_VARIABLES = (
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN"),
    (
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
    ),
)
"""The provider's names of key, secret and token, then the SDK's."""

CONNECT_MILLISECONDS = 5_000
READ_MILLISECONDS = 10_000


class HealthError(OperationError):
    """Health cannot be asked for; asking again will not help."""


class HealthUnavailableError(HealthError):
    """Health cannot be told at this moment; asking again may help."""


@dataclass(frozen=True)
class BackendHealth:
    """Health of one backend: `normal`, `abnormal` or `unavailable` (not checked yet)."""

    server_id: str
    status: str


class HealthSource(Protocol):
    """Whoever knows the health of a listener's backends."""

    def backends(self) -> list[BackendHealth]:
        """The health of each backend.

        Raises:
            HealthError: it cannot be told.
        """


class SlbHealth:
    """Asks the API of SLB through Alibaba Cloud's SDK, with its v3 signature.

    Args:
        outputs: Of the stack: load balancer, listener's port and region.
        environ: Environment variables with credentials and, if it is not the region's own, the
            endpoint (`ENDPOINT_VARIABLES`) with its CA (`SSL_CERT_FILE`). Without credentials
            there, the SDK's default chain is asked: profile files, then the instance's RAM role.
    """

    def __init__(self, outputs: StackOutputs, environ: Mapping[str, str]) -> None:
        self._outputs = outputs
        self._environ = environ
        self._endpoint = next((environ[v] for v in ENDPOINT_VARIABLES if environ.get(v)), None)
        self._client: Any = None

    def backends(self) -> list[BackendHealth]:
        """The health of each backend of the stack's HTTPS listener.

        Raises:
            HealthError: no credentials, or the API refuses.
            HealthUnavailableError: the API cannot be reached, is busy or throttles.
        """
        # The SDK takes seconds to import, and most commands do without.
        from alibabacloud_slb20140515 import models  # noqa: PLC0415
        from darabonba.runtime import RuntimeOptions  # noqa: PLC0415

        if self._client is None:
            self._client = self._connect()
        request = models.DescribeHealthStatusRequest(
            region_id=self._outputs.region,
            load_balancer_id=self._outputs.load_balancer_id,
            listener_port=self._outputs.listener_port,
            listener_protocol="https",
        )
        runtime = RuntimeOptions(
            connect_timeout=CONNECT_MILLISECONDS,
            read_timeout=READ_MILLISECONDS,
            ca=self._ca_file(),
        )
        with _no_proxy_to(self._endpoint):
            try:
                answer = self._client.describe_health_status_with_options(request, runtime)
            except Exception as error:  # the SDK raises unrelated types for API, TLS and network
                raise self._explained(error) from None
        servers = answer.body.backend_servers.backend_server if answer.body.backend_servers else []
        return [BackendHealth(s.server_id, s.server_health_status or "unknown") for s in servers]

    def _connect(self) -> Any:
        from alibabacloud_slb20140515.client import Client  # noqa: PLC0415
        from alibabacloud_tea_openapi.utils_models import Config  # noqa: PLC0415

        return Client(
            Config(
                **self._credentials(),
                protocol="HTTPS",
                region_id=self._outputs.region,
                endpoint=self._endpoint,
            )
        )

    def _credentials(self) -> dict[str, Any]:
        for key, secret, token in ACCESS_KEY_VARIABLES:
            if self._environ.get(key) and self._environ.get(secret):
                return {
                    "access_key_id": self._environ[key],
                    "access_key_secret": self._environ[secret],
                    "security_token": self._environ.get(token),
                }
        from alibabacloud_credentials.client import (  # type: ignore[import-untyped]  # noqa: PLC0415
            Client as CredentialClient,
        )
        from alibabacloud_credentials.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
            CredentialException,
        )

        try:
            credential = CredentialClient()
            credential.get_credential()
        except CredentialException:
            raise HealthError(
                "No credentials to ask SLB for health: set ALICLOUD_ACCESS_KEY and "
                "ALICLOUD_SECRET_KEY (or ALIBABA_CLOUD_ACCESS_KEY_ID and "
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET), or pass --no-health."
            ) from None
        return {"credential": credential}

    def _ca_file(self) -> str | None:
        """CA of an endpoint of one's own; Alibaba Cloud's own have public certificates."""
        path = self._environ.get("SSL_CERT_FILE") if self._endpoint else None
        if path and not Path(path).is_file():
            raise HealthError(f"SSL_CERT_FILE names {path}, which is not a file.")
        return path or None

    def _explained(self, error: Exception) -> HealthError:
        endpoint = self._endpoint or self._client._endpoint
        code = getattr(error, "code", None)
        if not code:
            # The message of a network error is long and names the whole request.
            kind = "its certificate is not trusted" if "CERTIFICATE_VERIFY" in str(error) else ""
            return HealthUnavailableError(
                f"The API of SLB at {endpoint} cannot be reached" + (f": {kind}." if kind else ".")
            )
        answered = getattr(error, "data", None) or {}
        message = str(answered.get("Message", "")).split(" server string to sign")[0][:160]
        sentence = f"The API of SLB at {endpoint} refuses DescribeHealthStatus: {code} {message}"
        status = getattr(error, "status_code", None) or 0
        passing = status >= 429 or "Throttling" in code or code in _BUSY
        return HealthUnavailableError(sentence) if passing else HealthError(sentence)


_BUSY = {"ServiceIsConfiguring", "OperationBusy", "SystemBusy", "ServiceIsStopping"}


_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy")


@contextlib.contextmanager
def _no_proxy_to(endpoint: str | None) -> Iterator[None]:
    """Hide the proxy variables from the SDK for an endpoint on loopback.

    It reads HTTPS_PROXY for every request but never NO_PROXY.
    """
    if not endpoint or not _is_loopback(endpoint.rsplit(":", 1)[0]):
        yield
        return
    hidden = {name: os.environ.pop(name) for name in _PROXY_VARIABLES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
