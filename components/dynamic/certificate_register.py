"""The CA's register as a dynamic resource: all clients of a stack, and what was issued to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from components.dynamic.properties import Properties, failure, is_unknown, now, window
from pki import bundles, certificates, keys
from pki import register as registers
from pki.certificates import Issuer
from pki.names import distinguished_name
from pki.register import Entry, Register, Request
from pki.windows import Window

CONTENT = ("subject", "key_bits")
"""A change of these issues a client's certificate anew."""

SECRETS = frozenset({"pass_phrase"})
"""Fields of a client that outputs do not repeat."""


class Provider(ResourceProvider):
    """Keeps the register. State refers to this class by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose each client's validity window."""
        inputs = dict(news)
        if is_unknown(news["clients"]):
            return CheckResult(inputs, [])
        rekeyed = not is_unknown(news["ca_key_id"]) and _olds.get("ca_key_id") != news["ca_key_id"]
        failures: list[CheckFailure] = []
        clients = {}
        for name, client in news["clients"].items():
            before = _olds.get("clients", {}).get(name, {})
            clients[name], mistakes = _checked(f"clients.{name}", before, client, rekeyed=rekeyed)
            failures += mistakes
        revision = _revision(_olds, news)
        return CheckResult({**inputs, "clients": clients, "revision": revision}, failures)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare the clients with what was issued; a CA that was merely renewed moves nothing."""
        if is_unknown(_news["clients"]):
            return DiffResult(changes=True)
        register, requests = _register(_olds), _requests(_news["clients"])
        changed = (
            registers.to_issue(register, requests)
            or registers.to_bundle(register, requests)
            or registers.to_revoke(register, requests, _news.get("revoked", {}))
            or _rekeyed(_olds, _news)
        )
        return DiffResult(changes=bool(changed))

    def create(self, props: Properties) -> CreateResult:
        """Issue the first certificates."""
        outs = _carried_out(Register(), props, rekeyed=False)
        return CreateResult(f"register-of-{outs['ca_public_key_sha256'][:16]}", outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Issue what is new or due, revoke what is gone, keep the rest as it is."""
        rekeyed = _rekeyed(_olds, _news)
        return UpdateResult(_carried_out(_register(_olds), _news, rekeyed=rekeyed))


class CertificateRegister(Resource, module="pki", name="CertificateRegister"):
    """The register of a CA.

    Attributes:
        inventory: By client name: `serial_number`, `fingerprint_sha256`, `not_before`,
            `not_after`, `status` of the newest certificate; removed clients until theirs expires.
        issued: Every certificate that has not expired, in order of issue.
        revision: Changes when somebody is revoked; known in preview.
        bundles: By client name: `pkcs12` (base64), `pass_phrase`, `private_key` (encrypted),
            `certificate`, `chain`; secret.
    """

    inventory: pulumi.Output[dict[str, Any]]
    issued: pulumi.Output[list[dict[str, Any]]]
    revision: pulumi.Output[str]
    bundles: pulumi.Output[dict[str, dict[str, str]]]

    def __init__(
        self,
        name: str,
        *,
        ca_certificate: pulumi.Input[str],
        ca_private_key: pulumi.Input[str],
        ca_key_id: pulumi.Input[str],
        clients: Mapping[str, Any],
        revoked: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {
                "ca_certificate": ca_certificate,
                "ca_private_key": pulumi.Output.secret(ca_private_key),
                "ca_key_id": ca_key_id,
                "clients": dict(clients),
                "revoked": dict(revoked or {}),
                "inventory": None,
                "issued": None,
                "revision": None,
                "bundles": None,
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["bundles"])
            ),
        )


def _checked(
    place: str, olds: Properties, news: Properties, *, rekeyed: bool
) -> tuple[dict[str, Any], list[CheckFailure]]:
    """A client's inputs with its window, and what is wrong with them."""
    inputs = {**news, "key_bits": int(news["key_bits"])}
    failures = [
        *failure(f"{place}.subject", lambda: distinguished_name(news["subject"])),
        *failure(
            f"{place}.subject.email",
            lambda: certificates.mailbox_names(news["subject"].get("email")),
        ),
        *failure(f"{place}.key_bits", lambda: keys.require_size(inputs["key_bits"])),
    ]
    another = rekeyed or any(olds.get(name) != inputs[name] for name in CONTENT)
    try:
        chosen = window(olds, news, now(), restart=another)
    except ValueError as error:
        return inputs, [*failures, CheckFailure(f"{place}.validity", str(error))]
    return {**inputs, **chosen.properties()}, failures


def _revision(olds: Properties, news: Properties) -> str:
    """A value that changes when somebody is revoked, and is known before that is done."""
    old = str(olds.get("revision", "0"))
    removed = sorted(olds.get("clients", {}).keys() - news["clients"].keys())
    reasons = dict(news.get("revoked", {}))
    if not removed and reasons == olds.get("revoked", {}):
        return old
    return hashlib.sha256(json.dumps([old, removed, reasons]).encode()).hexdigest()[:16]


def _requests(clients: Mapping[str, Properties]) -> dict[str, Request]:
    return {
        name: Request(
            subject=client["subject"],
            key_bits=int(client["key_bits"]),
            window=Window.of_properties(client["not_before"], client["not_after"]),
            bundle_encoding=client.get("bundle_encoding", "modern"),
            pass_phrase=client.get("pass_phrase"),
        )
        for name, client in clients.items()
    }


def _register(outs: Properties) -> Register:
    """Read the register from a resource's outputs."""
    return Register(
        requests=_requests(outs["clients"]),
        issued=tuple(Entry(**entry) for entry in outs["issued"]),
        bundles={name: bundles.Bundle(**bundle) for name, bundle in outs["bundles"].items()},
    )


def _carried_out(before: Register, props: Properties, *, rekeyed: bool) -> dict[str, Any]:
    issuer = Issuer(certificates.load(props["ca_certificate"]), keys.load(props["ca_private_key"]))
    after = registers.updated(
        before,
        _requests(props["clients"]),
        issuer,
        now(),
        reasons=props.get("revoked", {}),
        rekeyed=rekeyed,
    )
    shown = ("serial_number", "fingerprint_sha256", "not_before", "not_after", "status")
    return {
        "clients": {
            name: {field: value for field, value in client.items() if field not in SECRETS}
            for name, client in props["clients"].items()
        },
        "inventory": {
            name: {field: getattr(entry, field) for field in shown}
            for name, entry in after.latest().items()
        },
        "issued": [
            {field: value for field, value in asdict(entry).items() if value is not None}
            for entry in after.issued
        ],
        "bundles": {name: bundle.properties() for name, bundle in after.bundles.items()},
        "revision": props.get("revision", "0"),
        "ca_key_id": props["ca_key_id"],
        "ca_public_key_sha256": certificates.public_key_sha256(issuer.certificate),
    }


def _rekeyed(olds: Properties, news: Properties) -> bool:
    """Whether the CA has another key than the one that signed what was issued."""
    if is_unknown(news["ca_certificate"]):
        # Its id is an input of the CA, and so known while the CA waits for its own update.
        # Where the id is unknown too, the CA may well be another.
        return bool(olds["ca_key_id"] != news["ca_key_id"])
    present = certificates.public_key_sha256(certificates.load(news["ca_certificate"]))
    return bool(olds["ca_public_key_sha256"] != present)
