"""The private CA and the client certificates it issues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.dynamic.certificate_authority import CertificateAuthority
from components.dynamic.certificate_register import CertificateRegister
from components.dynamic.revocation_list import RevocationList
from settings import Settings, Subject

INHERITED = ("country", "province", "organization", "organizational_unit")
"""Fields in which a client's subject matches the CA's unless it says otherwise: the policy of the
tutorial's `openssl ca`."""


class PrivateCertificateAuthority(pulumi.ComponentResource):
    """A CA, and a certificate with its bundle for each client of the configuration.

    Attributes:
        certificate: The CA's certificate, PEM.
        private_key: The CA's key, PEM; secret.
        key_id: Changes with the key alone; known in preview.
        fingerprint_sha256: Of the CA's certificate, hex.
        expired_probe: A client certificate that had expired when it was made, with its key;
            secret. Verification shows with it that the listener refuses such.
        clients: By name: serial number, fingerprint, validity, status.
        client_bundles: By name: PKCS#12, pass phrase, key, certificate, chain; secret.
        issued: Every client certificate that has not expired, in order of issue.
        revocation_list: PEM. The load balancer reads none; this is for whoever does.
    """

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]
    key_id: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    expired_probe: pulumi.Output[dict[str, str]]
    clients: pulumi.Output[dict[str, Any]]
    client_bundles: pulumi.Output[dict[str, Any]]
    issued: pulumi.Output[list[dict[str, Any]]]
    revocation_list: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slb-mutual-tls:index:PrivateCertificateAuthority", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        authority = settings.certificate_authority
        subject = {"common_name": f"{name} CA", **authority.subject.values()}
        issued = CertificateAuthority(
            name,
            subject=subject,
            key_bits=authority.key_bits,
            validity=authority.validity,
            renew_before=authority.renew_before,
            generation=authority.generation,
            opts=child,
        )
        register = CertificateRegister(
            name,
            ca_certificate=issued.certificate,
            ca_private_key=issued.private_key,
            ca_key_id=issued.key_id,
            clients=_requests(settings, subject),
            revoked={
                client: entry.revoked
                for client, entry in settings.clients.items()
                if entry.revoked is not None
            },
            opts=child,
        )
        revocation_list = RevocationList(
            name,
            ca_certificate=issued.certificate,
            ca_private_key=issued.private_key,
            ca_key_id=issued.key_id,
            issued=register.issued,
            revision=register.revision,
            validity=settings.revocation_list.validity,
            renew_before=settings.revocation_list.renew_before,
            opts=child,
        )
        self.certificate = issued.certificate
        self.private_key = issued.private_key
        self.key_id = issued.key_id
        self.fingerprint_sha256 = issued.fingerprint_sha256
        self.expired_probe = issued.expired_probe
        self.clients = register.inventory
        self.issued = register.issued
        self.revocation_list = revocation_list.revocation_list
        self.client_bundles = register.bundles
        self.register_outputs({"certificate": self.certificate, "clients": self.clients})


def _requests(settings: Settings, ca_subject: Mapping[str, str]) -> dict[str, Any]:
    """What the register is asked to issue, by client name."""
    inherited = {field: ca_subject[field] for field in INHERITED if field in ca_subject}
    requests: dict[str, Any] = {}
    for name, client in settings.clients.items():
        if client.revoked is not None:
            continue
        subject: Subject = client.subject
        requests[name] = {
            "subject": {"common_name": name, **inherited, **subject.values()},
            **settings.client(name).model_dump(),
        }
        if client.pass_phrase is not None:
            requests[name]["pass_phrase"] = pulumi.Output.secret(
                client.pass_phrase.get_secret_value()
            )
    return requests
