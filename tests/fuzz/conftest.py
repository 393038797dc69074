"""A watch over hangs, and the number of cases."""

from __future__ import annotations

import faulthandler

import pytest

from tests.fuzz.cases import ROUNDS, tried


@pytest.fixture(autouse=True)
def watched():
    """A test that hangs ends the run with a traceback, after two seconds a case."""
    faulthandler.dump_traceback_later(300 + 2 * ROUNDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tried:
        terminalreporter.section("hostile cases tried")
        for place, count in sorted(tried.items()):
            terminalreporter.write_line(f"{place}: {count}")
