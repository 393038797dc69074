"""Data plane that the control plane starts, changes and asks."""

from __future__ import annotations

import base64
import contextlib
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from localcloud.dataplane import error_pages, files, haproxy_config, haproxy_state, ports, processes
from localcloud.dataplane.haproxy_process import HAProxy
from localcloud.dataplane.instances import Instances
from localcloud.dataplane.model import (
    OPEN_QUESTIONS,
    BackendKey,
    DataPlaneError,
    InstanceSpec,
    ListenerKey,
    ListenerSpec,
    ServerHealth,
    SocketAddress,
)
from localcloud.dataplane.supervision import Supervisor, Watched
from localcloud.dataplane.tls_files import TlsFolder

LOG_BYTES = 4 * 2**20
"""Size of a log of HAProxy or of an instance, at most; one older file of each is kept."""

Statistics = dict[haproxy_state.ServerKey, haproxy_state.ServerStatus]

_SOCKET_FOLDER_LENGTH = 75
"""Bytes of a socket's path that its folder may have.

Linux takes 107 for the whole path, macOS 103, and HAProxy adds a suffix of its own.
"""


class DataPlane:
    """Listeners and instances of one local cloud; every method may be called from any thread.

    Args:
        home: Folder for configuration, keys and logs, made private to its owner. What a killed
            predecessor left running there is stopped.
        haproxy: Path of HAProxy's executable.
        strict: Whether to refuse missing or invalid client certificates in the TLS handshake,
            instead of with the 400 page that CLB's Tengine sends.
        now: Clock that only goes forward, in seconds.

    Raises:
        DataPlaneError: Another process uses `home`.
    """

    def __init__(
        self,
        home: Path,
        haproxy: Path,
        *,
        strict: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        home = files.make_private_folder(home).resolve()
        self._home_lock = FileLock(home / "lock", mode=0o600)
        try:
            self._home_lock.acquire(timeout=0)
        except Timeout:
            raise DataPlaneError(f"Another local cloud uses {home}.") from None
        self._otherwise = frozenset({"no_certificate"} if strict else ())
        self._lock = threading.RLock()
        self._home = home
        self._tls = TlsFolder(home / "pem")
        self._sockets = _socket_folder(home)
        self._spawner = processes.Spawner()
        self._haproxy = HAProxy(haproxy, home, self._sockets, self._spawner)
        self._instances = Instances(home / "instances", self._spawner)
        self._listeners: dict[ListenerKey, ListenerSpec] = {}
        self._addresses: dict[ListenerKey, SocketAddress] = {}
        self._applied = ""
        self._known: Statistics = {}
        self._last: Statistics = {}
        self._supervisor = Supervisor(now)

    def start_instance(self, spec: InstanceSpec) -> None:
        """Start an instance; one that is started already stays as it is.

        Raises:
            DataPlaneError: The id, the host or the user data cannot be used.
        """
        with self._lock:
            self._instances.start(spec)

    def stop_instance(self, instance_id: str) -> None:
        """End an instance's process and remove its files; unknown ids are no error."""
        with self._lock:
            self._instances.stop(instance_id)

    def is_instance_running(self, instance_id: str) -> bool:
        """Tell whether an instance is started, and its process, if it has one, lives."""
        with self._lock:
            return self._instances.is_running(instance_id)

    def is_serving(self, key: ListenerKey) -> bool:
        """Tell whether a listener is applied and HAProxy runs."""
        with self._lock:
            return key in self._listeners and self._haproxy.running

    def supervise(self) -> None:
        """Start again what ended by itself, and keep logs short; to be called every second."""
        with self._lock:
            self._supervisor.look(list(self._watched()))
            for log in self._logs():
                files.shorten(log, LOG_BYTES)
            with contextlib.suppress(DataPlaneError):
                if self._haproxy.running:
                    self._last = self._statistics()

    def problems(self) -> list[str]:
        """List what shall run and does not, as `supervise` found it; one sentence each."""
        with self._lock:
            return self._supervisor.problems()

    def backend_socket(self, instance_id: str, port: int) -> SocketAddress:
        """Address where a port of an instance really is: its service may have got another one.

        Raises:
            DataPlaneError: No such instance was ever started.
        """
        with self._lock:
            return self._instances.backend_socket(instance_id, port)

    def apply_listeners(
        self, listeners: Sequence[ListenerSpec]
    ) -> dict[ListenerKey, SocketAddress]:
        """Serve these listeners and no others; returns when they serve.

        Established connections and requests in flight are not cut off, unless nothing is left to
        serve. The same listeners again change nothing.

        Returns:
            Address at which each listener really is: its own port, or another if it is not free.

        Raises:
            DataPlaneError: A value is invalid or HAProxy refuses it; what served before serves on.
        """
        with self._lock:
            wanted = {listener.key: listener for listener in listeners}
            if len(wanted) != len(listeners):
                raise DataPlaneError(
                    "Two listeners have the same load balancer, port and protocol."
                )
            if not wanted:
                self._haproxy.stop()
                self._listeners, self._addresses, self._applied = {}, {}, ""
            else:
                self._serve(wanted)
            self._tls.keep(self._listeners.values())
            return dict(self._addresses)

    def answer_otherwise(self, questions: Iterable[str]) -> None:
        """Answer these of `OPEN_QUESTIONS` otherwise than by default, and all others by default.

        Raises:
            DataPlaneError: A question is unknown, or HAProxy refuses; all is as it was.
        """
        wanted = frozenset(questions)
        if unknown := wanted - set(OPEN_QUESTIONS):
            raise DataPlaneError(
                f"There is no question {min(unknown)!r}: {', '.join(OPEN_QUESTIONS)}."
            )
        with self._lock:
            before, self._otherwise = self._otherwise, wanted
            try:
                if self._listeners:
                    self._serve(self._listeners)
            except DataPlaneError:
                self._otherwise = before
                raise

    def health(self, key: ListenerKey) -> dict[BackendKey, ServerHealth]:
        """Health of a listener's backends; empty for a listener that is not applied.

        Raises:
            DataPlaneError: HAProxy does not answer.
        """
        with self._lock:
            listener = self._listeners.get(key)
            if listener is None:
                return {}
            return haproxy_state.health(listener, self._statistics())

    def stop(self) -> None:
        """End HAProxy and every instance, for good."""
        with self._lock:
            self.apply_listeners(())
            self._instances.stop_all()
            self._spawner.close()
            if self._sockets.parent != self._home:
                shutil.rmtree(self._sockets, ignore_errors=True)
            self._home_lock.release()

    def _serve(self, wanted: dict[ListenerKey, ListenerSpec]) -> None:
        addresses = self._choose_addresses(wanted)
        paths = haproxy_config.Paths(
            stats_socket=self._haproxy.stats_socket,
            server_state=self._home / "server-state",
            error_502=self._home / "502.http",
            certificates=self._tls.path,
            ticket_keys=self._home / "ticket-keys",
        )
        try:
            text = haproxy_config.render(
                tuple(wanted.values()),
                addresses,
                {key: self._tls.write(listener) for key, listener in wanted.items()},
                paths,
                otherwise=self._otherwise,
            )
            if self._listeners:
                self._supervisor.notice(self._watched_haproxy())
            if text != self._applied or not self._haproxy.running:
                if not paths.ticket_keys.exists():
                    files.write_private(paths.ticket_keys, _ticket_keys())
                files.write_private(paths.error_502, error_pages.write_502())
                known = self._statistics()
                content = haproxy_state.render_state(tuple(wanted.values()), known)
                files.write_private(paths.server_state, content)
                self._haproxy.apply(text)
                self._known = known
        except DataPlaneError:
            self._tls.keep(self._listeners.values())
            raise
        self._listeners, self._addresses, self._applied = wanted, addresses, text

    def _watched(self) -> Iterator[Watched]:
        if self._listeners:
            yield self._watched_haproxy()
        yield from self._instances.list_watched()

    def _watched_haproxy(self) -> Watched:
        log = str(self._haproxy.log)
        return Watched("HAProxy", self._haproxy.process, self._revive_haproxy, log)

    def _revive_haproxy(self) -> None:
        listeners = tuple(self._listeners.values())
        # What was healthy when it was last asked takes requests at once, and is checked then.
        content = haproxy_state.render_state(listeners, self._last)
        files.write_private(self._home / "server-state", content)
        self._haproxy.apply(self._applied)

    def _logs(self) -> Iterator[Path]:
        yield self._haproxy.log
        yield from (self._home / "instances").glob("*/log")

    def _statistics(self) -> Statistics:
        now = haproxy_state.parse_statistics(self._haproxy.statistics())
        return haproxy_state.merge(now, self._known)

    def _choose_addresses(
        self, wanted: dict[ListenerKey, ListenerSpec]
    ) -> dict[ListenerKey, SocketAddress]:
        """Choose each listener's address; a choice stays while the load balancer's address does."""
        chosen = {
            key: address
            for key, address in self._addresses.items()
            if key in wanted and wanted[key].address == address.host
        }
        for key in sorted(wanted.keys() - chosen.keys()):
            listener = wanted[key]
            taken = frozenset(chosen.values())
            chosen[key] = ports.choose(listener.address, listener.port, taken)
        return chosen


def _ticket_keys() -> str:
    """Make random content of a file for HAProxy's option tls-ticket-keys."""
    return "".join(f"{base64.b64encode(secrets.token_bytes(48)).decode()}\n" for _ in range(3))


def _socket_folder(home: Path) -> Path:
    folder = home / "run"
    if len(str(folder).encode()) <= _SOCKET_FOLDER_LENGTH:
        return files.make_private_folder(folder)
    return Path(tempfile.mkdtemp(prefix="slb-"))
