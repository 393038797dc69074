"""The lock that an engine leaves on its stack when it is ended before it can take it away.

An engine handles signals only while it works on resources: not between taking the lock and that,
and not while it asks. Of backends, those in folders (`file://`) can be looked into from here.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

Holder = Mapping[str, Any]
"""Holder of a lock: hostname, pid, username."""


def holders(backend: str, project: Path, stack: str) -> list[Holder]:
    """List who holds a stack's lock; nobody if the backend is not a folder.

    Args:
        backend: Its URL.
        project: Folder that a relative URL starts from.
        stack: Its name.
    """
    if not backend.startswith("file://"):
        return []
    folder = urlsplit(backend)._replace(query="").geturl().removeprefix("file://")
    locks = project / Path(folder).expanduser() / ".pulumi" / "locks"
    return [json.loads(one.read_text(encoding="utf-8")) for one in locks.glob(f"**/{stack}/*.json")]


def taken_by(pid: int) -> Callable[[Holder], bool]:
    """Make a predicate: whether a lock's holder is the process `pid` of this machine."""
    return lambda holder: _is_here(holder) and holder["pid"] == pid


def taken_by_the_dead(holder: Holder) -> bool:
    """Tell whether a lock's holder was an engine of this machine that has ended.

    To be asked of a backend that no other machine, and no container, can be using.
    """
    if not _is_here(holder):
        return False
    try:
        # Another program may have got its number.
        return "pulumi" not in psutil.Process(holder["pid"]).name()
    except psutil.NoSuchProcess:
        return True


def _is_here(holder: Holder) -> bool:
    return bool(holder["hostname"] == socket.gethostname())
