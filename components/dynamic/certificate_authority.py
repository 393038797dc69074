"""The CA as a dynamic resource: a key, and a certificate that is renewed with the same key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pulumi
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

from components.dynamic.properties import WINDOW, Properties, failure, is_unknown, now, window
from pki import certificates, keys
from pki.certificates import Issuer
from pki.names import distinguished_name
from pki.windows import Window

IDENTITY = ("subject", "key_bits", "generation")
"""A change of these makes another CA: another key, and every certificate issued anew."""

FIRST_GENERATION = 1
"""Of a CA that says nothing of it: those that were made before there were generations."""

PROBE_LIFETIME = timedelta(minutes=1)


class Provider(ResourceProvider):
    """Makes and renews a CA. State refers to this class by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose the validity window, and the identity by which dependents see another key."""
        inputs = dict(news)
        if is_unknown(news):
            return CheckResult(inputs, [])
        inputs["key_bits"] = int(news["key_bits"])
        inputs["generation"] = int(news.get("generation", FIRST_GENERATION))
        failures = failure("subject", lambda: distinguished_name(news["subject"]))
        failures += failure("key_bits", lambda: keys.require_size(inputs["key_bits"]))
        another = bool(_differing(_olds, inputs))
        try:
            chosen = window(_olds, news, now(), restart=another)
        except ValueError as error:
            return CheckResult(inputs, [*failures, CheckFailure("validity", str(error))])
        inputs |= chosen.properties()
        old_key = None if another else _olds.get("key_id")
        inputs["key_id"] = old_key or _key_id(inputs)
        return CheckResult(inputs, failures)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Another identity replaces the CA; another window renews it."""
        if is_unknown(_news):
            return DiffResult(changes=True)
        replaces = _differing(_olds, _news)
        renewed = any(_olds.get(name) != _news[name] for name in WINDOW)
        return DiffResult(changes=bool(replaces) or renewed, replaces=replaces)

    def create(self, props: Properties) -> CreateResult:
        """Make key, certificate and the expired client certificate that verification shows."""
        key = keys.generate(int(props["key_bits"]))
        outs = _outputs(props, key)
        issuer = Issuer(certificates.load(outs["certificate"]), key)
        outs["expired_probe"] = _expired_probe(issuer)
        return CreateResult(outs["public_key_sha256"], outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Renew the certificate: same name, same key, so that what it signed goes on working."""
        outs = _outputs(_news, keys.load(_olds["private_key"]))
        return UpdateResult({**outs, "expired_probe": _olds["expired_probe"]})


class CertificateAuthority(Resource, module="pki", name="CertificateAuthority"):
    """A private CA.

    Attributes:
        certificate: PEM, self-signed.
        private_key: PKCS#1 PEM; secret.
        key_id: Changes with the key alone, and is known in preview.
        fingerprint_sha256: Of the certificate, hex.
        serial_number: Hex.
        public_key_sha256: Of the SubjectPublicKeyInfo, hex.
        not_before: RFC 3339.
        not_after: RFC 3339.
        expired_probe: `certificate` and `private_key` of an expired client; secret.
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

    def __init__(
        self,
        name: str,
        *,
        subject: Mapping[str, str],
        key_bits: int,
        validity: str,
        renew_before: str,
        generation: int = FIRST_GENERATION,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {
                "subject": dict(subject),
                "key_bits": key_bits,
                "generation": generation,
                "validity": validity,
                "renew_before": renew_before,
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
                    )
                ),
            },
            pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(additional_secret_outputs=["private_key", "expired_probe"]),
            ),
        )


def _outputs(props: Properties, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    certificate = certificates.self_signed_authority(
        distinguished_name(props["subject"]),
        key,
        Window.of_properties(props["not_before"], props["not_after"]),
    )
    inputs = (*IDENTITY, "validity", "renew_before", "key_id", *WINDOW)
    return {
        **{name: props[name] for name in inputs if name in props},
        "certificate": certificates.pem(certificate),
        "private_key": keys.pkcs1(key),
        "fingerprint_sha256": certificates.fingerprint_sha256(certificate),
        "serial_number": certificates.serial_number(certificate),
        "public_key_sha256": certificates.public_key_sha256(certificate),
    }


def _expired_probe(issuer: Issuer) -> dict[str, str]:
    """A client certificate that ended a minute after the CA's own backdated start."""
    start = issuer.certificate.not_valid_before_utc
    key = keys.generate(keys.SIZES[0])
    certificate = certificates.client(
        issuer,
        distinguished_name({"common_name": "expired probe"}),
        key.public_key(),
        Window(start, start + PROBE_LIFETIME),
    )
    return {"certificate": certificates.pem(certificate), "private_key": keys.pkcs1(key)}


def _differing(olds: Properties, news: Properties) -> list[str]:
    """Names of the properties in which two CAs are not one."""
    first = {"generation": FIRST_GENERATION}
    return [name for name in IDENTITY if {**first, **olds}.get(name) != {**first, **news}[name]]


def _key_id(inputs: Properties) -> str:
    """A value of the inputs alone, so that preview and update agree on it."""
    identity = [inputs[name] for name in ("subject", "key_bits", "not_before")]
    if inputs["generation"] != FIRST_GENERATION:
        identity.append(inputs["generation"])
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
