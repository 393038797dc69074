"""The local cloud's memory: documents in SQLite, readable with any SQLite client."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from localcloud.documents import KINDS, Document

SCHEMA_VERSION = 1

D = TypeVar("D", bound=Document)


class StoreError(Exception):
    """Store's file cannot be used; the message is one sentence for a person."""


class Store:
    """Documents by kind and id, in a file that its owner alone can read.

    One thread at a time: the caller holds a lock.

    Args:
        path: Path of the file, which is made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        self._unreadable: dict[tuple[str, str], str] = {}
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(path)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, path: Path) -> None:
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            damage = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path} is no state of a local cloud: {error}") from error
        if damage != "ok":
            raise StoreError(f"{path} is damaged ({damage}): put a copy back, or remove the file.")
        if version not in {0, SCHEMA_VERSION}:
            raise StoreError(
                f"{path} was written by another version of the local cloud (format {version}, this "
                f"one has {SCHEMA_VERSION}): `make down` with that version, or remove the file."
            )
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS documents"
            " (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id))"
        )
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS answers"
            " (action TEXT, token TEXT, request TEXT NOT NULL, body TEXT NOT NULL,"
            " PRIMARY KEY (action, token))"
        )
        self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes made within, or none if it is left by an exception."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def get(self, kind: type[D], key: str) -> D | None:
        """Find the document with an id."""
        row = self._connection.execute(
            "SELECT body FROM documents WHERE kind = ? AND id = ?", (kind.kind, key)
        ).fetchone()
        return self._read(kind, key, row[0]) if row else None

    def all(self, kind: type[D], **equal: Any) -> list[D]:
        """List the documents of a kind whose fields have these values, in order of creation."""
        rows = self._connection.execute(
            "SELECT id, body FROM documents WHERE kind = ? ORDER BY rowid", (kind.kind,)
        )
        read = (self._read(kind, key, body) for key, body in rows)
        documents = [document for document in read if document is not None]
        return [d for d in documents if all(getattr(d, name) == equal[name] for name in equal)]

    def problems(self) -> list[str]:
        """List which documents cannot be read, and why; one sentence each."""
        return list(self._unreadable.values())

    def _read(self, kind: type[D], key: str, body: Any) -> D | None:
        """Read a document; one that cannot be read counts as absent, and is noted as a problem."""
        name = (kind.kind, key)
        try:
            document = kind.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "all of it"
            self._unreadable[name] = (
                f"What is remembered of {kind.kind} {key} cannot be read ({where}: "
                f"{first['msg']}); it stays in the file until `python -m localcloud reset`."
            )
            return None
        self._unreadable.pop(name, None)
        return document

    def put(self, document: Document) -> None:
        """Add a document, or replace the one with its id."""
        self._connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (document.kind, document.id, document.model_dump_json()),
        )

    def delete(self, document: Document) -> None:
        """Forget a document."""
        self._connection.execute(
            "DELETE FROM documents WHERE kind = ? AND id = ?", (document.kind, document.id)
        )

    @contextmanager
    def hide_since(self, since: float) -> Iterator[None]:
        """Hide what was created since a moment, in seconds since the epoch."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for documents in self.everything().values():
                for document in documents:
                    if document.created > since:
                        self.delete(document)
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def answer(self, action: str, token: str) -> tuple[str, dict[str, Any]] | None:
        """Find the answer to a request by its ClientToken, with a digest of that request."""
        row = self._connection.execute(
            "SELECT request, body FROM answers WHERE action = ? AND token = ?", (action, token)
        ).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def keep_answer(self, action: str, token: str, request: str, body: dict[str, Any]) -> None:
        """Remember the answer to a request that came with a ClientToken."""
        self._connection.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?)", (action, token, request, json.dumps(body))
        )

    def clear(self) -> None:
        """Forget everything."""
        self._connection.execute("DELETE FROM documents")
        self._connection.execute("DELETE FROM answers")
        self._unreadable.clear()

    def everything(self) -> dict[str, list[Document]]:
        """List all documents by kind."""
        return {kind.kind: list(self.all(kind)) for kind in KINDS}

    def close(self) -> None:
        """Close the store's file."""
        self._connection.close()
