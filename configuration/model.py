"""What all models of the configuration have in common."""

from __future__ import annotations

import re

from pydantic import AfterValidator, BaseModel, ConfigDict

NAMESPACE = "slb-mutual-tls"


class Model(BaseModel):
    """Base of all models: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def matching(pattern: str, sentence: str) -> AfterValidator:
    """Take texts that a pattern describes as a whole; the sentence says what would be right."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)
