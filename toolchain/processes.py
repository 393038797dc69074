"""Runs other programs: none without a time-out, and at its end with all that it started."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

LAST_LINES = 12


class TimedOutError(Exception):
    """A program gave no sign of life for too long, and was ended."""


@contextmanager
def start(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    keep_output: bool = True,
) -> Iterator[subprocess.Popen[str]]:
    """Start a program in a process group of its own, which ends with this context."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # Also what it left behind: a group lives as long as any of its processes.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait()


def run(
    command: Sequence[str | Path],
    *,
    seconds: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it printed.

    Raises:
        TimedOutError: The program took longer than it may.
    """
    with start(command, folder=folder, environment=environment) as process:
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            words = " ".join(map(str, command[:3]))
            raise TimedOutError(f"{words} gave no answer for {seconds:.0f} s") from None
    return subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)


def follow(
    command: Sequence[str | Path],
    *,
    silence: float,
    each: Callable[[str], None],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program that tells its progress on standard error; return its last lines there.

    Args:
        command: Program and its arguments.
        silence: Seconds without a line after which the program is ended.
        each: Function that is called with each line.
        folder: Working directory of the program.
        environment: All environment variables of the program.

    Raises:
        TimedOutError: The program was silent for longer.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    with start(command, folder=folder, environment=environment, keep_output=False) as process:
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_read, args=(process.stderr, lines), daemon=True).start()
        told = time.monotonic()
        while True:
            try:
                line = lines.get(timeout=0.2)
            except queue.Empty:
                # What it left behind may hold the stream open.
                if process.poll() is not None:
                    break
                if time.monotonic() - told > silence:
                    words = " ".join(map(str, command[:3]))
                    raise TimedOutError(
                        f"{words} gave no sign of life for {silence:.0f} s"
                    ) from None
                continue
            if line is None:
                break
            told = time.monotonic()
            last.append(line)
            each(line.rstrip())
        try:
            process.wait(timeout=silence)
        except subprocess.TimeoutExpired:
            raise TimedOutError(f"{command[0]} did not end in {silence:.0f} s") from None
    return subprocess.CompletedProcess(list(command), process.returncode, "", "".join(last))


def _read(stream: IO[str] | None, lines: queue.Queue[str | None]) -> None:
    try:
        for line in stream or ():
            lines.put(line)
    except ValueError:  # closed, as the program was ended
        pass
    finally:
        lines.put(None)
