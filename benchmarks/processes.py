"""Measurement of a command's time, and of the most memory that it and its descendants hold."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

INTERVAL = 0.1


@dataclass(frozen=True)
class Run:
    """Command that has ended, with its cost.

    Attributes:
        seconds: Time from start to end.
        peak: Resident memory of all its processes together, in bytes; pages that several of them
            share count for each.
        output: Text that the command printed on standard output.
    """

    seconds: float
    peak: int
    output: str


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Run:
    """Run a command and measure it.

    Raises:
        RuntimeError: The command failed; the message is what it printed.
    """
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=printed, stderr=said)
        watch = _Watch(process.pid)
        status = process.wait()
        seconds = time.perf_counter() - began
        peak = watch.stop()
        output, complaints = (_content(file) for file in (printed, said))
    if status != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output}{complaints}")
    return Run(seconds, peak, output)


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


class _Watch:
    """Adds up the memory of a process and its descendants, again and again."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Stop watching, and return the most memory that was seen."""
        self._ended.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._ended.wait(INTERVAL):
            # A process that ends between two looks is none any more.
            with suppress(psutil.Error):
                root = psutil.Process(self._pid)
                held = sum(_resident(process) for process in [root, *root.children(recursive=True)])
                self._peak = max(self._peak, held)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
