"""What a command prints is copied, in time and with private keys taken out."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

from components.pki import keys
from operations.stacks.pulumi_cli import REDACTED
from tests.unit.components.pki.material import small_key

PROJECT = Path(__file__).resolve().parents[4]
KEY = keys.pkcs1(small_key())

RELAY = """
import os, sys
from pathlib import Path
from operations.stacks import pulumi_cli
sys.exit(pulumi_cli.run([sys.executable, "-c", sys.argv[1]], cwd=Path.cwd(), env=os.environ))
"""


def start(program: str, **options) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RELAY, program], cwd=PROJECT, **options)


def test_both_outputs_the_input_and_the_status_are_the_command_s():
    program = (
        "import sys\n"
        "print('given', sys.stdin.read())\n"
        f"print('key', {KEY!r}, file=sys.stderr)\n"
        "sys.exit(3)"
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with start(program, **pipes) as process:
        out, err = process.communicate(b"an answer")
    assert (process.returncode, out) == (3, b"given an answer\n")
    assert err == b"key " + REDACTED + b"\n\n"


def test_a_question_is_seen_before_it_is_answered():
    program = "print(input('Go on? '))"
    with start(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read(7) == b"Go on? "
        assert process.communicate(b"yes\n")[0] == b"yes\n"


def test_where_there_is_a_terminal_the_command_has_one_of_its_size():
    outer, inner = pty.openpty()
    subprocess.run(["stty", "cols", "91", "rows", "33"], stdin=inner, check=True)
    program = (
        "import os, sys\n"
        "print(os.isatty(1), os.isatty(2), tuple(os.get_terminal_size(1)))\n"
        f"print({KEY!r})"
    )
    with start(program, stdin=inner, stdout=inner, stderr=inner) as process:
        os.close(inner)
        seen = b""
        while b"]" not in seen:
            seen += os.read(outer, 10_000)
        process.wait()
    os.close(outer)
    assert b"True True (91, 33)\r\n" in seen
    assert REDACTED in seen
    assert b"PRIVATE" not in seen


def test_an_interrupt_leaves_the_command_the_time_to_end_well():
    program = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(1)\n"
        "    print('ended well')\n"
        "    sys.exit(4)\n"
        "signal.signal(signal.SIGINT, end)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    with start(program, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        assert process.stdout.read(6) == b"ready\n"
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate()[0] == b"ended well\n"
    assert process.returncode == 4


def test_a_signal_that_another_thread_got_ends_the_command_too():
    # As one that comes just before the wait: nothing wakes the thread that handles it.
    elsewhere = (
        "import signal, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
    )
    program = (
        "import signal, time\n"
        "signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    line = [sys.executable, "-c", elsewhere + RELAY, program]
    with subprocess.Popen(line, cwd=PROJECT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read(6) == b"ready\n"
        process.terminate()
        try:
            assert process.wait(60) == 128 + signal.SIGTERM
        finally:
            process.kill()
