"""Checks of what a stack has beside its main listener, where it has any."""

from __future__ import annotations

from collections.abc import Callable

from operations.outputs import ListenerSettings, StackOutputs
from operations.verification import balancing, checks, probes, served_certificates
from operations.verification.findings import Finding
from operations.verification.identity import Identity
from operations.verification.outcomes import Answered, Outcome, Unreachable, is_success
from operations.verification.probes import Target

STICKY_REQUESTS = 6
"""Number of requests with the session's cookie: by turns they would reach every backend."""


def configured(outputs: StackOutputs) -> frozenset[str]:
    """Ids of the checks that this stack has something for."""
    there = {
        "sticky_session": bool(outputs.listener.sticky_session),
        "redirect": bool(outputs.redirect_port),
        "domain_certificates": bool(outputs.domain_certificates),
        "additional_listeners": len(outputs.listeners) > 1,
    }
    return frozenset(key for key, given in there.items() if given)


def findings(
    outputs: StackOutputs, target: Target, client: Identity | None, lasts: Callable[[str], bool]
) -> dict[str, Finding]:
    """Run the checks of what a stack has beside its main listener.

    Args:
        outputs: Of the stack.
        target: The main listener.
        client: Who gets through there, if anybody does.
        lasts: Told what is waited for; waits a little, or says that the time is up. A listener
            that is new may serve later than the main one.
    """
    made = {
        "sticky_session": lambda: _sticky_session(outputs, target, client),
        "redirect": lambda: _redirect(outputs, target, lasts),
        "domain_certificates": lambda: _domain_certificates(outputs, target, client),
        "additional_listeners": lambda: _additional_listeners(outputs, target, client, lasts),
    }
    return {key: made[key]() for key in configured(outputs)}


def _sticky_session(outputs: StackOutputs, target: Target, client: Identity | None) -> Finding:
    if client is None:
        return Finding("failed", "could not be tried: no client gets through")
    first = probes.probe(target, probes.stack_context(outputs), client)
    cookies = first.cookies if isinstance(first, Answered) else ()
    later = [
        probes.probe(target, probes.stack_context(outputs), client, cookies=cookies)
        for _ in range(STICKY_REQUESTS if cookies else 0)
    ]
    return balancing.sticky_session(first, later, outputs.listener.cookie)


def _redirect(outputs: StackOutputs, target: Target, lasts: Callable[[str], bool]) -> Finding:
    place = Target(target.host, outputs.redirect_port)
    outcome = probes.plain_http(place)
    if isinstance(outcome, Unreachable) and _mapped(outputs):
        return _elsewhere(outputs.redirect_port)
    while isinstance(outcome, Unreachable) and lasts(f"the redirect: {outcome}"):
        outcome = probes.plain_http(place)
    port = None if _mapped(outputs) else outputs.listener_port
    return checks.redirect(outcome, target.host, port)


def _domain_certificates(outputs: StackOutputs, target: Target, client: Identity | None) -> Finding:
    served = {
        domain: probes.handshake(
            Target(target.host, target.port, server_name=domain.replace("*", "any")),
            probes.unverified_context(),
            client,
        )
        for domain in outputs.domain_certificates
    }
    in_state = {domain: one.parsed for domain, one in outputs.domain_certificates.items()}
    return served_certificates.domain_certificates(served, in_state)


def _additional_listeners(
    outputs: StackOutputs,
    target: Target,
    client: Identity | None,
    lasts: Callable[[str], bool],
) -> Finding:
    refusals: dict[str, Finding] = {}
    lost: dict[str, str] = {}
    for listener in outputs.listeners[1:]:
        place = Target(target.host, listener.port)
        bare = probes.probe(place, probes.stack_context(outputs))
        if isinstance(bare, Unreachable) and _mapped(outputs):
            refusals[listener.name] = _elsewhere(listener.port)
            continue
        if client is None:
            refusals[listener.name] = checks.refusal(bare, clients_get_through=False)
            continue
        outcome = probes.probe(place, probes.stack_context(outputs), client)
        while not _admitted(listener, outcome) and lasts(f"{listener.name}: {outcome}"):
            outcome = probes.probe(place, probes.stack_context(outputs), client)
            bare = probes.probe(place, probes.stack_context(outputs))
        admitted = _admitted(listener, outcome)
        refusals[listener.name] = checks.refusal(bare, clients_get_through=admitted)
        if not admitted:
            shut_out = f"; does its acl, a {listener.acl} list, admit this machine?"
            lost[listener.name] = f"{outcome}{shut_out if listener.acl else ''}"
    return checks.additional_listeners(refusals, lost)


def _admitted(listener: ListenerSettings, outcome: Outcome) -> bool:
    """Tell whether a listener admitted a client; a VServer group's error answer counts too."""
    if listener.server_group_id:
        return isinstance(outcome, Answered) and outcome.status != 400
    return is_success(outcome)


def _mapped(outputs: StackOutputs) -> bool:
    """Tell whether something in front maps the main listener's port, and perhaps others' too."""
    return outputs.port != outputs.listener_port


def _elsewhere(port: int) -> Finding:
    return Finding("skipped", f"port {port} is mapped like the listener's; to which is not known")
