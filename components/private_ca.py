"""The private CA and the client certificates it issues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pulumi

from .args import PrivateCertificateAuthorityArgs
from .arguments.certificates import (
    CertificateAuthorityArguments,
    ClientArguments,
    ClientDefaultsArguments,
)
from .arguments.late import is_known
from .arguments.service import IssuingArguments, PrivateCertificateAuthorityArguments
from .dynamic.certificate_authority import CertificateAuthority
from .dynamic.certificate_register import CertificateRegister
from .dynamic.properties import unpack
from .dynamic.register_state import read_bundles, read_issued
from .dynamic.revocation_list import RevocationList
from .inputs import read_arguments, secret_text, when_known
from .names import LONGEST_COMMON_NAME, bound_name
from .pki import certificates, keys, names, signing_requests
from .pki.authority_planning import renewed_before_end
from .pki.certificates import signed_by
from .pki.name_constraints import Subtrees

INHERITED = ("country", "province", "organization", "organizational_unit")
"""Fields in which a client's subject matches the CA's unless it says otherwise: the policy of the
tutorial's `openssl ca`."""


class PrivateCertificateAuthority(pulumi.ComponentResource):
    """A CA, and a certificate with its bundle for each client of the configuration.

    ```python
    authority = PrivateCertificateAuthority("shop", {"clients": {"partner": {"validity": "90d"}}})
    pulumi.export("ca_certificate", authority.certificate)
    ```

    Attributes:
        certificate: The CA's certificate, PEM: what the listener checks clients against.
        private_key: The CA's key, PEM; secret.
        key_id: Changes with the key alone; known in preview.
        fingerprint_sha256: Fingerprint of the CA's certificate, hex.
        name_constraints: Names that the CA may certify, as configured; empty for all.
        next_certificate: PEM of the CA that a rotation prepares; None if none is under way.
        cross_certificate: PEM of the same, signed by the present CA; None likewise.
        expired_probe: A client certificate that had expired when it was made, with its key;
            secret. Verification shows with it that the listener refuses such. None without the
            CA's key.
        clients: Newest certificate of each client by name: serial number, fingerprint, validity,
            status and the key's kind.
        client_bundles: Bundle of each client by name: certificate, chain, PKCS#12, pass phrase and
            key; secret.
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
        args: PrivateCertificateAuthorityArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the CA, and issue a certificate to each client.

        Args:
            name: Name of the component and of its children.
            args: Arguments that differ from the defaults.
            opts: The component's options.

        Raises:
            pulumi.RunError: Something in `args` is wrong; one sentence for each mistake.
        """
        settings = read_arguments(PrivateCertificateAuthorityArguments, args or {}, name)
        super().__init__("slb-mutual-tls:index:PrivateCertificateAuthority", name, None, opts)
        self._name = name
        configured = settings.certificate_authority
        self._subject = _subject(configured, bound_name(name, LONGEST_COMMON_NAME, " CA"))
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

    def _authority(self, settings: PrivateCertificateAuthorityArguments) -> CertificateAuthority:
        configured = settings.certificate_authority
        return CertificateAuthority(
            self._name,
            subject=self._subject,
            key_bits=configured.key_bits,
            validity=configured.validity,
            renew_before=configured.renew_before,
            generation=configured.generation,
            next_generation=configured.next_generation,
            adopted_certificate=configured.certificate if configured.adopted else None,
            adopted_private_key=secret_text(configured.private_key) if configured.adopted else None,
            constraints=configured.name_constraints.values(),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _register(
        self,
        settings: PrivateCertificateAuthorityArguments,
        authority: CertificateAuthority,
        *,
        rotating: bool,
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
            clients=_requests(settings, self._subject),
            # Who signed what a client brings along.
            present_ca_certificate=authority.certificate if rotating else None,
            revoked={
                client: entry.revoked
                for client, entry in settings.clients.items()
                if entry.revoked is not None
            },
            index=configured.index if configured.adopted else None,
            others=_others(settings),
            adopted_key_id=_adopted_key_id(configured),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _revocation_list(
        self,
        settings: PrivateCertificateAuthorityArguments,
        authority: CertificateAuthority,
        register: CertificateRegister,
        *,
        rotating: bool,
    ) -> pulumi.Output[str]:
        can_issue = settings.certificate_authority.can_issue
        lists = RevocationList(
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
            return lists.revocation_list
        return pulumi.Output.concat(lists.revocation_list, lists.next_revocation_list)


def _subject(
    configured: CertificateAuthorityArguments, default: str
) -> pulumi.Input[dict[str, str]]:
    """The fields of the CA's name; an existing CA's, once its certificate is known."""
    if configured.certificate is None:
        return configured.distinguished_name(default)
    return when_known(
        configured.certificate,
        lambda text: configured.with_certificate(text).distinguished_name(default),
    )


def _adopted_key_id(configured: CertificateAuthorityArguments) -> pulumi.Input[str] | None:
    if not configured.adopted or configured.certificate is None:
        return None
    return when_known(
        configured.certificate,
        lambda text: certificates.key_identifier(certificates.load(text)).digest.hex(),
    )


def _renew_before(
    configured: CertificateAuthorityArguments, authority: CertificateAuthority
) -> pulumi.Output[str]:
    """How long before its end the CA is renewed; what nobody here renews, in its last second."""
    if not configured.can_issue:
        return pulumi.Output.from_input("1s")
    adopted = configured.certificate if configured.adopted else None
    return pulumi.Output.all(authority.certificate, authority.adopted_at, adopted).apply(
        lambda found: renewed_before_end(found[2], found[0], found[1], configured.renew_before)
    )


def revoked_certificates(
    issued: Sequence[Mapping[str, Any]], withdrawn: str | None
) -> list[dict[str, Any]]:
    """Entries for the revocation list: the revoked ones of the register, and cross-certificates.

    Args:
        issued: The register.
        withdrawn: The CA's output; None where an earlier version made the outputs.
    """
    revoked = [dict(entry) for entry in issued if entry["status"] == "revoked"]
    return [*revoked, *unpack(withdrawn or "[]")]


SHOWN = ("serial_number", "fingerprint_sha256", "not_before", "not_after", "status", "key")
"""Fields that `clients` has of each client."""


def latest(issued: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The newest certificate of each client, those of removed clients too."""
    newest = {entry["name"]: entry for entry in issued if not entry.get("imported")}
    return {
        name: {field: entry[field] for field in SHOWN if field in entry}
        for name, entry in newest.items()
    }


def _others(settings: PrivateCertificateAuthorityArguments) -> pulumi.Input[list[str]]:
    """Serial numbers of what the CA that was brought along has issued and what is no client's.

    Its own certificate, which `CA.pl -newca` enters in the index as well, and the servers'.
    """
    authority = settings.certificate_authority.certificate
    if authority is None:
        return []
    known = [authority, *settings.other_certificates]
    if all(is_known(one) for one in known):
        return _numbers_of_others(known)
    return pulumi.Output.all(*known).apply(_numbers_of_others)


def _numbers_of_others(texts: Sequence[Any]) -> list[str]:
    """Serial numbers of those certificates (PEM) that the first of them has signed."""
    own, *served = [certificates.load(text) for text in texts]
    return sorted(
        {
            certificates.serial_number(certificate)
            for certificate in (own, *served)
            if signed_by(certificate, own)
        }
    )


def _requests(
    settings: IssuingArguments, ca_subject: pulumi.Input[Mapping[str, str]]
) -> dict[str, Any]:
    """Requests to the register, by client name."""
    inherited = when_known(ca_subject, _inherited)
    return {
        name: _request(name, client, settings.client(name), inherited)
        for name, client in settings.clients.items()
        if client.revoked is None
    }


def _request(
    name: str,
    client: ClientArguments,
    effective: ClientDefaultsArguments,
    inherited: pulumi.Input[Mapping[str, str]],
) -> pulumi.Input[dict[str, Any]]:
    """Request to the register for one client."""
    asked = {
        "subject": when_known(inherited, partial(_client_subject, name, client)),
        **effective.model_dump(exclude=set(keys.PROPERTIES)),
        **_own_material(client),
    }
    if client.signing_request is not None:
        return _with_key(asked, client.signing_request, signing_requests.public_key)
    if client.certificate is not None:
        return _with_key(asked, client.certificate, _public_key)
    return {**asked, **effective.key.properties()}


def _with_key(
    asked: dict[str, Any], material: pulumi.Input[str], public_key: Callable[[str], Any]
) -> pulumi.Input[dict[str, Any]]:
    """Add the kind of the key that a client brings along in PEM."""
    if is_known(material):
        return {**asked, **keys.kind_of(public_key(material)).properties()}
    return pulumi.Output.all(asked, material).apply(
        lambda known: {**known[0], **keys.kind_of(public_key(known[1])).properties()}
    )


def _public_key(certificate: str) -> Any:
    return certificates.load(certificate).public_key()


def _inherited(ca_subject: Mapping[str, str]) -> dict[str, str]:
    """Fields that a client's subject takes from the CA's."""
    fitting = names.fit_subject(ca_subject)
    return {field: fitting[field] for field in INHERITED if field in fitting}


def _client_subject(
    name: str, client: ClientArguments, inherited: Mapping[str, str]
) -> dict[str, str]:
    return {"common_name": name, **inherited, **client.subject.values()}


def _own_material(client: ClientArguments) -> dict[str, Any]:
    """Properties that a client brings along; what it does not is left out."""
    material: dict[str, Any] = {
        "signing_request": client.signing_request,
        "certificate": client.certificate,
        "pass_phrase": secret_text(client.pass_phrase),
    }
    return {name: value for name, value in material.items() if value is not None}
