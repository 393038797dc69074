"""The log of a local cloud: of bounded length, for its owner only.

A file that is full becomes `cloud.log.1`, that one `cloud.log.2`, and the one before is removed.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from localcloud.dataplane.files import append_private

BYTES = 8 * 2**20
"""Size of a log file, at most: it holds some 100,000 calls."""

OLD_FILES = 2

FORMAT = "%(asctime)s %(levelname)s %(message)s"


class RotatingLog(RotatingFileHandler):
    """Writes a log that turns over when it is full, by whichever process fills it.

    What this process prints goes along with the file, if it went there in the beginning.
    """

    def __init__(self, path: Path, limit: int = BYTES) -> None:
        self._printed: list[int] = []
        super().__init__(
            path,
            maxBytes=limit,
            backupCount=OLD_FILES,
            encoding="utf-8",
            errors="backslashreplace",
        )
        here = path.stat()
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None and os.path.samestat(os.fstat(stream.fileno()), here):
                self._printed.append(stream.fileno())
        self.setFormatter(logging.Formatter(FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, after a look whether another process has turned the file over."""
        if self.stream is not None and not _same(self.stream, Path(self.baseFilename)):
            self.stream.close()
            self.stream = self._open()
        super().emit(record)

    def _open(self) -> TextIOWrapper:
        opened = TextIOWrapper(
            append_private(Path(self.baseFilename)), encoding=self.encoding, errors=self.errors
        )
        for number in self._printed:
            os.dup2(opened.fileno(), number)
        return opened


def read_lines(path: Path, *, follow: bool, pause: float = 0.2) -> Iterator[str]:
    """Read the lines of a log from the oldest on.

    Args:
        path: Path of the newest file.
        follow: Whether to go on with what is written later, for ever.
        pause: Seconds between two looks.

    Raises:
        FileNotFoundError: The log is missing.
    """
    file = path.open(encoding="utf-8", errors="replace")
    try:
        for number in range(OLD_FILES, 0, -1):
            old = path.with_name(f"{path.name}.{number}")
            if old.exists():
                with old.open(encoding="utf-8", errors="replace") as earlier:
                    yield from earlier
        while True:
            # Asked first: what was written before a turn is read before the next file.
            turned = follow and path.exists() and not _same(file, path)
            yield from file
            if turned:
                file.close()
                file = path.open(encoding="utf-8", errors="replace")
            elif follow:
                time.sleep(pause)
            else:
                return
    finally:
        file.close()


def _same(file: TextIOWrapper, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
