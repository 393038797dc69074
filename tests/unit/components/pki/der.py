"""A second reading of DER (X.690), independent of the library that wrote it."""

from __future__ import annotations

from collections.abc import Iterator

CONSTRUCTED = 0x20


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and contents of the elements that follow each other in `data`."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        assert len(data) >= start + length, "cut short"
        yield tag, data[start : start + length]
        data = data[start + length :]


def leaves(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements that hold no others, in depth."""
    for tag, content in elements(data):
        if tag & CONSTRUCTED:
            yield from leaves(content)
        else:
            yield tag, content


def path(data: bytes, *indices: int) -> bytes:
    """Content of the element that the indices lead to."""
    for index in indices:
        data = list(elements(data))[index][1]
    return data


def object_identifier(content: bytes) -> str:
    """An OBJECT IDENTIFIER's content as dotted numbers (8.19)."""
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))
