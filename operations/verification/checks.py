"""Checks of a stack, and judgement of what was seen: clients' requests, certificates, backends."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from configuration.outputs import StackOutputs
from operations.errors import OperationError
from operations.verification.probes import (
    Answered,
    Outcome,
    Redirected,
    Rejected,
    Unreachable,
    Untrusted,
    is_success,
)
from operations.verification.report import SHOWN, Finding, abbreviate

CertificateRole = Literal["ca", "server", "client"]

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


class HealthError(OperationError):
    """Health cannot be asked for; asking again will not help."""


class HealthUnavailableError(HealthError):
    """Health cannot be told at this moment; asking again may help."""


@dataclass(frozen=True)
class BackendHealth:
    """Health of one backend: `normal`, `abnormal` or `unavailable` (not checked yet)."""

    server_id: str
    status: str


class HealthSource(Protocol):
    """Source that knows the health of a listener's backends."""

    def backends(self) -> list[BackendHealth]:
        """The health of each backend.

        Raises:
            HealthError: it cannot be told.
        """


@dataclass(frozen=True, order=True)
class Expiry:
    """Expiry of a certificate; sorts by its time."""

    not_after: datetime
    role: CertificateRole
    name: str

    def days_left(self, now: datetime) -> int:
        """Whole days until `not_after`; negative from the moment it has passed."""
        return (self.not_after - now).days

    def has_expired(self, now: datetime) -> bool:
        """Tell whether `now` is past the last moment of validity (RFC 5280, 4.1.2.5)."""
        return now > self.not_after


def list_expiries(outputs: StackOutputs) -> list[Expiry]:
    """Every certificate in use, the first to expire first. Revoked clients are left out."""
    in_use = [Expiry(outputs.ca.not_valid_after_utc, "ca", "CA")]
    if outputs.server is not None:
        in_use.append(Expiry(outputs.server.not_valid_after_utc, "server", "server"))
    in_use += [
        Expiry(certificate.not_valid_after_utc, "server", domain)
        for domain, extension in outputs.domain_certificates.items()
        if (certificate := extension.parsed) is not None
    ]
    in_use += [
        Expiry(record.not_after, "client", name)
        for name, record in outputs.clients.items()
        if record.status != "revoked"
    ]
    return sorted(in_use)


def judge_refusal(outcome: Outcome, *, clients_get_through: bool) -> Finding:
    """Judge whether a request that must be refused was refused.

    Both ways of a listener count: an error page after the handshake (status 400), and a TLS alert.
    A connection that is merely closed counts only while clients get through, since a server that
    is broken closes connections too.
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


def judge_old_tls(outcome: Outcome, *, clients_get_through: bool) -> Finding:
    """Judge whether a handshake of an obsolete version, with a good certificate, was refused."""
    if isinstance(outcome, (Answered, Untrusted)):
        # To judge the server's certificate, both sides had agreed on the version.
        return Finding("failed", f"the handshake goes on ({outcome}); expected a TLS alert")
    return judge_refusal(outcome, clients_get_through=clients_get_through)


def judge_clients(outcomes: Mapping[str, Outcome], total: int, keys: Mapping[str, str]) -> Finding:
    """Judge whether each client that was tried got through.

    Args:
        outcomes: Outcomes by client's name.
        total: How many clients the stack has.
        keys: Words for each client's key.
    """
    if not outcomes and total:
        return Finding("skipped", "every client keeps its key to itself, so none can be tried")
    if not outcomes:
        return Finding("skipped", "the stack has no client in force")
    failed = {name: outcome for name, outcome in outcomes.items() if not is_success(outcome)}
    if failed:
        seen = "; ".join(
            f"{name_with_key(name, keys)}: {outcome}" for name, outcome in failed.items()
        )
        return Finding(
            "failed", f"{seen}; expected HTTP 200{_explain_refused_kinds(outcomes, keys)}"
        )
    versions = {o.tls for o in outcomes.values() if isinstance(o, Answered)}
    tried = f" ({len(outcomes)} of {total} tried)" if total > len(outcomes) else ""
    return Finding(
        "passed",
        f"{', '.join(name_with_key(name, keys) for name in outcomes)}: HTTP 200, "
        f"{'/'.join(sorted(versions))}{tried}",
    )


def name_with_key(name: str, keys: Mapping[str, str]) -> str:
    """Name a client with its key's kind, where that is known."""
    return f"{name} ({keys[name]})" if keys.get(name) else name


def _explain_refused_kinds(outcomes: Mapping[str, Outcome], keys: Mapping[str, str]) -> str:
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


