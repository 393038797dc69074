"""Sentences for a person from pydantic's errors: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ..pki import keys, uploaded_keys
from ..pki.mistakes import WrongValueError
from .model import MissingPartError
from .paths import command, path


class SettingsError(Exception):
    """The configuration is wrong; the message has one sentence for each mistake."""


def sentences(
    error: ValidationError,
    model: type[BaseModel],
    source: str,
    *,
    secret_keys: Collection[str] = (),
) -> Iterator[str]:
    """One sentence for each mistake.

    Args:
        error: Error that validation raised.
        model: Model that was validated against.
        source: Place where the values were set: a file's name, or a place within it.
        secret_keys: Top-level keys with a secret somewhere below them. The engine does not say
            where, so that no value below them is quoted.
    """
    for detail in error.errors():
        location = tuple(part for part in detail["loc"] if part != "[key]")
        hidden = bool(location) and location[0] in secret_keys
        reason = _reason(detail, model, hidden=hidden)
        place = path(*location)
        yield f"{source}: {place}: {reason}" if place else f"{source}: {reason}"


def _reason(detail: Any, root: type[BaseModel], *, hidden: bool) -> str:
    """Say what is wrong and what would be right, for one of pydantic's errors."""
    location = detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            model = _model_at(root, location[:-1])
            known = sorted(model.model_fields) if model else []
            if location[-1] in keys.PROPERTIES and "key_bits" in known:
                return f"there is no such key here: {uploaded_keys.WHY}"
            close = difflib.get_close_matches(str(location[-1]), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
            return f"there is no such key; {hint}"
        case "string_pattern_mismatch" if location[-1] == "[key]":
            return (
                "a client's name becomes a file name: 1 to 64 letters, digits, dots, dashes or "
                "underscores, the first one a letter or digit"
            )
        case "value_error":
            return _told(detail["ctx"]["error"], location, hidden=hidden)
        case "literal_error":
            return _of_no_choice(detail["input"], detail["ctx"]["expected"], hidden=hidden)
        case kind:
            return _of_another_type(kind, detail, root)


def _of_no_choice(value: Any, expected: str, *, hidden: bool) -> str:
    """Sentence on a value that is none of a few choices."""
    if isinstance(value, str) and value in expected.split():
        return "a whole number belongs here, and this is a text: write it without quotes"
    quoted = not hidden and isinstance(value, str)
    return f"{repr(value) if quoted else 'this'} is not one of {expected}"


def _told(error: Exception, location: tuple[str | int, ...], *, hidden: bool) -> str:
    """Sentence of one of this program's validators."""
    if isinstance(error, MissingPartError):
        options = ("--secret",) if error.secret else ()
        place = path(*location, error.key)
        return f"{error}: {command(place, *options)} takes it from standard input"
    if hidden and isinstance(error, WrongValueError):
        return error.without_value
    return str(error)


_WHOLE_NUMBER = "a whole number belongs here"
_TRUE_OR_FALSE = "true or false belongs here"

_BELONGS_HERE = {
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "finite_number": _WHOLE_NUMBER,
    "bool_type": _TRUE_OR_FALSE,
    "bool_parsing": _TRUE_OR_FALSE,
    "tuple_type": "a list belongs here: each of its values on a line of its own, indented, after a "
    "dash; or all of them as [first, second]",
    "dict_type": "keys belong below it, each on a line of its own and indented, and no single "
    "value or list",
    "missing": "it is not set, and has no default: set it",
}
"""Sentences by pydantic's kind of error, whose own words are for programmers."""


def _of_another_type(kind: str, detail: Any, root: type[BaseModel]) -> str:
    """Sentence on what belongs where a value of another type stands; the value may be a secret."""
    location, value = detail["loc"], detail["input"]
    if kind in _BELONGS_HERE:
        return _BELONGS_HERE[kind]
    if kind == "model_type":
        model = _model_at(root, location)
        named = ", ".join(list(model.model_fields)[:3]) if model else ""
        return f"{_BELONGS_HERE['dict_type']}: such as {named}"
    if kind != "string_type":
        message: str = detail["msg"]
        return message[0].lower() + message[1:]
    if value is None:
        return "nothing stands behind it: write a text, or leave the key out"
    if not isinstance(value, bool | int | float):
        return "one text belongs here, and neither a list nor keys below it"
    read_as = "true or false" if isinstance(value, bool) else "a number"
    option = "--secret" if _is_secret(root, location) else "--type string"
    place = path(*(part for part in location if part != "[key]"))
    return (
        f"a text belongs here, and this is read as {read_as}: put it in quotes, or "
        f"{command(place, option)}, which takes it from standard input"
    )


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


def in_the_clear(
    root: type[BaseModel], values: Any, location: tuple[str | int, ...] = ()
) -> Iterator[str]:
    """One sentence for each text that stands where only secrets do; `{secure: …}` is none.

    Args:
        root: The model of all values.
        values: Values that are set, or a part of them.
        location: Place of that part among the values.
    """
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from in_the_clear(root, value, (*location, str(key)))
    elif isinstance(values, str) and values and location and _is_secret(root, location):
        place = path(*location)
        yield f"{place} is a secret in the clear; give it by {command(place, '--secret')}"


def _is_secret(root: type[BaseModel], location: tuple[str | int, ...]) -> bool:
    """Whether only secrets stand at a place."""
    model = _model_at(root, location[:-1])
    field = model.model_fields.get(str(location[-1])) if model else None
    return field is not None and "SecretStr" in str(field.annotation)
