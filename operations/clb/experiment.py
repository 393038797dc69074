"""Experiment that puts every open question to a stack's own listener, from outside.

Clients come back with their TLS session, or send one request after the other.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from components.pki import keys
from configuration.outputs import StackOutputs
from operations.clb import questions
from operations.clb.questions import (
    AfterSwitch,
    Answer,
    Constrained,
    Conversation,
    ProbeReport,
    Return,
    was_admitted,
)
from operations.clb.throwaway import Throwaways
from operations.verification import probes
from operations.verification.identity import Identity, bundle_identity
from operations.verification.probes import Outcome, ProbeTarget, Unreachable

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

ISSUED_FOR = ("ec_keys", "lower_ca", "name_constraints")
"""Questions that need a certificate that the stack's CA issues for them."""

UNKNOWN_DOMAIN = "unknown.invalid"
"""Domain that nobody has (RFC 6761, 6.4)."""

HEADER_LINE = 1024
HEADER_BYTES = 32 * 1024
"""Size of a request's headers that CLB takes by its documentation."""

CONNECTION_REQUESTS = 100
"""Number of requests that a connection serves by CLB's documentation."""

SWITCH_SECONDS = 180
"""Seconds until a listener has taken another CA, at most."""

Switch = Callable[[list[str]], AbstractContextManager[None] | None]
"""Function that switches the listener's CA for a block, or returns None to leave it.

It gets the ways in which sessions are resumed.
"""


class Returning:
    """Client that offers the session of its first visit on every later one.

    Args:
        target: Address to connect to.
        context: Fresh TLS context.
        identity: The client's certificate and key.
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
        if not was_admitted(first):
            return Return(first)
        again = [self.visit() for _ in range(TRIES)]
        return Return(
            first,
            tuple(outcome for outcome, _ in again),
            any(resumed and was_admitted(outcome) for outcome, resumed in again),
            self.lifetime,
        )

    def _remember(self, connection: ssl.SSLSocket) -> None:
        self._resumed = bool(connection.session_reused)
        if self._session is None and (session := connection.session):
            self._session = session
            self.lifetime = session.ticket_lifetime_hint if session.has_ticket else 0


def try_sessions(
    returning: Mapping[str, Returning], wait: Callable[[float], None] = time.sleep
) -> dict[str, AfterSwitch]:
    """Try for how long each client's session still lets it through; the CA has been switched."""
    began = time.monotonic()
    longest = max((client.lifetime for client in returning.values()), default=0) + SPARE_SECONDS
    seen = {way: AfterSwitch(None, ended=False) for way in returning}
    while pending := [way for way, session in seen.items() if not session.ended]:
        for way in pending:
            tries = [was_admitted(returning[way].visit()[0]) for _ in range(TRIES)]
            if True in tries:
                seen[way] = AfterSwitch(time.monotonic() - began, ended=False)
            elif None not in tries:
                seen[way] = AfterSwitch(seen[way].admitted, ended=True)
        elapsed = time.monotonic() - began
        if elapsed > min(longest, LONGEST_SECONDS):
            break
        wait(min(10.0, max(1.0, elapsed / 10)))
    return seen


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


def put_questions(
    outputs: StackOutputs,
    throwaways: Throwaways | None,
    switch: Switch,
    announce: Callable[[str], None] = lambda _: None,
) -> ProbeReport:
    """Put every question to the listener.

    Args:
        outputs: Outputs of the stack.
        throwaways: Issuer by the stack's CA; None where that key is not here.
        switch: Function that asks whether the listener's CA may be switched, and switches it.
        announce: Function that is told what is tried, in words for people.
    """
    visitor = _Experiment(outputs, throwaways, announce)
    return ProbeReport(outputs.url, visitor.answers(switch))


