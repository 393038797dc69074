"""Child processes that end with this one, and those that a killed predecessor left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from localcloud.dataplane import files

LAUNCHER = Path(__file__).with_name("launcher.py")

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""


class Spawner:
    """Starts children from one thread that lives as long as the spawner.

    Linux sends the parent-death signal when the thread that started a child ends, and callers run
    on threads of a pool.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        limited: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Run a command in a new session, with its output in `log`, in the log's folder.

        Args:
            command: Absolute path of the program, and its arguments.
            environment: All environment variables of the program.
            log: File to which its output is appended; for its owner only.
            limited: Whether to keep it within modest limits on files.
        """
        launcher = [sys.executable, "-I", str(LAUNCHER), str(os.getpid())]
        launcher += ["--limits", "--"] if limited else ["--"]

        def run() -> subprocess.Popen[bytes]:
            with files.append_private(log) as output:
                return subprocess.Popen(
                    [*launcher, *command],
                    env=dict(environment),
                    cwd=log.parent,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )

        return self._thread.submit(run).result()

    def close(self) -> None:
        """End the thread; children that still run are ended by Linux."""
        self._thread.shutdown()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child and its own children, and collect its exit status."""
    if process.poll() is None:
        _end(psutil.Process(process.pid))
    else:
        _kill_session(process.pid)
    process.wait()


def describe_end(process: subprocess.Popen[bytes]) -> str:
    """Say how a child ended that has ended."""
    code = process.returncode
    try:
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
    except ValueError:
        return f"killed by signal {-code}"


def _kill_session(leader: int) -> None:
    """Kill what a child that has ended leaves behind: all are in the session that it began."""
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader:
                process.kill()
        except (OSError, psutil.Error):
            continue


def stop_left_over(pid_file: Path, marker: str) -> None:
    """End the process that `pid_file` names if it is really the one, and remove the file.

    Args:
        pid_file: File with the process's id; it may be missing, unreadable, or name one long gone.
        marker: Path with which one of the process's arguments begins, and no other program's.
    """
    try:
        process = psutil.Process(int(pid_file.read_text()))
        if any(argument.startswith(marker) for argument in process.cmdline()):
            _end(process)
    except (OSError, ValueError, psutil.Error):
        pass
    pid_file.unlink(missing_ok=True)


def _end(process: psutil.Process) -> None:
    try:
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        return
    _, alive = psutil.wait_procs(family, timeout=GRACE)
    for member in alive:
        # psutil compares start times, so a reused pid is not hit.
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=GRACE)
