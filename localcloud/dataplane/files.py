"""Files and folders that only their owner reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def private_folder(path: Path) -> Path:
    """Create a folder with access for its owner only."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def open_private(path: Path) -> BinaryIO:
    """Open an empty file for appending, created with mode 0600."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "ab")


def write_private(path: Path, text: str) -> None:
    """Replace a file's content in one step, with mode 0600."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with open_private(scratch) as file:
        file.write(text.encode())
    scratch.replace(path)
