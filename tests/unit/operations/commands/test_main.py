from __future__ import annotations

import pytest

from operations.errors import OperationError
from operations.stacks import environment
from toolchain.errors import ToolchainError


@pytest.mark.parametrize("kind", [OperationError, ToolchainError])
def test_what_cannot_be_done_is_one_message(run, monkeypatch, capsys, kind):
    def fail(name):
        raise kind("no such thing [1/2]: /tmp/[x]")

    monkeypatch.setattr(environment, "open_stack", fail)
    assert run("outputs") == 1
    assert capsys.readouterr() == ("", "error: no such thing [1/2]: /tmp/[x]\n")


def test_wrong_usage_is_told_without_a_trace(run, capsys):
    assert run("verify", "--jsn") == 2
    told = capsys.readouterr().err
    assert "jsn" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("command", ["up", "preview", "refresh", "down"])
def test_a_level_that_logs_secrets_is_refused_before_anything_starts(
    run, monkeypatch, capsys, command
):
    monkeypatch.setattr(environment, "open_stack", lambda *_: pytest.fail("it was opened"))
    assert run(command, "--stack", "local", "--", "-v=11") == 1
    assert "error: -v=11 logs credentials on purpose" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["up"],
        ["refresh"],
        ["down"],
        ["revoke", "browser"],
        ["rotate", "prepare"],
        ["import", "lb-1"],
    ],
    ids=" ".join,
)
def test_what_changes_something_is_not_done_for_another_time(run, monkeypatch, capsys, command):
    monkeypatch.setenv("SLB_MUTUAL_TLS_CLOCK_OFFSET", "-3d")
    monkeypatch.setattr(environment, "open_stack", lambda *_: pytest.fail("it was opened"))
    assert run(*command) == 1
    told = capsys.readouterr().err
    assert "SLB_MUTUAL_TLS_CLOCK_OFFSET=-3d is set" in told
    assert "`unset SLB_MUTUAL_TLS_CLOCK_OFFSET`" in told
