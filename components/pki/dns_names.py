"""DNS names as certificates hold them: in ASCII, others as A-labels (RFC 5890, 2.3.2.1)."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

from .mistakes import WrongValueError

LONGEST, LONGEST_LABEL = 253, 63
"""Characters (RFC 1035, 2.3.4, without the root's label and the octets of lengths)."""

_LABEL = re.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?")
"""Letters, digits and hyphens (RFC 1034, 3.5, as RFC 5280, 4.2.1.6 asks for)."""


def a_labels(name: str) -> str:
    """The name in small ASCII letters; its first label may be a wildcard.

    Raises:
        ValueError: It is no DNS name; the message quotes it.
    """
    labels = [_a_label(label) for label in unicodedata.normalize("NFC", name).lower().split(".")]
    ascii_name = ".".join(labels)
    _require_no_address(name)
    if labels[-1] == "" and len(labels) > 1:
        raise WrongValueError.of(
            name, " is no DNS name of a certificate: it ends in a dot, so leave that out"
        )
    if "*" in ascii_name and (labels[0] != "*" or "*" in ".".join(labels[1:]) or len(labels) < 3):
        raise WrongValueError.of(
            name,
            " is no DNS name: a wildcard is the whole first label, with two others or more below "
            "it, such as *.example.com",
        )
    long = [label for label in labels if len(label) > LONGEST_LABEL]
    if long or len(ascii_name) > LONGEST:
        raise WrongValueError.of(
            name,
            f" is no DNS name: it has {LONGEST} characters at most, and {LONGEST_LABEL} between "
            "two dots",
        )
    host = labels[1:] if labels[0] == "*" else labels
    if not all(map(_LABEL.fullmatch, host)):
        raise WrongValueError.of(name, " is no DNS name, such as www.example.com or *.example.com")
    # URL Standard, 3.5: browsers read what ends so as an IPv4 address.
    if re.fullmatch("[0-9]+|0x[0-9a-f]*", labels[-1]):
        raise WrongValueError.of(
            name, " ends in a number, which no DNS name does: is it an address?"
        )
    return ascii_name


def covers(pattern: str, name: str) -> bool:
    """Whether a certificate's name is a host's: the same, or a wildcard's (RFC 6125, 6.4.3)."""
    if pattern.lower() == name.lower():
        return True
    return pattern.startswith("*.") and pattern[2:].lower() == name.partition(".")[2].lower()


def _require_no_address(name: str) -> None:
    """Refuse what people write in a DNS name's place: a URL, a host with a port, an address."""
    if "/" in name:
        raise WrongValueError.of(
            name,
            " is no DNS name, but a URL or a path: write the host's name alone, such as "
            "www.example.com",
        )
    if ":" in name and _is_address(name.strip("[]")):
        raise WrongValueError.of(
            name, " is no DNS name, but an IP address: give a name, such as www.example.com"
        )
    if re.search(":[0-9]+$", name):
        raise WrongValueError.of(
            name, " is no DNS name, but has a port: write the host's name alone"
        )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _a_label(label: str) -> str:
    if label.isascii():
        _require_meaning(label)
        return label
    try:
        encoded = label.encode("idna").decode()
        kept = encoded.encode().decode("idna") == label
    except UnicodeError:
        encoded, kept = "", False
    if not kept:
        # Python's IDNA 2003 would name another host than browsers look up, e.g. for a sharp s.
        forms = " or ".join(dict.fromkeys(filter(None, (_of_idna_2008(label), encoded))))
        if forms and "xn--" not in forms:  # Another spelling of ASCII, such as full width.
            raise WrongValueError.of(label, f" is no DNS name as it is: write {forms}")
        raise WrongValueError.of(
            label,
            " has no one form in DNS: write its A-label, which begins xn--"
            f"{f': {forms}' if forms else ''}",
        )
    return encoded


def _require_meaning(label: str) -> None:
    """Refuse what only looks like an A-label (RFC 5890, 2.3.2.1): no client would look it up."""
    if not label.startswith("xn--"):
        return
    try:
        meant = label.removeprefix("xn--").encode().decode("punycode")
        again = meant.encode("punycode").decode()
        controls = any(unicodedata.category(character) in {"Cc", "Cs"} for character in meant)
        stands = not meant.isascii() and not controls and again == label.removeprefix("xn--")
    except (UnicodeError, ValueError, OverflowError):
        stands = False
    if not stands:
        raise WrongValueError.of(
            label, " is no DNS name: it begins as an A-label, and stands for no other text"
        )


def _of_idna_2008(label: str) -> str:
    """The A-label if the label is taken as it is, as browsers do today (RFC 5891)."""
    letters = all(c in "-\u200c\u200d" or unicodedata.category(c)[0] in "LMN" for c in label)
    if not letters or unicodedata.normalize("NFKC", label) != label:
        return ""  # RFC 5892, 2: punctuation, or another spelling of other characters.
    try:
        encoded = "xn--" + label.encode("punycode").decode()
    except UnicodeError:
        return ""
    return encoded if len(encoded) <= LONGEST_LABEL else ""
