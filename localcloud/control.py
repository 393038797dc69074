"""Starts, stops and asks the process of a local cloud."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from filelock import FileLock

from localcloud.dataplane.files import append_private
from localcloud.dataplane.haproxy_binary import ensure
from localcloud.dataplane.model import DataPlaneError
from localcloud.home import Home, environment
from localcloud.ports import PortError, listening_socket

START_SECONDS = 60
STOP_SECONDS = 30
DEFAULT_PORT = 7443

PROJECT = Path(__file__).resolve().parent.parent


class ControlError(Exception):
    """Local cloud cannot do what was asked; the message is one sentence for a person."""


MISTAKES = (ControlError, DataPlaneError, OSError, PortError)
"""Errors whose own words are the message for a person."""


@dataclass(frozen=True)
class Running:
    """Running local cloud: its process and the port of its API."""

    process: psutil.Process
    port: int

    def __str__(self) -> str:
        return f"https://127.0.0.1:{self.port} (process {self.process.pid})"


def find_running(home: Home) -> Running | None:
    """Find the process that serves a home, if it lives.

    A process id alone proves nothing: after a crash it may be another program's by now.
    """
    try:
        known = json.loads(home.running.read_text(encoding="utf-8"))
        process = psutil.Process(known["pid"])
        ours = "localcloud" in process.cmdline() and str(home.path) in process.cmdline()
    except (FileNotFoundError, psutil.Error):
        return None
    return Running(process, known["port"]) if ours else None


def start(
    home: Home,
    port: int,
    say: Callable[[str], None],
    *,
    strict: bool = False,
    or_another: bool = False,
) -> tuple[Running, bool]:
    """Start a home's local cloud unless it runs.

    Args:
        home: Folder of the local cloud.
        port: Port of the API if it is to be started; 0 for the one it had last, else any free one.
        say: Function that is told what takes long.
        strict: Whether clients without a good certificate are refused in the handshake.
        or_another: Whether any free port is taken where that one is not free, and the same in its
            place the next time.

    Returns:
        The process, and whether it is new.

    Raises:
        ControlError: The local cloud cannot start.
        DataPlaneError: There is no HAProxy and none can be had.
    """
    with FileLock(home.path / "start.lock", mode=0o600):
        present = find_running(home)
        if present is not None:
            return present, False
        haproxy = ensure(say)
        wanted = port
        if or_another:
            port = home.find_port_in_place_of(wanted)
        elif port == 0:
            port = _last_port(home)
        if not or_another:
            _require_free(port)
        home.running.unlink(missing_ok=True)
        arguments = ["--haproxy", str(haproxy), "--port", str(port)]
        if strict:
            arguments.append("--strict")
        if or_another:
            arguments.append("--or-another")
        present = _spawn(home, arguments)
        if or_another:
            home.keep_port_in_place_of(wanted, present.port)
            if present.port != port and wanted:
                say(
                    f"Port {port} of 127.0.0.1 is not free{_who_has(port)}: the local cloud takes "
                    f"{present.port} in its place, and keeps it."
                )
        return present, True


def describe_start(home: Home, started: Running) -> list[str]:
    """Write lines that tell a person about a cloud that was just started."""
    return [
        f"The local cloud answers at {started}.",
        *(f"problem: {problem}" for problem in ask(home, "GET", "/status")["problems"]),
    ]


def stop(home: Home) -> bool:
    """Stop a home's local cloud and all it runs; tell whether it ran."""
    present = find_running(home)
    if present is None:
        home.running.unlink(missing_ok=True)
        return False
    ask(home, "POST", "/stop")
    deadline = time.monotonic() + STOP_SECONDS
    # Not waiting for the process itself: as a child of whoever started it, it may stay a zombie.
    while find_running(home) is not None:
        if time.monotonic() > deadline:
            raise ControlError(
                f"The local cloud (process {present.process.pid}) does not stop: see {home.log}."
            )
        time.sleep(0.02)
    with contextlib.suppress(psutil.TimeoutExpired):
        present.process.wait(0)  # Whoever started it takes the zombie away.
    home.running.unlink(missing_ok=True)
    return True


def ask(home: Home, method: str, path: str, body: Any = None) -> Any:
    """Ask a running local cloud over its Unix socket.

    Raises:
        ControlError: The local cloud does not run, or says no.
    """
    if find_running(home) is None:
        raise ControlError(f"No local cloud runs for {home.path}: `python -m localcloud start`.")
    transport = httpx.HTTPTransport(uds=str(home.admin_socket))
    try:
        with httpx.Client(transport=transport, timeout=60, trust_env=False) as client:
            answer = client.request(method, f"http://localcloud{path}", json=body)
    except httpx.HTTPError as error:
        raise ControlError(f"The local cloud of {home.path} does not answer: {error}.") from error
    if answer.is_error:
        raise ControlError(f"The local cloud refuses: {answer.text}")
    return answer.json()


def list_variables(home: Home) -> dict[str, str]:
    """List variables by which provider and SDKs use a home's cloud, also before it runs."""
    present = find_running(home)
    return environment(home, present.port if present else DEFAULT_PORT)


def _last_port(home: Home) -> int:
    """Last port of the API if it is free, as states of stacks refer to it; else 0."""
    try:
        port = int(home.last_port.read_text(encoding="utf-8"))
        listening_socket(port).close()
    except (FileNotFoundError, PortError):
        return 0
    return port


def _require_free(port: int) -> None:
    if port == 0:
        return
    try:
        listening_socket(port).close()
    except PortError as error:
        raise ControlError(
            f"Port {port} of 127.0.0.1 is not free ({error}){_who_has(port)}. Stop what uses it, "
            "or give the local cloud another port: alicloud:endpoints in Pulumi.local.yaml, or "
            "--port."
        ) from None


def _who_has(port: int) -> str:
    """Name the program that listens at a port, as far as this user may see."""
    try:
        listening = {
            connection.laddr.port: connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.laddr and connection.status == psutil.CONN_LISTEN and connection.pid
        }
        name = psutil.Process(listening[port]).name()
    except (KeyError, psutil.Error):
        return ""
    return f", {name} has it (process {listening[port]})"


def _spawn(home: Home, arguments: list[str]) -> Running:
    with append_private(home.log) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcloud", "serve", "--home", str(home.path), *arguments],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ControlError(f"The local cloud does not start: {_last_words(home)}")
        if (present := find_running(home)) is not None:
            # It goes on after this program: nobody waits for it.
            process.returncode = 0
            return present
        time.sleep(0.02)
    process.terminate()
    process.wait()
    raise ControlError(f"The local cloud does not start within {START_SECONDS} s: see {home.log}.")


def _last_words(home: Home) -> str:
    lines = home.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"see {home.log}."
