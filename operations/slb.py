"""The API of SLB 2014-05-15, as operations ask it: by the official SDK, with its v3 signature."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from operations.errors import OperationError

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


class SlbError(OperationError):
    """The API cannot be asked; asking again will not help."""


class SlbUnavailableError(SlbError):
    """The API cannot be asked at this moment; asking again may help."""


class SlbApi:
    """The API in one region.

    Args:
        region: Its id, e.g. `cn-hangzhou`.
        environ: Environment variables with credentials and, if it is not the region's own, the
            endpoint (`ENDPOINT_VARIABLES`) with its CA (`SSL_CERT_FILE`). Without credentials
            there, the SDK's default chain is asked: profile files, then the instance's RAM role.
    """

    def __init__(self, region: str, environ: Mapping[str, str]) -> None:
        self.region = region
        self._environ = environ
        self._endpoint = next((environ[v] for v in ENDPOINT_VARIABLES if environ.get(v)), None)
        self._client: Any = None

    def ask(self, action: str, **parameters: Any) -> Any:
        """Ask for one action; return the answer's body, an SDK model.

        Args:
            action: Such as `DescribeHealthStatus`.
            parameters: Of the action beside the region, by the SDK's names.

        Raises:
            SlbError: No credentials, or the API refuses.
            SlbUnavailableError: The API cannot be reached, is busy or throttles.
        """
        # The SDK takes seconds to import, and most commands do without.
        from alibabacloud_slb20140515 import models  # noqa: PLC0415
        from darabonba.runtime import RuntimeOptions  # noqa: PLC0415

        if self._client is None:
            self._client = self._connect()
        request = getattr(models, f"{action}Request")(region_id=self.region, **parameters)
        runtime = RuntimeOptions(
            connect_timeout=CONNECT_MILLISECONDS,
            read_timeout=READ_MILLISECONDS,
            ca=self._ca_file(),
        )
        call = getattr(self._client, f"{_snake(action)}_with_options")
        with _no_proxy_to(self._endpoint):
            try:
                return call(request, runtime).body
            except Exception as error:  # the SDK raises unrelated types for API, TLS and network
                raise self._explained(action, error) from None

    def _connect(self) -> Any:
        from alibabacloud_slb20140515.client import Client  # noqa: PLC0415
        from alibabacloud_tea_openapi.utils_models import Config  # noqa: PLC0415

        return Client(
            Config(
                **self._credentials(),
                protocol="HTTPS",
                region_id=self.region,
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
            raise SlbError(
                "No credentials for the API of SLB: set ALICLOUD_ACCESS_KEY and "
                "ALICLOUD_SECRET_KEY (or ALIBABA_CLOUD_ACCESS_KEY_ID and "
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET)."
            ) from None
        return {"credential": credential}

    def _ca_file(self) -> str | None:
        """CA of an endpoint of one's own; Alibaba Cloud's own have public certificates."""
        path = self._environ.get("SSL_CERT_FILE") if self._endpoint else None
        if path and not Path(path).is_file():
            raise SlbError(f"SSL_CERT_FILE names {path}, which is not a file.")
        return path or None

    def _explained(self, action: str, error: Exception) -> SlbError:
        endpoint = self._endpoint or self._client._endpoint
        code = getattr(error, "code", None)
        if not code:
            # The message of a network error is long and names the whole request.
            kind = "its certificate is not trusted" if "CERTIFICATE_VERIFY" in str(error) else ""
            return SlbUnavailableError(
                f"The API of SLB at {endpoint} cannot be reached" + (f": {kind}." if kind else ".")
            )
        answered = getattr(error, "data", None) or {}
        message = str(answered.get("Message", "")).split(" server string to sign")[0][:160]
        sentence = f"The API of SLB at {endpoint} refuses {action}: {code} {message}"
        status = getattr(error, "status_code", None) or 0
        passing = status >= 429 or "Throttling" in code or code in _BUSY
        return SlbUnavailableError(sentence) if passing else SlbError(sentence)


def _snake(action: str) -> str:
    """An action's name as the SDK's methods have it: abbreviations are one word with the next."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", action).lower()


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
