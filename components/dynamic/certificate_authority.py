"""The CA as a dynamic resource: a key, and a certificate that is renewed with the same key."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi.dynamic import (
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from ..pki import clb_keys, keys
from ..pki.name_constraints import Subtrees
from . import authority_inputs, state
from .authority_certificates import (
    ADOPTED_AT,
    CONSTRAINTS,
    FIRST_GENERATION,
    IDENTITY,
    NEXT_WINDOW,
    WITHDRAWN,
    WITHDRAWN_CERTIFICATES,
    expired_probe,
    given_key,
    issued,
    lost_identity,
    takes_over,
)
from .authority_state import AuthorityInputs, AuthorityOutputs
from .properties import (
    WINDOW,
    Properties,
    changed,
    differing,
    is_unknown,
    with_reason_of_replacement,
)

SECRETS = ("private_key", "next_private_key", "expired_probe")


class Provider(ResourceProvider):
    """Makes, renews and rotates a CA. State refers to it by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose the validity windows, and the identity by which dependents see another key."""
        if failures := state.failures(AuthorityInputs, _olds):
            return CheckResult(dict(news), failures)
        found = authority_inputs.checked(_olds, news)
        another = changed(authority_inputs.in_force(_olds, found.inputs), found.inputs, IDENTITY)
        return with_reason_of_replacement(_olds, news, found, another)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Another identity replaces the CA; another window renews it."""
        state.require(AuthorityOutputs, _olds)
        if is_unknown(_news):
            return DiffResult(changes=True)
        # A refresh hands over the inputs of the state, which an earlier version's check completed.
        news = {"generation": FIRST_GENERATION, **_news}
        before = authority_inputs.in_force(_olds, news)
        replaces = differing(before, news, IDENTITY)
        content = ("adopted_certificate", "key_id", "next_key_id", CONSTRAINTS, WITHDRAWN)
        renewed = differing(_olds, news, (*content, *WINDOW, *NEXT_WINDOW))
        adopted = "adopted_certificate" in news
        moved = adopted and ("adopted_private_key" in news) != ("private_key" in _olds)
        changes = replaces or renewed or moved or lost_identity(_olds, news)
        return DiffResult(changes=bool(changes), replaces=replaces)

    def create(self, props: Properties) -> CreateResult:
        """Make key, certificate and the expired client certificate that verification shows."""
        adopted = "adopted_certificate" in props
        key = given_key(props) if adopted else keys.generate(int(props["key_bits"]))
        outs = issued({}, props, key)
        return CreateResult(outs["public_key_sha256"], {**outs, **expired_probe(outs, key)})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Renew the certificate under the same key, prepare a next key, or let it take over."""
        state.require(AuthorityOutputs, _olds)
        if takes_over(_olds, _news):
            key = clb_keys.load(_olds["next_private_key"])
            outs = issued(_olds, _news, key)
            return UpdateResult({**outs, **expired_probe(outs, key)})
        adopted = "adopted_certificate" in _news
        present = given_key(_news) if adopted else clb_keys.load(_olds["private_key"])
        outs = issued(_olds, _news, present)
        if present is None or "expired_probe" not in _olds:
            return UpdateResult({**outs, **expired_probe(outs, present)})
        return UpdateResult({**outs, "expired_probe": _olds["expired_probe"]})


class CertificateAuthority(Resource, module="pki", name="CertificateAuthority"):
    """A private CA.

    Attributes:
        certificate: PEM, self-signed.
        private_key: PKCS#1 PEM; secret. Missing for a CA that was brought along without it.
        key_id: Changes with the key alone, and is known in preview.
        fingerprint_sha256: Of the certificate, hex.
        serial_number: Hex.
        public_key_sha256: Of the SubjectPublicKeyInfo, hex.
        not_before: RFC 3339.
        not_after: RFC 3339.
        expired_probe: `certificate` and `private_key` of an expired client; secret.
        next_certificate: PEM of the CA that a rotation prepares, self-signed.
        cross_certificate: PEM of the same, signed by the present CA.
        next_private_key: PKCS#1 PEM; secret.
        next_key_id: As `key_id`.
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
                CONSTRAINTS: dict(constraints) if constraints else None,
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
                        ADOPTED_AT,
                        WITHDRAWN_CERTIFICATES,
                    )
                ),
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=list(SECRETS))
            ),
        )
