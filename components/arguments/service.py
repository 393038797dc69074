"""Arguments of the whole service, and the rules on what goes together among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Self

from cryptography import x509
from pydantic import AfterValidator, Field, ValidationError, model_validator

from ..clb.arguments import BalancingArguments
from ..pki import brought_along, certificates, name_constraints, openssl_database, paths
from ..pki.durations import parse as parse_duration
from .certificates import (
    CertificateAuthorityArguments,
    ClientArguments,
    ClientDefaultsArguments,
    ClientName,
    RevocationListArguments,
    ServerArguments,
)
from .cloud import STACK_TAGS, BackendsArguments, NetworkArguments, Tags
from .errors import sentences
from .late import InputOf, is_known
from .model import NAMESPACE, Model
from .paths import command, path


def _readable(value: str) -> str:
    certificates.load(value)
    return value


class IssuingArguments(Model):
    """Arguments about the CA and its clients, with the rules that hold among them."""

    certificate_authority: CertificateAuthorityArguments = CertificateAuthorityArguments()
    revocation_list: RevocationListArguments = RevocationListArguments()
    client_defaults: ClientDefaultsArguments = ClientDefaultsArguments()
    clients: dict[ClientName, ClientArguments] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # What is brought along has dates of its own.
        leaves = {
            **{
                place: served.lifetime
                for place, served in self._served().items()
                if served.issued_here
            },
            **{
                path("clients", name): self.client(name).lifetime
                for name, client in self.clients.items()
                if client.certificate is None
            },
        }
        for place, lifetime in leaves.items():
            if lifetime > parse_duration(self.certificate_authority.renew_before):
                raise ValueError(
                    f"{place} is valid longer than certificate_authority.renew_before "
                    f"({self.certificate_authority.renew_before}), so it could outlive the CA's "
                    "certificate: shorten its validity, or renew the CA earlier"
                )
        self._require_key_of_the_ca()
        self._require_a_certificate_for_each()
        outside = list(self._outside_of_name_constraints())
        if outside:
            raise ValueError("; ".join(outside))
        locked_out = self.locked_out()
        if locked_out and not self.certificate_authority.accept_lockout:
            listed = "; ".join(f"{who}: {reason}" for who, reason in locked_out.items())
            raise ValueError(
                "certificate_authority: the listener would refuse certificates that the CA has "
                f"issued ({listed}): change what refuses them, or say yes to it by `pulumi config "
                f"set --path '{NAMESPACE}:certificate_authority.accept_lockout' true`"
            )
        return self

    def _require_key_of_the_ca(self) -> None:
        """Refuse what takes the CA's key where it is not here, and certificates of another CA."""
        authority = self.certificate_authority
        for name, client in self.clients.items():
            if client.certificate is not None:
                if not authority.adopted:
                    raise ValueError(
                        f"{path('clients', name, 'certificate')} is of a CA that was made "
                        "elsewhere, and the CA in force is not: give a signing_request, or neither "
                        "to have a key made"
                    )
                if not (is_known(client.certificate) and is_known(authority.certificate)):
                    continue
                try:
                    brought_along.require_issued_by(client.certificate, authority.certificate)
                except ValueError as error:
                    raise ValueError(f"{path('clients', name, 'certificate')}: {error}") from None
            elif not authority.can_issue and client.revoked is None:
                raise ValueError(
                    f"{path('clients', name)} is to be issued a certificate, and the CA's "
                    "private_key is not here: give it, or the client's certificate"
                )
        for place, served in self._served().items():
            if not authority.can_issue and served.issued_here:
                whose = "the server" if place == "server" else place
                raise ValueError(
                    f"{whose}'s certificate is to come from the private CA, whose private_key is "
                    f"not here: give certificate and private_key of {place}, or "
                    "alicloud_certificate_id"
                )

    def _require_a_certificate_for_each(self) -> None:
        """Refuse a client's certificate that is a server's, or another client's."""
        owners: dict[str, str] = {}
        for name, client in self.clients.items():
            if not is_known(client.certificate):
                continue
            for server, served in self._served().items():
                if is_known(served.certificate) and client.certificate in served.certificate:
                    raise ValueError(
                        f"{path('clients', name, 'certificate')} is the certificate of {server}: "
                        "give the client's"
                    )
            # By their numbers, since a revocation list names certificates by these.
            number = certificates.serial_number(certificates.load(client.certificate))
            if number in owners:
                raise ValueError(
                    f"{path('clients', owners[number])} and {path('clients', name)} have the "
                    f"same serial number, {number}, and a CA gives each certificate its own: give "
                    "each client the one that is its own"
                )
            owners[number] = name

    def locked_out(self) -> dict[str, str]:
        """Find whose certificates of an existing CA the listener would refuse from now on, and why.

        The index of `openssl ca` tells common names alone, which constraints may be about.
        """
        authority = self.certificate_authority
        if not authority.adopted or not is_known(authority.certificate):
            return {}
        own, constraints = certificates.load(authority.certificate), authority.constraints()
        reasons = {
            path("clients", name): paths.lockout(
                certificates.load(client.certificate), own, constraints
            )
            for name, client in self.clients.items()
            if is_known(client.certificate) and client.revoked is None
        }
        if authority.name_constraints.values():
            for entry in openssl_database.entries(authority.index or ""):
                if entry.status == "valid" and entry.in_force(datetime.now(UTC)):
                    reasons[f"{entry.name} of certificate_authority.index"] = _outside(
                        constraints, entry.name
                    )
        return {who: reason for who, reason in reasons.items() if reason is not None}

    def _outside_of_name_constraints(self) -> Iterator[str]:
        """Find what would be issued for names that the CA may not certify, a sentence each."""
        constraints = self.certificate_authority.constraints()
        if constraints is None:
            return
        checks: dict[str, Callable[[], None]] = {}
        for place, served in self._served().items():
            if served.issued_here:
                checks[place] = partial(served.require_within, constraints)
        for name, client in self.clients.items():
            if client.revoked is None and client.certificate is None:
                checks[path("clients", name)] = partial(client.require_within, constraints, name)
        for place, check in checks.items():
            try:
                check()
            except ValueError as error:
                yield f"{place}: {error}"

    def remarks(self) -> Iterator[str]:
        """Remarks that somebody should read before anything is made, a sentence each."""
        for who, reason in self.locked_out().items():
            yield (
                f"{who}: the listener will refuse this certificate, since {reason}; "
                "certificate_authority.accept_lockout says yes to it"
            )
        if self.certificate_authority.cannot_sign_lists:
            yield (
                "certificate_authority.certificate: its key usage is without cRLSign, so whoever "
                "reads its revocation list refuses that (RFC 5280, 6.3.3): a next CA's is good, "
                "which `make rotate STEP=prepare` begins"
            )
        for name, client in self.clients.items():
            if is_known(client.pass_phrase) and not client.pass_phrase.get_secret_value().isascii():
                place = path("clients", name, "pass_phrase")
                yield (
                    f"{place} has characters beyond ASCII: Java cannot open a PKCS12 store with it "
                    "and calls it wrong, and other systems differ in how they encode it; a pass "
                    f"phrase of ASCII characters opens everywhere: {command(place, '--secret')} "
                    "takes it from standard input"
                )

    def client(self, name: str) -> ClientDefaultsArguments:
        """A client's effective key, validity, window and encoding.

        Raises:
            ValueError: Its own values and the defaults do not go together.
        """
        own = self.clients[name].model_dump(
            include=set(ClientDefaultsArguments.model_fields), exclude_none=True
        )
        # Not the sizes of keys that are defaults' own: which of them counts, the algorithm says.
        inherited = self.client_defaults.model_dump()
        algorithm = own.get("key_algorithm", inherited["key_algorithm"])
        del inherited["key_curve" if algorithm == "RSA" else "key_bits"]
        try:
            return ClientDefaultsArguments.model_validate({**inherited, **own})
        except ValidationError as error:
            reasons = "; ".join(sentences(error, ClientDefaultsArguments, path("clients", name)))
            raise ValueError(reasons) from None

    def _served(self) -> dict[str, ServerArguments]:
        """The certificates that the load balancer shows, by their place; none without one."""
        return {}


