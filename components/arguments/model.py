"""The base of all models of arguments, and what their fields share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

NAMESPACE = "slb-mutual-tls"


class MissingPartError(ValueError):
    """A key that is missing beside others, of which a command is told that sets it.

    Attributes:
        key: The key, below the place where this is raised.
        secret: Whether its value is a secret.
    """

    def __init__(self, reason: str, key: str, *, secret: bool = False) -> None:
        super().__init__(reason)
        self.key = key
        self.secret = secret


class Model(BaseModel):
    """Base of all models: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, value: Any) -> Any:
        """Take a key with nothing behind it as one that is not there.

        YAML reads `listener:` so where everything below it is commented out. Where nothing is a
        value of its own, as of `acl`, it is kept.
        """
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            return value
        return {key: _whole(cls, key, item) for key, item in value.items() if _says(cls, key, item)}


def matching(pattern: str, sentence: str) -> AfterValidator:
    """Take texts that a pattern describes as a whole; the sentence says what would be right."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


def _says(model: type[Model], key: str, value: Any) -> bool:
    """Whether a value is more than nothing, or nothing where that is a value."""
    if value is not None or key not in model.model_fields:
        return True
    return type(None) in get_args(model.model_fields[key].annotation)


def _whole(model: type[Model], key: str, value: Any) -> Any:
    """The value, but `true` as a text where a whole number belongs: it would be read as 1."""
    if not isinstance(value, bool) or key not in model.model_fields:
        return value
    annotation = model.model_fields[key].annotation
    wanted = {annotation, *get_args(annotation)}
    return str(value).lower() if int in wanted and bool not in wanted else value
