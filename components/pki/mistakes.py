"""Sentences about wrong values: with the value or, where it may be a secret, without it."""

from __future__ import annotations


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
