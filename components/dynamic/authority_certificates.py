"""A CA's certificates and keys, as its properties ask for them.

A rotation in two steps keeps the resource. `next_generation` prepares the next key, and has the
present one sign it (newWithOld, RFC 4210, 4.4), so that clients of the next CA are accepted under
the present one's certificate. `generation` with that number then lets it take over.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from components.dynamic.properties import WINDOW, Properties
from pki import certificates, keys, name_constraints
from pki.certificates import Issuer
from pki.names import distinguished_name
from pki.windows import Window

IDENTITY = ("subject", "key_bits", "generation", "adopted_key_sha256")
"""A change of these makes another CA: another key, and every certificate issued anew."""

FIRST_GENERATION = 1
"""Of a CA that says nothing of it: those that were made before there were generations."""

NEXT_WINDOW = ("next_not_before", "next_not_after")

NEXT = ("next_generation", "next_subject", "next_key_bits", "next_key_id", *NEXT_WINDOW)
"""The CA that a rotation prepares: what check chooses of it."""

CONSTRAINTS = "name_constraints"
"""Property: what the CA may certify. A change issues its certificate anew, with the same key."""

KEPT = (
    "validity",
    "renew_before",
    "key_id",
    "certified_subject",
    "adopted_certificate",
    CONSTRAINTS,
)

PROBE_LIFETIME = timedelta(minutes=1)


def takes_over(olds: Properties, news: Properties) -> bool:
    """Whether the CA that was prepared is the one that is asked for now."""
    return "next_generation" in olds and olds["next_generation"] == news["generation"]


def issued(olds: Properties, props: Properties, key: rsa.RSAPrivateKey | None) -> dict[str, Any]:
    """The CA's outputs, all but the expired client certificate.

    Args:
        olds: Old outputs; empty for a new CA.
        props: Inputs as check completed them.
        key: The CA's own; None where it is not here.
    """
    certificate = _certificate(olds, props, key)
    outs = {
        **{name: props[name] for name in (*IDENTITY, *KEPT, *WINDOW, *NEXT) if name in props},
        **_shown(certificate),
        **({"private_key": keys.pkcs1(key)} if key else {}),
    }
    if "next_generation" not in props:
        return outs
    return {**outs, **_prepared(olds, props, Issuer(certificate, key))}


def given_key(props: Properties) -> rsa.RSAPrivateKey | None:
    """The key of a CA that was brought along, if it was given."""
    given = props.get("adopted_private_key")
    return keys.load(given) if given else None


def known_certificate(inputs: Properties) -> dict[str, str]:
    """What outputs say of the certificate of a CA that was brought along, if it stays as it is.

    As inputs they are known in a preview, in which what depends on the CA then does not change.
    """
    if "adopted_certificate" not in inputs:
        return {}
    ready = certificates.load(inputs["adopted_certificate"])
    stays = "adopted_private_key" not in inputs or _serves(ready, inputs)
    return _shown(ready) if stays else {}


def expired_probe(outs: Properties, key: rsa.RSAPrivateKey | None) -> dict[str, Any]:
    """A client certificate that ended a minute after the CA's own start, if it can be made."""
    if key is None:
        return {}
    issuer = Issuer(certificates.load(outs["certificate"]), key)
    start = issuer.certificate.not_valid_before_utc
    own = keys.generate(keys.SIZES[0])
    certificate = certificates.client(
        issuer,
        distinguished_name({"common_name": "expired probe"}),
        own.public_key(),
        Window(start, start + PROBE_LIFETIME),
    )
    probe = {"certificate": certificates.pem(certificate), "private_key": keys.pkcs1(own)}
    return {"expired_probe": probe}


def configured_constraints(props: Properties) -> x509.NameConstraints | None:
    """Names that the CA may certify, as configured; None: all."""
    return name_constraints.extension(props.get(CONSTRAINTS, {}))


def _certificate(
    olds: Properties, props: Properties, key: rsa.RSAPrivateKey | None
) -> x509.Certificate:
    """The CA's own certificate: the one there is, if it serves, else another with the same key."""
    ready: x509.Certificate | None = None
    if "adopted_certificate" in props:
        ready = certificates.load(props["adopted_certificate"])
    elif takes_over(olds, props):
        ready = certificates.load(olds["next_certificate"])
    if ready is not None and (key is None or _serves(ready, props)):
        return ready
    if key is None:
        raise ValueError("a CA has a key of its own, or one that was brought along")
    subject = distinguished_name(props.get("certified_subject", props["subject"]))
    return certificates.self_signed_authority(
        ready.subject if ready else subject,
        key,
        Window.of_properties(props["not_before"], props["not_after"]),
        path_length=_below(props),
        identifier=certificates.key_identifier(ready) if ready else None,
        constraints=_constraints(props, ready),
    )


def _prepared(olds: Properties, props: Properties, present: Issuer) -> dict[str, str]:
    """The next CA: its key, its own certificate, and the one that the present CA gives it."""
    same = olds.get("next_key_id") == props["next_key_id"]
    key = (
        keys.load(olds["next_private_key"]) if same else keys.generate(int(props["next_key_bits"]))
    )
    subject = distinguished_name(props["next_subject"])
    window = Window.of_properties(*(props[name] for name in NEXT_WINDOW))
    own = certificates.self_signed_authority(
        subject, key, window, constraints=configured_constraints(props)
    )
    crossed = certificates.cross_signed(present, subject, key.public_key(), window)
    return {
        "next_certificate": certificates.pem(own),
        "cross_certificate": certificates.pem(crossed),
        "next_private_key": keys.pkcs1(key),
    }


def _shown(certificate: x509.Certificate) -> dict[str, str]:
    return {
        "certificate": certificates.pem(certificate),
        "fingerprint_sha256": certificates.fingerprint_sha256(certificate),
        "serial_number": certificates.serial_number(certificate),
        "public_key_sha256": certificates.public_key_sha256(certificate),
    }


def _serves(ready: x509.Certificate, props: Properties) -> bool:
    """Whether a certificate that there is has the dates and extensions that are asked for."""
    return (
        Window.of_certificate(ready)
        == Window.of_properties(props["not_before"], props["not_after"])
        and certificates.allows_below(ready, _below(props))
        and name_constraints.of(ready) == _constraints(props, ready)
    )


def _below(props: Properties) -> int:
    """How many CAs may stand between this one and a leaf: the next one does, if there is one."""
    return 1 if "next_generation" in props else 0


def _constraints(props: Properties, ready: x509.Certificate | None) -> x509.NameConstraints | None:
    """Names that the CA may certify: as configured, or as one that was brought along has it."""
    configured = configured_constraints(props)
    if configured is None and "adopted_certificate" in props and ready is not None:
        return name_constraints.of(ready)
    return configured
