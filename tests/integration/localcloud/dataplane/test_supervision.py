"""Processes that end by themselves are started again, and what is said meanwhile is true."""

from __future__ import annotations

import logging
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from localcloud.dataplane import plane as module
from localcloud.dataplane.model import DataPlaneError, InstanceSpec
from localcloud.dataplane.plane import DataPlane
from localcloud.dataplane.supervision import LONGEST, STEADY, Restarts, Supervisor, Watched
from tests.integration.localcloud.dataplane.echo import get
from tests.integration.localcloud.dataplane.site import (
    haproxy_pid,
    health,
    listener_of,
    loopback,
    start_backends,
    wait_healthy,
    wait_until,
)
from tests.unit.localcloud.site import user_data

ENDING = "raise SystemExit('of its own accord')"


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clocked_plane(start_plane, clock: Clock) -> DataPlane:
    return start_plane(now=clock)


def test_a_process_that_ends_again_and_again_is_started_ever_more_seldom() -> None:
    restarts, now, delays = Restarts(), 0.0, []
    for _ in range(10):
        delays.append(restarts.note_end(now))
        now += delays[-1]
        assert restarts.due == now
        restarts.note_start(now)
    assert delays == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert max(delays) == LONGEST
    assert restarts.note_end(now + STEADY) == 0


def ended() -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait(20)
    return process


def test_a_start_that_fails_is_tried_again(clock: Clock, caplog) -> None:
    starts = []

    def start() -> None:
        starts.append(clock.time)
        if len(starts) < 3:
            raise DataPlaneError("The port is in use.")

    supervisor = Supervisor(clock)
    watched = Watched("HAProxy", ended(), start, "haproxy.log")
    for second in range(10):
        clock.time = float(second)
        supervisor.look([watched])
        if second == 0:
            [problem] = supervisor.problems()
            assert problem.startswith("HAProxy cannot be started (The port is in use.)")
            assert problem.endswith("it is started again in 1 s.")
        if len(starts) == 3:
            break
    assert starts == [0, 1, 3]
    assert supervisor.problems() == []
    said = [record.getMessage() for record in caplog.records]
    assert "ended (exit status 3): see haproxy.log; it is started again in 0 s" in said[0]
    assert "3 times in a row" in said[2]
    assert said[-1] == "HAProxy is started again"
    supervisor.look([])
    assert supervisor.problems() == []


def gone(process: psutil.Process) -> bool:
    """Whether it has ended; one that nobody has waited for has ended, too."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_killed_haproxy_comes_back_as_it_was(clocked_plane, clock, caplog) -> None:
    plane = clocked_plane
    start_backends(plane)
    listener = listener_of(plane, loopback())
    address = plane.apply_listeners([listener])[listener.key]
    wait_healthy(plane, listener)
    plane.supervise()
    assert plane.problems() == []
    for times in (1, 2):
        master = psutil.Process(haproxy_pid(plane))
        worker = master.children()[0]
        (worker if times == 2 else master).kill()
        wait_until(lambda: not plane.is_serving(listener.key))
        assert set(health(plane, listener).values()) == {"unavailable"}
        if times == 2:
            plane.supervise()
            [problem] = plane.problems()
            assert "2 times in a row" in problem
            assert "started again in 1 s" in problem
            clock.time += 1
        plane.supervise()
        assert plane.is_serving(listener.key)
        assert plane.problems() == []
        wait_until(partial(gone, worker))
        # At once: what was healthy takes requests before it is checked anew.
        assert get(address).status == 200
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "ended (killed by SIGKILL)" in said
    assert said.count("HAProxy is started again") == 2


def test_what_an_action_starts_again_is_said_too(clocked_plane, caplog) -> None:
    start_backends(clocked_plane)
    listener = listener_of(clocked_plane, loopback(), health_check=None)
    clocked_plane.apply_listeners([listener])
    psutil.Process(haproxy_pid(clocked_plane)).kill()
    wait_until(lambda: not clocked_plane.is_serving(listener.key))
    clocked_plane.apply_listeners([listener])
    clocked_plane.supervise()
    said = [record.getMessage() for record in caplog.records]
    assert "killed by SIGKILL" in said[0]
    assert said[1:] == ["HAProxy is started again"]


def pid_of(plane: DataPlane, instance_id: str) -> int:
    return int((plane._home / f"instances/{instance_id}/pid").read_text())


def test_a_killed_instance_comes_back_at_its_place(clocked_plane, caplog) -> None:
    start_backends(clocked_plane)
    where = clocked_plane.backend_socket("i-a", 8080)
    killed = psutil.Process(pid_of(clocked_plane, "i-a"))
    killed.kill()
    wait_until(lambda: not clocked_plane.is_instance_running("i-a"))
    clocked_plane.supervise()
    assert clocked_plane.is_instance_running("i-a")
    assert clocked_plane.backend_socket("i-a", 8080) == where
    wait_until(lambda: _answers(where))
    assert pid_of(clocked_plane, "i-a") != killed.pid
    assert f"Instance i-a (process {killed.pid}) ended (killed by SIGKILL)" in caplog.text
    assert caplog.records[-1].levelno == logging.WARNING


def _answers(where) -> bool:
    try:
        return get(where).json["instance"] == "i-a"
    except OSError:
        return False


FORKING = """
import argparse, os, socket, time
parser = argparse.ArgumentParser()
parser.add_argument("--bind")
parser.add_argument("--port", type=int)
options = parser.parse_args()
taken = socket.create_server((options.bind, options.port))
if os.fork():
    taken.close()
