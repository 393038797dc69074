"""Sentences about wrong values: with the value or, where it may be a secret, without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class WrongValueError(ValueError):
    """A value that is wrong. Its message quotes the value.

    Attributes:
        without_value: The message for a value that may be a secret.
    """

    def __init__(self, message: str, without_value: str) -> None:
        super().__init__(message)
        self.without_value = without_value

    @classmethod
    def of(cls, value: str, sentence: str) -> WrongValueError:
        """A mistake of which a sentence tells that begins with the value."""
        return cls(f"{value!r}{sentence}", f"this{sentence}")


@dataclass(frozen=True)
class Mistake:
    """A sentence about what is wrong, and the input that it is about."""

    place: str
    sentence: str


class WrongInputsError(ValueError):
    """Inputs of which at least one is wrong.

    Attributes:
        mistakes: Mistakes in the order of the inputs.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(mistake.sentence for mistake in mistakes))
        self.mistakes = tuple(mistakes)
