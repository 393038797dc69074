"""Relay of a command on the terminal, with private keys taken out of what it prints."""

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from operations import endings
from operations.stacks.redaction import Redactor

CHUNK = 64 * 1024

LATE = 5.0
"""Seconds for output after the command's end: something that it started may hold its side open."""

STEP = 1.0
"""Seconds after which a signal has been seen at the latest."""


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    display: TextIO | None = None,
    apart: bool = False,
    ended: Callable[[int, int], None] = lambda _pid, _status: None,
) -> int:
    """Run a command whose input is this process's; return its exit status.

    Where this process prints to a terminal, so does the command: to one of its own, which is
    copied. An interrupt from the keyboard is the command's affair; its end is waited for, and so it
    is where this process is told to end.

    Args:
        command: The program, and its arguments.
        cwd: Its folder.
        env: Its environment.
        display: Where its standard output goes, if not to this process's own.
        apart: Keep the terminal's signals from it, whose end it might not survive in order: it is
            told to stop once this process is. Such a command asks nothing.
        ended: Called, undisturbed by signals, with the command's process id and exit status.

    Raises:
        SystemExit: This process was told to end; so was the command, and it has ended.
        KeyboardInterrupt: Likewise, from the keyboard; of a command that runs apart alone.
    """
    channels = [_Channel(display or sys.stdout), _Channel(sys.stderr)]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL if apart else None,
        stdout=channels[0].inner,
        stderr=channels[1].inner,
        start_new_session=apart,
    )
    for channel in channels:
        os.close(channel.inner)
    threads = [threading.Thread(target=one.copy, daemon=True) for one in channels]
    with _signals_handled(channels, process, apart=apart) as received:
        for thread in threads:
            thread.start()
        status = _ended(process)
        for thread in threads:
            thread.join(LATE)
    with endings.undisturbed():
        ended(process.pid, status)
    for number in received:
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise endings.leave(number)
    return status


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for a command, in steps: a signal that comes just before one is seen after it."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(STEP)


class _Channel:
    """Channel for one of the command's two outputs."""

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
        """Copy the command's output until its side is closed."""
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
        # Where nobody reads any more, the command must not wait for us.
        with contextlib.suppress(OSError):
            self._to.buffer.write(content)
            self._to.buffer.flush()


@contextlib.contextmanager
def _signals_handled(
    channels: Sequence[_Channel], process: subprocess.Popen[bytes], *, apart: bool
) -> Iterator[list[int]]:
    """Pass on what ends the command; gives the signals by which this process has to end, too."""
    received: list[int] = []

    def resize(_number: int, _frame: object) -> None:
        for channel in channels:
            with contextlib.suppress(OSError, termios.error):
                channel.resize()

    def pass_on(number: int, _frame: object) -> None:
        # Told twice, an engine ends at once and leaves its lock; a closed terminal says so twice.
        told = bool(received) if apart else number == signal.SIGHUP and number in received
        received.append(number)
        if not told:
            process.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    handlers: dict[int, Callable[[int, Any], None]] = {
        # The command has it from the terminal, unless it runs apart.
        signal.SIGINT: pass_on if apart else lambda _number, _frame: None,
        signal.SIGWINCH: resize,
        **dict.fromkeys(endings.ENDING, pass_on),
    }
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield received
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
