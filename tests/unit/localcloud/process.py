"""A real local cloud in a process of its own, driven as its users do."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from localcloud import control
from localcloud.home import Home

PROJECT = Path(__file__).resolve().parents[3]


def command(*arguments: str, home: Path) -> list[str]:
    return [sys.executable, "-m", "localcloud", *arguments, "--home", str(home)]


@contextlib.contextmanager
def running(home: Path) -> Iterator[LocalCloud]:
    """A local cloud that runs while the block does."""
    cloud = LocalCloud(home)
    try:
        cloud.start()
        yield cloud
    finally:
        cloud.end()


class LocalCloud:
    """A home, and the process that serves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def home(self) -> Home:
        return Home(self.folder)

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """`python -m localcloud …`, as from a shell."""
        return subprocess.run(
            command(*arguments, home=self.folder),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    def start(self, **options: Any) -> control.Running:
        return control.start(self.home, 0, _silent, **options)[0]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return control.ask(self.home, method, path, body)

    @property
    def status(self) -> dict[str, Any]:
        return self.ask("GET", "/status")

    def end(self) -> None:
        """Stop whatever runs for this home, however the test left it."""
        with contextlib.suppress(control.ControlError):
            control.stop(self.home)
        left = [process for process in psutil.process_iter() if self._serves(process)]
        for process in left:
            with contextlib.suppress(psutil.Error):
                left += process.children(recursive=True)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=10)

    def _serves(self, process: psutil.Process) -> bool:
        try:
            words = process.cmdline()
        except psutil.Error:
            return False
        return "localcloud" in words and str(self.folder) in words


def _silent(_text: str) -> None:
    pass
