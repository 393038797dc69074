"""Error that an operation reports, the only one of this package."""

from __future__ import annotations


class OperationError(Exception):
    """Something a person asked for cannot be done; the message says why and what to do."""


class ReportedError(OperationError):
    """An operation failed, and the program that found it has printed the reason already."""
