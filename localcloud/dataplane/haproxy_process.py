"""One HAProxy in master-worker mode: started, reloaded without losing a connection, stopped.

Source: HAProxy 2.6's management manual, "Master CLI" and "Unix Socket commands".
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from localcloud.dataplane import files, processes
from localcloud.dataplane.model import DataPlaneError, RefusedError

READY_TIMEOUT = 20.0
"""Seconds until a started or reloaded HAProxy must serve."""

_POLL = 0.02
_SOCKET_TIMEOUT = 5.0
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

OPENSSL_SETTINGS = """\
openssl_conf = settings
[settings]
ssl_conf = ssl
[ssl]
system_default = everywhere
[everywhere]
CipherString = DEFAULT:@SECLEVEL=0
"""
"""OpenSSL settings that load certificates which CLB takes and OpenSSL's level 2 does not.

A listener's `ciphers` come after that, and say at which level it speaks: nobody else's is lowered.
"""


class HAProxy:
    """Process of HAProxy and its sockets.

    Args:
        executable: Path of the executable.
        folder: Private folder of the configuration, the log and the pid file.
        sockets: Private folder of the sockets, with a path short enough for a socket's name.
        spawner: Spawner that starts the process.
    """

    def __init__(
        self, executable: Path, folder: Path, sockets: Path, spawner: processes.Spawner
    ) -> None:
        self.configuration = folder / "haproxy.cfg"
        self.stats_socket = sockets / "stats.sock"
        self._executable = executable
        self._master_socket = sockets / "master.sock"
        self.log = folder / "haproxy.log"
        self._pid_file = folder / "haproxy.pid"
        self._openssl = folder / "openssl.cnf"
        files.write_private(self._openssl, OPENSSL_SETTINGS)
        self._spawner = spawner
        self.process: subprocess.Popen[bytes] | None = None
        processes.stop_left_over(self._pid_file, str(self.configuration))

    @property
    def running(self) -> bool:
        """Tell whether HAProxy's master process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def _environment(self) -> dict[str, str]:
        return {**_ENVIRONMENT, "OPENSSL_CONF": str(self._openssl)}

    def apply(self, text: str) -> None:
        """Start with a configuration, or reload it; return when it serves.

        Raises:
            DataPlaneError: HAProxy refuses it, in its own words; what ran before runs on.
        """
        self._check(text)
        if not self.running:
            self.stop()
            files.write_private(self.configuration, text)
            self._start()
            return
        before = self.configuration.read_text()
        files.write_private(self.configuration, text)
        try:
            self._reload()
        except DataPlaneError:
            files.write_private(self.configuration, before)
            raise

    def statistics(self) -> str:
        """Answer of "show stat" as CSV, or nothing where HAProxy does not run."""
        try:
            return ask(self.stats_socket, "show stat") if self.running else ""
        except OSError as error:
            raise DataPlaneError(f"HAProxy does not answer on its socket ({error}).") from error

    def stop(self) -> None:
        """Stop the master and its workers; a second call does nothing."""
        if self.process is not None:
            processes.stop(self.process)
            self.process = None
        self._pid_file.unlink(missing_ok=True)

    def _check(self, text: str) -> None:
        candidate = self.configuration.with_suffix(".new")
        files.write_private(candidate, text)
        try:
            answer = subprocess.run(
                [str(self._executable), "-c", "-f", str(candidate)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=READY_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DataPlaneError(f"{self._executable} does not run ({error}).") from error
        finally:
            candidate.unlink()
        if answer.returncode != 0:
            raise RefusedError(
                f"HAProxy refuses the configuration: {extract_alerts(answer.stderr)}."
            )

    def _start(self) -> None:
        master = f"{self._master_socket},mode,600"
        command = [str(self._executable), "-W", "-S", master, "-f", str(self.configuration)]
        mark = self.log.stat().st_size if self.log.exists() else 0
        self.process = self._spawner.start(command, self._environment, self.log)
        files.write_private(self._pid_file, str(self.process.pid))
        try:
            self._wait(lambda listing: find_worker(listing) is not None, mark)
        except DataPlaneError:
            self.stop()
            raise

    def _reload(self) -> None:
        assert self.process is not None  # noqa: S101
        mark = self.log.stat().st_size
        before = count_reloads(ask(self._master_socket, "show proc"))
        self.process.send_signal(signal.SIGUSR2)
        self._wait(lambda listing: count_reloads(listing) > before, mark)

    def _wait(self, reached: Callable[[str], bool], mark: int) -> None:
        """Wait until the master has a worker of its last load, and that worker answers."""
        deadline = time.monotonic() + READY_TIMEOUT
        while self.running and time.monotonic() < deadline:
            try:
                listing = ask(self._master_socket, "show proc")
                if reached(listing):
                    pid = find_worker(listing)
                    if pid is None:
                        break
                    if f"\nPid: {pid}\n" in ask(self.stats_socket, "show info"):
                        return
            except OSError:
                pass  # a socket is between its old and its new owner
            time.sleep(_POLL)
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(mark)
            raise DataPlaneError(f"HAProxy does not start: {extract_alerts(log.read())}.")


def ask(path: Path, command: str) -> str:
    """Send one command to a socket of HAProxy and return its answer.

    Raises:
        OSError: Nothing answers at the socket.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SOCKET_TIMEOUT)
        connection.connect(str(path))
        connection.sendall(f"{command}\n".encode())
        connection.shutdown(socket.SHUT_WR)  # the master CLI waits for more otherwise
        blocks = []
        while block := connection.recv(65536):
            blocks.append(block)
    return b"".join(blocks).decode(errors="replace")


def count_reloads(listing: str) -> int:
    """Read "show proc": how often the master was asked to reload, successes and failures."""
    master = re.search(r"^\d+\s+master\s+(\d+)", listing, re.MULTILINE)
    return int(master[1]) if master else -1


def find_worker(listing: str) -> int | None:
    """Read "show proc": pid of the worker of the master's last load, None if that load failed."""
    current = listing.partition("# old workers")[0]
    match = re.search(r"^(\d+)\s+worker\s+(?:\[was: \d+\]\s+)?0\s", current, re.MULTILINE)
    return int(match[1]) if match else None


def extract_alerts(log: str) -> str:
    """Extract HAProxy's own reasons, one line; the whole text where it gives none."""
    alerts = re.findall(r"^\[ALERT\]\s+\(\d+\) : (.*)$", log, re.MULTILINE)
    reasons = [line for line in alerts if "Fatal errors found" not in line]
    return "; ".join(dict.fromkeys(reasons)) or " ".join(log.split())[-500:] or "no reason given"
