"""Streams of steady requests to a service, and what became of each request."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from configuration.outputs import StackOutputs
from operations.verification import probes
from operations.verification.identity import (
    Identity,
    bundle_identity,
    expired_identity,
    issue_impostor,
)
from operations.verification.probes import ProbeTarget

PAUSE = 0.05
"""Seconds between two requests of one of several clients."""

PAUSE_OF_STRANGERS = 0.1
"""Seconds between two requests of who is always refused: each costs a whole handshake."""

LIMIT = 20.0
"""Seconds that a request may take."""

SERVED_SECONDS = 120
"""Seconds until a service has to answer."""


@dataclass(frozen=True)
class Visitor:
    """Visitor that sends requests, with what it presents and trusts.

    Attributes:
        target: Service that the requests go to.
        anchors: PEM of the CAs by which the server is known.
        identity: Certificate to present, if any.
        keeps_connections: Whether one connection serves for as many requests as it lives.
        pause: Seconds between two requests.
    """

    target: ProbeTarget
    anchors: str
    identity: Identity | None
    keeps_connections: bool = False
    pause: float = PAUSE


@dataclass
class Tally:
    """Tally of a stream's requests.

    Attributes:
        outcomes: HTTP statuses and errors, by number.
        reconnected: Requests that met the end of a kept connection before any answer, and went over
            a new one, as every HTTP client does (RFC 9110, 9.2.2).
        gap: Most seconds between two answers of status 200, or to the first and from the last.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    reconnected: int = 0
    gap: float = 0.0

    @property
    def requests(self) -> int:
        """Number of all requests."""
        return self.outcomes.total()

    @property
    def passed(self) -> int:
        """Number of requests that the service answered."""
        return self.outcomes["200"]

    @property
    def failed(self) -> int:
        """Number of requests that the service did not answer as it should."""
        return self.requests - self.passed


class Stream(threading.Thread):
    """Stream of a visitor's requests, one after the other, until it is stopped."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(daemon=True)
        self.tally = Tally()
        self._visitor = visitor
        self._context = probes.anchored_context(visitor.anchors)
        self._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if visitor.identity is not None:
            visitor.identity.load_into(self._context)
        self._connection: http.client.HTTPSConnection | None = None
        self._done = threading.Event()

    def run(self) -> None:
        """Send requests until the stream is stopped."""
        last = time.monotonic()
        while not self._done.is_set():
            outcome = self._ask()
            self.tally.outcomes[outcome] += 1
            now = time.monotonic()
            if outcome == "200":
                self.tally.gap = max(self.tally.gap, now - last)
                last = now
            self._done.wait(self._visitor.pause)
        self.tally.gap = max(self.tally.gap, time.monotonic() - last)
        self._hang_up()

    def stop(self) -> None:
        """Have the stream end after the request that is under way."""
        self._done.set()

    def _ask(self) -> str:
        kept = self._connection is not None
        try:
            return self._request()
        except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError) as error:
            self._hang_up()
            if not kept:
                return type(error).__name__
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            return _name_error(error)
        self.tally.reconnected += 1
        return self._ask()

    def _request(self) -> str:
        target = self._visitor.target
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                target.host, target.port, timeout=LIMIT, context=self._context
            )
        self._connection.request("GET", "/", headers={"Host": str(target)})
        answer = self._connection.getresponse()
        answer.read()
        if answer.will_close or not self._visitor.keeps_connections:
            self._hang_up()
        return str(answer.status)

    def _hang_up(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None


def _name_error(error: Exception) -> str:
    """Name an error as a table's reader knows it."""
    if isinstance(error, socket.timeout):
        return "timeout"
    reason = getattr(error, "reason", None)
    return str(reason).lower() if reason else type(error).__name__


@contextmanager
def run_streams(visitors: Mapping[str, Visitor]) -> Iterator[dict[str, Tally]]:
    """Have visitors send requests, each in a thread of its own; gives each one's tally, by name."""
    running = {name: Stream(visitor) for name, visitor in visitors.items()}
    for stream in running.values():
        stream.start()
    try:
        yield {name: stream.tally for name, stream in running.items()}
    finally:
        for stream in running.values():
            stream.stop()
        for stream in running.values():
            stream.join()


def list_strangers(outputs: StackOutputs) -> dict[str, Visitor]:
    """List visitors who must never get through, by name."""
    target, anchors = (
        probes.target_of(outputs),
        outputs.ca_certificate + outputs.next_ca_certificate,
    )
    identities = {"nobody": None, "impostor": issue_impostor(outputs.ca)}
    if outputs.expired_probe is not None:
        identities["expired"] = expired_identity(outputs.expired_probe)
    return {
        name: Visitor(target, anchors, identity, pause=PAUSE_OF_STRANGERS)
        for name, identity in identities.items()
    }


def wait_until_served(outputs: StackOutputs, *further: int) -> None:
    """Wait until the health checks of a new listener have passed, and of those at further ports.

    Raises:
        RuntimeError: The health checks do not pass in time.
    """
    main, context = probes.target_of(outputs), probes.stack_context(outputs)
    identity = bundle_identity(outputs.client_bundles["browser"])
    deadline = time.monotonic() + SERVED_SECONDS
    for target in (main, *(replace(main, port=port) for port in further)):
        while getattr(probes.probe(target, context, identity), "status", None) != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"The listener at {target} does not serve.")
            time.sleep(0.1)
