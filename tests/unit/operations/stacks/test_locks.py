"""The lock of an engine that has ended is taken away, that of one that lives is not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from operations.stacks.stack import Stack, taken_by, taken_by_the_dead
from tests.processes import wait_until_named

CLI = """\
#!/bin/sh
echo "$*" >> {log}
test "$1" != whoami || printf '{{"user": "root", "url": "%s"}}' "$BACKEND"
"""


@pytest.fixture
def stack(tmp_path, monkeypatch):
    """A stack in a folder, by a CLI that notes what it is told."""
    monkeypatch.setenv("HOME", str(tmp_path))
    cli = tmp_path / "cli"
    cli.write_text(CLI.format(log=tmp_path / "log"))
    cli.chmod(0o700)
    toolchain = SimpleNamespace(pulumi=cli, environment=dict)
    variables = {"PULUMI_BACKEND_URL": f"file://{tmp_path}/state?metadata=skip"}
    return Stack("dev", toolchain, variables=variables)


@pytest.fixture
def done(tmp_path):
    """What the CLI was told."""
    log = tmp_path / "log"
    return lambda: log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def locked(tmp_path):
    folder = tmp_path / "state/.pulumi/locks/organization/slb-mutual-tls/dev"
    folder.mkdir(parents=True)

    def lock(**holder):
        given = {"pid": os.getpid(), "hostname": socket.gethostname(), "username": "root"}
        number = len(list(folder.iterdir()))
        (folder / f"{number}.json").write_text(json.dumps({**given, **holder}))

    return lock


def dead():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_nobody_s_lock_is_taken_away(locked, stack, done):
    locked(pid=dead())
    assert stack.release_lock(taken_by_the_dead)
    assert done() == ["cancel --yes --stack dev"]


def test_a_process_that_got_the_same_number_holds_nothing(locked, stack):
    locked(pid=os.getpid())
    assert stack.release_lock(taken_by_the_dead)


def test_another_machine_s_lock_stays(locked, stack, done):
    locked(pid=dead(), hostname="elsewhere")
    assert not stack.release_lock(taken_by_the_dead)
    assert done() == []


def test_a_living_engine_s_lock_stays(locked, stack, tmp_path):
    engine = tmp_path / "pulumi"
    engine.write_bytes(b"#!/bin/sh\nsleep 60\n")
    engine.chmod(0o700)
    process = subprocess.Popen([str(engine)])
    try:
        wait_until_named(process)
        locked(pid=process.pid)
        assert not stack.release_lock(taken_by_the_dead)
    finally:
        process.kill()
        process.wait()


def test_without_a_lock_nothing_happens(stack, done):
    assert not stack.release_lock(taken_by_the_dead)
    assert done() == []


def test_a_lock_beside_another_s_stays(locked, stack, done):
    locked(pid=dead())
    locked(hostname="elsewhere")
    assert not stack.release_lock(taken_by_the_dead)
    assert done() == []


@pytest.mark.parametrize("backend", ["file://{home}/state", "file://~/state", "file://{relative}"])
def test_what_an_engine_left_that_was_started_here_is_taken_away(
    locked, stack, done, tmp_path, monkeypatch, backend
):
    relative = os.path.relpath(tmp_path / "state", Path(__file__).parents[4])
    monkeypatch.setenv("BACKEND", backend.format(home=tmp_path, relative=relative))
    stack.variables.clear()
    locked(pid=4711)
    assert not stack.release_lock(taken_by(4712))
    assert stack.release_lock(taken_by(4711))
    assert done()[-1] == "cancel --yes --stack dev"


@pytest.mark.parametrize("backend", ["s3://bucket", "https://api.pulumi.com"])
def test_a_backend_that_is_no_folder_is_left_alone(stack, done, locked, monkeypatch, backend):
    monkeypatch.setenv("BACKEND", backend)
    stack.variables.clear()
    locked(pid=4711)
    assert not stack.release_lock(taken_by(4711))
    assert done() == ["whoami --verbose --json"]
