"""Rules on listeners: who is let in, and by which TLS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rules.model import Resource, Rule

LISTENER = "alicloud:slb/listener:Listener"

STRICT = ("tls_cipher_policy_1_2_strict", "tls_cipher_policy_1_2_strict_with_1_3")
"""TLS policies without TLS 1.1, CBC-SHA1 and key exchange without forward secrecy (SLB,
CreateLoadBalancerHTTPSListener, TLSCipherPolicy)."""


def _check_mutual_tls(listener: Resource, _configuration: Mapping[str, Any]) -> Iterable[str]:
    protocol = listener.properties.get("protocol")
    if protocol == "http" and listener.properties.get("listenerForward") == "on":
        return  # It answers every request with a redirect to the HTTPS listener.
    if protocol != "https":
        yield (
            f"{_name(listener)} has the protocol {protocol}, which asks nobody for a certificate: "
            "make it https, or an http listener that redirects to one"
        )
        return
    if not listener.has_value("caCertificateId"):
        yield (
            f"{_name(listener)} has no CA certificate, so that it lets in whoever comes: set "
            "ca_certificate_id to the clients' CA"
        )
    if not listener.has_value("serverCertificateId"):
        yield (
            f"{_name(listener)} has no server certificate: set server_certificate_id to an "
            "uploaded one"
        )


def _check_tls_policy(listener: Resource, _configuration: Mapping[str, Any]) -> Iterable[str]:
    if listener.properties.get("protocol") != "https":
        return
    chosen = listener.properties.get("tlsCipherPolicy")
    if chosen not in STRICT:
        present = f"the TLS policy {chosen}" if chosen else "no TLS policy, which means TLS 1.0"
        yield f"{_name(listener)} has {present}: set tls_cipher_policy to {' or '.join(STRICT)}"


def _check_health_check(listener: Resource, _configuration: Mapping[str, Any]) -> Iterable[str]:
    if listener.properties.get("protocol") == "https" and (
        listener.properties.get("healthCheck") != "on"
    ):
        yield (
            f"{_name(listener)} sends requests to backends that do not answer: set health_check "
            "to on"
        )


def _name(listener: Resource) -> str:
    port = listener.properties.get("frontendPort")
    return f"The listener on port {port:g}" if isinstance(port, int | float) else "The listener"


RULES = (
    Rule(
        "mutual-tls",
        "Every listener demands a client's certificate and shows a server's.",
        _check_mutual_tls,
        frozenset({LISTENER}),
    ),
    Rule(
        "tls-policy",
        "Every HTTPS listener speaks TLS 1.2 with strict ciphers, or better.",
        _check_tls_policy,
        frozenset({LISTENER}),
    ),
    Rule(
        "health-check",
        "Every HTTPS listener looks after its backends' health.",
        _check_health_check,
        frozenset({LISTENER}),
    ),
)
