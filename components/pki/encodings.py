"""Complaints about certificates that the library cannot read.

The library tells no more than that an ASN.1 value is invalid. What people meet are names whose
texts are not in the encoding that their type says: old OpenSSL wrote Latin-1 into T61String, other
tools into UTF8String.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_PEM = re.compile(
    r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([^-]*)-----END", flags=re.ASCII | re.DOTALL
)

_TEXTS = {
    12: ("UTF8String", r"(?s:.*)", "utf-8"),
    18: ("NumericString", r"[0-9 ]*", "ascii"),
    19: ("PrintableString", r"[A-Za-z0-9 '()+,\-./:=?]*", "ascii"),
    # T.61 is no encoding that anybody has: its letters are ASCII's, and the rest is taken as UTF-8.
    20: ("T61String", r"(?s:.*)", "utf-8"),
    22: ("IA5String", r"(?s:.*)", "ascii"),
    26: ("VisibleString", r"[ -~]*", "ascii"),
    28: ("UniversalString", r"(?s:.*)", "utf-32-be"),
    30: ("BMPString", r"(?s:.*)", "utf-16-be"),
}
"""Types of text by their ASN.1 tag, with what they may hold (X.680, 41) and how."""

_ATTRIBUTES = {
    3: "common name",
    4: "surname",
    5: "serial number",
    6: "country",
    7: "locality",
    8: "province",
    9: "street",
    10: "organization",
    11: "organizational unit",
    12: "title",
    42: "given name",
}
"""Names of attributes by the last number of 2.5.4.N (X.520)."""


NO_CERTIFICATE = "this is no certificate in PEM"


def complaint(text: str) -> str:
    """Say what is wrong with a PEM text of which the library could not read every certificate."""
    complaints: list[str] = []
    for body in _PEM.findall(text):
        try:
            complaints += _complaints(base64.b64decode("".join(body.split())))
        except (binascii.Error, IndexError, ValueError):
            return NO_CERTIFICATE
        if complaints:
            return complaints[0]
    return "this is a certificate that cannot be read" if _PEM.search(text) else NO_CERTIFICATE


def _complaints(der: bytes) -> Iterator[str]:
    fields = _elements(_first(_first(der)[1])[1])
    if fields[0][0] == 0xA0:  # The version.
        del fields[0]
    for place, (_, name) in (("subject", fields[4]), ("issuer", fields[2])):
        for _, relative in _elements(name):
            for _, attribute in _elements(relative):
                (_, kind), (tag, content) = _elements(attribute)[:2]
                reason = _reason(tag, content)
                if reason:
                    yield f"the {_title(kind)} in its {place} {reason}"


def _reason(tag: int, content: bytes) -> str | None:
    """Say what is wrong with an attribute's value."""
    if tag not in _TEXTS:
        return None if tag == 4 else "is of a type that is no text"
    title, allowed, encoding = _TEXTS[tag]
    try:
        if re.fullmatch(allowed, content.decode(encoding)):
            return None
    except UnicodeDecodeError:
        pass
    return (
        f"({content.decode('latin-1')!r}) is not in the encoding that its type, {title}, says"
        f"{', but perhaps in Latin-1' if encoding == 'utf-8' else ''}"
    )


def _title(kind: bytes) -> str:
    known = kind[:2] == b"\x55\x04" and len(kind) == 3
    return _ATTRIBUTES.get(kind[2], "text") if known else "text"


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents of the elements of DER (X.690) that follow each other."""
    found = []
    while data:
        found.append(_first(data))
        data = data[_size(data) :]
    return found


def _first(data: bytes) -> tuple[int, bytes]:
    start, length = _header(data)
    if len(data) < start + length:
        raise ValueError("cut short")
    return data[0], data[start : start + length]


def _size(data: bytes) -> int:
    return sum(_header(data))


def _header(data: bytes) -> tuple[int, int]:
    """How long an element's head and its content are."""
    if not data[1] & 0x80:
        return 2, data[1]
    start = 2 + (data[1] & 0x7F)
    return start, int.from_bytes(data[2:start], "big")
