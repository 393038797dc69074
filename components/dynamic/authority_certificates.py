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

from ..pki import certificates, clb_keys, keys, name_constraints, reissue
from ..pki.certificates import Issuer
from ..pki.names import distinguished_name
from ..pki.windows import Window, read_time, show_time
from .properties import WINDOW, Properties, now, packed, unpacked

IDENTITY = ("subject", "key_bits", "generation", "adopted_key_sha256")
"""A change of these makes another CA: another key, and every certificate issued anew."""

FIRST_GENERATION = 1
"""Generation of a CA whose state says none: it was made before there were generations."""

NEXT_WINDOW = ("next_not_before", "next_not_after")

NEXT = ("next_generation", "next_subject", "next_key_bits", "next_key_id", *NEXT_WINDOW)
"""The CA that a rotation prepares: what check chooses of it."""

CROSS_NAME = "next_cross_name"
"""Property: a host that nobody has, in the name of the cross-certificate of one rotation."""

WITHDRAWN = "withdrawn"
"""Property: the cross-certificates of rotations that were given up, which go on being good by
signature and date. Each has `cross_name`, or none in states that did not name them yet, then
`subject`, and `not_after`."""

WITHDRAWN_CERTIFICATES = "withdrawn_certificates"
"""Output: the same for the revocation list, packed: what the register says of a revoked one."""

CROSS_CERTIFICATES = "cross_certificates"
"""Output: serial number and end of each that the present rotation has had, packed."""

CONSTRAINTS = "name_constraints"
"""Property: what the CA may certify. A change issues its certificate anew, with the same key."""

ADOPTED_AT = "adopted_at"
"""Property: since when a CA is here that was brought along, RFC 3339."""

KEPT = (
    "validity",
    "renew_before",
    "key_id",
    "certified_subject",
    "adopted_certificate",
    ADOPTED_AT,
    CONSTRAINTS,
    CROSS_NAME,
    WITHDRAWN,
)

PROBE_LIFETIME = timedelta(minutes=1)


def gives_up(olds: Properties, props: Properties) -> bool:
    """Whether the CA that was prepared shall not take over, so that nothing of it may be good."""
    return (
        "next_key_id" in olds
        and not takes_over(olds, props)
        and olds["next_key_id"] != props.get("next_key_id")
    )


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
        WITHDRAWN_CERTIFICATES: packed(_withdrawn(olds, props)),
    }
    if "next_generation" not in props:
        return outs
    return {**outs, **_prepared(olds, props, Issuer(certificate, key))}


def given_key(props: Properties) -> rsa.RSAPrivateKey | None:
    """The key of a CA that was brought along, if it was given."""
    given = props.get("adopted_private_key")
    return clb_keys.load(given) if given else None


def known_certificate(inputs: Properties) -> dict[str, str]:
    """What outputs say of the certificate of a CA that was brought along, if it stays as it is.

    As inputs they are known in a preview, in which what depends on the CA then does not change.
    """
    if "adopted_certificate" not in inputs:
        return {}
    ready = certificates.load(inputs["adopted_certificate"])
    without_key = "adopted_private_key" not in inputs
    stays = WITHDRAWN not in inputs if without_key else _serves(ready, inputs)
    return _shown(ready) if stays else {}


def lost_identity(olds: Properties, news: Properties) -> bool:
    """Whether a CA that was brought along is in force under another serial number.

    Earlier versions renewed it so, and locked out whose certificates name the old one.
    """
    given = _given(news)
    if given is None or "adopted_private_key" not in news or "certificate" not in olds:
        return False
    return not _goes_on(certificates.load(olds["certificate"]), given)


def expired_probe(outs: Properties, key: rsa.RSAPrivateKey | None) -> dict[str, Any]:
    """A client certificate that ended a minute after the CA's own start, if it can be made."""
    if key is None:
        return {}
    issuer = Issuer(certificates.load(outs["certificate"]), key)
    start = issuer.certificate.not_valid_before_utc
    own = keys.generate(clb_keys.SIZES[0])
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
    """The CA's own certificate: one that there is, if it serves, else another with the same key."""
    given = _given(props)
    present = certificates.load(olds["certificate"]) if "certificate" in olds else None
    if key is None:
        return _without_key(props, given, present)
    candidates = [given, present if given is None or _goes_on(present, given) else None]
    if takes_over(olds, props):
        candidates = [certificates.load(olds["next_certificate"])]
    for ready in candidates:
        if ready is not None and ready.public_key() == key.public_key() and _serves(ready, props):
            return ready
    window = Window.of_properties(props["not_before"], props["not_after"])
    below = _below(props, given)
    constraints = _constraints(props, given, below)
    if given is not None:
        return reissue.reissue(given, key, window, path_length=below, constraints=constraints)
    subject = distinguished_name(props.get("certified_subject", props["subject"]))
    return certificates.self_signed_authority(
        subject, key, window, path_length=below or 0, constraints=constraints
    )


def _given(props: Properties) -> x509.Certificate | None:
    """The certificate of a CA that was brought along."""
    given = props.get("adopted_certificate")
    return certificates.load(given) if given else None


