"""Runs a judge that is a command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PATIENCE = 120
"""Seconds until a judge that hangs is stopped; Java needs a few on a busy machine."""


def ask(*command: str, text: str | bytes = b"") -> str:
    """Give `text` to a command; return all that it prints.

    Raises:
        AssertionError: It failed.
    """
    status, printed = answer(*command, text=text)
    assert status == 0, f"{command[0]} exited with {status}:\n{printed}"
    return printed


def answer(*command: str, text: str | bytes = b"") -> tuple[int, str]:
    """Give `text` to a command; return its exit status and all that it prints."""
    done = subprocess.run(
        command,
        input=text if isinstance(text, bytes) else text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def put(folder: Path, name: str, content: str | bytes) -> str:
    """Write a file; return its path as a command's argument."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)
