"""`down` and `refresh` where a command of before was killed, or the local cloud moved."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from operations.commands import engine
from operations.stacks import environment
from operations.stacks.environment import StackTarget


@pytest.fixture
def local(target, monkeypatch):
    """A stack on a local cloud; a killed engine left its lock."""
    did = []
    found = SimpleNamespace(
        did=did,
        stop_cloud=lambda: did.append("stop"),
        cloud_status=lambda: {"endpoint": "https://127.0.0.1:7501"},
    )
    target.stack.release_lock = lambda is_over: did.append("lock") or True
    opened = StackTarget(target.stack, {"config": {"alicloud:region": "cn-hangzhou"}}, found)
    monkeypatch.setattr(environment, "open_stack", lambda name: opened)
    return found


def provider(endpoint):
    inputs = {"endpoints": f'[{{"slb": "{endpoint}"}}]'}
    return {"type": "pulumi:providers:alicloud", "inputs": inputs}


@pytest.mark.parametrize(
    ("command", "line"), [("down", ["destroy", "--yes"]), ("refresh", ["refresh", "--yes"])]
)
def test_a_killed_command_s_lock_is_taken_away(run, target, local, command, line, capsys):
    assert run(command) in {0, None}
    assert target.stack.commands == [line]
    assert local.did[0] == "lock"
    assert "its lock was left: taken away" in capsys.readouterr().err


def test_what_a_killed_up_left_is_removed_and_then_all_the_rest(run, target, local, monkeypatch):
    target.stack.state = {
        "pending_operations": [{"resource": {"type": "a:b:C"}}],
        "manifest": {"time": "2026-11-24T12:06:19.017606183Z"},
    }
    monkeypatch.setattr(engine.orphans, "make_caller", lambda *_: lambda *_args, **_options: {})
    run("down")
    assert target.stack.commands == [
        ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"],
        ["destroy", "--yes", "--refresh"],
    ]
    assert local.did[-1] == "stop"


@pytest.mark.parametrize(
    ("endpoint", "options"), [("127.0.0.1:7501", []), ("127.0.0.1:7443", ["--run-program"])]
)
def test_a_local_cloud_that_moved_is_found_where_it_is_now(run, target, local, endpoint, options):
    target.stack.state = {"resources": [provider(endpoint)]}
    run("down")
    assert target.stack.commands == [["destroy", "--yes", *options]]
    assert local.did[-1] == "stop"
