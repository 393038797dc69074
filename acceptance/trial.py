"""Runs acceptance tests and reads how they ended."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Ending = Literal["passes", "fails", "is skipped"]

MINUTES = 30
"""Time that a test may take; the provider waits in steps of five seconds and more."""


@dataclass(frozen=True)
class TrialOutcome:
    """Outcome of an acceptance test.

    Attributes:
        name: Name of the test.
        ending: Ending in Go's words; a test that ends in no way fails.
        output: Everything that the test printed.
        seconds: Time that the test took.
    """

    name: str
    ending: Ending
    output: str
    seconds: float


def list_names(binary: Path, environment: Mapping[str, str]) -> list[str]:
    """List the tests that a binary has, by its own word."""
    listed = subprocess.run(
        [binary, "-test.list", "."],
        env=dict(environment), capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return [line for line in listed.stdout.splitlines() if line.startswith("Test")]


def run(binary: Path, name: str, environment: Mapping[str, str], scratch: Path) -> TrialOutcome:
    """Run one test in a process of its own.

    Args:
        binary: Executable that has the test.
        name: Name of the test.
        environment: All environment variables of the test.
        scratch: Folder in which the test gets one to work in: some write files where they are.
    """
    folder = scratch / name
    folder.mkdir()
    began = time.monotonic()
    command = [str(binary), "-test.run", f"^{name}$", "-test.v", f"-test.timeout={MINUTES}m"]
    log = folder / "output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "TF_ACC": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            status = process.wait((MINUTES + 1) * 60)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    text = log.read_text(encoding="utf-8", errors="replace")
    return TrialOutcome(name, read_ending(name, text, status), text, time.monotonic() - began)


def read_ending(name: str, output: str, status: int) -> Ending:
    """Tell how a test ended, from what Go's testing printed and the status of its process."""
    match = re.search(rf"^--- (PASS|SKIP): {name} ", output, re.M)
    if status != 0 or match is None:
        return "fails"
    return "passes" if match[1] == "PASS" else "is skipped"
