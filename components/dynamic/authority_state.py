"""State of a CA: judged, read, and written."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from cryptography import x509
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ..pki import certificates, keys
from ..pki.authority import (
    FIRST_GENERATION,
    Adopted,
    AuthorityIdentity,
    AuthorityPlan,
    CrossCertificate,
    ExpiredClientCertificate,
    IssuedAuthority,
    NextAuthority,
    NextPlan,
    Wanted,
    Withdrawn,
)
from ..pki.revocation_list import Listed
from ..pki.windows import Lengths, Window, show_time
from .properties import Properties, pack
from .state import (
    Certificate,
    ChosenWindowState,
    Form,
    Key,
    Number,
    Pem,
    Reason,
    SerialNumber,
    State,
    Subject,
    Time,
    from_json,
    require_all,
    require_order,
    require_pair,
)


def _cross_name(value: str) -> str:
    if value and not re.fullmatch(r"[0-9a-f]{16}\.invalid", value):
        raise ValueError("it is no host of a rotation")
    return value


CrossName = Annotated[str, AfterValidator(_cross_name)]
"""Host of a rotation alone; empty for one of before there were such."""


class WithdrawnState(Form):
    """The cross-certificate of a rotation that was given up."""

    cross_name: CrossName
    subject: Subject
    not_after: Time

    def withdrawn(self) -> Withdrawn:
        """Make what `authority` works with."""
        return Withdrawn(self.cross_name, self.subject, self.not_after)


class CrossCertificateState(Form):
    """A certificate that the present CA gave the next one."""

    serial_number: SerialNumber
    not_after: Time
    authority_key_id: str

    def certificate(self) -> CrossCertificate:
        """Make what `authority` works with."""
        return CrossCertificate(self.serial_number, self.not_after, self.authority_key_id)


class RevokedCrossCertificateState(CrossCertificateState):
    """Cross-certificate after its rotation was given up, as the register has what is revoked."""

    status: Literal["revoked"]
    revoked_at: Time
    reason: Reason

    def revoked(self) -> Listed:
        """Make what `authority` works with."""
        return Listed(
            self.serial_number,
            self.revoked_at,
            self.reason,
            self.not_after,
            self.authority_key_id,
        )


class AuthorityInputs(State, ChosenWindowState):
    """Inputs of a certificate authority, as the state keeps them.

    The CA that a rotation prepares is either complete or absent.
    """

    resource = "CertificateAuthority"

    subject: dict[str, str]
    key_bits: Number
    generation: Number = FIRST_GENERATION
    key_id: str
    certified_subject: Subject | None = None
    adopted_certificate: str | None = None
    adopted_private_key: str | None = None
    adopted_key_sha256: str | None = None
    name_constraints: dict[str, Any] = Field(default_factory=dict)
    next_generation: Number | None = None
    next_subject: Subject | None = None
    next_key_bits: Number | None = None
    next_key_id: str | None = None
    next_not_before: Time | None = None
    next_not_after: Time | None = None
    next_cross_name: CrossName | None = None
    adopted_at: Time | None = None
    withdrawn: tuple[WithdrawnState, ...] = ()

    @model_validator(mode="after")
    def _next_as_a_whole(self) -> Self:
        if self.next_generation is not None:
            require_all(self, "next_subject", "next_key_bits", "next_key_id")
            require_all(self, "next_not_before", "next_not_after")
            require_order(self.next_not_before, self.next_not_after)
        return self

    def plan(self) -> AuthorityPlan:
        """Make what `authority` works with."""
        return AuthorityPlan(
            identity=AuthorityIdentity(
                self.subject, self.key_bits, self.generation, self.adopted_key_sha256
            ),
            key_id=self.key_id,
            window=self.chosen_window(),
            constraints=self.name_constraints,
            adopted=self._adopted(),
            adopted_at=self.adopted_at,
            certified_subject=self.certified_subject,
            next=self._next(),
            withdrawn=tuple(past.withdrawn() for past in self.withdrawn),
        )

    def _adopted(self) -> Adopted | None:
        if self.adopted_certificate is None:
            return None
        return Adopted(self.adopted_certificate, has_key=self.adopted_private_key is not None)

    def _next(self) -> NextPlan | None:
        if (
            self.next_generation is None
            or self.next_subject is None
            or self.next_key_bits is None
            or self.next_key_id is None
            or self.next_not_before is None
            or self.next_not_after is None
        ):
            return None
        return NextPlan(
            self.next_generation,
            self.next_subject,
            self.next_key_bits,
            self.next_key_id,
            Window(self.next_not_before, self.next_not_after),
            self.next_cross_name,
        )


class ExpiredProbeState(Form):
    """The expired client certificate and its key."""

    certificate: Pem
    private_key: str


class AuthorityOutputs(AuthorityInputs):
    """Outputs of a certificate authority: its inputs and the certificates that were issued.

    A CA that was brought along may be without its key.
    """

    certificate: Certificate
    private_key: Key | None = None
    expired_probe: ExpiredProbeState | None = None
    next_certificate: Certificate | None = None
    cross_certificate: Certificate | None = None
    next_private_key: Key | None = None
    cross_certificates: (
        Annotated[list[CrossCertificateState], BeforeValidator(from_json)] | None
    ) = None
    withdrawn_certificates: Annotated[
        tuple[RevokedCrossCertificateState, ...], BeforeValidator(from_json)
    ] = ()

    @model_validator(mode="after")
    def _keys_with_certificates(self) -> Self:
        if self.adopted_certificate is None:
            require_all(self, "private_key")
        require_pair(self.certificate, self.private_key, "")
        if self.next_generation is not None:
            require_all(self, "next_certificate", "cross_certificate", "next_private_key")
            require_pair(self.next_certificate, self.next_private_key, "next_")
        return self

    def authority(self) -> IssuedAuthority:
        """Make what `authority` works with."""
        probe = self.expired_probe
        return IssuedAuthority(
            plan=self.plan(),
            certificate=self.certificate,
            private_key=self.private_key,
            expired_probe=ExpiredClientCertificate(probe.certificate, probe.private_key)
            if probe
            else None,
            next=self._next_authority(),
            revoked=tuple(past.revoked() for past in self.withdrawn_certificates),
        )

    def _next_authority(self) -> NextAuthority | None:
        own, crossed, key = self.next_certificate, self.cross_certificate, self.next_private_key
        if self.next_generation is None or own is None or crossed is None or key is None:
            return None
        if self.cross_certificates is None:  # States of before have the last one alone.
            known: tuple[CrossCertificate, ...] = (CrossCertificate.of_certificate(crossed),)
        else:
            known = tuple(past.certificate() for past in self.cross_certificates)
        return NextAuthority(own, crossed, key, known)


def read_wanted(news: Properties) -> Wanted:
    """Read what the program asks for."""
    following = news.get("next_generation")
    text = news.get("adopted_certificate")
    return Wanted(
        subject=news["subject"],
        key_bits=int(news["key_bits"]),
        lengths=Lengths(news["validity"], news["renew_before"]),
        generation=int(news.get("generation", FIRST_GENERATION)),
        next_generation=None if following is None else int(following),
        adopted=None if text is None else Adopted(text, has_key="adopted_private_key" in news),
        constraints=news.get("name_constraints", {}),
    )


def planned_inputs(planned: AuthorityPlan) -> dict[str, Any]:
    """The inputs that a plan decides; absent is what is None or empty."""
    identity, following = planned.identity, planned.next
    inputs = {
        "key_bits": identity.key_bits,
        "generation": identity.generation,
        "adopted_key_sha256": identity.adopted_key_sha256,
        "key_id": planned.key_id,
        **planned.window.properties(),
        "adopted_at": show_time(planned.adopted_at) if planned.adopted_at else None,
        "certified_subject": planned.certified_subject,
        "withdrawn": [
            {
                "cross_name": past.cross_name,
                "subject": past.subject,
                "not_after": show_time(past.not_after),
            }
            for past in planned.withdrawn
        ]
        or None,
    }
    if following is not None:
        inputs |= {
            "next_generation": following.generation,
            "next_subject": following.subject,
            "next_key_bits": following.key_bits,
            "next_key_id": following.key_id,
            "next_not_before": show_time(following.window.not_before),
            "next_not_after": show_time(following.window.not_after),
            "next_cross_name": following.cross_name or None,
        }
    ready = planned.certificate_as_adopted()
    if ready is not None:
        # Known in a preview, in which what depends on the CA then does not change.
        inputs |= certificate_outputs(ready)
    return {name: value for name, value in inputs.items() if value is not None}


def outputs(authority: IssuedAuthority) -> dict[str, Any]:
    """The outputs that a CA has beside its inputs."""
    probe, following = authority.expired_probe, authority.next
    outs: dict[str, Any] = {
        **certificate_outputs(authority.certificate),
        "withdrawn_certificates": pack([_revoked(past) for past in authority.revoked]),
    }
    if authority.private_key is not None:
        outs["private_key"] = keys.pkcs1(authority.private_key)
    if probe is not None:
        outs["expired_probe"] = {
            "certificate": probe.certificate,
            "private_key": probe.private_key,
        }
    if following is not None:
        outs |= {
            "next_certificate": certificates.pem(following.certificate),
            "cross_certificate": certificates.pem(following.cross_certificate),
            "next_private_key": keys.pkcs1(following.private_key),
            "cross_certificates": pack([_shown(past) for past in following.cross_certificates]),
        }
    return outs


def certificate_outputs(certificate: x509.Certificate) -> dict[str, str]:
    """Outputs about the CA's certificate."""
    return {
        "certificate": certificates.pem(certificate),
        "fingerprint_sha256": certificates.fingerprint_sha256(certificate),
        "serial_number": certificates.serial_number(certificate),
        "public_key_sha256": certificates.public_key_sha256(certificate),
    }


def _shown(crossed: CrossCertificate | Listed) -> dict[str, str]:
    return {
        "serial_number": crossed.serial_number,
        "not_after": show_time(crossed.not_after),
        "authority_key_id": crossed.authority_key_id,
    }


def _revoked(past: Listed) -> dict[str, str]:
    return {
        **_shown(past),
        "status": "revoked",
        "revoked_at": show_time(past.revoked_at),
        "reason": past.reason,
    }
