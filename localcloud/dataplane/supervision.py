"""Supervision of processes: what ends by itself is started again, more and more seldom."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from localcloud.dataplane.model import DataPlaneError
from localcloud.dataplane.processes import describe_end

log = logging.getLogger("localcloud")

STEADY = 60.0
"""Seconds after which a process counts as one that runs."""

LONGEST = 60.0
"""Seconds until a process is tried again, at most."""


@dataclass
class Restarts:
    """Pace at which a process is started again: at once, then after 1, 2, 4 … seconds.

    Attributes:
        in_a_row: Number of times that the process ended before it was steady.
        due: Time at which to start it again; None while it runs.
        why: Reason, for people, for which it does not run.
    """

    in_a_row: int = 0
    due: float | None = None
    why: str = ""
    _started: float = float("-inf")

    def note_end(self, now: float) -> float:
        """Note that the process ended or did not start; return the seconds until the next start."""
        if self.due is None and now - self._started >= STEADY:
            self.in_a_row = 0
        delay = min(2.0 ** (self.in_a_row - 1), LONGEST) if self.in_a_row else 0.0
        self.in_a_row += 1
        self.due = now + delay
        return delay

    def note_start(self, now: float) -> None:
        """Note that the process was started."""
        self._started = now
        self.due = None


@dataclass(frozen=True)
class Watched:
    """Process that shall run, and how it is started.

    Attributes:
        name: Name for people.
        process: Process that was started last; None if that failed.
        start: Function that starts another process; raises DataPlaneError.
        log: File in which the process says why it ended.
    """

    name: str
    process: subprocess.Popen[bytes] | None
    start: Callable[[], None]
    log: str

    @property
    def runs(self) -> bool:
        """Tell whether the process runs."""
        return self.process is not None and self.process.poll() is None


@dataclass
class Supervisor:
    """Supervisor of processes that are watched, with what is known of each.

    Args:
        now: Clock that only goes forward, in seconds.
    """

    now: Callable[[], float]
    _restarts: dict[str, Restarts] = field(default_factory=dict)

    def look(self, watched: Iterable[Watched]) -> None:
        """Start watched processes again that do not run, if it is time; forget those not named."""
        present = {process.name: process for process in watched}
        self._restarts = {name: self._restarts.get(name) or Restarts() for name in present}
        for name, process in present.items():
            restarts = self._restarts[name]
            if self.notice(process) and restarts.due is not None and self.now() >= restarts.due:
                try:
                    process.start()
                except (DataPlaneError, OSError) as error:
                    self._note(process, restarts, f"cannot be started ({error})")
                else:
                    self._note_start(process, restarts)

    def notice(self, process: Watched) -> bool:
        """Tell whether a process does not run; log it the first time."""
        restarts = self._restarts.setdefault(process.name, Restarts())
        if process.runs:
            if restarts.due is not None:
                self._note_start(process, restarts)
            return False
        if restarts.due is None:
            self._note(process, restarts, _end_of(process))
        return True

    def problems(self) -> list[str]:
        """List what does not run, why, and when it is tried again; one sentence each."""
        return [
            f"{name} {restarts.why}; "
            f"it is started again in {max(0, restarts.due - self.now()):.0f} s."
            for name, restarts in self._restarts.items()
            if restarts.due is not None
        ]

    def _note(self, process: Watched, restarts: Restarts, why: str) -> None:
        delay = restarts.note_end(self.now())
        times = f", {restarts.in_a_row} times in a row" if restarts.in_a_row > 1 else ""
        restarts.why = f"{why}{times}: see {process.log}"
        log.error("%s %s; it is started again in %.0f s", process.name, restarts.why, delay)

    def _note_start(self, process: Watched, restarts: Restarts) -> None:
        restarts.note_start(self.now())
        log.warning("%s is started again", process.name)


def _end_of(watched: Watched) -> str:
    if watched.process is None:
        return "does not run"
    return f"(process {watched.process.pid}) ended ({describe_end(watched.process)})"
