"""Measurement of `make up` and what follows it, on a new local stack with a toolchain."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import measure_seconds, print_figure
from operations.project import PROJECT


def run(home: Path) -> None:
    """Bring a stack up twice, preview it, take it down."""
    first = measure_seconds(lambda: _operation(home, "up"))
    busy = _cloud_seconds(home)
    second = measure_seconds(lambda: _operation(home, "up"))
    print_figure("up", first, "s")
    print_figure("up_of_which_local_cloud", busy, "s")
    print_figure("second_up", second, "s")
    print_figure("second_up_to_up", second / first, "x")
    print_figure("preview", measure_seconds(lambda: _operation(home, "preview")), "s")
    print_figure("verify", measure_seconds(lambda: _operation(home, "verify")), "s")


def down(home: Path) -> None:
    """Take the stack down."""
    print_figure("down", measure_seconds(lambda: _operation(home, "down")), "s")


def _operation(home: Path, command: str) -> None:
    """Run an operation as `make` does, in a home of its own."""
    subprocess.run(
        [sys.executable, "-m", "operations", command, "--stack", "local"],
        cwd=PROJECT,
        env={**os.environ, "SLB_MUTUAL_TLS_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )


def _cloud_seconds(home: Path) -> float:
    """Seconds that the local cloud worked, by its log; the rest of `up` is engine and waiting."""
    text = (home / "cloud" / "cloud.log").read_text(encoding="utf-8")
    return sum(float(spent) for spent in re.findall(r" ([0-9.]+) ms$", text, re.MULTILINE)) / 1000
