"""The private CA and the client certificates it issues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.dynamic.authority_inputs import renewed_before_end
from components.dynamic.certificate_authority import CertificateAuthority
from components.dynamic.certificate_register import CertificateRegister
from components.dynamic.properties import unpacked
from components.dynamic.register_state import read_bundles, read_issued
from components.dynamic.revocation_list import RevocationList
from components.names import LONGEST_COMMON_NAME, bounded
from configuration.certificates import CertificateAuthority as AuthoritySettings
from configuration.certificates import Client, ClientDefaults
from pki import certificates, keys, names, signing_requests
from pki.certificates import signed_by
from pki.keys import Kind
from pki.name_constraints import Subtrees
from settings import Settings

INHERITED = ("country", "province", "organization", "organizational_unit")
"""Fields in which a client's subject matches the CA's unless it says otherwise: the policy of the
tutorial's `openssl ca`."""


class PrivateCertificateAuthority(pulumi.ComponentResource):
    """A CA, and a certificate with its bundle for each client of the configuration.

    Attributes:
        certificate: The CA's certificate, PEM: what the listener checks clients against.
        private_key: The CA's key, PEM; secret.
        key_id: Changes with the key alone; known in preview.
        fingerprint_sha256: Of the CA's certificate, hex.
        name_constraints: Names that the CA may certify, as configured; empty for all.
        next_certificate: PEM of the CA that a rotation prepares; None if none is under way.
        cross_certificate: PEM of the same, signed by the present CA; None likewise.
        expired_probe: A client certificate that had expired when it was made, with its key;
            secret. Verification shows with it that the listener refuses such. None without the
            CA's key.
        clients: By name: serial number, fingerprint, validity, status, and the key's kind.
        client_bundles: By name: certificate, chain, PKCS#12, pass phrase, key; secret.
        issued: Every client certificate that has not expired, in order of issue.
        revocation_list: PEM, one list for each key of the CA in use; empty without the CA's key.
            The load balancer reads none; this is for whoever does.
    """

    certificate: pulumi.Output[str]
    renew_before: pulumi.Output[str]
    private_key: pulumi.Output[str]
    key_id: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    name_constraints: Mapping[str, Subtrees]
    next_certificate: pulumi.Output[str] | None
    cross_certificate: pulumi.Output[str] | None
    expired_probe: pulumi.Output[dict[str, str]] | None
    clients: pulumi.Output[dict[str, Any]]
    client_bundles: pulumi.Output[dict[str, dict[str, str]]]
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
        self._name = name
        self._common_name = bounded(name, LONGEST_COMMON_NAME, " CA")
        configured = settings.certificate_authority
        authority = self._authority(settings)
        rotating = configured.next_generation is not None
        register = self._register(settings, authority, rotating=rotating)
        self.id = authority.id
        self.certificate = authority.certificate
        self.renew_before = _renew_before(configured, authority)
        self.private_key = authority.private_key
        self.key_id = authority.key_id
        self.fingerprint_sha256 = authority.fingerprint_sha256
        self.name_constraints = configured.name_constraints.values()
        self.next_certificate = authority.next_certificate if rotating else None
        self.cross_certificate = authority.cross_certificate if rotating else None
        self.expired_probe = authority.expired_probe if configured.can_issue else None
        self.issued = register.issued.apply(read_issued)
        self.clients = self.issued.apply(latest)
        self.client_bundles = register.bundles.apply(read_bundles)
        self.revocation_list = self._revocation_list(
            settings, authority, register, rotating=rotating
        )
        self.register_outputs({"certificate": self.certificate})

    def _authority(self, settings: Settings) -> CertificateAuthority:
        configured = settings.certificate_authority
        key = configured.private_key if configured.adopted else None
        return CertificateAuthority(
            self._name,
            subject=configured.distinguished_name(self._common_name),
            key_bits=configured.key_bits,
            validity=configured.validity,
            renew_before=configured.renew_before,
            generation=configured.generation,
            next_generation=configured.next_generation,
            adopted_certificate=configured.certificate if configured.adopted else None,
            adopted_private_key=key.get_secret_value() if key else None,
            constraints=configured.name_constraints.values(),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _register(
        self, settings: Settings, authority: CertificateAuthority, *, rotating: bool
    ) -> CertificateRegister:
        configured = settings.certificate_authority
        key = authority.next_private_key if rotating else authority.private_key
        return CertificateRegister(
            self._name,
            # The next CA's, as signed by the present one: what it issues is good for both.
            ca_certificate=authority.cross_certificate if rotating else authority.certificate,
            ca_private_key=key if configured.can_issue else None,
            ca_key_id=authority.next_key_id if rotating else authority.key_id,
            ca_id=authority.id,
            clients=_requests(settings, configured.distinguished_name(self._common_name)),
            # Who signed what a client brings along.
            present_ca_certificate=authority.certificate if rotating else None,
            revoked={
                client: entry.revoked
                for client, entry in settings.clients.items()
                if entry.revoked is not None
            },
            index=configured.index if configured.adopted else None,
            others=_others(settings),
            adopted_key_id=configured.adopted_key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _revocation_list(
        self,
        settings: Settings,
        authority: CertificateAuthority,
        register: CertificateRegister,
        *,
        rotating: bool,
    ) -> pulumi.Output[str]:
        can_issue = settings.certificate_authority.can_issue
        made = RevocationList(
            self._name,
            ca_certificate=authority.certificate,
            ca_private_key=authority.private_key if can_issue else None,
            ca_key_id=authority.key_id,
            ca_id=authority.id,
            next_ca_certificate=authority.next_certificate if rotating else None,
            next_ca_private_key=authority.next_private_key if rotating else None,
            next_ca_key_id=authority.next_key_id if rotating else None,
            # Of the text: of a list, `all` makes an output of each value in it.
            issued=pulumi.Output.all(register.issued, authority.withdrawn_certificates).apply(
                lambda found: revoked_certificates(read_issued(found[0]), found[1])
            ),
            revision=register.revision,
            validity=settings.revocation_list.validity,
            renew_before=settings.revocation_list.renew_before,
            first_number=settings.certificate_authority.crl_number,
            opts=pulumi.ResourceOptions(parent=self),
        )
        if not can_issue:
            return pulumi.Output.from_input("")
        if not rotating:
            return made.revocation_list
        return pulumi.Output.concat(made.revocation_list, made.next_revocation_list)


def _renew_before(
    configured: AuthoritySettings, authority: CertificateAuthority
) -> pulumi.Output[str]:
    """How long before its end the CA is renewed; what nobody here renews, in its last second."""
    if not configured.can_issue:
        return pulumi.Output.from_input("1s")
    adopted = configured.certificate if configured.adopted else None
    return pulumi.Output.all(authority.certificate, authority.adopted_at).apply(
        lambda found: renewed_before_end(adopted, found[0], found[1], configured.renew_before)
    )


def revoked_certificates(
    issued: Sequence[Mapping[str, Any]], withdrawn: str | None
) -> list[dict[str, Any]]:
    """What the revocation list needs: the revoked ones of the register, and cross-certificates.

    Args:
        issued: The register.
        withdrawn: The CA's output; None where an earlier version made the outputs.
    """
    found = [dict(entry) for entry in issued if entry["status"] == "revoked"]
    return [*found, *unpacked(withdrawn or "[]")]


SHOWN = ("serial_number", "fingerprint_sha256", "not_before", "not_after", "status", "key")
"""What `clients` says of each."""


def latest(issued: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The newest certificate of each client, those of removed clients too."""
    newest = {entry["name"]: entry for entry in issued if not entry.get("imported")}
    return {
        name: {field: entry[field] for field in SHOWN if field in entry}
        for name, entry in newest.items()
    }


def _others(settings: Settings) -> list[str]:
    """Serial numbers of what the CA that was brought along has issued and what is no client's.

    Its own certificate, which `CA.pl -newca` enters in the index as well, and the servers'.
    """
    authority = settings.certificate_authority.certificate
    if authority is None:
        return []
    own = certificates.load(authority)
    served = [settings.server, *settings.listener.domain_extensions.values()]
    known = [own, *(certificates.load(one.certificate) for one in served if one.certificate)]
    return sorted({certificates.serial_number(one) for one in known if signed_by(one, own)})


def _requests(settings: Settings, ca_subject: Mapping[str, str]) -> dict[str, Any]:
    """What the register is asked to issue, by client name."""
    fitting = names.fitting(ca_subject)
    inherited = {field: fitting[field] for field in INHERITED if field in fitting}
    return {
        name: {
            "subject": {"common_name": name, **inherited, **client.subject.values()},
            **effective.model_dump(exclude=set(keys.PROPERTIES)),
            **_key(client, effective).properties(),
            **_own_material(client),
        }
        for name, client in settings.clients.items()
        if client.revoked is None
        for effective in [settings.client(name)]
    }


def _key(client: Client, effective: ClientDefaults) -> Kind:
    """The kind of a client's key: of the one that it brings along, or as configured."""
    if client.signing_request is not None:
        return keys.kind_of(signing_requests.public_key(client.signing_request))
    if client.certificate is not None:
        return keys.kind_of(certificates.load(client.certificate).public_key())
    return effective.key


def _own_material(client: Client) -> dict[str, Any]:
    """What a client brings along; what it does not is left out."""
    material: dict[str, Any] = {
        "signing_request": client.signing_request,
        "certificate": client.certificate,
    }
    if client.pass_phrase is not None:
        material["pass_phrase"] = pulumi.Output.secret(client.pass_phrase.get_secret_value())
    return {name: value for name, value in material.items() if value is not None}
