"""The lock of an engine that was killed is taken away, that of one that lives is not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from types import SimpleNamespace

import pytest

from operations.stacks.local_environment import LocalEnvironment


@pytest.fixture
def locked(tmp_path):
    folder = tmp_path / "home/state/.pulumi/locks/organization/slb-mutual-tls/local"
    folder.mkdir(parents=True)

    def lock(**holder):
        given = {"pid": os.getpid(), "hostname": socket.gethostname(), "username": "root"}
        (folder / "1.json").write_text(json.dumps({**given, **holder}))
        return LocalEnvironment(tmp_path / "home")

    return lock


@pytest.fixture
def stack():
    commands = []
    return SimpleNamespace(
        name="local", capture=lambda *given: commands.append(given), ran=commands
    )


def dead():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_nobody_s_lock_is_taken_away(locked, stack):
    assert locked(pid=dead()).release_lock(stack)
    assert stack.ran == [("cancel", "--yes")]


def test_a_process_that_got_the_same_number_holds_nothing(locked, stack):
    assert locked(pid=os.getpid()).release_lock(stack)


def test_another_machine_s_lock_stays(locked, stack):
    assert not locked(pid=dead(), hostname="elsewhere").release_lock(stack)
    assert stack.ran == []


def test_a_living_engine_s_lock_stays(locked, stack, tmp_path):
    engine = tmp_path / "pulumi"
    engine.write_bytes(b"#!/bin/sh\nsleep 60\n")
    engine.chmod(0o700)
    process = subprocess.Popen([str(engine)])
    try:
        assert not locked(pid=process.pid).release_lock(stack)
    finally:
        process.kill()
        process.wait()


def test_without_a_lock_nothing_happens(tmp_path, stack):
    assert not LocalEnvironment(tmp_path).release_lock(stack)
    assert stack.ran == []
