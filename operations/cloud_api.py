"""Alibaba Cloud's RPC APIs, as operations ask them, and the credentials for them.

They are asked by the official SDK, with its v3 signature. A CI job exchanges the identity token
that its CI system gives it for short-lived credentials: `AssumeRoleWithOIDC` of STS 2015-04-01
takes it in place of an access key:
https://www.alibabacloud.com/help/en/ram/api-assumerolewithoidc
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from operations.errors import OperationError

VERSIONS = {"SLB": "2014-05-15", "ECS": "2014-05-26", "VPC": "2016-04-28"}
"""API version of each product that can be asked."""

ENDPOINT_VARIABLES = ("ALIBABA_CLOUD_ENDPOINT_{}", "{}_ENDPOINT")
"""Variables in which the alicloud provider finds a product's endpoint, host:port, in its order."""

ACCESS_KEY_VARIABLES = (
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN"),
    (
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
    ),
)
"""Variables of access key, secret and token: the provider's names first, then the SDK's."""

CONNECT_MILLISECONDS = 5_000
READ_MILLISECONDS = 10_000

OIDC_TOKEN_FILE = "ALIBABA_CLOUD_OIDC_TOKEN_FILE"  # noqa: S105
OIDC_PROVIDER = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"
OIDC_ROLE = "ALIBABA_CLOUD_ROLE_ARN"
"""Variable that names the role to assume, as the SDK calls it."""

OIDC_SESSION_SECONDS = 7200
"""Seconds that a job's credentials are valid: longer than a job of the pipelines may take.

So no job loses its credentials half-way. A role allows an hour unless its MaxSessionDuration says
more.
"""


class CloudApiError(OperationError):
    """The API cannot be asked; asking again will not help."""


class CloudApiUnavailableError(CloudApiError):
    """The API cannot be asked at this moment; asking again may help."""


