"""Argument types of a component package, derived from the configuration's models.

Pulumi infers a package's schema from plain types: texts, numbers, lists, mappings and typed
dictionaries. The models' ranges and cross-field rules stay with the models, which check what
arrives.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict, Union, get_args, get_origin

from pydantic import BaseModel

SIMPLE = (bool, int, float, str)


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
    made = TypedDict(name or f"{model.__name__}Args", fields)  # type: ignore[operator]
    # Types are told apart by where they are from.
    made.__module__ = model.__module__
    made.__doc__ = model.__doc__
    return made


def _plain(annotation: Any) -> Any:
    """The type that stands for a field's in a schema."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _plain(parts[0])
    if origin is Literal:
        return type(parts[0])
    if origin in (Union, types.UnionType):
        kinds = [_plain(part) for part in parts if part is not types.NoneType]
        # A number or a text for it: the text can be either.
        return kinds[0] if all(kind == kinds[0] for kind in kinds) else str
    if origin is not None and issubclass(origin, Mapping):
        return dict[str, _plain(parts[1])]  # type: ignore[misc]
    if origin in (list, tuple, set, frozenset):
        return list[_plain(parts[0])]  # type: ignore[misc]
    if annotation in SIMPLE or annotation is Any:
        return annotation
    if issubclass(annotation, BaseModel):
        return arguments(annotation)
    return str
