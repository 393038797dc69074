"""DER (X.690), as far as a certificate is taken apart and put together again byte for byte."""

from __future__ import annotations

from collections.abc import Iterable

SEQUENCE = 0x30
INTEGER = 0x02
BIT_STRING = 0x03


def elements(data: bytes) -> list[bytes]:
    """The elements that follow each other in `data`, each whole.

    Raises:
        ValueError: It is cut short.
    """
    found = []
    while data:
        start, end = _bounds(data)
        found.append(data[:end])
        if end > len(data) or end < start:
            raise ValueError("the DER is cut short")
        data = data[end:]
    return found


def content(element: bytes) -> bytes:
    """The content of an element."""
    start, end = _bounds(element)
    return element[start:end]


def inner(element: bytes) -> list[bytes]:
    """The elements within an element."""
    return elements(content(element))


def element(tag: int, *parts: bytes) -> bytes:
    """An element of these parts."""
    data = b"".join(parts)
    length = len(data)
    if length < 0x80:
        return bytes([tag, length]) + data
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + data


def sequence(parts: Iterable[bytes]) -> bytes:
    """A SEQUENCE of these elements."""
    return element(SEQUENCE, *parts)


def integer(value: int) -> bytes:
    """An INTEGER of any size and sign."""
    bits = (value if value >= 0 else ~value).bit_length()
    return element(INTEGER, value.to_bytes(bits // 8 + 1, "big", signed=True))


def _bounds(data: bytes) -> tuple[int, int]:
    """Places where the content of the first element begins and ends."""
    if len(data) < 2:
        raise ValueError("the DER is cut short")
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    return start, start + length