class CloudApi:
    """A product's API in one region.

    Args:
        product: One of `VERSIONS`.
        region: Id of the region, e.g. `cn-hangzhou`.
        environ: Environment variables with credentials and, if it is not the region's own, the
            endpoint (`ENDPOINT_VARIABLES`) with its CA (`SSL_CERT_FILE`). Without credentials
            there, the SDK's default chain is asked: profile files, then the instance's RAM role.
    """

    def __init__(self, product: str, region: str, environ: Mapping[str, str]) -> None:
        self.region = region
        self._product = product
        self._environ = environ
        variables = [name.format(product) for name in ENDPOINT_VARIABLES]
        self._endpoint = next((environ[v] for v in variables if environ.get(v)), None)
        self._client: Any = None

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """Ask for one action; return the answer's body.

        Args:
            action: Name of the action, such as `DescribeVpcs`.
            parameters: The action's parameters beside the region, by their names on the wire.

        Raises:
            CloudApiError: No credentials, or the API refuses.
            CloudApiUnavailableError: The API cannot be reached, is busy or throttles.
        """
        # The SDK takes seconds to import, and most commands do without.
        from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params  # noqa: PLC0415

        params = Params(
            action=action,
            version=VERSIONS[self._product],
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        query = {name: str(value) for name, value in parameters.items()}
        request = OpenApiRequest(query={"RegionId": self.region, **query})
        answer = self._send(
            action, lambda client, runtime: client.call_api(params, request, runtime)
        )
        body: dict[str, Any] = answer["body"]
        return body

    def _send(self, action: str, send: Callable[[Any, Any], Any]) -> Any:
        from darabonba.runtime import RuntimeOptions  # noqa: PLC0415

        if self._client is None:
            self._client = self._connect()
        runtime = RuntimeOptions(
            connect_timeout=CONNECT_MILLISECONDS,
            read_timeout=READ_MILLISECONDS,
            ca=self._ca_file(),
        )
        with _no_proxy_to(self._endpoint):
            try:
                return send(self._client, runtime)
            except Exception as error:  # the SDK raises unrelated types for API, TLS and network
                raise self._explained(action, error) from None

    def _connect(self) -> Any:
        from alibabacloud_tea_openapi.client import Client  # noqa: PLC0415

        regional = f"{self._product.lower()}.{self.region}.aliyuncs.com"
        return Client(self._config(self._endpoint or regional))

    def _config(self, endpoint: str | None) -> Any:
        from alibabacloud_tea_openapi.utils_models import Config  # noqa: PLC0415

        return Config(
            **self._credentials(), protocol="HTTPS", region_id=self.region, endpoint=endpoint
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
            raise CloudApiError(
                f"No credentials for the API of {self._product}: set ALICLOUD_ACCESS_KEY and "
                "ALICLOUD_SECRET_KEY (or ALIBABA_CLOUD_ACCESS_KEY_ID and "
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET)."
            ) from None
        return {"credential": credential}

    def _ca_file(self) -> str | None:
        """CA of a custom endpoint; Alibaba Cloud's own endpoints have public certificates."""
        path = self._environ.get("SSL_CERT_FILE") if self._endpoint else None
        if path and not Path(path).is_file():
            raise CloudApiError(f"SSL_CERT_FILE names {path}, which is not a file.")
        return path or None

    def _explained(self, action: str, error: Exception) -> CloudApiError:
        endpoint = self._endpoint or self._client._endpoint
        code = getattr(error, "code", None)
        if not code:
            # The message of a network error is long and names the whole request.
            kind = "its certificate is not trusted" if "CERTIFICATE_VERIFY" in str(error) else ""
            return CloudApiUnavailableError(
                f"The API of {self._product} at {endpoint} cannot be reached"
                + (f": {kind}." if kind else ".")
            )
        answered = getattr(error, "data", None) or {}
        message = str(answered.get("Message", "")).split(" server string to sign")[0][:160]
        sentence = f"The API of {self._product} at {endpoint} refuses {action}: {code} {message}"
        status = getattr(error, "status_code", None) or 0
        passing = status >= 429 or "Throttling" in code or code in _BUSY
        return CloudApiUnavailableError(sentence) if passing else CloudApiError(sentence)


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


def exchange_oidc_token(environ: Mapping[str, str]) -> dict[str, str]:
    """Exchange the job's token for an access key of the role, if there is a token.

    Returns:
        Environment variables by the names that the provider reads first; empty without a token.

    Raises:
        OperationError: A variable is missing, or STS refuses.
    """
    if not environ.get(OIDC_TOKEN_FILE):
        return {}
    missing = [name for name in (OIDC_PROVIDER, OIDC_ROLE) if not environ.get(name)]
    if missing:
        raise OperationError(
            f"{OIDC_TOKEN_FILE} is set, and {' and '.join(missing)} is not: set both."
        )
    try:
        assumed = _assume(environ)
    except Exception as error:  # the SDK raises unrelated types for API, TLS and network
        raise OperationError(_refused(environ[OIDC_ROLE], str(error))) from None
    return {
        "ALICLOUD_ACCESS_KEY": assumed.get_access_key_id(),
        "ALICLOUD_SECRET_KEY": assumed.get_access_key_secret(),
        "ALICLOUD_SECURITY_TOKEN": assumed.get_security_token(),
    }


def _refused(role: str, reason: str) -> str:
    message = f"STS gives no credentials for {role}: {reason}"
    if "InvalidParameter.DurationSeconds" in reason:
        message += (
            f"\nA session of {OIDC_SESSION_SECONDS} seconds is asked for, and the role's longest "
            f"is shorter: aliyun ram UpdateRole --RoleName {role.rsplit('/', 1)[-1]} "
            f"--NewMaxSessionDuration {OIDC_SESSION_SECONDS}"
        )
    return message


def _assume(environ: Mapping[str, str]) -> Any:
    # The SDK takes a second to import, and most commands do without.
    from alibabacloud_credentials.provider import (  # type: ignore[import-untyped]  # noqa: PLC0415
        OIDCRoleArnCredentialsProvider,
    )

    return OIDCRoleArnCredentialsProvider(
        role_arn=environ[OIDC_ROLE],
        oidc_provider_arn=environ[OIDC_PROVIDER],
        oidc_token_file_path=environ[OIDC_TOKEN_FILE],
        role_session_name="slb-mutual-tls",
        duration_seconds=OIDC_SESSION_SECONDS,
    ).get_credentials()
