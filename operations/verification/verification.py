"""Verification of a running stack from outside, as a user would try it: the tutorial's step 7."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from components.pki import certificates, paths
from configuration.outputs import ListenerSettings, StackOutputs
from operations.verification import checks, probes
from operations.verification.checks import (
    TITLES,
    HealthError,
    HealthSource,
    HealthUnavailableError,
    list_expiries,
)
from operations.verification.identity import (
    Identity,
    bundle_identity,
    expired_identity,
    issue_impostor,
)
from operations.verification.probes import (
    OLD_VERSIONS,
    Answered,
    Outcome,
    ProbeTarget,
    Unreachable,
    can_speak,
    is_success,
    restrict_to,
)
from operations.verification.report import Check, Finding, Report

SETTLE_SECONDS = 180.0
"""Seconds for a stack to settle.

A new HTTPS listener may take three minutes to serve, by Alibaba Cloud's documentation.
"""

POLL_SECONDS = 1.0

CLIENTS_TRIED = 3

BALANCING_ROUNDS = 5
"""Number of rounds until all backends must have been seen by their weights.

A round sends two requests for each backend, or more by weight.
"""

MOST_REQUESTS = 40
"""Number of requests sent in a round at most, whatever the weights."""

STICKY_REQUESTS = 6
"""Number of requests with the session's cookie: by turns they would reach every backend."""

OFFLINE_CHECKS = frozenset(
    {"health", "clients_elsewhere", "ca_validity", "server_validity", "client_validity"}
)
"""Checks that ask nothing of the stack's URL."""


