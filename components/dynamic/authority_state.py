"""State of a CA, as far as its next update builds on it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from .state import (
    Certificate,
    ChosenWindowState,
    Form,
    Key,
    Number,
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


class Withdrawn(Form):
    """The cross-certificate of a rotation that was given up."""

    cross_name: CrossName
    subject: Subject
    not_after: Time


class CrossCertificate(Form):
    """A certificate that the present CA gave the next one."""

    serial_number: SerialNumber
    not_after: Time
    authority_key_id: str


class WithdrawnCertificate(CrossCertificate):
    """Cross-certificate after its rotation was given up, as the register has what is revoked."""

    status: Literal["revoked"]
    revoked_at: Time
    reason: Reason


class AuthorityInputs(State, ChosenWindowState):
    """Inputs of a certificate authority, as the state keeps them.

    The CA that a rotation prepares is either complete or absent.
    """

    resource = "CertificateAuthority"

    subject: dict[str, str]
    key_bits: Number
    generation: Number | None = None
    key_id: str
    certified_subject: Subject | None = None
    adopted_certificate: str | None = None
    adopted_key_sha256: str | None = None
    name_constraints: dict[str, Any] | None = None
    next_generation: Number | None = None
    next_subject: Subject | None = None
    next_key_bits: Number | None = None
    next_key_id: str | None = None
    next_not_before: Time | None = None
    next_not_after: Time | None = None
    next_cross_name: CrossName | None = None
    adopted_at: Time | None = None
    withdrawn: list[Withdrawn] | None = None

    @model_validator(mode="after")
    def _next_as_a_whole(self) -> Self:
        if self.next_generation is not None:
            require_all(self, "next_subject", "next_key_bits", "next_key_id")
            require_all(self, "next_not_before", "next_not_after")
            require_order(self.next_not_before, self.next_not_after)
        return self


class Probe(Form):
    """The expired client certificate."""

    certificate: Certificate
    private_key: str


class AuthorityOutputs(AuthorityInputs):
    """Outputs of a certificate authority: its inputs and the certificates that were issued.

    A CA that was brought along may be without its key.
    """

    certificate: Certificate
    private_key: Key | None = None
    expired_probe: Probe | None = None
    next_certificate: Certificate | None = None
    cross_certificate: Certificate | None = None
    next_private_key: Key | None = None
    cross_certificates: Annotated[list[CrossCertificate], BeforeValidator(from_json)] | None = None
    withdrawn_certificates: (
        Annotated[list[WithdrawnCertificate], BeforeValidator(from_json)] | None
    ) = None

    @model_validator(mode="after")
    def _keys_with_certificates(self) -> Self:
        if self.adopted_certificate is None:
            require_all(self, "private_key")
        require_pair(self.certificate, self.private_key, "")
        if self.next_generation is not None:
            require_all(self, "next_certificate", "cross_certificate", "next_private_key")
            require_pair(self.next_certificate, self.next_private_key, "next_")
        return self
