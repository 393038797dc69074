"""Console, options and questions that all commands share."""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import Annotated, Literal

import typer
from rich.console import Console

# Rich itself leaves bold and the like where NO_COLOR is set.
_COLOURS: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"

console = Console(color_system=_COLOURS)
errors = Console(stderr=True, highlight=False, soft_wrap=True, color_system=_COLOURS)

StackName = Annotated[str, typer.Option("--stack", help="Name of the stack: Pulumi.NAME.yaml.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Arguments = Annotated[list[str] | None, typer.Argument(help="Passed on to the Pulumi CLI.")]


def confirm(question: str) -> bool:
    """Ask a yes-or-no question; an interrupt, or that nobody is there, is a no."""
    try:
        console.print(f"{question} [y/N]: ", end="", markup=False, highlight=False, soft_wrap=True)
        answer = _read_line()
    except KeyboardInterrupt:
        answer = ""
    if not answer.endswith("\n"):
        # The question's line has not ended.
        console.print()
    return answer.strip().lower() in {"y", "yes"}


def _read_line() -> str:
    """Read a line of the standard input; a signal is seen in any case.

    A plain read does not see one that comes just before it, and waits for a key.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(writer)
    line = b""
    try:
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([sys.stdin, reader], [], [])
            if reader in ready:
                os.read(reader, select.PIPE_BUF)
            elif character := _read_character():
                line += character
            else:
                break
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
    return line.decode(errors="replace")


def _read_character() -> bytes:
    """Read one byte of the input, empty at its end: what follows a line is not its question's."""
    try:
        return os.read(sys.stdin.fileno(), 1)
    except OSError:  # Linux says EIO where the terminal is gone.
        return b""
