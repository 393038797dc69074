"""A watch over hangs, and the number of cases; a key's text is read once."""

from __future__ import annotations

import faulthandler

import pytest

from tests.fuzz.cases import ROUNDS, tried
from tests.keys import read_once


@pytest.fixture(autouse=True)
def watched():
    """A test that hangs ends the run with a traceback, after two seconds a case."""
    faulthandler.dump_traceback_later(300 + 2 * ROUNDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True, scope="module")
def keys_are_read_once():
    with read_once():
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tried:
        terminalreporter.section("hostile cases tried")
        for place, count in sorted(tried.items()):
            terminalreporter.write_line(f"{place}: {count}")