def _goes_on(present: x509.Certificate | None, given: x509.Certificate) -> bool:
    return present is not None and reissue.keeps_identity(present, given)


def _without_key(
    props: Properties, given: x509.Certificate | None, present: x509.Certificate | None
) -> x509.Certificate:
    """The certificate of a CA that cannot sign another: its own, or the one in force."""
    if given is None:
        raise ValueError("a CA has a key of its own, or one that was brought along")
    # Its own would let in again what was handed out in a rotation that was given up.
    if WITHDRAWN in props and _goes_on(present, given) and present is not None:
        return present
    return given


def _prepared(olds: Properties, props: Properties, present: Issuer) -> dict[str, str]:
    """The next CA: its key, its own certificate, and the one that the present CA gives it."""
    same = olds.get("next_key_id") == props["next_key_id"]
    key = (
        clb_keys.load(olds["next_private_key"])
        if same
        else keys.generate(int(props["next_key_bits"]))
    )
    subject = distinguished_name(props["next_subject"])
    window = Window.of_properties(*(props[name] for name in NEXT_WINDOW))
    own = certificates.self_signed_authority(
        subject, key, window, constraints=configured_constraints(props)
    )
    crossed = certificates.cross_signed(
        present, subject, key.public_key(), window, props.get(CROSS_NAME)
    )
    earlier = _cross_certificates(olds) if same else []
    return {
        "next_certificate": certificates.pem(own),
        "cross_certificate": certificates.pem(crossed),
        "next_private_key": keys.pkcs1(key),
        CROSS_CERTIFICATES: packed([*earlier, _listed(crossed)]),
    }


def _cross_certificates(olds: Properties) -> list[dict[str, str]]:
    """Those of the rotation under way; states of before name the last one alone."""
    if CROSS_CERTIFICATES in olds:
        found: list[dict[str, str]] = unpacked(olds[CROSS_CERTIFICATES])
        return found
    return [_listed(certificates.load(olds["cross_certificate"]))]


def _listed(crossed: x509.Certificate) -> dict[str, str]:
    return {
        "serial_number": certificates.serial_number(crossed),
        "not_after": show_time(crossed.not_valid_after_utc),
        "authority_key_id": certificates.authority_key_id(crossed),
    }


def _withdrawn(olds: Properties, props: Properties) -> list[dict[str, str]]:
    """The cross-certificates that the present key signed and that nobody may go on using."""
    if takes_over(olds, props) or WITHDRAWN not in props:
        return []
    moment = now()
    found = [
        entry
        for entry in unpacked(olds.get(WITHDRAWN_CERTIFICATES, "[]"))
        if read_time(entry["not_after"]) >= moment
    ]
    if gives_up(olds, props):
        revoked = {
            "status": "revoked",
            "revoked_at": show_time(moment),
            "reason": "cessationOfOperation",
        }
        found += [{**entry, **revoked} for entry in _cross_certificates(olds)]
    return found


def _shown(certificate: x509.Certificate) -> dict[str, str]:
    return {
        "certificate": certificates.pem(certificate),
        "fingerprint_sha256": certificates.fingerprint_sha256(certificate),
        "serial_number": certificates.serial_number(certificate),
        "public_key_sha256": certificates.public_key_sha256(certificate),
    }


def _serves(ready: x509.Certificate, props: Properties) -> bool:
    """Whether a certificate that there is has the dates and extensions that are asked for."""
    given = _given(props)
    below = _below(props, given)
    return (
        Window.of_certificate(ready)
        == Window.of_properties(props["not_before"], props["not_after"])
        and certificates.path_length(ready) == below
        and name_constraints.of(ready) == _constraints(props, given, below)
    )


def _below(props: Properties, given: x509.Certificate | None) -> int | None:
    """How many CAs may stand between this one and a leaf; None: any number.

    The next one does, if there is one; and where a CA was brought along, those that it had let.
    """
    needed = 1 if "next_generation" in props else 0
    if given is None:
        return needed
    longest = certificates.path_length(given)
    return None if longest is None else max(needed, longest)


def _constraints(
    props: Properties, given: x509.Certificate | None, below: int | None
) -> x509.NameConstraints | None:
    """Names that the CA may certify: as configured, or as one that was brought along has it.

    Of cross-certificates that were withdrawn it may certify none, where any could stand below it:
    that is how a listener that reads no revocation list refuses them.
    """
    wanted = configured_constraints(props)
    if wanted is None and given is not None:
        wanted = name_constraints.of(given)
    if below == 0:
        return wanted
    return name_constraints.excluding(wanted, map(_withdrawn_name, props.get(WITHDRAWN, ())))


def _withdrawn_name(withdrawn: Properties) -> x509.GeneralName:
    """The name that one cross-certificate has, and nothing else."""
    if withdrawn.get("cross_name"):
        return x509.UniformResourceIdentifier(withdrawn["cross_name"])
    return x509.DirectoryName(distinguished_name(withdrawn["subject"]))
