"""Checks of a stack, and judgement of what the outcomes of clients' requests mean.

Those of backends are in `balancing`, those of the server's certificates in `served_certificates`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from operations.verification.expiry import Expiry
from operations.verification.findings import SHOWN, Finding
from operations.verification.outcomes import (
    Answered,
    Outcome,
    Redirected,
    Rejected,
    Unreachable,
    Untrusted,
    is_success,
)

TITLES = {
    "no_certificate": "No certificate is refused",
    "other_ca": "A certificate of another CA is refused",
    "expired": "An expired certificate is refused",
    "clients": "Clients get through",
    "clients_elsewhere": "Certificates without a key here lead to the CA",
    "balancing": "Requests alternate over the backends",
    "health": "Backends' health is normal",
    "tls_1_0": "TLS 1.0 is refused",
    "tls_1_1": "TLS 1.1 is refused",
    "served_certificate": "The served certificate is the one in state",
    "server_names": "Its names cover the address",
    "server_chain": "Its chain verifies",
    "sticky_session": "A session stays with its backend",
    "redirect": "HTTP is redirected to HTTPS",
    "domain_certificates": "Additional domains show their certificates",
    "additional_listeners": "Additional listeners demand a certificate",
    "ca_validity": "Days left: CA",
    "server_validity": "Days left: server",
    "client_validity": "Days left: clients",
}
"""Id and title of every check, in the order of the report."""

CONFIGURED = frozenset(
    {
        "clients_elsewhere",
        "sticky_session",
        "redirect",
        "domain_certificates",
        "additional_listeners",
    }
)
"""Checks that a report has only where there is such a thing to check."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})

SOON_DAYS = 14


def refusal(outcome: Outcome, *, clients_get_through: bool) -> Finding:
    """Judge whether a request that must be refused was refused.

    Both ways of the listener count: the error page after the handshake (Tengine's status 400) and
    a TLS alert. A connection that is merely closed counts only while clients get through, since a
    server that is broken closes connections too.
    """
    match outcome:
        case Answered(status=400, instance=None):
            return Finding("passed", str(outcome))
        case Answered():
            return Finding("failed", f"{outcome}; expected HTTP 400 or a TLS alert")
        case Rejected(alert=None) if not clients_get_through:
            return Finding("failed", f"{outcome}, as for clients: this proves nothing")
        case Rejected():
            return Finding("passed", str(outcome))
        case _:
            return Finding("failed", f"could not be tried: {outcome}")


def old_tls(outcome: Outcome, *, clients_get_through: bool) -> Finding:
    """Judge whether a handshake of an obsolete version, with a good certificate, was refused."""
    if isinstance(outcome, (Answered, Untrusted)):
        # To judge the server's certificate, both sides had agreed on the version.
        return Finding("failed", f"the handshake goes on ({outcome}); expected a TLS alert")
    return refusal(outcome, clients_get_through=clients_get_through)


def clients(outcomes: Mapping[str, Outcome], total: int, keys: Mapping[str, str]) -> Finding:
    """Judge whether each client that was tried got through.

    Args:
        outcomes: By client's name.
        total: How many clients the stack has.
        keys: What each client's key is called.
    """
    if not outcomes and total:
        return Finding("skipped", "every client keeps its key to itself, so none can be tried")
    if not outcomes:
        return Finding("skipped", "the stack has no client in force")
    failed = {name: outcome for name, outcome in outcomes.items() if not is_success(outcome)}
    if failed:
        seen = "; ".join(f"{named(name, keys)}: {outcome}" for name, outcome in failed.items())
        return Finding("failed", f"{seen}; expected HTTP 200{_refused_kinds(outcomes, keys)}")
    versions = {o.tls for o in outcomes.values() if isinstance(o, Answered)}
    tried = f" ({len(outcomes)} of {total} tried)" if total > len(outcomes) else ""
    return Finding(
        "passed",
        f"{', '.join(named(name, keys) for name in outcomes)}: HTTP 200, "
        f"{'/'.join(sorted(versions))}{tried}",
    )


def named(name: str, keys: Mapping[str, str]) -> str:
    """Name a client with its key's kind, where that is known."""
    return f"{name} ({keys[name]})" if keys.get(name) else name


