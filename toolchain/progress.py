"""Says what each step does, with a live line on a terminal and a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

LINE_INTERVAL = 30.0
"""Seconds between two lines of the same step where there is no terminal."""


class Reporter:
    """Progress of steps that may run side by side; use as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._last_line: dict[str, float] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Reporter:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # One that was never started would leave an empty line.
        if self._console.is_terminal:
            self._live.stop()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Take the live display away for the block, such as for a question."""
        self.__exit__(None, None, None)
        try:
            yield
        finally:
            self.__enter__()

    def say(self, message: str) -> None:
        """Print one line that stays."""
        self._console.print(message, highlight=False, soft_wrap=True)

    def update(self, step: str, message: str) -> None:
        """Show where a long step stands."""
        text = f"{step}: {message}"
        with self._lock:
            if self._console.is_terminal:
                if step in self._tasks:
                    self._live.update(self._tasks[step], description=text)
                else:
                    self._tasks[step] = self._live.add_task(text, total=None)
            elif time.monotonic() - self._last_line.get(step, float("-inf")) >= LINE_INTERVAL:
                self._last_line[step] = time.monotonic()
                self._console.print(text, highlight=False, soft_wrap=True)

    def finish(self, step: str) -> None:
        """Take a step off the live display."""
        with self._lock:
            task = self._tasks.pop(step, None)
            if task is not None:
                self._live.remove_task(task)


class Estimate:
    """Time left of work whose parts take as long as they are large.

    The parts are told as they are begun. What the first few took says little of the rest, so
    nothing is said before a fortieth is done; a later estimate moves what was said by a fifth.
    """

    def __init__(
        self, sizes: Mapping[str, int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left = dict(sizes)
        self._total = max(1, sum(sizes.values()))
        self._clock = clock
        self._started = self._said_at = clock()
        self._seconds: float | None = None

    def describe_after(self, part: str) -> str:
        """Say how much is left once a part is begun."""
        self._left.pop(part, None)
        now = self._clock()
        done = 1 - sum(self._left.values()) / self._total
        if done < 1 / 40:
            return "compiling"
        estimated = (now - self._started) * (1 - done) / done
        if self._seconds is not None:
            before = self._seconds - (now - self._said_at)
            estimated = max(0.0, 0.8 * before + 0.2 * estimated)
        self._seconds, self._said_at = estimated, now
        return f"compiling, {write_duration(estimated)} left"


def write_duration(seconds: float) -> str:
    """Write a length of time as roughly as it is known: "about 4 min", "less than a minute"."""
    if seconds < 60:
        return "less than a minute"
    return f"about {round(seconds / 60)} min"
