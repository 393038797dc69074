"""Files and folders that only their owner reads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import BinaryIO


def make_private_folder(path: Path) -> Path:
    """Create a folder with access for its owner only."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def open_private(path: Path) -> BinaryIO:
    """Open an empty file for appending, created with mode 0600."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "ab")


def append_private(path: Path) -> BinaryIO:
    """Open a file at its end, for its owner only; one that is not there is created."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    opened = os.fdopen(os.open(path, flags, 0o600), "ab")
    os.fchmod(opened.fileno(), 0o600)
    return opened


def shorten(log: Path, limit: int) -> None:
    """Move what a log holds to `<name>.1` once it is too long; who has it open goes on writing.

    Args:
        log: File to which a process appends and which it never opens again; it may be missing.
        limit: Number of bytes from which on the log is too long.
    """
    try:
        if log.stat().st_size < limit:
            return
        with log.open("rb") as source, open_private(log.with_name(f"{log.name}.1")) as old:
            shutil.copyfileobj(source, old)
        os.truncate(log, 0)
    except FileNotFoundError:
        return


def write_private(path: Path, text: str) -> None:
    """Replace a file's content in one step, with mode 0600."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with open_private(scratch) as file:
        file.write(text.encode())
    scratch.replace(path)
