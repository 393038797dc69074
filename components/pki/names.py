"""Distinguished names from plain fields (RFC 5280, 4.1.2.4 and appendix A.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID

from .mistakes import WrongValueError

ATTRIBUTES = {
    "country": NameOID.COUNTRY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizational_unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "common_name": NameOID.COMMON_NAME,
}
"""Fields in the order of the encoded name. An e-mail address is no part of it: RFC 5280, 4.1.2.6
puts that into the subject alternative names."""

LONGEST_NAME = 64
"""Characters of a common name (ub-common-name)."""

LONGEST = {"province": 128, "locality": 128}
"""Upper bounds other than 64 characters (ub-state-name, ub-locality-name)."""


def distinguished_name(subject: Mapping[str, str]) -> x509.Name:
    """Build a name.

    Args:
        subject: Values by field, those of `ATTRIBUTES`; others are left out.

    Raises:
        ValueError: A value cannot stand in a certificate; the message names its field.
    """
    attributes = [
        _attribute(field, oid, subject[field])
        for field, oid in ATTRIBUTES.items()
        if subject.get(field)
    ]
    if not attributes:
        raise ValueError("the subject is empty: set at least common_name")
    return x509.Name(attributes)


def fields(name: x509.Name) -> dict[str, str]:
    """The fields of a name that was issued elsewhere: the first value of each.

    A country is in capitals, as what is issued here has it; OpenSSL takes small letters too.
    """
    attributes = {field: name.get_attributes_for_oid(oid) for field, oid in ATTRIBUTES.items()}
    values = {field: str(values[0].value) for field, values in attributes.items() if values}
    return {f: value.upper() if f == "country" else value for f, value in values.items()}


def fit_subject(subject: Mapping[str, str]) -> dict[str, str]:
    """The fields of a name that was issued elsewhere that fit into what is issued here.

    Java's keytool makes CAs with a country of China; others have more characters than RFC 5280's
    upper bounds. Of a common name the beginning is kept.
    """
    shortened = {
        field: _cut(value, LONGEST_NAME) if field == "common_name" else value
        for field, value in subject.items()
    }
    return {field: value for field, value in shortened.items() if _fits(field, value)}


def name_generation(name: str, number: int, mark: str = "") -> str:
    """A common name for the CA of another generation: of 64 characters and bytes at most.

    Args:
        name: Common name of the CA; its end is left out where there is no room.
        number: Number of the generation.
        mark: Text that tells it from another CA of this generation.
    """
    suffix = f" G{number}{mark}"
    return f"{_cut(name, LONGEST_NAME - len(suffix))}{suffix}".strip()


def same_name(one: x509.Name, other: x509.Name) -> bool:
    """Whether two names are the same to OpenSSL, which compares them as RFC 5280, 7.1 says.

    ASCII's capital and small letters are the same, and so is any white space; the type of the text
    does not count.
    """
    return _canonical(one) == _canonical(other)


def comparable(name: x509.Name) -> str:
    """A text that is the same for two names that `same_name` takes for one."""
    return json.dumps([sorted(map(repr, relative)) for relative in _canonical(name)])


def common_name(name: x509.Name) -> str | None:
    """The name's first common name, if it has one."""
    attributes = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value) if attributes else None


def _cut(name: str, size: int) -> str:
    """The beginning of a name, of that many bytes at most."""
    if len(name.encode(errors="replace")) <= size:
        return name
    return name.encode(errors="replace")[:size].decode(errors="ignore").rstrip()


def _fits(field: str, value: str) -> bool:
    try:
        require_field(field, value)
    except ValueError:
        return False
    return True


def _canonical(name: x509.Name) -> list[frozenset[tuple[str, str | bytes]]]:
    return [
        frozenset((attribute.oid.dotted_string, _folded(attribute.value)) for attribute in relative)
        for relative in name.rdns
    ]


def _folded(value: str | bytes) -> str | bytes:
    if isinstance(value, bytes):
        return value
    plain = re.sub(r"[ \t-\r]+", " ", value).strip(" ")
    return re.sub("[A-Z]+", lambda capitals: capitals[0].lower(), plain)


def require_field(field: str, value: str) -> None:
    """Refuse a value of a field of `ATTRIBUTES` that cannot stand in a certificate.

    Raises:
        ValueError: With the field's name.
    """
    if field == "country" and not re.fullmatch("[A-Z]{2}", value):
        sentence = "two capital letters, such as CN (ISO 3166)"
        raise WrongValueError(f"country is {value!r}: it is {sentence}", f"country is {sentence}")
    longest = LONGEST.get(field, LONGEST_NAME)
    if len(value) > longest:
        raise ValueError(f"{field} has {len(value)} characters, of which {longest} fit")
    # The library counts bytes here, where RFC 5280 counts characters.
    size = len(value.encode(errors="replace"))
    if field == "common_name" and size > longest:
        raise ValueError(f"common_name takes {size} bytes in UTF-8, of which {longest} fit")
    if not value.isprintable() or value != value.strip():
        raise ValueError(f"{field} has control characters, or spaces around it")


def _attribute(field: str, oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    require_field(field, value)
    return x509.NameAttribute(oid, value)