def judge_clients_elsewhere(refusals: Mapping[str, str | None], keys: Mapping[str, str]) -> Finding:
    """Judge whether the listener would admit the clients whose keys are not here to try.

    Args:
        refusals: Why it would not, by client's name; None where it would.
        keys: Words for each client's key.
    """
    failed = {name: reason for name, reason in refusals.items() if reason is not None}
    if failed:
        return Finding(
            "failed",
            "; ".join(f"{name_with_key(name, keys)}: {why}" for name, why in failed.items()),
        )
    shown = ", ".join(name_with_key(name, keys) for name in list(refusals)[:SHOWN])
    more = f" and {len(refusals) - SHOWN} others" if len(refusals) > SHOWN else ""
    return Finding("passed", f"{shown}{more}: by name, key, dates and purpose")


def judge_redirect(outcome: Redirected | Unreachable, host: str, port: int | None) -> Finding:
    """Judge whether a plain HTTP request was redirected to the HTTPS listener.

    Args:
        outcome: Outcome of the request.
        host: Host that it has to lead to.
        port: Port that it has to lead to; None where something in front maps it.
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


def judge_additional_listeners(
    refusals: Mapping[str, Finding], clients: Mapping[str, str]
) -> Finding:
    """Judge whether further listeners admit clients and refuse whoever has no certificate.

    Args:
        refusals: Findings of a request without a certificate, by the listener's name.
        clients: Outcomes of clients' requests that did not get through, by the listener's name.
    """
    wrong = [
        f"{name}: {finding.detail}"
        for name, finding in refusals.items()
        if finding.status == "failed"
    ]
    wrong += [f"{name}: a client's request: {seen}" for name, seen in clients.items()]
    if wrong:
        return Finding("failed", "; ".join(wrong))
    skipped = [
        f"{name}: {finding.detail}"
        for name, finding in refusals.items()
        if finding.status == "skipped"
    ]
    if skipped:
        return Finding("skipped", "; ".join(skipped))
    return Finding("passed", ", ".join(refusals))


def judge_validity(expiries: Sequence[Expiry], now: datetime) -> Finding:
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


def judge_served_certificate(served: bytes | Outcome, in_state: x509.Certificate | None) -> Finding:
    """Judge whether the certificate (DER) that the server presents is the one in state."""
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


def judge_server_names(
    outcome: bytes | Outcome,
    certificate: x509.Certificate | None,
    expected: Iterable[str],
    host: str,
    *,
    private: bool,
) -> Finding:
    """Judge whether the served certificate bears the expected names and covers the URL's host.

    Args:
        outcome: Outcome of a handshake in which OpenSSL compared the URL's host with the names.
        certificate: The one served, else the one in state, if either is known.
        expected: DNS names and IP addresses it should have.
        host: The URL's.
        private: Whether the stack's CA issued it. A certificate from elsewhere bears the
            service's own name, and the URL is the load balancer's address.
    """
    if certificate is None:
        return Finding("failed", "could not be tried: there was no handshake")
    names = subject_alternative_names(certificate)
    missing = [name for name in expected if _normalize(name) not in {_normalize(n) for n in names}]
    if missing:
        return Finding("failed", f"it lacks {', '.join(missing)}; it has {abbreviate(names)}")
    if isinstance(outcome, Untrusted):
        if outcome.wrong_name and names and not private:
            return Finding("passed", f"{abbreviate(names)}; reach the service so, not by {host}")
        return Finding("failed", f"{outcome.reason}; it has {abbreviate(names)}")
    if not isinstance(outcome, bytes):
        return Finding("failed", f"could not be tried: {outcome}")
    return Finding("passed", f"{host} is among {abbreviate(names)}")


def judge_server_chain(outcome: bytes | Outcome, *, private: bool) -> Finding:
    """Judge whether the server's chain leads to its anchor.

    Args:
        outcome: Outcome of a handshake that trusted the stack's CA alone or, for one from
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


def judge_domain_certificates(
    served: Mapping[str, bytes | Outcome], in_state: Mapping[str, x509.Certificate | None]
) -> Finding:
    """Judge whether clients that ask for an additional domain get that domain's certificate.

    Args:
        served: Certificate (DER) by domain.
        in_state: The one that there should be, if state has it.
    """
    wrong = []
    for domain, answer in served.items():
        if not isinstance(answer, bytes):
            wrong.append(f"{domain}: could not be tried: {answer}")
            continue
        names = subject_alternative_names(x509.load_der_x509_certificate(answer))
        if in_state[domain] is not None:
            finding = judge_served_certificate(answer, in_state[domain])
            if finding.status != "passed":
                wrong.append(f"{domain}: {finding.detail}")
                continue
        if not covers(names, domain):
            wrong.append(f"{domain}: the certificate is for {abbreviate(names) or 'no name'}")
    if wrong:
        return Finding("failed", "; ".join(wrong))
    return Finding("passed", f"{abbreviate(served)}: each its own")


def covers(names: Iterable[str], domain: str) -> bool:
    """Tell whether a certificate's names cover a domain, perhaps with a `*` (RFC 9525, 6.3)."""
    known = {_normalize(name) for name in names}
    return domain in known or f"*.{domain.split('.', 1)[-1]}" in known


