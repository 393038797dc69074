"""Gateway before every action: who signed, when, and whether the request was seen before.

It is a security boundary and not only likeness: instances run their user data, so that a request
from a web page or another user of this machine must not get through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from localcloud.api import signatures
from localcloud.api.nonces import Nonces
from localcloud.api.signatures import Claim, Signed
from localcloud.errors import ApiError

FRESH = timedelta(minutes=15)
"""Time by which a request's clock may differ from this one."""

HOSTS = ("127.0.0.1", "localhost")

COMMON = frozenset(
    {
        "AccessKeyId",
        "Action",
        "Format",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureType",
        "SignatureVersion",
        "SecurityToken",
        "Timestamp",
        "Version",
    }
)
"""Parameters of every request that are no action's own."""


@dataclass(frozen=True)
class Credentials:
    """The one access key pair of this cloud."""

    access_key_id: str
    access_key_secret: str


@dataclass(frozen=True)
class Call:
    """An authenticated request for an action."""

    version: str
    action: str
    parameters: dict[str, str]


class Gateway:
    """Gateway that authenticates requests.

    Args:
        credentials: Access key pair whose signatures count.
        nonces: Nonces of requests that were let in before.
        now: Clock that gives the time.
    """

    def __init__(
        self,
        credentials: Credentials,
        nonces: Nonces,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._credentials = credentials
        self._nonces = nonces
        self._now = now

    def admit(self, request: Signed) -> Call:
        """Authenticate a request and let it in.

        Raises:
            ApiError: The request is refused, in the words of Alibaba Cloud's gateway.
        """
        host = request.headers.get("host", "").rsplit(":", 1)[0]
        if host not in HOSTS:
            raise ApiError(400, "InvalidHost", f"This API is reached as {' or '.join(HOSTS)}.")
        claim = signatures.read_claim(request)
        if claim is None or not claim.access_key_id:
            raise ApiError(400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.")
        self._authenticate(claim)
        parameters = dict([*request.query, *request.form])
        if len(parameters) < len(request.query) + len(request.form):
            # The signature holds in any order, and so does not say which of the two is meant.
            raise ApiError(400, "InvalidParameter", "A parameter comes twice.")
        headers = request.headers
        return Call(
            version=parameters.get("Version") or headers.get("x-acs-version", ""),
            action=parameters.get("Action") or headers.get("x-acs-action", ""),
            parameters={k: v for k, v in parameters.items() if k not in COMMON},
        )

    def _authenticate(self, claim: Claim) -> None:
        if claim.access_key_id != self._credentials.access_key_id:
            raise ApiError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        now = self._now()
        if claim.time is None:
            raise ApiError(
                400,
                "InvalidTimeStamp.Format",
                "Specified time stamp or date value is not well formatted.",
            )
        if abs(now - claim.time) > FRESH:
            raise ApiError(
                400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."
            )
        if not claim.nonce or not claim.signature:
            raise ApiError(
                400,
                "IncompleteSignature",
                "The request signature does not conform to the standards.",
            )
        if not claim.is_signed_with(self._credentials.access_key_secret):
            # Alibaba Cloud repeats the string to sign, which here may hold a private key. The older
            # Python SDK fails where the message has no colon.
            raise ApiError(
                400,
                "SignatureDoesNotMatch",
                "Specified signature is not matched with our calculation. "
                "server string to sign is: not repeated here, it may hold a key.",
            )
        if not self._nonces.add(claim.nonce, (claim.time + FRESH).timestamp(), now.timestamp()):
            raise ApiError(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
