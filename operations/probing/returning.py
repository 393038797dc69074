"""Clients that come back: with their TLS session, or with one request after the other."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping

from operations.probing.questions import AfterSwitch, Conversation, Return, admission
from operations.verification import probes
from operations.verification.identity import Identity
from operations.verification.probes import Outcome, ProbeTarget

WAYS = {
    "TLS 1.2, ticket": (ssl.TLSVersion.TLSv1_2, True),
    "TLS 1.2, id": (ssl.TLSVersion.TLSv1_2, False),
    "TLS 1.3, ticket": (ssl.TLSVersion.TLSv1_3, True),
}
"""Ways to resume a session: TLS version, and whether the client takes tickets.

Without tickets, a session goes on by its id (RFC 5246, 7.3; RFC 5077; RFC 8446, 2.2).
"""

TRIES = 3
"""Number of tries: a load balancer has several nodes, and not each may know a session."""

LONGEST_SECONDS = 900
"""Seconds after which a session that outlives the CA is given up."""

SPARE_SECONDS = 60
"""Seconds that are waited beyond the time for which a ticket is good."""

CONVERSATION_SECONDS = 60.0


class Returning:
    """A client that offers the session of its first visit ever after.

    Args:
        target: Where to.
        context: Fresh TLS context.
        identity: Its certificate.
        way: One of `WAYS`.
    """

    def __init__(
        self, target: ProbeTarget, context: ssl.SSLContext, identity: Identity, way: str
    ) -> None:
        version, by_ticket = WAYS[way]
        context.minimum_version = context.maximum_version = version
        if not by_ticket:
            context.options |= ssl.OP_NO_TICKET
        identity.load_into(context)
        self._target, self._context = target, context
        self._session: ssl.SSLSession | None = None
        self._resumed = False
        self.lifetime = 0
        self.told = self._first_visits()

    def visit(self) -> tuple[Outcome, bool]:
        """Send a request; return its outcome, and whether the session was resumed."""
        self._resumed = False
        outcome = probes.probe(
            self._target, self._context, session=self._session, seen=self._remember
        )
        return outcome, self._resumed

    def _first_visits(self) -> Return:
        first, _ = self.visit()
        if not admission(first):
            return Return(first)
        again = [self.visit() for _ in range(TRIES)]
        return Return(
            first,
            tuple(outcome for outcome, _ in again),
            any(resumed and admission(outcome) for outcome, resumed in again),
            self.lifetime,
        )

    def _remember(self, connection: ssl.SSLSocket) -> None:
        self._resumed = bool(connection.session_reused)
        if self._session is None and (session := connection.session):
            self._session = session
            self.lifetime = session.ticket_lifetime_hint if session.has_ticket else 0


def outlive(
    returning: Mapping[str, Returning], wait: Callable[[float], None] = time.sleep
) -> dict[str, AfterSwitch]:
    """Try for how long each client's session still lets it through; the CA has been switched."""
    began = time.monotonic()
    longest = max((one.lifetime for one in returning.values()), default=0) + SPARE_SECONDS
    found = {way: AfterSwitch(None, ended=False) for way in returning}
    while pending := [way for way, one in found.items() if not one.ended]:
        for way in pending:
            tries = [admission(returning[way].visit()[0]) for _ in range(TRIES)]
            if True in tries:
                found[way] = AfterSwitch(time.monotonic() - began, ended=False)
            elif None not in tries:
                found[way] = AfterSwitch(found[way].admitted, ended=True)
        elapsed = time.monotonic() - began
        if elapsed > min(longest, LONGEST_SECONDS):
            break
        wait(min(10.0, max(1.0, elapsed / 10)))
    return found


def converse(
    target: ProbeTarget, context: ssl.SSLContext, identity: Identity, most: int
) -> Conversation | Outcome:
    """Send requests on one connection until the server ends it, but not more than so many."""

    def requests(connection: ssl.SSLSocket, deadline: float) -> Conversation:
        request = f"GET / HTTP/1.1\r\nHost: {target}\r\nUser-Agent: slb-mutual-tls-probe\r\n\r\n"
        for answered in range(most):
            connection.settimeout(probes.remaining(deadline))
            try:
                connection.sendall(request.encode())
                response = http.client.HTTPResponse(connection)
                response.begin()
                response.read()
            except (ConnectionError, ssl.SSLEOFError, http.client.HTTPException):
                return Conversation(answered, ended=True)
            if response.will_close:
                return Conversation(answered + 1, ended=True)
        return Conversation(most, ended=False)

    return probes.connected(target, context, identity, requests, limit=CONVERSATION_SECONDS)
