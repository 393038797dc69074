"""DNS names as certificates hold them: in ASCII, others as A-labels (RFC 5890, 2.3.2.1)."""

from __future__ import annotations

import re
import unicodedata

_LABEL = re.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""Letters, digits and hyphens (RFC 1034, 3.5, as RFC 5280, 4.2.1.6 asks for)."""


def a_labels(name: str) -> str:
    """The name in small ASCII letters; its first label may be a wildcard.

    Raises:
        ValueError: It is no DNS name; the message quotes it.
    """
    composed = unicodedata.normalize("NFC", name).lower()
    labels = [_a_label(label) for label in composed.split(".")]
    host = labels[1:] if labels[0] == "*" else labels
    if not host or not all(map(_LABEL.fullmatch, host)) or len(".".join(labels)) > 253:
        raise ValueError(f"{name!r} is no DNS name, such as www.example.com or *.example.com")
    if re.fullmatch("[0-9]+", labels[-1]):
        raise ValueError(f"{name!r} ends in a number, which no DNS name does: is it an address?")
    return ".".join(labels)


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        encoded = label.encode("idna").decode()
        kept = encoded.encode().decode("idna") == label
    except UnicodeError:
        kept = False
    if not kept:
        # Python's IDNA 2003 would name another host than browsers look up, e.g. for a sharp s.
        raise ValueError(f"{label!r} has no one form in DNS: write its A-label, which begins xn--")
    return encoded
