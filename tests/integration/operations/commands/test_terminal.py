"""What a person answers, and what is taken for it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from operations.project import PROJECT

ASKING = """
import sys
from operations.commands.terminal import confirm
from operations.errors import signals_end_in_order
with signals_end_in_order():
    sys.exit(10 + confirm("Remove [it]?"))
"""

ELSEWHERE = """
import signal, threading, time
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
"""


@pytest.fixture
def asking():
    """A process that asks."""
    started = []

    def start(program):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT, **pipes)
        started.append(process)
        assert process.stdout.read(20) == b"Remove [it]? [y/N]: "
        return process

    yield start
    for process in started:
        with process:
            process.kill()


@pytest.mark.parametrize("answer", [b"y\n", b"Yes\n", b" YES \n", b"y\nn\n"])
def test_a_yes_is_taken_for_one(asking, answer):
    process = asking(ASKING)
    process.communicate(answer)
    assert process.returncode == 11


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"", b"yy\n", b"\xff\n", b"n\ny\n"])
def test_all_else_is_a_no(asking, answer):
    process = asking(ASKING)
    process.communicate(answer)
    assert process.returncode == 10


def test_what_follows_an_answer_is_the_next_question_s(asking):
    process = asking(ASKING.replace("confirm(", "confirm('Remove [it]?') + 2 * confirm("))
    process.communicate(b"y\nn\n")
    assert process.returncode == 11


def test_a_signal_that_another_thread_got_ends_the_question(asking):
    # As one that comes just before the read: nothing wakes the thread that handles it.
    process = asking(ELSEWHERE + ASKING)
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