class PrivateCertificateAuthorityArguments(IssuingArguments):
    """Arguments of the private CA by itself."""

    other_certificates: tuple[InputOf[Annotated[str, AfterValidator(_readable)]], ...] = ()


class BackendServersArguments(Model):
    """Arguments about the backends and their network, with the rules that hold among them."""

    network: NetworkArguments = NetworkArguments()
    backends: BackendsArguments = BackendsArguments()
    tags: Tags = Field(default_factory=dict)

    @model_validator(mode="after")
    def _existing(self) -> Self:
        if self.network.existing and self.backends.instance_ids:
            raise ValueError(
                "network.vpc_id and network.vswitch_ids are for new backends, and "
                "backends.instance_ids names existing ones, which stay where they are: leave the "
                "former out"
            )
        if self.backends.security_group_id is not None and not self.network.existing:
            raise ValueError(
                "backends.security_group_id is of an existing VPC, and the backends are in a new "
                "one: set network.vpc_id or network.vswitch_ids to where the group is"
            )
        return self


class ServerCertificateArguments(Model):
    """Arguments of a server certificate by itself."""

    server: ServerArguments = ServerArguments()
    address: InputOf[str] | None = None
    tags: Tags = Field(default_factory=dict)


# The rules of the last come first.
class MutualTlsServiceArguments(BackendServersArguments, BalancingArguments, IssuingArguments):
    """Arguments of the whole service: its CA, its clients, its backends and its listeners."""

    @model_validator(mode="after")
    def _backends_of_the_listeners(self) -> Self:
        unequal = len({weight for weight in self.backends.weights if weight}) > 1
        if unequal and all(
            listener.scheduler == "rr"
            for listener in (self.listener, *self.completed_listeners().values())
        ):
            raise ValueError(
                "backends.weights differ, and listener.scheduler rr does not weigh: set it to wrr"
            )
        intranet = self.load_balancer.address_type == "intranet"
        if intranet and self.backends.instance_ids and self.load_balancer.vswitch_id is None:
            raise ValueError(
                "load_balancer.address_type is intranet and backends.instance_ids are given: set "
                "load_balancer.vswitch_id to a vSwitch of their VPC"
            )
        return self

    def _served(self) -> dict[str, ServerArguments]:
        """The certificates that the load balancer shows, by their place in the configuration."""
        return {
            "server": self.server,
            **{
                path("listener", "domain_extensions", domain): extension.server(domain)
                for domain, extension in self.listener.domain_extensions.items()
            },
        }

    def served_certificates(self) -> list[InputOf[str]]:
        """The certificates, PEM, that were given to be presented by the load balancer."""
        served = self._served().values()
        return [one.certificate for one in served if one.certificate is not None]

    def resource_tags(self, project: str, stack: str) -> dict[str, InputOf[str]]:
        """Tags of every resource that takes any: these two, and those that are set."""
        return {**dict(zip(STACK_TAGS, (project, stack), strict=True)), **self.tags}

    def renewal(self) -> dict[str, Any]:
        """How long before its end each certificate is due, for an expiry alarm.

        Without the CA's, which depends on when it was brought along.
        """
        return {
            "server": self.server.renew_before,
            "revocation_list": self.revocation_list.renew_before,
            "clients": {
                name: self.client(name).renew_before
                for name, client in self.clients.items()
                if client.certificate is None
            },
            "domain_extensions": {
                domain: extension.renew_before
                for domain, extension in self.listener.domain_extensions.items()
            },
        }


def _outside(constraints: x509.NameConstraints | None, common_name: str) -> str | None:
    try:
        name_constraints.require_within(constraints, common_name, ())
    except ValueError as error:
        return str(error)
    return None
