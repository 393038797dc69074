"""The database of `openssl ca`: the tutorial's `index.txt`, a line for each certificate.

Six fields between tabs: status (V, R or E), end of validity, time and reason of a revocation,
serial number in hex, file name, subject (`openssl-ca(1)`, and `apps/lib/apps.c` for the reasons).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from . import certificates
from .mistakes import WrongValueError
from .register import IssuedCertificate

FIELDS = 6

_TIMES = ("270301120000Z", "20270301120000Z")
"""A UTCTime and a GeneralizedTime."""

_REASONS = {
    "keytime": "keyCompromise",
    "cakeytime": "cACompromise",
    "cacompromise": "cACompromise",
    "holdinstruction": "certificateHold",
    **{
        name.lower(): name
        for name in (
            "unspecified",
            "keyCompromise",
            "affiliationChanged",
            "superseded",
            "cessationOfOperation",
            "certificateHold",
        )
    },
}
"""CRLReason (RFC 5280, 5.3.1) by what `openssl ca` writes and reads, in whatever letters."""


def entries(text: str) -> list[IssuedCertificate]:
    """The certificates of a database that are not marked as expired, in its order.

    The database knows neither the beginning of a certificate's validity nor its fingerprint: both
    are empty. A certificate is named as a client by that name would be: by its subject's common
    name, with dashes for what no client's name has; or else by its serial number.

    Raises:
        ValueError: A line cannot be read, or a serial number stands there twice; it says which.
    """
    entries_in_order = [
        _entry(number, line)
        # Editors of Windows begin a text with a mark of its byte order.
        for number, line in enumerate(re.split("\r\n?|\n", text.removeprefix("\ufeff")), start=1)
        # Comments and the marks before tabs within a field as in crypto/txt_db/txt_db.c.
        if line.strip() and not line.startswith(("#", "E\t"))
    ]
    seen: set[str] = set()
    for entry in entries_in_order:
        if entry.serial_number in seen:
            raise ValueError(f"serial number {entry.serial_number} stands in it twice")
        seen.add(entry.serial_number)
    return entries_in_order


def _entry(number: int, line: str) -> IssuedCertificate:
    fields = re.split(r"(?<!\\)\t", line)
    if len(fields) != FIELDS or fields[0] not in {"V", "R"}:
        raise ValueError(
            f"line {number} is none of `openssl ca`: it has six fields between tabs, of which the "
            "first is V, R or E (an editor may have made spaces of the tabs)"
        )
    status, end, revocation, serial, _file, subject = fields
    if not certificates.SERIAL_NUMBER.fullmatch(serial) or serial.startswith("-"):
        raise ValueError(f"line {number}: its serial number, the fourth field, is not hex")
    attributes = _attributes(subject)
    serial_number = certificates.whole_octets(int(serial, 16))
    revoked_at, _, reason = revocation.partition(",")
    if (status == "R") != bool(revoked_at):
        sentence = f"line {number}: status {status} does not go with"
        raise WrongValueError(
            f"{sentence} {revocation!r}", f"{sentence} its third field, the time of a revocation"
        )
    return IssuedCertificate(
        name=_name(attributes) or serial_number,
        serial_number=serial_number,
        fingerprint_sha256="",
        subject=",".join(f"{key}={_escaped(value)}" for key, value in reversed(attributes)),
        not_before=None,
        not_after=_time(number, end),
        status="revoked" if status == "R" else "valid",
        revoked_at=_time(number, revoked_at) if revoked_at else None,
        reason=_reason(number, reason) if revoked_at else None,
        imported=True,
    )


def _name(attributes: Sequence[tuple[str, str]]) -> str:
    common_name = next((value for key, value in attributes if key == "CN"), "")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", common_name).strip("._-")[:64]


def _time(number: int, text: str) -> datetime:
    """Read a UTCTime or GeneralizedTime (RFC 5280, 4.1.2.5)."""
    try:
        # Two digits of a year from 50 on are of the last century, which Python splits at 69.
        century = "" if len(text) == len(_TIMES[1]) else "20" if text < "5" else "19"
        time = datetime.strptime(century + text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        time = None
    if time is None or len(text) not in map(len, _TIMES) or time.year < certificates.FIRST_YEAR:
        sentence = f"is no time such as {' or '.join(_TIMES)}"
        raise WrongValueError(
            f"line {number}: {text!r} {sentence}", f"line {number}: one of its times {sentence}"
        )
    return time


def _reason(number: int, text: str) -> str:
    # An instruction or a time may follow: holdInstruction,OID and keyTime,TIME.
    name = text.partition(",")[0] or "unspecified"
    reason = _REASONS.get(name.lower())
    if reason is None:
        sentence = "is no reason that revokes a certificate"
        raise WrongValueError(
            f"line {number}: {name!r} {sentence}", f"line {number}: its reason {sentence}"
        )
    return reason


def _attributes(subject: str) -> list[tuple[str, str]]:
    """`/C=CN/O=Example` as pairs; a plus sign joins two of one relative distinguished name.

    Within a value OpenSSL 3 writes a backslash before both. Earlier ones do not: then a slash that
    no attribute follows belongs to the value.
    """
    parts = re.split(r"(?<!\\)[/+](?=[A-Za-z][A-Za-z0-9.]*=|[0-9][0-9.]*=)", subject)[1:]
    pairs = (part.partition("=") for part in parts)
    return [(key, _unescaped(value)) for key, _, value in pairs]


def _unescaped(value: str) -> str:
    r"""Text of what OpenSSL writes as \xHH, a byte of UTF-8 or Latin-1 each, and as \/ and \+."""
    octets = re.sub(rb"\\([/+])", rb"\1", value.encode())
    raw = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda m: bytes.fromhex(m[1].decode()), octets)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _escaped(value: str) -> str:
    """The value as RFC 4514, 2.4 writes it."""
    return re.sub(r'([,+"\\<>;]|^[ #]|(?<=.) $)', r"\\\1", value)
