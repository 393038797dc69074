"""Launcher that becomes another program, within resource limits, and ends with its parent.

Run as a script, with the standard library alone:
`python -I launcher.py PARENT_PID [--limits] -- COMMAND...`.
A `preexec_fn` would run Python code between fork and exec of a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1

OPEN_FILES = 4096
FILE_SIZE = 64 * 2**20
"""Bytes that a file may have: this ends a log that runs away."""


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def main(arguments: list[str]) -> None:
    """Set limits and the parent-death signal, then exec."""
    parent = int(arguments[0])
    separator = arguments.index("--")
    command = arguments[separator + 1 :]
    _lower(resource.RLIMIT_CORE, 0)  # a core would hold private keys
    if "--limits" in arguments[:separator]:
        _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
        _lower(resource.RLIMIT_FSIZE, FILE_SIZE)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the signal was asked for
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