@dataclass(frozen=True)
class _Experiment:
    """Requests of the experiment, each with its judgement."""

    outputs: StackOutputs
    throwaways: Throwaways | None
    announce: Callable[[str], None]

    def answers(self, switch: Switch) -> dict[str, Answer]:
        """Answer every question; answers by the question's id."""
        self.announce("a request without a certificate")
        bare = self._request(None)
        throwaway, control = self._control(self.throwaways.client() if self.throwaways else None)
        identity, failed = throwaway, control
        if not was_admitted(control) and (names := self.outputs.clients_to_try()):
            identity, control = self._control(
                bundle_identity(self.outputs.client_bundles[names[0]])
            )
        controlled = was_admitted(control) is True
        answers = {
            "no_certificate": questions.answer_no_certificate(bare, control=controlled),
            "no_server_name": self._no_server_name(identity),
        }
        if identity is None or not controlled:
            rest = [key for key in questions.QUESTIONS if key not in answers]
            return answers | dict.fromkeys(rest, questions.not_tried(self._why_not(control)))
        if self.throwaways is None:
            why = "the program does not hold the CA's key, so that it can issue nothing for this"
            answers |= dict.fromkeys(ISSUED_FOR, questions.not_tried(why))
        elif identity is not throwaway:
            why = f"what the CA's key issues now is not let through ({failed}), though a client is"
            answers |= dict.fromkeys(ISSUED_FOR, questions.not_tried(why))
        else:
            answers |= self._by_throwaways(self.throwaways)
        answers |= self._sessions(identity, switch)
        self.announce("long headers")
        answers["long_headers"] = questions.answer_long_headers(
            self._request(identity, headers=_headers(HEADER_BYTES * 3 // 4)),
            self._request(identity, headers=_headers(HEADER_BYTES * 5 // 4)),
        )
        self.announce("many requests on one connection")
        held = converse(self._target, self._context(), identity, CONNECTION_REQUESTS * 6 // 5)
        answers["many_requests"] = questions.answer_many_requests(held, CONNECTION_REQUESTS)
        return answers

    @property
    def _target(self) -> probes.ProbeTarget:
        return probes.target_of(self.outputs)

    def _context(self) -> ssl.SSLContext:
        return probes.stack_context(self.outputs)

    def _request(self, identity: Identity | None, headers: tuple[str, ...] = ()) -> Outcome:
        return probes.probe(self._target, self._context(), identity, headers=headers)

    def _control(self, identity: Identity | None) -> tuple[Identity | None, Outcome | None]:
        """Send the request of a client that has to get through, and return both."""
        return identity, self._request(identity) if identity else None

    def _why_not(self, control: Outcome | None) -> str:
        if control is None:
            return "neither the CA's key nor a client's is here"
        acl = self.outputs.listener.acl
        hint = f"; does listener.acl, a {acl} list, admit this machine?" if acl else ""
        return f"a client with a good certificate does not get through ({control}){hint}"

    def _by_throwaways(self, throwaways: Throwaways) -> dict[str, Answer]:
        self.announce("clients with elliptic-curve keys")
        by_curve: Mapping[str, Outcome] = {
            name: self._request(throwaways.client(keys.Ecdsa(name))) for name in keys.CURVES
        }
        self.announce("a chain to a CA below the stack's")
        below = self._request(throwaways.client(below=throwaways.lower_ca()))
        followed = questions.answer_lower_ca(below, self_issued=throwaways.lower_ca_is_self_issued)
        return {
            "ec_keys": questions.answer_taken_keys(by_curve),
            "lower_ca": followed,
            "name_constraints": self._name_constraints(throwaways, followed),
        }

    def _name_constraints(self, throwaways: Throwaways, followed: Answer) -> Answer:
        """Try clients with names that a lower CA, or the stack's own, may not certify."""
        self.announce("clients with names that their CA may not certify")
        permitted = _permitted_domains(throwaways.constraints())
        if followed.word == "yes":
            domain = permitted[0] if permitted else "probe.invalid"
            within, outside = f"in.{domain}", f"out.{domain}"
            names: Mapping[str, x509.GeneralName] = {
                "domain": x509.DNSName(outside),
                "URL": x509.UniformResourceIdentifier(f"https://{outside}/"),
            }
            excluded = [x509.DNSName(outside), x509.UniformResourceIdentifier(outside)]
            ca = throwaways.lower_ca(x509.NameConstraints(None, excluded))
            good = [x509.DNSName(within), x509.UniformResourceIdentifier(f"https://{within}/")]
            tried = Constrained(
                self._request(throwaways.client(names=good, below=ca)),
                {
                    kind: self._request(throwaways.client(names=[name], below=ca))
                    for kind, name in names.items()
                },
            )
            return questions.answer_name_constraints(tried)
        if not permitted:
            return questions.not_tried(
                "no chain is followed to a CA that has some, and the stack's own CA permits all "
                "domains"
            )
        tried = Constrained(
            self._request(throwaways.client(names=[x509.DNSName(permitted[0])])),
            {"domain": self._request(throwaways.client(names=[x509.DNSName("probe.invalid")]))},
        )
        return questions.answer_name_constraints(tried)

    def _sessions(self, identity: Identity, switch: Switch) -> dict[str, Answer]:
        self.announce("clients that return with their sessions")
        clients = {way: Returning(self._target, self._context(), identity, way) for way in WAYS}
        told = {way: client.told for way, client in clients.items()}
        ways = questions.resumable_ways(told)
        answer = questions.answer_sessions(told)
        return {
            "sessions": answer,
            "sessions_after_switch": self._after_switch(identity, clients, ways, switch)
            if ways or answer.word == "unclear"
            else Answer("no", "no session is resumed at all"),
        }

    def _after_switch(
        self,
        identity: Identity,
        clients: Mapping[str, Returning],
        ways: list[str],
        switch: Switch,
    ) -> Answer:
        if not ways:
            return questions.not_tried("no session could be begun")
        switched = switch(ways)
        if switched is None:
            return questions.not_tried(
                "the listener's CA would have to be switched, which cuts every client off "
                "meanwhile: agree to it, or --yes"
            )
        with switched:
            if not self._refused_soon(identity):
                return questions.answer_sessions_after_switch({})
            self.announce("sessions of before the switch")
            return questions.answer_sessions_after_switch(
                try_sessions({way: clients[way] for way in ways})
            )

    def _refused_soon(self, identity: Identity) -> bool:
        """Wait until a client without a session is refused: the switch has taken effect."""
        deadline = time.monotonic() + SWITCH_SECONDS
        while time.monotonic() < deadline:
            self.announce("the listener to take the other CA")
            if was_admitted(self._request(identity)) is False:
                return True
            time.sleep(1)
        return False

    def _no_server_name(self, identity: Identity | None) -> Answer:
        self.announce("handshakes without SNI")
        domains = {
            domain: self._shown(domain, identity) for domain in self.outputs.domain_certificates
        }
        own = self.outputs.server
        shown = self._shown("", identity)
        if isinstance(shown, Unreachable):
            return questions.not_tried(str(shown))
        return questions.answer_no_server_name(
            shown,
            self._shown(UNKNOWN_DOMAIN, identity),
            own.public_bytes(Encoding.DER) if own else None,
            domains,
        )

    def _shown(self, domain: str, identity: Identity | None) -> bytes | Outcome:
        name = domain.replace("*", "any")
        target = probes.ProbeTarget(self._target.host, self._target.port, server_name=name)
        return probes.handshake(target, probes.unverified_context(), identity)


def _headers(size: int) -> tuple[str, ...]:
    """Request headers of so many bytes, in lines none of which is too long."""
    lines = []
    for number in range(size // HEADER_LINE):
        name = f"X-Probe-{number}: "
        lines.append(name + "x" * (HEADER_LINE - len(name) - 2))
    return tuple(lines)


def _permitted_domains(constraints: x509.NameConstraints | None) -> list[str]:
    permitted = (constraints.permitted_subtrees if constraints else None) or []
    return [name.value.lstrip(".") for name in permitted if isinstance(name, x509.DNSName)]
