"""Health of servers: read from HAProxy's statistics, and carried over to its next worker.

Source: HAProxy 2.6's management manual, "show stat" and "show servers state".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from localcloud.dataplane import haproxy_syntax as syntax
from localcloud.dataplane.model import BackendKey, BackendSpec, ListenerSpec, ServerHealth

_FIELDS = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
    " srv_time_since_last_change srv_check_status srv_check_result srv_check_health"
    " srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord"
    " srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port"
)

_STOPPED, _RUNNING = 0, 2
_CHECK_ENABLED = 6
"""State of a server's check (srv_check_state) that says: configured and enabled."""


@dataclass(frozen=True)
class ServerStatus:
    """Status of a server, one line of "show stat"."""

    status: str
    """Status: UP, DOWN, "UP 1/3" on its way down, "DOWN 1/3" on its way up, DRAIN, "no check" …"""
    check_status: str
    """Status of its check: INI before the first, then L7OK, L7STS, L4CON …; else empty."""

    @property
    def is_up(self) -> bool:
        """Tell whether a server gets requests, or would get them if its weight were above 0."""
        return self.status.startswith(("UP", "DRAIN", "NOLB", "no check"))

    @property
    def is_waiting(self) -> bool:
        """Tell whether a server's first check is still to come."""
        return self.check_status.lstrip("* ") == "INI"

    @property
    def is_checked(self) -> bool:
        """Tell whether a check of a server has had a result."""
        return self.check_status != "" and self.status != "no check" and not self.is_waiting


ServerKey = tuple[str, str]
"""Key of a server in HAProxy's statistics: section and server name."""


def server_name(backend: BackendSpec) -> str:
    """Name of a server: its id and socket, as a group may hold an instance with several ports."""
    return f"{backend.server_id}:{backend.socket.host}:{backend.socket.port}"


def parse_statistics(text: str) -> dict[ServerKey, ServerStatus]:
    """Read the CSV of "show stat": the lines that are servers."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
    return {
        (row["pxname"], row["svname"]): ServerStatus(row["status"], row["check_status"])
        for row in rows
        if row.get("type") == "2"
    }


def health(
    listener: ListenerSpec, statistics: Mapping[ServerKey, ServerStatus]
) -> dict[BackendKey, ServerHealth]:
    """Health of each backend in CLB's words."""
    section = syntax.section(listener)
    return {
        backend.key: _health(statistics.get((section, server_name(backend))))
        for backend in listener.backends
    }


def _health(server: ServerStatus | None) -> ServerHealth:
    if server is None or not server.is_checked:
        return "unavailable"
    return "normal" if server.is_up else "abnormal"


def merge(
    now: Mapping[ServerKey, ServerStatus], before: Mapping[ServerKey, ServerStatus]
) -> dict[ServerKey, ServerStatus]:
    """Fill in what the last worker knew of servers that the current one has not checked yet."""
    merged = dict(now)
    for key, server in before.items():
        current = now.get(key)
        if (
            current is not None
            and current.is_waiting
            and server.is_checked
            and current.is_up == server.is_up
        ):
            merged[key] = server
    return merged


def render_state(
    listeners: Sequence[ListenerSpec], statistics: Mapping[ServerKey, ServerStatus]
) -> str:
    """Return the file from which HAProxy's next worker takes each server's health.

    A server that is checked and was not there before starts without traffic, as in Tengine, until
    its checks succeed; HAProxy by itself would start it as healthy.
    """
    lines = ["1", f"# {_FIELDS}"]
    for listener in listeners:
        for section, pool in syntax.pools(listener):
            if pool.health_check is not None:
                lines += _states(section, pool.backends, statistics)
    return "\n".join(lines) + "\n"


def _states(
    section: str, backends: Sequence[BackendSpec], statistics: Mapping[ServerKey, ServerStatus]
) -> Iterator[str]:
    for backend in backends:
        name = server_name(backend)
        before = statistics.get((section, name))
        operation = _RUNNING if before is not None and before.is_up else _STOPPED
        weights = f"{backend.weight} {backend.weight}"
        check = f"0 1 0 0 {_CHECK_ENABLED} 0"
        yield (
            f"1 {section} 1 {name} {backend.socket.host} {operation} 0 {weights} {check}"
            f" 0 0 - {backend.socket.port} - 0 0 - - 0"
        )
