"""Makes a CA as it is planned: its key, its certificate, and those of a rotation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from . import certificates, keys, name_constraints, reissue, uploaded_keys
from .authority import (
    AuthorityPlan,
    CrossCertificate,
    ExpiredClientCertificate,
    IssuedAuthority,
    NextAuthority,
    NextPlan,
    Transition,
    transitions,
)
from .certificates import Issuer
from .name_constraints import Subtrees
from .names import distinguished_name
from .revocation_list import Listed
from .windows import Window

PROBE_LIFETIME = timedelta(minutes=1)


@dataclass(frozen=True)
class IssuingSources:
    """Sources of keys, by their length in bits, and of serial numbers."""

    generate_key: Callable[[int], rsa.RSAPrivateKey]
    serial_number: Callable[[], int]


def carry_out(
    present: IssuedAuthority | None,
    planned: AuthorityPlan,
    adopted_key: rsa.RSAPrivateKey | None,
    now: datetime,
    sources: IssuingSources,
) -> IssuedAuthority:
    """Make a CA as it is planned.

    Args:
        present: The CA that there is; None for a new one.
        planned: Plan of the CA.
        adopted_key: Key of the CA that was brought along, if it was given.
        now: Time of revocations.
        sources: Sources of keys and serial numbers.
    """
    steps = frozenset[Transition]() if present is None else transitions(present, planned)
    # The CA that takes over.
    successor = present.next if present and Transition.COMPLETE in steps else None
    key = _key(present, planned, successor, adopted_key, sources)
    certificate = _certificate(present, planned, successor, key, sources)
    following = None
    if planned.next is not None:
        kept = _kept_next(present, planned.next)
        issuer = Issuer(certificate, key)
        following = _carry_out_next(kept, planned.next, planned.constraints, issuer, sources)
    probe = present.expired_probe if present and key is not None and not successor else None
    return IssuedAuthority(
        plan=planned,
        certificate=certificate,
        private_key=key,
        expired_probe=probe or _expired_probe(certificate, key, sources),
        next=following,
        revoked=() if successor else _revoke(present, planned, now, Transition.ABORT in steps),
    )


def _key(
    present: IssuedAuthority | None,
    planned: AuthorityPlan,
    successor: NextAuthority | None,
    adopted_key: rsa.RSAPrivateKey | None,
    sources: IssuingSources,
) -> rsa.RSAPrivateKey | None:
    if successor is not None:
        return successor.private_key
    if planned.adopted is not None:
        return adopted_key
    if present is not None:
        return present.private_key
    return sources.generate_key(planned.identity.key_bits)


def _certificate(
    present: IssuedAuthority | None,
    planned: AuthorityPlan,
    successor: NextAuthority | None,
    key: rsa.RSAPrivateKey | None,
    sources: IssuingSources,
) -> x509.Certificate:
    """The CA's own certificate: one that there is, if it serves, else another with the same key."""
    adopted = planned.adopted.certificate if planned.adopted else None
    held = present.certificate if present else None
    if adopted and held and not reissue.keeps_identity(held, adopted):
        held = None
    if key is None:
        return _without_key(planned, adopted, held)
    candidates = [successor.certificate] if successor else [adopted, held]
    for ready in candidates:
        if ready and ready.public_key() == key.public_key() and planned.is_met_by(ready):
            return ready
    window, below = planned.window.window, planned.path_length()
    constraints = planned.certified_constraints()
    if adopted is not None:
        return reissue.reissue(adopted, key, window, path_length=below, constraints=constraints)
    return certificates.issue_authority(
        distinguished_name(planned.certified_subject or planned.identity.subject),
        key,
        window,
        path_length=below or 0,
        constraints=constraints,
        serial_number=sources.serial_number(),
    )


def _without_key(
    planned: AuthorityPlan, adopted: x509.Certificate | None, held: x509.Certificate | None
) -> x509.Certificate:
    """The certificate of a CA that cannot sign another: its own, or the one in force."""
    if adopted is None:
        raise ValueError("a CA has a key of its own, or one that was brought along")
    # Its own would let in again what was handed out in a rotation that was given up.
    return held if held and planned.withdrawn else adopted


def _kept_next(present: IssuedAuthority | None, planned: NextPlan) -> NextAuthority | None:
    """The CA that was prepared, if it is the one that is planned."""
    before = present.plan.next if present else None
    return present.next if present and before and before.key_id == planned.key_id else None


def _carry_out_next(
    kept: NextAuthority | None,
    planned: NextPlan,
    constraints: Mapping[str, Subtrees],
    present: Issuer,
    sources: IssuingSources,
) -> NextAuthority:
    """The next CA: its key, its own certificate, and the one that the present CA gives it."""
    key = kept.private_key if kept else sources.generate_key(planned.key_bits)
    subject = distinguished_name(planned.subject)
    own = certificates.issue_authority(
        subject,
        key,
        planned.window,
        constraints=name_constraints.extension(constraints),
        serial_number=sources.serial_number(),
    )
    crossed = certificates.cross_sign(
        present,
        subject,
        key.public_key(),
        planned.window,
        planned.cross_name,
        serial_number=sources.serial_number(),
    )
    earlier = kept.cross_certificates if kept else ()
    return NextAuthority(own, crossed, key, (*earlier, CrossCertificate.of_certificate(crossed)))


def _revoke(
    present: IssuedAuthority | None, planned: AuthorityPlan, now: datetime, aborts: bool
) -> tuple[Listed, ...]:
    """The cross-certificates that the present key signed and that nobody may go on using."""
    if present is None or not planned.withdrawn:
        return ()
    revoked = [past for past in present.revoked if past.not_after >= now]
    if aborts and present.next:
        revoked += [past.revoked(now) for past in present.next.cross_certificates]
    return tuple(revoked)


def _expired_probe(
    certificate: x509.Certificate, key: rsa.RSAPrivateKey | None, sources: IssuingSources
) -> ExpiredClientCertificate | None:
    """A client certificate that ended a minute after the CA's own start, if it can be made."""
    if key is None:
        return None
    start = certificate.not_valid_before_utc
    own = sources.generate_key(uploaded_keys.SIZES[0])
    issued = certificates.issue_client(
        Issuer(certificate, key),
        distinguished_name({"common_name": "expired probe"}),
        own.public_key(),
        Window(start, start + PROBE_LIFETIME),
        serial_number=sources.serial_number(),
    )
    return ExpiredClientCertificate(certificates.pem(issued), keys.pkcs1(own))
