"""Judgement of the certificates that the server presents."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from operations.verification.findings import Finding, some
from operations.verification.outcomes import Outcome, Untrusted


def served_certificate(served: bytes | Outcome, in_state: x509.Certificate | None) -> Finding:
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


def server_names(
    outcome: bytes | Outcome,
    certificate: x509.Certificate | None,
    expected: Iterable[str],
    host: str,
    *,
    private: bool,
) -> Finding:
    """Judge whether the served certificate bears the expected names and covers the URL's host.

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
        return Finding("failed", f"it lacks {', '.join(missing)}; it has {some(names)}")
    if isinstance(outcome, Untrusted):
        if outcome.wrong_name and names and not private:
            return Finding("passed", f"{some(names)}; reach the service so, not by {host}")
        return Finding("failed", f"{outcome.reason}; it has {some(names)}")
    if not isinstance(outcome, bytes):
        return Finding("failed", f"could not be tried: {outcome}")
    return Finding("passed", f"{host} is among {some(names)}")


def server_chain(outcome: bytes | Outcome, *, private: bool) -> Finding:
    """Judge whether the server's chain leads to its anchor.

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


def domain_certificates(
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
            finding = served_certificate(answer, in_state[domain])
            if finding.status != "passed":
                wrong.append(f"{domain}: {finding.detail}")
                continue
        if not covers(names, domain):
            wrong.append(f"{domain}: the certificate is for {some(names) or 'no name'}")
    if wrong:
        return Finding("failed", "; ".join(wrong))
    return Finding("passed", f"{some(served)}: each its own")


def covers(names: Iterable[str], domain: str) -> bool:
    """Tell whether a certificate's names cover a domain, perhaps with a `*` (RFC 9525, 6.3)."""
    known = {_normal(name) for name in names}
    return domain in known or f"*.{domain.split('.', 1)[-1]}" in known


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
