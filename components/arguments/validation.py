"""Plain values into a model, or one sentence for each mistake."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from .errors import SettingsError, in_the_clear, sentences
from .model import Model
from .readings import misread

Validated = TypeVar("Validated", bound=Model)


def validate(
    model: type[Validated],
    values: Mapping[str, Any],
    *,
    source: str,
    secret_keys: Collection[str] = (),
) -> Validated:
    """Read values into a model.

    Args:
        model: The model.
        values: Values as they were written, by key.
        source: Place where they were written, for messages: a file's name, or a component's.
        secret_keys: Top-level keys with a secret somewhere below them, which no message repeats.

    Raises:
        SettingsError: With a sentence for each mistake.
    """
    hidden = set(secret_keys)
    if wrong := list(misread(values)):
        raise SettingsError("\n".join(f"{source}: {place}: {reason}" for place, reason in wrong))
    # The engine makes an empty text of a key of the first level with nothing behind it.
    written = {key: None if value == "" else value for key, value in values.items()}
    try:
        arguments = model.model_validate(written)
    except ValidationError as error:
        told = sentences(error, model, source, secret_keys=hidden)
        raise SettingsError("\n".join(told)) from None
    shown = {key: value for key, value in written.items() if key not in hidden}
    require_no_secret_in_the_clear(model, shown, source)
    return arguments


def require_no_secret_in_the_clear(
    model: type[Model], values: Mapping[str, Any], source: str
) -> None:
    """Refuse secrets that are not encrypted.

    The engine tells the program only which keys of the first level have a secret below them, so
    that this sees one beside an encrypted one in the file alone.

    Args:
        model: The model of the values.
        values: Values as they were written; encrypted ones are maps.
        source: Place where they were written, for messages.

    Raises:
        SettingsError: With a sentence for each.
    """
    if found := sorted(in_the_clear(model, values)):
        raise SettingsError("\n".join(f"{source}: {sentence}" for sentence in found))
