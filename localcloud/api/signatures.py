"""Both signatures of Alibaba Cloud's RPC APIs.

Version 1 (HMAC-SHA1 over all parameters) is what the provider sends, version 3
(ACS3-HMAC-SHA256) what today's SDKs send.
Source: "Request structure and signature" of the OpenAPI documentation, for both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote_plus

V3_ALGORITHM = "ACS3-HMAC-SHA256"

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Signed:
    """Request as it was sent.

    Attributes:
        method: HTTP method, GET or POST.
        query: Parameters of the URL's query, decoded, blank values included.
        form: Parameters of the body's form, decoded, blank values included.
        headers: Headers by lower-case names.
        body: Body as it was sent.
    """

    method: str
    query: Pairs
    form: Pairs
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Claim:
    """Claim of a request: who signed it, and when.

    Attributes:
        access_key_id: Access key of the signer.
        nonce: Nonce, which must never come twice.
        time: Time of signing; None if it cannot be read.
        signature: Signature that the request has.
        string_to_sign: Text that must have been signed.
    """

    access_key_id: str
    nonce: str
    time: datetime | None
    signature: str
    string_to_sign: str
    version: int

    def is_signed_with(self, secret: str) -> bool:
        """Tell whether the signature is the one that the secret makes."""
        sign = sign_v1 if self.version == 1 else sign_v3
        return hmac.compare_digest(
            sign(secret, self.string_to_sign).encode(), self.signature.encode()
        )


def read_claim(request: Signed) -> Claim | None:
    """Read whichever signature a request has; None if it has none."""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith(V3_ALGORITHM):
        return _read_claim_v3(request, authorization)
    return _read_claim_v1(request)


def sign_v1(secret: str, text: str) -> str:
    """Sign a text with HMAC-SHA1, in base64."""
    mac = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


def sign_v3(secret: str, text: str) -> str:
    """Sign a text with HMAC-SHA256, in hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def string_to_sign_v1(method: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Text that version 1 signs: all parameters but the signature, blank ones included."""
    signed = sorted((name, value) for name, value in parameters if name != "Signature")
    return f"{method}&%2F&{_encode(_canonical_query(signed))}"


def string_to_sign_v3(request: Signed, signed_headers: Iterable[str]) -> str:
    """Text that version 3 signs: the request's canonical form, by its hash."""
    names = sorted(signed_headers)
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in names)
    canonical = "\n".join(
        [
            request.method,
            "/",
            _canonical_query(sorted(request.query)),
            headers,
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    return f"{V3_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def decode_pairs(text: str) -> Pairs:
    """Decode a query or a form; unlike the standard library's, exactly as it was sent."""
    decoded = []
    for part in text.split("&") if text else []:
        name, _, value = part.partition("=")
        decoded.append((unquote_plus(name), unquote_plus(value)))
    return decoded


def _read_claim_v1(request: Signed) -> Claim | None:
    parameters = [*request.query, *request.form]
    values = dict(parameters)
    if values.get("SignatureMethod") != "HMAC-SHA1" or values.get("SignatureVersion") != "1.0":
        return None
    return Claim(
        access_key_id=values.get("AccessKeyId", ""),
        nonce=values.get("SignatureNonce", ""),
        time=_read_time(values.get("Timestamp", "")),
        signature=values.get("Signature", ""),
        string_to_sign=string_to_sign_v1(request.method, parameters),
        version=1,
    )


def _read_claim_v3(request: Signed, authorization: str) -> Claim | None:
    fields = dict(re.findall(r"(\w+)=([^,\s]+)", authorization))
    signed = fields.get("SignedHeaders", "").split(";")
    # What is not signed could be changed on the way: host, action, time and body must be.
    needed = {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"}
    if request.body:
        needed.add("content-type")
    if not needed <= set(signed):
        return None
    return Claim(
        access_key_id=fields.get("Credential", ""),
        nonce=request.headers.get("x-acs-signature-nonce", ""),
        time=_read_time(request.headers.get("x-acs-date", "")),
        signature=fields.get("Signature", ""),
        string_to_sign=string_to_sign_v3(request, signed),
        version=3,
    )


def _read_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _canonical_query(parameters: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in parameters)


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")
