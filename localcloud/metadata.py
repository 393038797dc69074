"""Metadata that the API publishes of each action's parameters, and requests that follow it.

Required or not, and in which range, comes from there; a request's model says by hand what metadata
cannot. Where the local cloud follows another source, `deviations` says which one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from localcloud.deviations import DEVIATIONS, LEFT_OUT, Range
from localcloud.requests import ActionRequest

FILE = Path(__file__).with_name("published_parameters.json")

R = TypeVar("R", bound=ActionRequest)


@dataclass(frozen=True)
class Parameter:
    """Parameter of an action, as published.

    Attributes:
        type: Type in the metadata's words, such as `String` or `RepeatList`.
        required: Whether a request must have it.
        range: Least and greatest value; None where there is no such bound.
    """

    type: str
    required: bool = False
    range: Range = (None, None)


@cache
def _load_published() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def actions(product: str) -> frozenset[str]:
    """Actions of a product whose parameters are known, emulated or not."""
    return frozenset(_load_published()[product])


def read_published(product: str, action: str) -> Mapping[str, Parameter]:
    """Read parameters of an action by name, as the metadata has them.

    Raises:
        KeyError: The product has no such action.
    """
    return {name: _read(text) for name, text in _load_published()[product][action].items()}


def _read(text: str) -> Parameter:
    kind, *rest = text.split()
    bounds = next((word.split("..") for word in rest if ".." in word), ["", ""])
    least, greatest = (int(bound) if bound else None for bound in bounds)
    return Parameter(kind, "required" in rest, (least, greatest))


def parameters(product: str, action: str) -> Mapping[str, Parameter]:
    """Parameters of an action by name, as the local cloud demands them."""
    demanded = dict(read_published(product, action))
    for deviation in DEVIATIONS:
        name = deviation.parameter
        if f"{product}.{action}" not in deviation.actions or name not in demanded:
            continue
        if deviation.range is not None:
            demanded[name] = replace(demanded[name], range=deviation.range)
        if deviation.required is not None:
            demanded[name] = replace(demanded[name], required=deviation.required)
    return demanded


def fit_model(product: str, action: str, model: type[R]) -> type[R]:
    """Make the model of an action's request obey what the metadata says of its fields.

    Args:
        product: Product that has the action.
        action: Name of the action, which the new model gets.
        model: Model written by hand; its fields are the parameters that are emulated.
    """
    known = parameters(product, action)
    changed: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in known and (fit := _fit(field, known[name])) is not None:
            changed[name] = (fit.annotation, fit)
    fitted = create_model(action, __base__=model, __module__=model.__module__, **changed)
    fitted.model_rebuild(force=True)  # several threads may be the first to read a request with it
    fitted.left_out = {
        name: feature
        for feature, names in LEFT_OUT.get(f"{product}.{action}", {}).items()
        for name in names.split()
    }
    return fitted


def _fit(field: FieldInfo, parameter: Parameter) -> FieldInfo | None:
    """Make a field obey what is published; None for one that does so by itself."""
    least, greatest = parameter.range
    bounds: list[Any] = Field(ge=least, le=greatest).metadata
    required = parameter.required and not field.is_required()
    if not bounds and not required:
        return None
    fitted = copy(field)
    fitted.metadata = [*field.metadata, *bounds]
    if required:
        fitted.default, fitted.default_factory = FieldInfo().default, None  # which is none at all
    return fitted
