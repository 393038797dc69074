"""Faults on request: the cloud can be told to throttle, fail, delay or not answer."""

from __future__ import annotations

import fnmatch
import threading
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """Fault that happens to the next calls of some actions.

    Attributes:
        action: Name of an action or a pattern, such as `*Listener`.
        kind: error answers with `code` instead of acting; delay acts after `seconds`, late answers
            `seconds` after it acted; drop acts and closes the connection without an answer; unseen
            reads as if what was made in the last `seconds` were not there yet (eventual
            consistency).
        skip: Number of calls that pass first.
        times: Number of calls that the fault happens to.
        code: Code of the error, e.g. ServiceIsConfiguring or Throttling.
        status: HTTP status of the error.
        seconds: Length of the delay, or of the past that is unseen.
    """

    model_config = ConfigDict(extra="forbid")

    action: str
    kind: Literal["error", "delay", "late", "drop", "unseen"] = "error"
    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] = 1
    code: str = "Throttling"
    status: Annotated[int, Field(ge=400, le=599)] = 400
    seconds: Annotated[float, Field(ge=0, le=600)] = 0


class Faults:
    """Faults that are still to happen."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Add a fault to those that are to happen."""
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Remove every fault that is still to happen."""
        with self._lock:
            self._pending.clear()

    def list_pending(self) -> list[Fault]:
        """List the faults that are still to happen, with how often."""
        with self._lock:
            return list(self._pending)

    def take(self, action: str) -> Fault | None:
        """Take the fault that happens to a call, if one does."""
        with self._lock:
            for position, fault in enumerate(self._pending):
                if not fnmatch.fnmatchcase(action, fault.action):
                    continue
                if fault.skip:
                    self._pending[position] = _update(fault, skip=fault.skip - 1)
                    continue
                if fault.times == 1:
                    del self._pending[position]
                else:
                    self._pending[position] = _update(fault, times=fault.times - 1)
                return fault
        return None


def _update(fault: Fault, **changed: int) -> Fault:
    return fault.model_copy(update=changed)
