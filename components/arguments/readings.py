"""Texts of which the engine hands over something else than stands in the stack's file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .paths import path

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC")
"""Text that the engine makes of a date without quotes, as YAML reads it."""

_NOTHING = "<nil>"
"""Text that the engine makes of a key that YAML reads as nothing: `~` or `null` without quotes."""


def misread(value: Any, *place: str | int) -> Iterator[tuple[str, str]]:
    """Find texts that were not written so: the place, and a sentence on what to write."""
    if isinstance(value, str):
        reason = _reason(value)
        if reason:
            yield path(*place), reason
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            reason = _reason(key, key=True)
            if reason:
                # Neither pydantic nor a terminal takes half a character in a message.
                yield ascii(path(*place, key))[1:-1], reason
            else:
                yield from misread(inner, *place, key)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from misread(inner, *place, index)


def _reason(text: str, *, key: bool = False) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])[1:-1]
        return f"{half} is one half of a character: write the whole character"
    if _DATE.fullmatch(text):
        return "YAML reads this as a date: put it in quotes"
    if key and text == _NOTHING:
        return "YAML reads a key as nothing, ~ or null: put it in quotes"
    return None
