"""A person at a terminal: a command on a terminal of its own, and what can happen to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PATIENCE = 300.0
"""Seconds for a command to say what is waited for, or to end."""


class Terminal:
    """A command in the foreground of a terminal.

    Attributes:
        process: The command.
        text: What it has printed until now.
    """

    def __init__(self, process: subprocess.Popen[bytes], outer: int) -> None:
        self.process = process
        self.text = ""
        self._outer: int | None = outer

    def wait_for(self, text: str) -> None:
        """Read until the command prints this."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def type(self, text: str) -> None:
        """Press keys."""
        assert self._outer is not None
        os.write(self._outer, text.encode())

    def close(self) -> None:
        """Close the window."""
        if self._outer is not None:
            os.close(self._outer)
            self._outer = None

    def end(self) -> int:
        """Read to the end; return the exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._outer is not None and time.monotonic() < deadline and self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        assert self._outer is not None
        if not select.select([self._outer], [], [], 0.1)[0]:
            return self.process.poll() is None
        try:
            content = os.read(self._outer, 65536)
        except OSError:  # The other side is closed.
            return False
        self.text += content.decode(errors="replace")
        return bool(content)


def _as_a_shell_does() -> None:
    """Take the terminal, and the signals that whoever runs the tests may have had ignored."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def at_a_terminal(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    columns: int = 80,
) -> Iterator[Terminal]:
    """Run a command on a terminal of its own; what is left of it ends with the block."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
        preexec_fn=_as_a_shell_does,  # noqa: PLW1509 - nothing there takes a lock
    )
    os.close(inner)
    terminal = Terminal(process, outer)
    try:
        yield terminal
    finally:
        terminal.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
