"""What each outcome means: pure judgements, one function for each kind of check."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from operations.expiry import Expiry
from operations.health import BackendHealth
from operations.probes import Answered, Outcome, Rejected, Untrusted
from operations.report import Status

TITLES = {
    "no_certificate": "No certificate is refused",
    "other_ca": "A certificate of another CA is refused",
    "expired": "An expired certificate is refused",
    "clients": "Clients get through",
    "balancing": "Requests alternate over the backends",
    "health": "Backends' health is normal",
    "tls_1_0": "TLS 1.0 is refused",
    "tls_1_1": "TLS 1.1 is refused",
    "served_certificate": "The served certificate is the one in state",
    "server_names": "Its names cover the address",
    "server_chain": "Its chain verifies",
    "ca_validity": "Days left: CA",
    "server_validity": "Days left: server",
    "client_validity": "Days left: clients",
}
"""Id and title of every check, in the order of the report."""

SOON_DAYS = 14
SHOWN = 3
"""How many of many are named in a detail."""


class Finding(NamedTuple):
    """Result of one check."""

    status: Status
    detail: str


def _finding(*, good: bool, detail: str) -> Finding:
    return Finding("passed" if good else "failed", detail)


def is_success(outcome: Outcome | None) -> bool:
    """Whether a request got through to a backend."""
    return isinstance(outcome, Answered) and outcome.status == 200


def refusal(outcome: Outcome, *, clients_get_through: bool) -> Finding:
    """Whether a request that must be refused was.

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
    """Whether a handshake of an obsolete version, with a good certificate, was refused."""
    if isinstance(outcome, (Answered, Untrusted)):
        # To judge the server's certificate, both sides had agreed on the version.
        return Finding("failed", f"the handshake goes on ({outcome}); expected a TLS alert")
    return refusal(outcome, clients_get_through=clients_get_through)


def clients(outcomes: Mapping[str, Outcome], total: int) -> Finding:
    """Whether each client tried got through.

    Args:
        outcomes: By client's name.
        total: How many clients the stack has.
    """
    if not outcomes and total:
        return Finding("skipped", "every client keeps its key to itself, so none can be tried")
    if not outcomes:
        return Finding("skipped", "the stack has no client in force")
    failed = {name: outcome for name, outcome in outcomes.items() if not is_success(outcome)}
    if failed:
        seen = "; ".join(f"{name}: {outcome}" for name, outcome in failed.items())
        return Finding("failed", f"{seen}; expected HTTP 200")
    versions = {o.tls for o in outcomes.values() if isinstance(o, Answered)}
    tried = f" ({len(outcomes)} of {total} tried)" if total > len(outcomes) else ""
    return Finding(
        "passed", f"{', '.join(outcomes)}: HTTP 200, {'/'.join(sorted(versions))}{tried}"
    )


def is_even(instances: Sequence[str | None], healthy: Collection[str]) -> bool:
    """Whether every healthy backend was seen, none more than twice as often as another.

    The nodes of a load balancer take turns each for itself, so an exact tie is not to be expected
    of a few requests.
    """
    counts = Counter(instances)
    return set(counts) == set(healthy) and max(counts.values()) <= 2 * min(counts.values())


def balancing(outcomes: Sequence[Outcome], healthy: Collection[str] | None) -> Finding:
    """Whether requests on new connections went to all healthy backends evenly.

    Args:
        outcomes: Of the requests, in order.
        healthy: Ids of the backends whose health is normal; None where nobody told.
    """
    lost = [outcome for outcome in outcomes if not is_success(outcome)]
    if lost:
        return Finding("failed", f"{len(lost)} of {len(outcomes)} requests failed: {lost[0]}")
    instances = [o.instance for o in outcomes if isinstance(o, Answered)]
    if not any(instances):
        return Finding("skipped", "no answer names its instance (i-…), so it cannot be seen")
    counts = Counter(instance or "unnamed" for instance in instances)
    seen = ", ".join(f"{instance} {count}" for instance, count in sorted(counts.items()))
    if healthy is None:
        return Finding("skipped", f"seen {seen}; which backends are healthy is not known")
    if not is_even(instances, healthy):
        expected = ", ".join(sorted(healthy)) or "no healthy backend"
        return Finding("failed", f"seen {seen}; expected evenly {expected}")
    return Finding("passed", seen + (", strictly in turn" if _takes_turns(instances) else ""))


def _takes_turns(instances: Sequence[str | None]) -> bool:
    period = len(set(instances))
    return len(set(instances[:period])) == period and all(
        now == before for now, before in zip(instances[period:], instances, strict=False)
    )


