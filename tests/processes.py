"""Commands that tests run to their end, as a person without a terminal."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil


def of_a_fresh_shell() -> dict[str, str]:
    """This process's environment without what an outer make passes on to those it runs."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text: str = "",
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Give `text` to a command and keep what it prints, however it ends."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=env,
        input=text,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def printed(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text: str = "",
    timeout: float | None = None,
) -> str:
    """The same; return what it printed on standard output.

    Raises:
        AssertionError: It failed.
    """
    done = run(command, cwd=cwd, env=env, text=text, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def running_below(folder: Path) -> list[psutil.Process]:
    """Processes whose command lines name a path below a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(f"{folder}/" in word for word in process.cmdline()):
                found.append(process)
    return found