def _refused_kinds(outcomes: Mapping[str, Outcome], keys: Mapping[str, str]) -> str:
    """Explain outcomes in which clients with one kind of key are refused and others get in."""
    admitted = {keys.get(name) for name, outcome in outcomes.items() if is_success(outcome)}
    refused = {
        keys.get(name) or ""
        for name, outcome in outcomes.items()
        if isinstance(outcome, Rejected)
        or (isinstance(outcome, Answered) and outcome.status == 400)
    }
    if not admitted or not refused - admitted - {""}:
        return ""
    kinds = " and ".join(sorted(refused - admitted - {""}))
    others = " and ".join(sorted(filter(None, admitted)))
    return (
        f"; the listener refuses clients with a key of {kinds} and admits those with {others}: "
        "give the former such a key, by key_algorithm and its size"
    )


def clients_elsewhere(refusals: Mapping[str, str | None], keys: Mapping[str, str]) -> Finding:
    """Judge whether the listener would admit the clients whose keys are not here to try.

    Args:
        refusals: Why it would not, by client's name; None where it would.
        keys: What each client's key is called.
    """
    failed = {name: reason for name, reason in refusals.items() if reason is not None}
    if failed:
        return Finding(
            "failed", "; ".join(f"{named(name, keys)}: {why}" for name, why in failed.items())
        )
    shown = ", ".join(named(name, keys) for name in list(refusals)[:SHOWN])
    more = f" and {len(refusals) - SHOWN} others" if len(refusals) > SHOWN else ""
    return Finding("passed", f"{shown}{more}: by name, key, dates and purpose")


def redirect(outcome: Redirected | Unreachable, host: str, port: int | None) -> Finding:
    """Judge whether a plain HTTP request was redirected to the HTTPS listener.

    Args:
        outcome: Of the request.
        host: Where it has to be sent.
        port: To which port; None where something in front maps it.
    """
    if not isinstance(outcome, Redirected):
        return Finding("failed", f"could not be tried: {outcome}")
    target = urlsplit(outcome.location)
    good = (
        outcome.status in REDIRECTS
        and (target.scheme, target.hostname) == ("https", host)
        and port in {None, target.port or 443}
    )
    expected = f"; expected a redirect to https://{host}:{port or 443}/"
    return Finding.passed_if(good, f"{outcome}{'' if good else expected}")


def additional_listeners(refusals: Mapping[str, Finding], clients: Mapping[str, str]) -> Finding:
    """Judge whether further listeners admit clients and refuse whoever has no certificate.

    Args:
        refusals: What each made of a request without a certificate, by the listener's name.
        clients: What became of a client's request where it did not get through.
    """
    wrong = [f"{name}: {one.detail}" for name, one in refusals.items() if one.status == "failed"]
    wrong += [f"{name}: a client's request: {seen}" for name, seen in clients.items()]
    if wrong:
        return Finding("failed", "; ".join(wrong))
    skipped = [f"{name}: {one.detail}" for name, one in refusals.items() if one.status == "skipped"]
    if skipped:
        return Finding("skipped", "; ".join(skipped))
    return Finding("passed", ", ".join(refusals))


def validity(expiries: Sequence[Expiry], now: datetime) -> Finding:
    """Judge whether none of these certificates has expired; name those that end first."""
    if not expiries:
        return Finding("skipped", "there is none")
    soonest = sorted(expiries)
    shown = ", ".join(_days(expiry, now) for expiry in soonest[:SHOWN])
    more = f" (soonest of {len(soonest)})" if len(soonest) > SHOWN else ""
    return Finding.passed_if(not soonest[0].has_expired(now), shown + more)


def _days(expiry: Expiry, now: datetime) -> str:
    of_its_own = expiry.role == "client" or expiry.name not in {"CA", "server"}
    name = f"{expiry.name} " if of_its_own else ""
    until = f"{expiry.not_after:%Y-%m-%d}"
    if expiry.has_expired(now):
        return f"{name}expired on {until}"
    days = expiry.days_left(now)
    return f"{name}{days} (until {until}{', soon' if days < SOON_DAYS else ''})"


def fault_of_expired_probe(
    certificate: x509.Certificate, ca: x509.Certificate, now: datetime
) -> str | None:
    """Explain why this certificate could not show that expiry is checked; None if it could."""
    if certificate.not_valid_after_utc >= now:
        return f"the probe is valid until {certificate.not_valid_after_utc:%Y-%m-%d}"
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return "the probe was not issued by the stack's CA"
    return None
