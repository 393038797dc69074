"""Runs a command on the terminal, with private keys taken out of what it prints."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from operations.stacks.redaction import Redactor

CHUNK = 64 * 1024

LATE = 5.0
"""Seconds for output after the command's end: something that it started may hold its side open."""


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run a command whose input is this process's; return its exit status.

    Where this process prints to a terminal, so does the command: to one of its own, which is
    copied. An interrupt from the keyboard is the command's affair; its end is waited for.
    """
    channels = [_Channel(sys.stdout), _Channel(sys.stderr)]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdout=channels[0].inner,
        stderr=channels[1].inner,
    )
    for channel in channels:
        os.close(channel.inner)
    threads = [threading.Thread(target=one.copy, daemon=True) for one in channels]
    with _signals_passed_over(channels):
        for thread in threads:
            thread.start()
        status = process.wait()
        for thread in threads:
            thread.join(LATE)
    return status


class _Channel:
    """One of the command's two outputs."""

    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._terminal = to.isatty()
        self.outer, self.inner = pty.openpty() if self._terminal else os.pipe()
        if self._terminal:
            attributes = termios.tcgetattr(self.inner)
            attributes[1] &= ~termios.OPOST  # The real terminal does that.
            termios.tcsetattr(self.inner, termios.TCSANOW, attributes)
            self.resize()

    def resize(self) -> None:
        """Give the command's terminal the size of the real one."""
        if self._terminal:
            size = fcntl.ioctl(self._to.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
            fcntl.ioctl(self.outer, termios.TIOCSWINSZ, size)

    def copy(self) -> None:
        """Copy until the command's side is closed."""
        redactor = Redactor()
        while content := self._read():
            self._print(redactor.feed(content))
        self._print(redactor.rest())
        os.close(self.outer)

    def _read(self) -> bytes:
        try:
            return os.read(self.outer, CHUNK)
        except OSError:  # Linux says EIO where a terminal's other side was closed.
            return b""

    def _print(self, content: bytes) -> None:
        self._to.buffer.write(content)
        self._to.buffer.flush()


@contextlib.contextmanager
def _signals_passed_over(channels: Sequence[_Channel]) -> Iterator[None]:
    def resize(_number: int, _frame: object) -> None:
        for channel in channels:
            channel.resize()

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda _number, _frame: None),
        signal.SIGWINCH: signal.signal(signal.SIGWINCH, resize),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
