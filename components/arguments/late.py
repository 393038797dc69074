"""Values that other resources give, checked as plain ones are once they are known."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeGuard, TypeVar

from pydantic import SecretStr, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from ..pki.mistakes import WrongValueError
from .paths import path

T = TypeVar("T")


def is_late(value: Any) -> bool:
    """Whether a value is an output of another resource, or is still awaited."""
    # Commands that read a stack's file have no outputs, and do not wait for Pulumi's SDK.
    sdk = sys.modules.get("pulumi")
    return inspect.isawaitable(value) or (sdk is not None and isinstance(value, sdk.Output))


@dataclass(frozen=True)
class Late:
    """A value that is not known yet, and where it was given."""

    value: Any
    source: str
    place: str

    def checked(self, handler: ValidatorFunctionWrapHandler) -> Any:
        """Return an output of what the handler makes of the value, which fails where that does."""
        import pulumi  # noqa: PLC0415 - what is late comes from there

        def check(known: Any) -> Any:
            try:
                checked = handler(known)
            except ValidationError as error:
                raise pulumi.RunError(f"{self.source}: {self.place}: {_reason(error)}") from None
            return checked.get_secret_value() if isinstance(checked, SecretStr) else checked

        return pulumi.Output.from_input(self.value).apply(check)


def _reason(error: ValidationError) -> str:
    """Sentence on what is wrong, without the value, which may be a secret."""
    detail = error.errors(include_url=False, include_input=False)[0]
    raised = detail.get("ctx", {}).get("error")
    if isinstance(raised, WrongValueError):
        return raised.without_value
    return str(raised) if raised else "a text belongs here"


def marked(values: Any, source: str, *place: str | int) -> Any:
    """Copy values, with each that is late as a `Late` which knows its place."""
    if isinstance(values, Mapping):
        return {key: marked(value, source, *place, key) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [marked(value, source, *place, index) for index, value in enumerate(values)]
    return Late(values, source, path(*place)) if is_late(values) else values


def _plain_or_late(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return value.checked(handler) if isinstance(value, Late) else handler(value)


if TYPE_CHECKING:
    import pulumi

    InputOf: TypeAlias = pulumi.Input[T]
else:

    class InputOf:
        """A field that takes outputs of other resources as well."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return Annotated[kind, WrapValidator(_plain_or_late)]


def is_known(value: pulumi.Input[T] | None) -> TypeGuard[T]:
    """Whether a value is there and plain, so that rules can judge it now."""
    return value is not None and not is_late(value)
