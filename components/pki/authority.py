"""The life of a private CA: what is wanted, what is planned, and what is there.

`authority_planning` decides which CA there shall be, and a preview shows it. `transitions` names
what leads there, and `authority_issuing` carries it out.

A rotation in two steps keeps the CA. `next_generation` prepares the next key, and has the present
one sign it (newWithOld, RFC 4210, 4.4), so that clients of the next CA are accepted under the
present one's certificate. `generation` with that number then lets it take over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from . import certificates, name_constraints, names, reissue
from .name_constraints import Subtrees
from .names import distinguished_name
from .revocation_list import Listed
from .windows import ChosenWindow, Lengths, Window

FIRST_GENERATION = 1
"""Generation of a CA whose state says none: it was made before there were generations."""


@dataclass(frozen=True)
class Adopted:
    """A CA that was brought along.

    Attributes:
        text: Certificate as it was given, PEM.
        has_key: Whether its key was given too.
    """

    text: str
    has_key: bool

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate, parsed."""
        return certificates.load(self.text)


@dataclass(frozen=True)
class AuthorityIdentity:
    """Identity of a CA: with a change of any field it is another one."""

    subject: Mapping[str, str]
    key_bits: int
    generation: int = FIRST_GENERATION
    adopted_key_sha256: str | None = None

    def differences(self, other: AuthorityIdentity) -> list[str]:
        """Names of the fields in which two identities differ."""
        names = [field.name for field in fields(self)]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


@dataclass(frozen=True)
class Wanted:
    """A CA as it is asked for.

    Attributes:
        subject: Fields of its name.
        key_bits: Length of its key; while a rotation is under way, of the next key.
        lengths: How long its certificate is valid, and how long before its end it is renewed.
        generation: A number that rises with each key.
        next_generation: The generation that a rotation prepares; None if none is under way.
        adopted: The CA that was brought along; None for one that is made here.
        constraints: Names that it may certify, by `permitted` and `excluded`; empty for all.
    """

    subject: Mapping[str, str]
    key_bits: int
    lengths: Lengths
    generation: int = FIRST_GENERATION
    next_generation: int | None = None
    adopted: Adopted | None = None
    constraints: Mapping[str, Subtrees] = field(default_factory=dict)


@dataclass(frozen=True)
class NextPlan:
    """The CA that a rotation prepares, as it is planned.

    Attributes:
        generation: Number of its generation.
        subject: Fields of its name, which is not the present one's.
        key_bits: Length of its key.
        key_id: Text that stands for its key.
        window: Validity of its certificates.
        cross_name: Host that nobody has, in the name of its cross-certificate alone; None where
            there is none.
    """

    generation: int
    subject: Mapping[str, str]
    key_bits: int
    key_id: str
    window: Window
    cross_name: str | None = None


@dataclass(frozen=True)
class Withdrawn:
    """The cross-certificate of a rotation that was given up.

    It goes on being good by signature and date, so it is excluded by its `cross_name`; where that
    is empty, in states that had none yet, by its subject.
    """

    cross_name: str
    subject: Mapping[str, str]
    not_after: datetime

    def name(self) -> x509.GeneralName:
        """The name that this certificate has, and nothing else."""
        if self.cross_name:
            return x509.UniformResourceIdentifier(self.cross_name)
        return x509.DirectoryName(distinguished_name(self.subject))


