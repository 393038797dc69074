"""`make probe` against the service that the real engine made, with its CA's own key."""

from __future__ import annotations

import json
import tempfile

import pytest
from typer.testing import CliRunner

from localcloud import control
from localcloud.home import Home
from operations.__main__ import app
from operations.clb import experiment
from operations.commands import clb as command
from operations.stacks import environment
from operations.stacks.environment import StackTarget
from tests.hostile.test_open_questions import BY_DEFAULT

SWITCHED = ["ec_keys", "sessions", "long_headers", "many_requests"]


@pytest.fixture
def probe(deployed, monkeypatch, tmp_path):
    """Runs the command; gives its answers by question."""
    opened = StackTarget(deployed.stack, deployed.values, deployed.local)
    monkeypatch.setattr(environment, "open_stack", lambda _name: opened)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run(*options):
        done = CliRunner().invoke(app, ["probe", *options])
        assert done.exit_code == 0, done.output
        assert "PRIVATE KEY" not in done.output
        assert list(tmp_path.iterdir()) == []
        return done

    return run


def ask(deployed, *request):
    return control.ask(Home(deployed.local.home / "cloud"), *request)


def words(done):
    return {one["id"]: one["answer"] for one in json.loads(done.stdout)["questions"]}


def test_the_local_cloud_answers_as_documented_and_nothing_is_changed(deployed, probe):
    before = ask(deployed, "GET", "/dump"), deployed.state()
    assert words(probe("--json")) == BY_DEFAULT
    assert (ask(deployed, "GET", "/dump"), deployed.state()) == before
    table = probe().stdout
    assert "Open questions, put to https://" in table
    assert "not tried" not in table


def test_told_otherwise_it_answers_otherwise_and_has_its_ca_again(deployed, probe, monkeypatch):
    before = ask(deployed, "GET", "/dump")
    ask(deployed, "POST", "/otherwise", SWITCHED)
    try:
        expected = BY_DEFAULT | {
            "ec_keys": "no",
            "sessions": "yes",
            "sessions_after_switch": "not tried",
            "long_headers": "no",
            "many_requests": "yes",
        }
        assert words(probe("--json")) == expected
        asked = []
        monkeypatch.setattr(command, "confirm", asked.append)
        assert "refuses every client meanwhile" in probe().stdout
        assert asked == ["Switch the CA?"]
        assert ask(deployed, "GET", "/dump") == before
        # It is not waited for that a session ends.
        monkeypatch.setattr(experiment, "LONGEST_SECONDS", 0)
        assert words(probe("--json", "--yes")) == expected | {"sessions_after_switch": "some"}
        assert ask(deployed, "GET", "/dump") == before
    finally:
        ask(deployed, "POST", "/otherwise", [])
    assert words(probe("--json")) == BY_DEFAULT
    assert deployed.steps("--refresh") == {}