def verify(
    outputs: StackOutputs,
    health_source: HealthSource | None,
    *,
    settle: float = SETTLE_SECONDS,
    announce: Callable[[str], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Report:
    """Check a stack in every way, once it has settled.

    Only the stack's own URL is asked and, through `health_source`, the load balancer. What cannot
    be tried is failed, or skipped with the reason where the stack is not at fault.

    Args:
        outputs: Outputs of the stack.
        health_source: Source of the backends' health; None skips what depends on it.
        settle: Seconds to wait at most until all backends are healthy and clients get through.
        announce: Function that is told what is waited for, in words for people.
        wait: Function that sleeps for some seconds between two looks.
    """
    patience = _Patience(time.monotonic() + settle, announce, wait)
    health, healthy = _await_health(outputs, health_source, patience)
    identities = {
        name: bundle_identity(outputs.client_bundles[name]) for name in _choose_clients(outputs)
    }
    visitor = _Visitor(outputs, identities, healthy)
    findings = {
        "health": health,
        **visitor.findings(visitor.settled_clients(patience), patience),
        **_judge_clients_elsewhere(outputs, datetime.now(UTC)),
        **_judge_validity(outputs, datetime.now(UTC)),
    }
    return Report(
        outputs.url,
        tuple(
            Check(key, title, *findings[key]) for key, title in TITLES.items() if key in findings
        ),
    )


def _choose_clients(outputs: StackOutputs) -> list[str]:
    """Choose clients to try, one of each kind of key at least: a listener may refuse one kind."""
    names = outputs.clients_to_try()
    first_of_kind = {outputs.key_of(name): name for name in reversed(names)}
    others = [name for name in names if name not in first_of_kind.values()]
    more = max(CLIENTS_TRIED - len(first_of_kind), 0)
    return sorted([*first_of_kind.values(), *others[:more]])


@dataclass(frozen=True)
class _Patience:
    """Time that is left for the stack to settle."""

    deadline: float
    announce: Callable[[str], None]
    wait: Callable[[float], None]

    def lasts(self, reason: str) -> bool:
        """Sleep a little and return True, or return False if the time is up."""
        if time.monotonic() >= self.deadline:
            return False
        self.announce(reason)
        self.wait(POLL_SECONDS)
        return True


def _await_health(
    outputs: StackOutputs, source: HealthSource | None, patience: _Patience
) -> tuple[Finding, frozenset[str] | None]:
    """Wait for healthy backends; return the finding, and the healthy backends' ids where known."""
    drained = [server for server, weight in outputs.weights.items() if not weight]
    if not outputs.listener.health_check:
        # Nobody looks, so all of them get requests.
        off = Finding("skipped", "health checks are off (listener.health_check.enabled)")
        return off, frozenset(outputs.weights) or None
    if source is None:
        return Finding("skipped", "not asked for (--no-health)"), None
    while True:
        try:
            states = source.backends()
        except HealthUnavailableError as error:
            finding, healthy = Finding("failed", str(error)), None
        except HealthError as error:
            return Finding("failed", str(error)), None
        else:
            finding = checks.judge_health(states, drained)
            healthy = frozenset(s.server_id for s in states if s.status == "normal")
        if finding.status == "passed" or not patience.lasts(f"backends' health: {finding.detail}"):
            return finding, healthy


class _Visitor:
    """Requests of a verification, each with its judgement."""

    def __init__(
        self,
        outputs: StackOutputs,
        identities: Mapping[str, Identity],
        healthy: frozenset[str] | None,
    ) -> None:
        self._outputs = outputs
        self._target = probes.target_of(outputs)
        self._identities = identities
        self._healthy = healthy
        self._private = outputs.server_certificate_issuer == "private"

    def settled_clients(self, patience: _Patience) -> dict[str, Outcome]:
        """Send each client's request until all succeed or the time is up; return the outcomes."""
        while True:
            outcomes = {
                name: self._request(identity) for name, identity in self._identities.items()
            }
            trouble = [f"{n}: {o}" for n, o in outcomes.items() if not is_success(o)]
            if not trouble or not patience.lasts(f"clients to get through: {trouble[0]}"):
                return outcomes

    def findings(self, clients: Mapping[str, Outcome], patience: _Patience) -> dict[str, Finding]:
        """Run all checks that talk to the stack's URL."""
        bare = self._request(None)
        if isinstance(bare, Unreachable) and not any(map(is_success, clients.values())):
            # One dead address is one cause: no need to wait for it a dozen times more.
            dead = Finding("failed", f"{bare}{self._shut_out()}")
            return dict.fromkeys(self._online_checks(), dead)
        good = next((n for n, outcome in clients.items() if is_success(outcome)), None)
        client = self._identities[good] if good else None
        total = len(self._outputs.clients_in_force())
        impostor = issue_impostor(self._outputs.ca)
        passable = good is not None
        return {
            "no_certificate": checks.judge_refusal(bare, clients_get_through=passable),
            "other_ca": checks.judge_refusal(self._request(impostor), clients_get_through=passable),
            "expired": self._expired(clients_get_through=passable),
            "clients": self._clients(clients, total, passable=passable),
            "balancing": self._balancing(client),
            **self._old_tls(client, impostor),
            **self._server(client),
            **further_findings(self._outputs, self._target, client, patience.lasts),
        }

    def _online_checks(self) -> frozenset[str]:
        """Checks of this stack that send requests to its URL."""
        others = checks.CONFIGURED - configured_checks(self._outputs)
        return frozenset(TITLES) - OFFLINE_CHECKS - others

    def _clients(self, outcomes: Mapping[str, Outcome], total: int, *, passable: bool) -> Finding:
        kinds = {name: self._outputs.key_of(name) for name in outcomes}
        finding = checks.judge_clients(outcomes, total, kinds)
        return finding if passable else finding._replace(detail=finding.detail + self._shut_out())

    def _shut_out(self) -> str:
        """Ask, where nobody gets through, whether an access control list is the reason."""
        acl = self._outputs.listener.acl
        return f"; does listener.acl, a {acl} list, admit this machine?" if acl else ""

    def _request(self, identity: Identity | None) -> Outcome:
        return probes.probe(self._target, probes.stack_context(self._outputs), identity)

    def _expired(self, *, clients_get_through: bool) -> Finding:
        expired = self._outputs.expired_probe
        if expired is None:
            return Finding("skipped", "the stack has no expired certificate to try")
        try:
            certificate = certificates.load(expired.certificate)
            identity = expired_identity(expired)
        except ValueError:
            return Finding("failed", "could not be tried: the output expired_probe is not PEM")
        fault = checks.fault_of_expired_probe(certificate, self._outputs.ca, datetime.now(UTC))
        if fault:
            return Finding("failed", f"could not be tried: {fault}")
        return checks.judge_refusal(
            self._request(identity), clients_get_through=clients_get_through
        )

    def _balancing(self, client: Identity | None) -> Finding:
        if not self._identities:
            return Finding("skipped", "no client's key is here to try it with")
        if client is None:
            return Finding("failed", "could not be tried: no client gets through")
        outcomes: list[Outcome] = []
        finding = Finding("skipped", "")
        weights = self._effective_weights()
        shares = [weights.get(server_id, 100) for server_id in self._healthy or ()]
        least = min((share for share in shares if share), default=0)
        # Enough for the one with the least weight to be seen twice.
        requests = min(-(-2 * sum(shares) // least), MOST_REQUESTS) if least else 4
        for _ in range(BALANCING_ROUNDS):
            outcomes += [self._request(client) for _ in range(requests)]
            finding = checks.judge_balancing(outcomes, self._healthy, weights)
            if finding.status != "failed" or not all(map(is_success, outcomes)):
                break
        return finding

    def _effective_weights(self) -> dict[str, int]:
        """Weights as the scheduler takes them: rr only knows whether a backend is drained."""
        weighs = self._outputs.listener.scheduler == "wrr"
        return {
            server: weight if weighs or not weight else 100
            for server, weight in self._outputs.weights.items()
        }

    def _old_tls(self, client: Identity | None, own: Identity) -> dict[str, Finding]:
        findings: dict[str, Finding] = {}
        for name, version in OLD_VERSIONS.items():
            key = name.lower().replace(" ", "_").replace(".", "_")
            if not can_speak(version, own):
                findings[key] = Finding("skipped", f"this machine's OpenSSL cannot speak {name}")
                continue
            context = probes.stack_context(self._outputs)
            restrict_to(context, version)
            # With a good certificate, so that the version alone can be what is refused.
            outcome = probes.probe(self._target, context, client)
            findings[key] = checks.judge_old_tls(outcome, clients_get_through=client is not None)
        return findings

    def _server(self, client: Identity | None) -> dict[str, Finding]:
        served = probes.handshake(self._target, probes.unverified_context(), client)
        certificate = self._outputs.server
        if isinstance(served, bytes):
            certificate = x509.load_der_x509_certificate(served)
        anchor = self._outputs.ca_certificate
        chain = probes.anchored_context(anchor) if self._private else probes.public_context()
        named = served
        if certificate is not None:
            named = probes.handshake(self._target, probes.naming_context(certificate), client)
        return {
            "served_certificate": checks.judge_served_certificate(served, self._outputs.server),
            "server_names": checks.judge_server_names(
                named,
                certificate,
                self._outputs.server_names,
                self._outputs.host,
                private=self._private,
            ),
            "server_chain": checks.judge_server_chain(
                probes.handshake(self._target, chain, client), private=self._private
            ),
        }


def _judge_clients_elsewhere(outputs: StackOutputs, now: datetime) -> dict[str, Finding]:
    """Build the certificate paths of clients whose keys are not here, as the listener would."""
    tried = set(outputs.clients_to_try())
    refusals: dict[str, str | None] = {}
    for name in outputs.clients_in_force():
        if name in tried:
            continue
        bundle = outputs.client_bundles[name]
        try:
            leaf, between = (
                certificates.load(bundle.certificate),
                certificates.load_chain(bundle.chain),
            )
        except ValueError as error:
            refusals[name] = str(error)
        else:
            refusals[name] = paths.refusal(leaf, between, outputs.ca, now)
    if not refusals:
        return {}
    kinds = {name: outputs.key_of(name) for name in refusals}
    return {"clients_elsewhere": checks.judge_clients_elsewhere(refusals, kinds)}


def _judge_validity(outputs: StackOutputs, now: datetime) -> dict[str, Finding]:
    in_use = list_expiries(outputs)
    return {
        f"{role}_validity": checks.judge_validity([e for e in in_use if e.role == role], now)
        for role in ("ca", "server", "client")
    }


def configured_checks(outputs: StackOutputs) -> frozenset[str]:
    """Ids of the checks that this stack has something for."""
    there = {
        "sticky_session": bool(outputs.listener.sticky_session),
        "redirect": bool(outputs.redirect_port),
        "domain_certificates": bool(outputs.domain_certificates),
        "additional_listeners": len(outputs.listeners) > 1,
    }
    return frozenset(key for key, is_there in there.items() if is_there)


def further_findings(
    outputs: StackOutputs,
    target: ProbeTarget,
    client: Identity | None,
    lasts: Callable[[str], bool],
) -> dict[str, Finding]:
    """Run the checks of what a stack has beside its main listener.

    Args:
        outputs: Outputs of the stack.
        target: The main listener.
        client: A client that gets through, if any does.
        lasts: Told what is waited for; waits a little, or says that the time is up. A listener
            that is new may serve later than the main one.
    """
    run = {
        "sticky_session": lambda: _sticky_session(outputs, target, client),
        "redirect": lambda: _redirect(outputs, target, lasts),
        "domain_certificates": lambda: _domain_certificates(outputs, target, client),
        "additional_listeners": lambda: _additional_listeners(outputs, target, client, lasts),
    }
    return {key: run[key]() for key in configured_checks(outputs)}


def _sticky_session(outputs: StackOutputs, target: ProbeTarget, client: Identity | None) -> Finding:
    if client is None:
        return Finding("failed", "could not be tried: no client gets through")
    first = probes.probe(target, probes.stack_context(outputs), client)
    cookies = first.cookies if isinstance(first, Answered) else ()
    later = [
        probes.probe(target, probes.stack_context(outputs), client, cookies=cookies)
        for _ in range(STICKY_REQUESTS if cookies else 0)
    ]
    return checks.judge_sticky_session(first, later, outputs.listener.cookie)


def _redirect(outputs: StackOutputs, target: ProbeTarget, lasts: Callable[[str], bool]) -> Finding:
    place = ProbeTarget(target.host, outputs.redirect_port)
    outcome = probes.plain_http(place)
    if isinstance(outcome, Unreachable) and _mapped(outputs):
        return _elsewhere(outputs.redirect_port)
    while isinstance(outcome, Unreachable) and lasts(f"the redirect: {outcome}"):
        outcome = probes.plain_http(place)
    port = None if _mapped(outputs) else outputs.listener_port
    return checks.judge_redirect(outcome, target.host, port)


def _domain_certificates(
    outputs: StackOutputs, target: ProbeTarget, client: Identity | None
) -> Finding:
    served = {
        domain: probes.handshake(
            ProbeTarget(target.host, target.port, server_name=domain.replace("*", "any")),
            probes.unverified_context(),
            client,
        )
        for domain in outputs.domain_certificates
    }
    in_state = {
        domain: certificate.parsed for domain, certificate in outputs.domain_certificates.items()
    }
    return checks.judge_domain_certificates(served, in_state)


def _additional_listeners(
    outputs: StackOutputs,
    target: ProbeTarget,
    client: Identity | None,
    lasts: Callable[[str], bool],
) -> Finding:
    refusals: dict[str, Finding] = {}
    lost: dict[str, str] = {}
    for listener in outputs.listeners[1:]:
        place = ProbeTarget(target.host, listener.port)
        bare = probes.probe(place, probes.stack_context(outputs))
        if isinstance(bare, Unreachable) and _mapped(outputs):
            refusals[listener.name] = _elsewhere(listener.port)
            continue
        if client is None:
            refusals[listener.name] = checks.judge_refusal(bare, clients_get_through=False)
            continue
        outcome = probes.probe(place, probes.stack_context(outputs), client)
        while not _admitted(listener, outcome) and lasts(f"{listener.name}: {outcome}"):
            outcome = probes.probe(place, probes.stack_context(outputs), client)
            bare = probes.probe(place, probes.stack_context(outputs))
        admitted = _admitted(listener, outcome)
        refusals[listener.name] = checks.judge_refusal(bare, clients_get_through=admitted)
        if not admitted:
            shut_out = f"; does its acl, a {listener.acl} list, admit this machine?"
            lost[listener.name] = f"{outcome}{shut_out if listener.acl else ''}"
    return checks.judge_additional_listeners(refusals, lost)


def _admitted(listener: ListenerSettings, outcome: Outcome) -> bool:
    """Tell whether a listener admitted a client; its own group may answer with an error."""
    if listener.server_group_id:
        return isinstance(outcome, Answered) and outcome.status != 400
    return is_success(outcome)


def _mapped(outputs: StackOutputs) -> bool:
    """Tell whether something in front maps the main listener's port, and perhaps others' too."""
    return outputs.port != outputs.listener_port


def _elsewhere(port: int) -> Finding:
    return Finding("skipped", f"port {port} is mapped like the listener's; to which is not known")
