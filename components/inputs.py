"""Arguments of a component, plain or late, on their way into its resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pulumi
from pydantic import SecretStr

from .arguments.errors import SettingsError
from .arguments.late import is_known, is_late, marked
from .arguments.model import Model
from .arguments.validation import validate

Arguments = TypeVar("Arguments", bound=Model)
T = TypeVar("T")
U = TypeVar("U")


def read_arguments(
    model: type[Arguments],
    args: Mapping[str, Any],
    component: str,
    parts: Mapping[str, str] | None = None,
) -> Arguments:
    """Check a component's arguments: plain values now, late ones as soon as they are known.

    What concerns several values is checked once more when the last of them is known.

    Args:
        model: The model of the arguments.
        args: The arguments as they were given.
        component: Name of the component, for messages.
        parts: Keys that have to be there and hold what other components made, with what they take.

    Raises:
        pulumi.RunError: One sentence for each mistake.
    """
    parts = parts or {}
    for name, what in parts.items():
        if args.get(name) is None:
            raise pulumi.RunError(f"{component}: {name} is missing: give it {what}")
    values = {name: value for name, value in args.items() if name not in parts}
    arguments = _validated(model, marked(values, component), component)
    if _holds_late(values):
        pulumi.Output.from_input(values).apply(lambda known: _validated(model, known, component))
    return arguments


def _validated(model: type[Arguments], values: Mapping[str, Any], component: str) -> Arguments:
    try:
        return validate(model, values, source=component, secret_keys=values.keys())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _holds_late(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_late(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_late(item) for item in value)
    return is_late(value)


def when_known(value: pulumi.Input[T], function: Callable[[T], U]) -> pulumi.Input[U]:
    """Apply a function to a value, now if it is plain."""
    if is_known(value):
        return function(value)
    return pulumi.Output.from_input(value).apply(function)


def when_all_known(
    values: Sequence[pulumi.Input[Any] | None], function: Callable[[Any], U]
) -> pulumi.Input[U]:
    """Apply a function to a tuple of values, now if all of them are plain or None."""
    if not any(is_late(value) for value in values):
        return function(tuple(values))
    return pulumi.Output.all(*values).apply(lambda known: function(tuple(known)))


def secret_text(value: pulumi.Input[SecretStr] | None) -> pulumi.Output[str] | None:
    """Return a secret as a secret output of its text; None if there is none."""
    if value is None:
        return None
    # A late one was checked, and is a text already.
    text: Any = value.get_secret_value() if isinstance(value, SecretStr) else value
    return pulumi.Output.secret(text)
