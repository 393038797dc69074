"""Faults on request: the cloud can be told to throttle, fail, delay or not answer."""

from __future__ import annotations

import fnmatch
import threading
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """What happens to the next calls of some actions.

    Attributes:
        action: Name or pattern, such as `*Listener`.
        kind: error answers with `code` instead of acting; delay acts after `seconds`; drop acts
            and closes the connection without an answer.
        times: To how many calls.
        code: Of the error, e.g. ServiceIsConfiguring or Throttling.
        status: Its HTTP status.
        seconds: Of the delay.
    """

    model_config = ConfigDict(extra="forbid")

    action: str
    kind: Literal["error", "delay", "drop"] = "error"
    times: Annotated[int, Field(ge=1)] = 1
    code: str = "Throttling"
    status: Annotated[int, Field(ge=400, le=599)] = 400
    seconds: Annotated[float, Field(ge=0, le=600)] = 0


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Have a fault happen."""
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Have none happen any more."""
        with self._lock:
            self._pending.clear()

    def pending(self) -> list[Fault]:
        """Those still to happen, with how often."""
        with self._lock:
            return list(self._pending)

    def take(self, action: str) -> Fault | None:
        """The fault that happens to a call, if one does."""
        with self._lock:
            for position, fault in enumerate(self._pending):
                if fnmatch.fnmatchcase(action, fault.action):
                    if fault.times == 1:
                        del self._pending[position]
                    else:
                        left = fault.model_copy(update={"times": fault.times - 1})
                        self._pending[position] = left
                    return fault
        return None
