"""How a command ends: errors that it reports, and signals after which it first puts things back."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a command to end, or tell it that its terminal is gone."""

_WHILE_PUTTING_BACK = (signal.SIGINT, *ENDING_SIGNALS)


class OperationError(Exception):
    """Something a person asked for cannot be done; the message says why and what to do."""


class ReportedError(OperationError):
    """An operation failed, and the program that found it has printed the reason already."""


def signal_exit(number: int) -> SystemExit:
    """Exit of a command that a signal has ended, with the status that shells give it."""
    return SystemExit(128 + number)


@contextlib.contextmanager
def signals_end_in_order() -> Iterator[None]:
    """Have the block end by an exception where a signal would end the process at once.

    What was told to be ignored, as by `nohup`, stays so.
    """

    def end(number: int, _frame: object) -> None:
        raise signal_exit(number)

    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Have the block, and the programs that it starts, go on to its end whatever the signal."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _WHILE_PUTTING_BACK}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
