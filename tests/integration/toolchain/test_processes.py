"""Nothing that is run outlives its time, nor do the programs that it started."""

from __future__ import annotations

import sys
import time

import psutil
import pytest

from toolchain import processes

CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
{then}
"""


def left(file):
    """Whether the process whose id is in a file still runs."""
    pid = int(file.read_text())
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def gone(file):
    limit = time.monotonic() + 10
    while left(file) and time.monotonic() < limit:
        time.sleep(0.02)
    return not left(file)


@pytest.fixture
def program(tmp_path):
    def command(then):
        return [sys.executable, "-c", CHILD.format(then=then), str(tmp_path / "pid")]

    return command


def test_what_it_printed_and_how_it_ended_are_returned():
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    answer = processes.run([sys.executable, "-c", code], seconds=60)
    assert (answer.returncode, answer.stdout, answer.stderr) == (3, "out\n", "err\n")


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(program, tmp_path):
    file = tmp_path / "pid"
    wait = "print('x', flush=True); time.sleep(600)"
    with pytest.raises(processes.TimedOutError, match=r"gave no answer for 5 s"):
        processes.run(program(wait), seconds=5)
    assert gone(file)


def test_one_that_ends_leaves_nothing_behind(program, tmp_path):
    processes.follow(program(""), silence=60, each=lambda _: None)
    assert gone(tmp_path / "pid")


def test_one_that_is_silent_for_too_long_is_ended_and_one_that_tells_is_not():
    tells = "import sys, time\nfor n in range(4): print(n, file=sys.stderr, flush=True); {sleep}"
    lines: list[str] = []
    command = [sys.executable, "-c", tells.format(sleep="time.sleep(0.1)")]
    answer = processes.follow(command, silence=30, each=lines.append)
    assert (answer.returncode, lines) == (0, ["0", "1", "2", "3"])
    command = [sys.executable, "-c", tells.format(sleep="time.sleep(600)")]
    with pytest.raises(processes.TimedOutError, match=r"no sign of life for 5 s"):
        processes.follow(command, silence=5, each=lines.append)
    assert lines[4:] == ["0"]


def test_an_interrupt_ends_it_too(program, tmp_path):
    def interrupted(_line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processes.follow(
            program("print('x', file=sys.stderr, flush=True); time.sleep(600)"),
            silence=60,
            each=interrupted,
        )
    assert gone(tmp_path / "pid")
