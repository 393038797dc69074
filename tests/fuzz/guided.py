"""Hypothesis's cases, led by the code that they reach.

`python -m tests.fuzz.guided MODULE TEST RUNS SEED FOLDER`: atheris (libFuzzer) makes the bytes of
which Hypothesis builds a test's cases, and follows those that come to code which none before them
did. It ends the process: with 0 after that many cases, or with another status at the first that
fails, which it leaves in the folder. With seed 0, each run tries others.
"""

from __future__ import annotations

import importlib
import sys

import atheris

FOLLOWED = ["components", "configuration", "operations"]
"""Packages whose code is watched."""

TIMEOUT = 30
"""Seconds after which a case counts as a hang."""


def main() -> None:
    """Try cases until one fails or there were enough."""
    module, name, runs, seed, folder = sys.argv[1:]
    with atheris.instrument_imports(include=FOLLOWED):
        test = getattr(importlib.import_module(module), name)
    options = [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-timeout={TIMEOUT}",
        "-len_control=0",
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup([sys.argv[0], *options], test.hypothesis.fuzz_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
