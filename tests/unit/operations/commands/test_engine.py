from __future__ import annotations

import sys

import pytest

from operations.clb import orphans
from operations.commands import engine
from operations.stacks import environment
from operations.stacks.environment import StackTarget

HALF_MADE = {
    "resources": [
        {
            "type": "alicloud:slb/listener:Listener",
            "id": "lb-1:https:443",
            "created": "2026-11-24T12:06:19.017606183Z",
            "initErrors": ["it was busy"],
        }
    ]
}


@pytest.fixture
def asked(monkeypatch):
    """What recovery asks the cloud for; there is a VPC that the state does not have."""
    calls = []

    def call(product, action, **parameters):
        calls.append(action)
        vpc = {"VpcId": "vpc-1", "VpcName": NAME, "CreationTime": "2026-11-24T12:06:30Z"}
        return {"Vpcs": {"Vpc": [vpc]}} if action == "DescribeVpcs" else {}

    monkeypatch.setattr(orphans, "make_caller", lambda region, environ: call)
    return calls


NAME = "slb-mutual-tls-local"


@pytest.fixture
def half_made(target, monkeypatch):
    target.stack.state = HALF_MADE
    values = {"config": {"alicloud:region": "cn-hangzhou"}}
    opened = StackTarget(target.stack, values, None)
    monkeypatch.setattr(environment, "open_stack", lambda name: opened)
    return target.stack


@pytest.fixture
def answering(monkeypatch):
    """A person at a terminal, with one answer to every question."""

    def answer(yes):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(engine, "confirm", lambda question: yes)

    return answer


@pytest.mark.usefixtures("health")
def test_what_an_interrupted_up_left_is_removed_before_the_next(
    run, half_made, asked, answering, capsys
):
    answering(True)
    run("up", "--yes")
    assert half_made.commands == [["up", "--refresh", "--yes"]]
    assert asked[-1] == "DeleteVpc"
    said = capsys.readouterr().err
    assert "The last `up` did not end well (alicloud:slb/listener:Listener); looking at" in said
    assert f"Left by the last `up`: VPC vpc-1 ({NAME})." in said


@pytest.mark.usefixtures("health")
def test_nothing_is_removed_without_a_yes(run, half_made, asked, answering, capsys):
    answering(False)
    assert run("up") == 1
    assert half_made.commands == []
    assert "DeleteVpc" not in asked
    assert "stays, and nothing else was done" in capsys.readouterr().err


@pytest.mark.usefixtures("health")
def test_nothing_in_an_account_is_removed_where_nobody_can_be_asked(run, half_made, asked, capsys):
    assert run("up", "--yes") == 1
    assert half_made.commands == []
    assert "DeleteVpc" not in asked
    assert "nobody can be asked here whether to remove it" in capsys.readouterr().err


@pytest.mark.usefixtures("health")
def test_a_killed_engine_s_operations_are_cleared(run, half_made, asked, answering):
    answering(True)
    half_made.state = {"pending_operations": [{"resource": {"type": "a:b:C"}}], **HALF_MADE}
    run("up", "--yes")
    assert half_made.commands == [
        ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"],
        ["up", "--refresh", "--yes"],
    ]


@pytest.mark.usefixtures("health")
def test_a_preview_looks_at_the_cloud_and_removes_nothing(run, half_made, asked):
    run("preview")
    assert half_made.commands == [["preview", "--refresh"]]
    assert asked == []
