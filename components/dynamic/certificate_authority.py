"""The CA as a dynamic resource: a key, and a certificate that is renewed with the same key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from ..pki import authority, authority_issuing, authority_planning, keys, uploaded_keys
from ..pki.authority import FIRST_GENERATION
from ..pki.authority_issuing import IssuingSources
from ..pki.mistakes import WrongInputsError
from ..pki.name_constraints import Subtrees
from . import authority_state, state
from .authority_state import AuthorityInputs, AuthorityOutputs
from .properties import Properties, is_unknown, keep_reason_of_replacement, now

SECRETS = ("private_key", "next_private_key", "expired_probe")

REPEATED = (
    "subject",
    "key_bits",
    "generation",
    "adopted_key_sha256",
    "validity",
    "renew_before",
    "key_id",
    "certified_subject",
    "adopted_certificate",
    "adopted_at",
    "name_constraints",
    "next_cross_name",
    "withdrawn",
    "not_before",
    "not_after",
    "next_generation",
    "next_subject",
    "next_key_bits",
    "next_key_id",
    "next_not_before",
    "next_not_after",
)
"""Inputs that outputs repeat: no secret, and no reason for a reader of a preview."""


class Provider(ResourceProvider):
    """Makes, renews and rotates a CA. State refers to it by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose the validity windows, and the identity by which dependents see another key."""
        previous, failures = state.read_previous(AuthorityInputs, _olds)
        if failures or is_unknown(news):
            return CheckResult(dict(news), failures)
        before = previous.plan() if previous else None
        wanted = authority_state.read_wanted(news)
        try:
            planned = authority_planning.plan(before, wanted, now())
        except WrongInputsError as error:
            mistakes = [CheckFailure(each.place, each.sentence) for each in error.mistakes]
            return CheckResult(dict(news), mistakes)
        inputs = {**news, **authority_state.planned_inputs(planned)}
        another = authority_planning.change_of_identity(before, planned.identity)
        return keep_reason_of_replacement(_olds, news, CheckResult(inputs, []), another)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Another identity replaces the CA; another window renews it."""
        present = state.require(AuthorityOutputs, _olds).authority()
        if is_unknown(_news):
            return DiffResult(changes=True)
        planned = state.require(AuthorityInputs, _news).plan()
        steps = authority.transitions(present, planned)
        replaces = authority.replaced_by(present.plan, planned.identity)
        return DiffResult(changes=bool(steps), replaces=replaces)

    def create(self, props: Properties) -> CreateResult:
        """Make key, certificate and the expired client certificate that verification shows."""
        outs = _carry_out(None, props)
        return CreateResult(outs["public_key_sha256"], outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Renew the certificate under the same key, prepare a next key, or let it take over."""
        return UpdateResult(_carry_out(state.require(AuthorityOutputs, _olds), _news))


def _carry_out(present: AuthorityOutputs | None, news: Properties) -> dict[str, Any]:
    made = authority_issuing.carry_out(
        present.authority() if present else None,
        state.require(AuthorityInputs, news).plan(),
        _adopted_key(news),
        now(),
        IssuingSources(keys.generate, x509.random_serial_number),
    )
    repeated = {name: news[name] for name in REPEATED if name in news}
    return {**repeated, **authority_state.outputs(made)}


def _adopted_key(news: Properties) -> rsa.RSAPrivateKey | None:
    """The key of a CA that was brought along, if it was given."""
    text = news.get("adopted_private_key")
    return uploaded_keys.load(text) if text else None


class CertificateAuthority(Resource, module="pki", name="CertificateAuthority"):
    """A private CA.

    Attributes:
        certificate: PEM, self-signed.
        private_key: PKCS#1 PEM; secret. Missing for a CA that was brought along without it.
        key_id: Changes with the key alone, and is known in preview.
        fingerprint_sha256: Fingerprint of the certificate, hex.
        serial_number: Hex.
        public_key_sha256: Digest of the SubjectPublicKeyInfo, hex.
        not_before: RFC 3339.
        not_after: RFC 3339.
        expired_probe: `certificate` and `private_key` of an expired client; secret.
        next_certificate: PEM of the CA that a rotation prepares, self-signed.
        cross_certificate: PEM of the same, signed by the present CA.
        next_private_key: PKCS#1 PEM; secret.
        next_key_id: Key id of the CA that a rotation prepares, as `key_id`.
        adopted_at: RFC 3339: since when a CA is here that was brought along.
        withdrawn_certificates: JSON: the cross-certificates of rotations that were given up, as
            the register has what is revoked.
    """

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]
    key_id: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    serial_number: pulumi.Output[str]
    public_key_sha256: pulumi.Output[str]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]
    expired_probe: pulumi.Output[dict[str, str]]
    next_certificate: pulumi.Output[str]
    cross_certificate: pulumi.Output[str]
    next_private_key: pulumi.Output[str]
    next_key_id: pulumi.Output[str]
    adopted_at: pulumi.Output[str | None]
    withdrawn_certificates: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        subject: pulumi.Input[Mapping[str, str]],
        key_bits: int,
        validity: str,
        renew_before: str,
        generation: int = FIRST_GENERATION,
        next_generation: int | None = None,
        adopted_certificate: pulumi.Input[str] | None = None,
        adopted_private_key: pulumi.Input[str] | None = None,
        constraints: Mapping[str, Subtrees] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {
                "subject": subject,
                "key_bits": key_bits,
                "generation": generation,
                "next_generation": next_generation,
                "adopted_certificate": adopted_certificate,
                "adopted_private_key": None
                if adopted_private_key is None
                else pulumi.Output.secret(adopted_private_key),
                "validity": validity,
                "renew_before": renew_before,
                "name_constraints": dict(constraints) if constraints else None,
                **dict.fromkeys(
                    (
                        "certificate",
                        "private_key",
                        "key_id",
                        "fingerprint_sha256",
                        "serial_number",
                        "public_key_sha256",
                        "not_before",
                        "not_after",
                        "expired_probe",
                        "next_certificate",
                        "cross_certificate",
                        "next_private_key",
                        "next_key_id",
                        "adopted_at",
                        "withdrawn_certificates",
                    )
                ),
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=list(SECRETS))
            ),
        )