def health(backends: Iterable[BackendHealth]) -> Finding:
    """Whether there are backends and the health of all of them is normal."""
    states = {backend.server_id: backend.status for backend in backends}
    if not states:
        return Finding("failed", "the listener has no backends")
    sick = {server: status for server, status in states.items() if status != "normal"}
    if sick:
        return Finding("failed", f"{_some(f'{s} {status}' for s, status in sick.items())}")
    return Finding("passed", f"{_some(states)}: normal")


def served_certificate(served: bytes | Outcome, in_state: x509.Certificate | None) -> Finding:
    """Whether the certificate (DER) that the server presents is the one in state."""
    if in_state is None:
        return Finding("skipped", "Alibaba Cloud keeps it, and no state has it")
    if not isinstance(served, bytes):
        return Finding("failed", f"could not be tried: {served}")
    expected = in_state.fingerprint(hashes.SHA256())
    seen = hashes.Hash(hashes.SHA256())
    seen.update(served)
    digest = seen.finalize()
    if digest != expected:
        return Finding("failed", f"SHA-256 {_short(digest)}; expected {_short(expected)}")
    return Finding("passed", f"SHA-256 {_short(digest)}")


def _short(digest: bytes) -> str:
    return f"{digest[:8].hex(':')}…".upper()


def server_names(
    outcome: bytes | Outcome,
    certificate: x509.Certificate | None,
    expected: Iterable[str],
    host: str,
    *,
    private: bool,
) -> Finding:
    """Whether the served certificate bears the expected names and covers the URL's host.

    Args:
        outcome: Of a handshake in which OpenSSL compared the URL's host with the names.
        certificate: The one served, else the one in state, if either is known.
        expected: DNS names and IP addresses it should have.
        host: The URL's.
        private: Whether the stack's CA issued it. A certificate from elsewhere bears the
            service's own name, and the URL is the load balancer's address.
    """
    if certificate is None:
        return Finding("failed", "could not be tried: there was no handshake")
    names = subject_alternative_names(certificate)
    missing = [name for name in expected if _normal(name) not in {_normal(n) for n in names}]
    if missing:
        return Finding("failed", f"it lacks {', '.join(missing)}; it has {_some(names)}")
    if isinstance(outcome, Untrusted):
        if outcome.wrong_name and names and not private:
            return Finding("passed", f"{_some(names)}; reach the service so, not by {host}")
        return Finding("failed", f"{outcome.reason}; it has {_some(names)}")
    if not isinstance(outcome, bytes):
        return Finding("failed", f"could not be tried: {outcome}")
    return Finding("passed", f"{host} is among {_some(names)}")


def subject_alternative_names(certificate: x509.Certificate) -> list[str]:
    """DNS names and IP addresses of a certificate (RFC 5280, 4.2.1.6)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _normal(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower().rstrip(".")


def server_chain(outcome: bytes | Outcome, *, private: bool) -> Finding:
    """Whether the server's chain leads to its anchor.

    Args:
        outcome: Of a handshake that trusted the stack's CA alone or, for a certificate from
            elsewhere, this machine's roots.
        private: Whether the stack's CA issued the certificate.
    """
    if isinstance(outcome, bytes):
        return Finding("passed", "up to the stack's CA" if private else "up to a public root")
    if isinstance(outcome, Untrusted):
        if private:
            return Finding("failed", f"not up to the stack's CA: {outcome.reason}")
        return Finding("passed", f"brought along; this machine does not know it: {outcome.reason}")
    return Finding("failed", f"could not be tried: {outcome}")


def validity(expiries: Sequence[Expiry], now: datetime) -> Finding:
    """Whether none of these certificates has expired; names those that end first."""
    if not expiries:
        return Finding("skipped", "there is none")
    soonest = sorted(expiries)
    shown = ", ".join(_days(expiry, now) for expiry in soonest[:SHOWN])
    more = f" (soonest of {len(soonest)})" if len(soonest) > SHOWN else ""
    return _finding(good=not soonest[0].has_expired(now), detail=shown + more)


def _days(expiry: Expiry, now: datetime) -> str:
    name = f"{expiry.name} " if expiry.role == "client" else ""
    until = f"{expiry.not_after:%Y-%m-%d}"
    if expiry.has_expired(now):
        return f"{name}expired on {until}"
    days = expiry.days_left(now)
    return f"{name}{days} (until {until}{', soon' if days < SOON_DAYS else ''})"


def fault_of_expired_probe(
    certificate: x509.Certificate, ca: x509.Certificate, now: datetime
) -> str | None:
    """Why presenting this certificate would not show that expiry is checked, if so."""
    if certificate.not_valid_after_utc >= now:
        return f"the probe is valid until {certificate.not_valid_after_utc:%Y-%m-%d}"
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return "the probe was not issued by the stack's CA"
    return None


def _some(items: Iterable[str]) -> str:
    listed = list(items)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
