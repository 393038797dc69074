"""Remarks on what `make up` changes of a load balancer that was made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes

from components.pki import certificates
from configuration.settings import Settings
from operations.adoption.existing import Existing
from operations.stacks.environment import section


def remarks(existing: Existing, settings: Settings, config: Mapping[str, Any]) -> Iterator[str]:
    """List what a person has to know before `make up` changes an imported load balancer.

    Args:
        existing: The load balancer.
        settings: What the stack's are to be, as far as they are about it.
        config: The stack's configuration, as its file has it.
    """
    yield from _left_alone(existing, settings)
    yield from _not_kept(existing, settings)
    if existing.ca_fingerprint is None:
        yield "The listener asks for no client certificate today; after `make up` it does."
    elif _same_ca(existing.ca_fingerprint, config):
        yield "The CA stays the same: client certificates of before go on working."
    else:
        yield (
            "The CA is another: after `make up` the listener refuses every client certificate of "
            "before. To keep them, bring the CA along: certificate_authority.certificate and "
            ".private_key."
        )


def _left_alone(existing: Existing, settings: Settings) -> Iterator[str]:
    listener = existing.listener
    extensions = existing.domain_extensions
    yield (
        f"Left alone: server certificate {listener.server_certificate_id}"
        + (f" and CA certificate {listener.cacertificate_id}" if existing.ca_fingerprint else "")
        + (f", and the certificates for {', '.join(extensions)}" if extensions else "")
        + ". After `make up` this listener does not refer to them; once no other does, delete them "
        "by hand."
    )
    others = list(existing.other_listeners)
    if existing.redirect_port not in {None, settings.listener.redirect_port}:
        others.append(f"http:{existing.redirect_port}")
    if others:
        yield f"Left alone: listeners {', '.join(others)}."
    rules = listener.rules.rule if listener.rules else []
    if rules:
        yield f"Left alone: forwarding rules {', '.join(one.rule_name for one in rules)}."
    if listener.status == "stopped":
        yield "The listener is stopped, and `make up` does not start it: start it by hand."
    if existing.instance.load_balancer_status == "inactive":
        yield "The load balancer is stopped, and `make up` does not start it: start it by hand."


def _not_kept(existing: Existing, settings: Settings) -> Iterator[str]:
    """List the attributes of the load balancer that the configuration does not keep as they are."""
    instance, listener = existing.instance, existing.listener
    before, after = listener.tlscipher_policy, settings.listener.tls_cipher_policy
    if before != after:
        yield (
            f"The TLS policy {before} becomes {after}: who speaks only what that leaves out does "
            "not get through any more."
        )
    if listener.description:
        yield f"The listener's description, {listener.description}, becomes the stack's."
    if instance.modification_protection_reason and settings.load_balancer.modification_protection:
        yield (
            "The reason of the load balancer's protection, "
            f"{instance.modification_protection_reason}, becomes the stack's name."
        )


def _same_ca(fingerprint: str, config: Mapping[str, Any]) -> bool:
    text = section(config, "certificate_authority").get("certificate")
    if not isinstance(text, str):
        return False
    try:
        certificate = certificates.load(text)
    except ValueError:
        return False  # The preview says what is wrong with it.
    # The API's fingerprint is SHA-1.
    return certificate.fingerprint(hashes.SHA1()).hex() == fingerprint  # noqa: S303