time.sleep(600)
"""


def test_what_a_killed_instance_leaves_behind_ends_before_it_comes_back(clocked_plane) -> None:
    spec = InstanceSpec("i-fork", loopback(), user_data(FORKING))
    clocked_plane.start_instance(spec)
    first = psutil.Process(pid_of(clocked_plane, "i-fork"))
    wait_until(lambda: len(first.children()) == 1)
    [child] = first.children()
    first.kill()
    wait_until(lambda: not clocked_plane.is_instance_running("i-fork"))
    clocked_plane.supervise()
    wait_until(lambda: gone(child))
    again = psutil.Process(pid_of(clocked_plane, "i-fork"))
    wait_until(lambda: len(again.children()) == 1)
    clocked_plane.stop_instance("i-fork")


def test_an_instance_that_cannot_run_is_tried_ever_more_seldom(
    clocked_plane, clock, caplog
) -> None:
    clocked_plane.start_instance(InstanceSpec("i-end", loopback(), user_data(ENDING)))
    starts = []
    for second in range(11):
        clock.time = float(second)
        wait_until(lambda: not clocked_plane.is_instance_running("i-end"))
        before = pid_of(clocked_plane, "i-end")
        clocked_plane.supervise()
        if pid_of(clocked_plane, "i-end") != before:
            starts.append(second)
    # Each end is seen a second after the start, and waited after for 0, 1, 2 and 4 s.
    assert starts == [0, 2, 5, 10]
    assert "4 times in a row" in caplog.text
    log = clocked_plane._home / "instances/i-end/log"
    assert log.read_text().count("of its own accord") >= 4, "every end leaves its last words"
    clocked_plane.stop_instance("i-end")
    clocked_plane.supervise()
    assert clocked_plane.problems() == []


def test_logs_of_processes_stay_short(clocked_plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOG_BYTES", 1000)
    start_backends(clocked_plane)
    listener = listener_of(clocked_plane, loopback(), health_check=None)
    clocked_plane.apply_listeners([listener])
    logs = [clocked_plane._haproxy.log, clocked_plane._home / "instances/i-a/log"]
    for log in logs:
        with log.open("ab") as file:
            file.write(b"x" * 2000)
    clocked_plane.supervise()
    assert [log.stat().st_size for log in logs] == [0, 0]
    assert all(_old(log).stat().st_size >= 2000 for log in logs)
    # A reload reads what HAProxy says from where the log now ends.
    clocked_plane.apply_listeners([listener_of(clocked_plane, loopback(), gzip=False)])
    assert logs[0].stat().st_size > 0


def _old(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")
