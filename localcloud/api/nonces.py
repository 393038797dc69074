"""Nonces of requests that were let in, remembered for as long as their time is good.

In a file, so that a request cannot be sent again after a restart either.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from pathlib import Path

FORGOTTEN_PER_CALL = 2
"""Number of old nonces that each new one removes: more than one, so that their number shrinks."""


class Nonces:
    """The nonces of the last half hour; any thread may ask.

    Args:
        path: File of the nonces, for its owner only; None keeps them in memory. One that SQLite
            cannot read is replaced.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = _open(path)
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            self._connection = _open(path)

    def add(self, nonce: str, until: float, now: float) -> bool:
        """Remember a nonce; tell whether it is new.

        Args:
            nonce: Nonce of any length: its digest is kept.
            until: Time from which its request is too old to be let in, in seconds since the epoch.
            now: Present time, in seconds since the epoch.
        """
        digest = hashlib.sha256(nonce.encode()).digest()
        with self._lock, self._connection:
            self._connection.execute(
                "DELETE FROM nonces WHERE digest IN"
                " (SELECT digest FROM nonces WHERE until < ? ORDER BY until LIMIT ?)",
                (now, FORGOTTEN_PER_CALL),
            )
            added = self._connection.execute(
                "INSERT OR IGNORE INTO nonces VALUES (?, ?)", (digest, until)
            )
            return added.rowcount == 1

    def close(self) -> None:
        """Close the file of nonces."""
        self._connection.close()


def _open(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
    with contextlib.ExitStack() as stack:
        stack.callback(connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS nonces (digest BLOB PRIMARY KEY, until REAL NOT NULL)"
            " WITHOUT ROWID"
        )
        connection.execute("CREATE INDEX IF NOT EXISTS ends ON nonces (until)")
        stack.pop_all()
    return connection