def subject_alternative_names(certificate: x509.Certificate) -> list[str]:
    """DNS names and IP addresses of a certificate (RFC 5280, 4.2.1.6)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _normalize(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower().rstrip(".")


def is_even(
    instances: Sequence[str | None], healthy: Collection[str], weights: Mapping[str, int]
) -> bool:
    """Tell whether every healthy backend was seen, none over twice as often as its weight says.

    The nodes of a load balancer take turns each for itself, so an exact tie is not to be expected
    of a few requests. A backend whose share of them is less than one need not have been seen.

    Args:
        instances: Instances that answered.
        healthy: Instances that may have answered.
        weights: Weights of those; who has none counts as 100.
    """
    counts = Counter(instances)
    shares = {server_id: weights.get(server_id, 100) for server_id in healthy}
    shares = {server_id: share for server_id, share in shares.items() if share}
    if not shares or not set(counts) <= set(shares):
        return False
    least = sum(shares.values()) / len(instances)
    rates = [counts[server_id] / share for server_id, share in shares.items() if share >= least]
    return max(rates) <= 2 * min(rates)


def judge_balancing(
    outcomes: Sequence[Outcome],
    healthy: Collection[str] | None,
    weights: Mapping[str, int] | None = None,
) -> Finding:
    """Judge whether requests on new connections went to all healthy backends by their weights.

    Args:
        outcomes: Outcomes of the requests, in order.
        healthy: Ids of the backends whose health is normal; None where nobody told.
        weights: Weights of backends, by id; None where all are equal.
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
    weights = weights or {}
    if not is_even(instances, healthy, weights):
        return Finding("failed", f"seen {seen}; expected {_expected(healthy, weights)}")
    drained = [server_id for server_id, weight in weights.items() if not weight]
    none = f"; none to {abbreviate(drained)}, which is drained" if drained else ""
    turns = ", strictly in turn" if _takes_turns(instances) else ""
    return Finding("passed", seen + turns + none)


def _expected(healthy: Collection[str], weights: Mapping[str, int]) -> str:
    if not healthy:
        return "no healthy backend"
    if len({weights.get(server_id, 100) for server_id in healthy}) == 1:
        return f"evenly {', '.join(sorted(healthy))}"
    return ", ".join(
        f"{server_id} by weight {weights.get(server_id, 100)}" for server_id in sorted(healthy)
    )


def _takes_turns(instances: Sequence[str | None]) -> bool:
    period = len(set(instances))
    return len(set(instances[:period])) == period and all(
        now == before for now, before in zip(instances[period:], instances, strict=False)
    )


def judge_health(backends: Iterable[BackendHealth], drained: Collection[str] = ()) -> Finding:
    """Judge whether there are backends and the health of all of them is normal.

    Args:
        backends: Health of the backends, as the load balancer reports it.
        drained: Ids of those that get no request, and need not be healthy.
    """
    states = {backend.server_id: backend.status for backend in backends}
    if not states:
        return Finding("failed", "the listener has no backends")
    sick = {s: status for s, status in states.items() if status != "normal" and s not in drained}
    if sick:
        return Finding("failed", f"{abbreviate(f'{s} {status}' for s, status in sick.items())}")
    idle = [f"{s} {states[s]}" for s in drained if states.get(s, "normal") != "normal"]
    normal = [s for s, status in states.items() if status == "normal"]
    seen = f"{abbreviate(normal)}: normal" if normal else "none is normal"
    return Finding("passed", seen + (f"; drained: {abbreviate(idle)}" if idle else ""))


def judge_sticky_session(first: Outcome, later: Sequence[Outcome], cookie: str) -> Finding:
    """Judge whether requests with the first answer's cookies went to the same backend.

    Args:
        first: Outcome of the request without a cookie.
        later: Outcomes of those with the cookies that it set.
        cookie: Name of the cookie that backends have to set; empty if the listener sets its own.
    """
    if not isinstance(first, Answered) or not is_success(first):
        return Finding("failed", f"could not be tried: {first}")
    names = [cookie_pair.split("=", 1)[0] for cookie_pair in first.cookies]
    if cookie not in {*names, ""}:
        return Finding("skipped", f"the page sets no cookie {cookie}, which the backends would")
    lost = [outcome for outcome in later if not is_success(outcome)]
    if lost:
        return Finding("failed", f"{len(lost)} of {len(later)} requests failed: {lost[0]}")
    if first.instance is None:
        return Finding("skipped", "no answer names its instance (i-…), so it cannot be seen")
    elsewhere = {o.instance for o in later if isinstance(o, Answered)} - {first.instance}
    others = ", ".join(sorted(map(str, elsewhere)))
    return Finding.passed_if(
        bool(names) and not elsewhere,
        "the listener sets no cookie"
        if not names
        else f"{first.instance} first, then with its cookie {others}"
        if elsewhere
        else f"{len(later)} requests with {names[0]} to {first.instance}",
    )
