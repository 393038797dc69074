"""Sentences for a person from pydantic's errors: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError


def sentences(error: ValidationError, model: type[BaseModel], source: str) -> Iterator[str]:
    """One sentence for each mistake.

    Args:
        error: What validation raised.
        model: What was validated.
        source: Where the values were set: a file's name, or a place within it.
    """
    for detail in error.errors():
        location = detail["loc"]
        place = ".".join(str(part) for part in location if part != "[key]")
        reason = _reason(detail, _model_at(model, location[:-1]))
        yield f"{source}: {place}: {reason}" if place else f"{source}: {reason}"


def _reason(detail: Any, model: type[BaseModel] | None) -> str:
    """What is wrong and what would be right, for one of pydantic's errors."""
    match detail["type"]:
        case "extra_forbidden":
            known = sorted(model.model_fields) if model else []
            close = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
            return f"there is no such key; {hint}"
        case "string_pattern_mismatch" if detail["loc"][-1] == "[key]":
            return (
                "a client's name becomes a file name: 1 to 64 letters, digits, dots, dashes or "
                "underscores, the first one a letter or digit"
            )
        case "value_error":
            return str(detail["ctx"]["error"])
        case "literal_error":
            return f"{detail['input']!r} is not one of {detail['ctx']['expected']}"
        case "model_type" | "dict_type":
            return "there are keys below it, and it is no single value"
        case _:
            # Never the input itself: it may be a secret.
            message: str = detail["msg"]
            return message[0].lower() + message[1:]


def _model_at(root: type[BaseModel], location: Iterable[str | int]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = root
    for part in location:
        if model is None:
            return None
        if part in model.model_fields:
            annotation: Any = model.model_fields[str(part)].annotation
            model = _model_in(annotation)
        # Otherwise a map's key: its values' model was found one step before.
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _model_in(argument)) is not None:
            return found
    return None
