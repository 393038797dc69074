"""`make bench-cold`: what a first `make up` costs, where nothing can be downloaded ready-made.

A copy of the project is brought up with empty caches of Go, pip and this project. Each part is told
with its CPU time, children included, and the memory of its largest process. Wall time depends on
what else runs, and on the network; these two do not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

WHOLE = """
import sys
from pathlib import Path
from toolchain import go_build, install, progress
with progress.Reporter() as reporter:
    go_build.build_whole(
        go_build.require_go(), install.BUILT, Path(sys.argv[1]), memory=1 << 40, reporter=reporter
    )
"""
"""Python program that builds the commands from all of their sources, as before they were cut."""


@dataclass(frozen=True)
class Cost:
    """Cost of a part in time and memory."""

    name: str
    user: float
    system: float
    largest: int
    seconds: float

    def line(self) -> str:
        """Write the cost as a row of the table."""
        cpu = self.user + self.system
        return f"{self.name:<44}{cpu:9.0f} s{self.largest / 2**30:9.2f} GB{self.seconds:9.0f} s"


def measure(
    name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Cost:
    """Run a command and return what it took.

    Raises:
        SystemExit: It failed.
    """
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{name}: {' '.join(command[:3])} failed.")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    seconds = time.monotonic() - started
    return Cost(name, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * unit, seconds)


def environment(home: Path, *, modules: bool) -> dict[str, str]:
    """Environment with caches below `home`; with `modules`, Go's modules are the user's.

    Settings of proxies and mirrors stay, also those of `go env -w`.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    asked = subprocess.run(
        ["go", "env", "GOENV", "GOMODCACHE"], capture_output=True, text=True, check=True, timeout=60
    )
    settings, module_cache = asked.stdout.splitlines()
    return {
        **kept,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "GOENV": settings,
        "GOCACHE": str(home / "go-build"),
        "GOMODCACHE": module_cache if modules else str(home / "go-modules"),
        "GOFLAGS": f"{kept.get('GOFLAGS', '')} -modcacherw".strip(),
        "PIP_CACHE_DIR": str(home / "pip"),
        "SLB_MUTUAL_TLS_TOOLCHAIN": "build",
    }


def copy_of_the_project(folder: Path) -> Path:
    """Copy what git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target)
    return folder


def main() -> None:
    """Print a row for each part, and their sum."""
    parser = argparse.ArgumentParser(prog="make bench-cold ARGS=…", description=__doc__)
    parser.add_argument("--modules", action="store_true", help="use the Go modules that are there")
    parser.add_argument("--whole", action="store_true", help="also build the whole, as before")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cold-") as scratch:
        root = Path(scratch)
        project = copy_of_the_project(root / "project")
        variables = environment(root / "home", modules=arguments.modules)
        python = str(project / ".venv/bin/python")
        packages = ["make", "--no-print-directory", ".venv/runtime", "policy/.venv/runtime"]
        fetch = "Go modules: compiling" if arguments.modules else "Go modules: fetching, compiling"
        parts = [
            ("Python packages", packages),
            (f"{fetch} the CLI, its host and the provider", [python, "-m", "toolchain"]),
            ("the stack, and its verification", ["make", "--no-print-directory", "up"]),
        ]
        print(f"{'':<52}{'CPU':>3}{'largest process':>19}{'wall':>6}")
        costs = []
        try:
            for name, command in parts:
                costs.append(measure(name, command, project, variables))
                print(costs[-1].line(), flush=True)
        finally:
            subprocess.run(
                ["make", "--no-print-directory", "clean"],
                cwd=project, env=variables, stdout=subprocess.DEVNULL, check=False, timeout=300,
            )  # fmt: skip
        print(_sum("all", costs).line())
        if arguments.whole:
            output = root / "whole"
            output.mkdir()
            former = {**variables, "GOCACHE": str(root / "home/go-build-whole")}
            command = [sys.executable, "-c", WHOLE, str(output)]
            cost = measure("the same commands, not cut", command, PROJECT, former)
            print(cost.line())


def _sum(name: str, costs: Sequence[Cost]) -> Cost:
    return Cost(
        name,
        sum(cost.user for cost in costs),
        sum(cost.system for cost in costs),
        max(cost.largest for cost in costs),
        sum(cost.seconds for cost in costs),
    )


if __name__ == "__main__":
    main()