@dataclass(frozen=True)
class AuthorityPlan:
    """A CA as it is planned.

    Attributes:
        identity: Fields that make it this CA.
        key_id: Text that stands for its key, and is known before there is the key.
        window: Validity of its certificate.
        constraints: Names that it may certify, as configured.
        adopted: The CA that was brought along.
        adopted_at: Since when that is here; None where an earlier version brought it along.
        certified_subject: Fields of the name in its certificate, where a rotation has made that.
        next: The CA that is to take over.
        withdrawn: Cross-certificates that nobody may go on using.
    """

    identity: AuthorityIdentity
    key_id: str
    window: ChosenWindow
    constraints: Mapping[str, Subtrees] = field(default_factory=dict)
    adopted: Adopted | None = None
    adopted_at: datetime | None = None
    certified_subject: Mapping[str, str] | None = None
    next: NextPlan | None = None
    withdrawn: tuple[Withdrawn, ...] = ()

    def certificate_as_adopted(self) -> x509.Certificate | None:
        """The certificate that was brought along, if it stays as it is."""
        if self.adopted is None:
            return None
        ready = self.adopted.certificate
        stays = self.is_met_by(ready) if self.adopted.has_key else not self.withdrawn
        return ready if stays else None

    def is_met_by(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate that there is has the dates and extensions that are planned."""
        return (
            Window.of_certificate(certificate) == self.window.window
            and certificates.path_length(certificate) == self.path_length()
            and name_constraints.of(certificate) == self.certified_constraints()
        )

    def path_length(self) -> int | None:
        """How many CAs may stand between this one and a leaf; None: any number.

        The next one does, if there is one; and where a CA was brought along, those that it had let.
        """
        needed = 1 if self.next else 0
        if self.adopted is None:
            return needed
        longest = certificates.path_length(self.adopted.certificate)
        return None if longest is None else max(needed, longest)

    def certified_constraints(self) -> x509.NameConstraints | None:
        """Names that the CA may certify: as configured, or as one that was brought along has it.

        Of cross-certificates that were withdrawn it may certify none, where any could stand below
        it: that is how a listener that reads no revocation list refuses them.
        """
        wanted = name_constraints.extension(self.constraints)
        if wanted is None and self.adopted is not None:
            wanted = name_constraints.of(self.adopted.certificate)
        if self.path_length() == 0:
            return wanted
        return name_constraints.excluding(wanted, (past.name() for past in self.withdrawn))

    def is_completed_by(self, generation: int) -> bool:
        """Whether the CA that was prepared is the one of that generation."""
        return self.next is not None and self.next.generation == generation

    def in_force(self, generation: int) -> AuthorityPlan:
        """The CA as it is, or the one that was prepared if that generation is asked for."""
        following = self.next
        if following is None or following.generation != generation:
            return self
        return AuthorityPlan(
            AuthorityIdentity(
                names.fit_subject(self.identity.subject), following.key_bits, following.generation
            ),
            following.key_id,
            ChosenWindow(following.window, self.window.validity),
            constraints=self.constraints,
            certified_subject=following.subject,
        )


@dataclass(frozen=True)
class CrossCertificate:
    """A certificate that the present CA gave the next one; serial number and key id in hex."""

    serial_number: str
    not_after: datetime
    authority_key_id: str

    @classmethod
    def of_certificate(cls, certificate: x509.Certificate) -> CrossCertificate:
        """Remember a cross-certificate."""
        return cls(
            certificates.serial_number(certificate),
            certificate.not_valid_after_utc,
            certificates.authority_key_id(certificate),
        )

    def revoked(self, now: datetime) -> Listed:
        """Make the entry of revocation lists for one whose rotation is given up."""
        return Listed(
            self.serial_number, now, "cessationOfOperation", self.not_after, self.authority_key_id
        )


@dataclass(frozen=True)
class NextAuthority:
    """The CA that a rotation has prepared.

    Attributes:
        certificate: Certificate of its own, self-signed.
        cross_certificate: The one that the present CA gave it.
        private_key: Private key.
        cross_certificates: Every one that the present CA has given it, the last one too.
    """

    certificate: x509.Certificate
    cross_certificate: x509.Certificate
    private_key: rsa.RSAPrivateKey
    cross_certificates: tuple[CrossCertificate, ...]


@dataclass(frozen=True)
class ExpiredClientCertificate:
    """A client certificate that had expired when it was made, and its key, both in PEM."""

    certificate: str
    private_key: str = field(repr=False)


@dataclass(frozen=True)
class IssuedAuthority:
    """A CA as it is.

    Attributes:
        plan: Plan that it was made by.
        certificate: Certificate in force, self-signed.
        private_key: Private key; None for one that was brought along without it.
        expired_probe: Client certificate with which verification shows that such are refused.
        next: The CA that a rotation has prepared.
        revoked: Cross-certificates of rotations that were given up, for the revocation list.
    """

    plan: AuthorityPlan
    certificate: x509.Certificate
    private_key: rsa.RSAPrivateKey | None = None
    expired_probe: ExpiredClientCertificate | None = None
    next: NextAuthority | None = None
    revoked: tuple[Listed, ...] = ()


class Transition(StrEnum):
    """A step from the CA that there is to the one that is planned."""

    ADOPT = "adopt"
    """The CA that was brought along is taken on: another certificate of it, or its key."""
    RENEW = "renew"
    """Another certificate is issued for the same key."""
    PREPARE = "prepare"
    """The next CA gets a key and its certificates, beside the present one."""
    COMPLETE = "complete"
    """The CA that was prepared takes over."""
    ABORT = "abort"
    """The CA that was prepared is given up, and nothing of it may be good any more."""
    REPLACE = "replace"
    """Another CA takes its place: another key, and every certificate is issued anew."""


def transitions(present: IssuedAuthority, planned: AuthorityPlan) -> frozenset[Transition]:
    """Steps from the CA that there is to the one that is planned; none if it is that."""
    before = present.plan
    replaced = bool(replaced_by(before, planned.identity))
    if before.is_completed_by(planned.identity.generation):
        return frozenset({Transition.COMPLETE, *([Transition.REPLACE] if replaced else [])})
    following, prepared = planned.next, before.next
    steps = {
        Transition.REPLACE: replaced,
        Transition.ADOPT: _adopts(present, planned),
        Transition.RENEW: _certificate_inputs(before) != _certificate_inputs(planned),
        Transition.PREPARE: following is not None
        and (prepared is None or _signed(prepared) != _signed(following)),
        Transition.ABORT: prepared is not None
        and (following is None or following.key_id != prepared.key_id),
    }
    return frozenset(step for step, needed in steps.items() if needed)


def replaced_by(before: AuthorityPlan, identity: AuthorityIdentity) -> list[str]:
    """Names of what makes an identity that of another CA; none if it is the same."""
    return before.in_force(identity.generation).identity.differences(identity)


def _adopts(present: IssuedAuthority, planned: AuthorityPlan) -> bool:
    before, adopted = present.plan.adopted, planned.adopted
    if adopted is None:
        return before is not None
    if before is None or before.text != adopted.text:
        return True
    if adopted.has_key != (present.private_key is not None):
        return True
    # Earlier versions renewed it under another serial number, and locked out whose certificates
    # name the old one.
    return adopted.has_key and not reissue.keeps_identity(present.certificate, adopted.certificate)


def _certificate_inputs(planned: AuthorityPlan) -> tuple[object, ...]:
    """Values of which a change issues a CA's own certificate anew."""
    return planned.key_id, planned.window.window, planned.constraints, planned.withdrawn


def _signed(following: NextPlan) -> tuple[object, ...]:
    """Values of which a change issues the next CA's certificates anew."""
    return following.key_id, following.window
