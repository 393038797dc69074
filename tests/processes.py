"""Commands that tests run to their end, as a person without a terminal."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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


def wait_until_named(process: subprocess.Popen[Any]) -> None:
    """Wait until a process that was just started has its own name and command line.

    `subprocess` goes on as soon as Linux has let go of the starting process's files, which is
    before that.
    """
    while not psutil.Process(process.pid).cmdline():
        time.sleep(0.001)


def running_below(folder: Path) -> list[psutil.Process]:
    """Processes whose command lines name a path below a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(f"{folder}/" in word for word in process.cmdline()):
                found.append(process)
    return found
