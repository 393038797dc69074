"""Argument types of a component package, derived from the configuration's models.

Pulumi infers a package's schema from plain types: texts, numbers, lists, mappings and typed
dictionaries. The models' ranges and cross-field rules stay with the models, which check what
arrives.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin

from pydantic import BaseModel

SIMPLE = (bool, int, float, str, Any)


def arguments(model: type[BaseModel], name: str | None = None) -> Any:
    """A typed dictionary with a model's fields; those that have a default may be left out.

    Args:
        model: A model of the configuration.
        name: Of the typed dictionary, if not the model's with `Args`.
    """
    fields = {}
    for field, info in model.model_fields.items():
        plain = _plain(info.annotation)
        fields[field] = plain if info.is_required() else NotRequired[plain]
    # Type checkers know typed dictionaries only as they are written down.
    made: Any = vars(typing)["TypedDict"](name or f"{model.__name__}Args", fields)
    # Types are told apart by where they are from.
    made.__module__ = model.__module__
    made.__doc__ = model.__doc__
    return made


def _plain(annotation: Any) -> Any:
    """The type that stands for a field's in a schema."""
    if annotation in SIMPLE:
        return annotation
    parts = get_args(annotation)
    if parts:
        return _composed(get_origin(annotation), parts)
    # Addresses, secrets and the like are written as texts.
    return arguments(annotation) if issubclass(annotation, BaseModel) else str


def _composed(origin: Any, parts: Sequence[Any]) -> Any:
    if origin is Annotated:
        return _plain(parts[0])
    if origin is Literal:
        return type(parts[0])
    if origin in (Union, types.UnionType):
        kinds = [_plain(part) for part in parts if part is not types.NoneType]
        # Of a number or a text, the text can stand for both.
        return kinds[0] if len({*map(str, kinds)}) == 1 else str
    if issubclass(origin, Mapping):
        return dict[str, _plain(parts[1])]  # type: ignore[misc]
    return list[_plain(parts[0])]  # type: ignore[misc]
