"""Short-lived credentials for a CI job, by the identity token that its CI system gives it.

`AssumeRoleWithOIDC` of STS 2015-04-01 takes the token in place of an access key:
https://www.alibabacloud.com/help/en/ram/api-assumerolewithoidc
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operations.errors import OperationError

TOKEN_FILE = "ALIBABA_CLOUD_OIDC_TOKEN_FILE"  # noqa: S105
PROVIDER = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"
ROLE = "ALIBABA_CLOUD_ROLE_ARN"
"""Variable that names the role to assume, as the SDK calls it."""

SESSION_SECONDS = 7200
"""Seconds that a job's credentials are valid: longer than a job of the pipelines may take.

So no job loses its credentials half-way. A role allows an hour unless its MaxSessionDuration says
more.
"""


def credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Exchange the job's token for an access key of the role, if there is a token.

    Returns:
        Environment variables by the names that the provider reads first; empty without a token.

    Raises:
        OperationError: A variable is missing, or STS refuses.
    """
    if not environ.get(TOKEN_FILE):
        return {}
    missing = [name for name in (PROVIDER, ROLE) if not environ.get(name)]
    if missing:
        raise OperationError(f"{TOKEN_FILE} is set, and {' and '.join(missing)} is not: set both.")
    try:
        assumed = _assume(environ)
    except Exception as error:  # the SDK raises unrelated types for API, TLS and network
        raise OperationError(_refused(environ[ROLE], str(error))) from None
    return {
        "ALICLOUD_ACCESS_KEY": assumed.get_access_key_id(),
        "ALICLOUD_SECRET_KEY": assumed.get_access_key_secret(),
        "ALICLOUD_SECURITY_TOKEN": assumed.get_security_token(),
    }


def _refused(role: str, reason: str) -> str:
    message = f"STS gives no credentials for {role}: {reason}"
    if "InvalidParameter.DurationSeconds" in reason:
        message += (
            f"\nA session of {SESSION_SECONDS} seconds is asked for, and the role's longest is "
            f"shorter: aliyun ram UpdateRole --RoleName {role.rsplit('/', 1)[-1]} "
            f"--NewMaxSessionDuration {SESSION_SECONDS}"
        )
    return message


def _assume(environ: Mapping[str, str]) -> Any:
    # The SDK takes a second to import, and most commands do without.
    from alibabacloud_credentials.provider import (  # type: ignore[import-untyped]  # noqa: PLC0415
        OIDCRoleArnCredentialsProvider,
    )

    return OIDCRoleArnCredentialsProvider(
        role_arn=environ[ROLE],
        oidc_provider_arn=environ[PROVIDER],
        oidc_token_file_path=environ[TOKEN_FILE],
        role_session_name="slb-mutual-tls",
        duration_seconds=SESSION_SECONDS,
    ).get_credentials()
