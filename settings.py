"""The stack's configuration as validated, typed models.

`Pulumi.yaml` declares the same keys; docs/en/configuration.md explains them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Self

from cryptography import x509
from pydantic import Field, ValidationError, model_validator

from configuration.certificates import (
    CertificateAuthority,
    Client,
    ClientDefaults,
    ClientName,
    RevocationList,
    Server,
    Subject,
)
from configuration.cloud import DEFAULT_WEIGHT, STACK_TAGS, Backends, LoadBalancer, Network, Tags
from configuration.errors import in_the_clear, sentences
from configuration.listener import (
    Acl,
    AdditionalListener,
    Listener,
    ListenerName,
    ListenerOptions,
    require_bandwidth,
    require_distinct_ports,
    require_ip_version,
    summaries,
)
from configuration.model import NAMESPACE, Model
from configuration.paths import command, path
from configuration.readings import misread
from configuration.regions import REGIONS
from pki import brought_along, certificates, name_constraints, openssl_database, paths
from pki.durations import parse as parse_duration

__all__ = [
    "DEFAULT_WEIGHT",
    "NAMESPACE",
    "Acl",
    "AdditionalListener",
    "Backends",
    "Listener",
    "ListenerOptions",
    "LoadBalancer",
    "Network",
    "Server",
    "Settings",
    "SettingsError",
    "Subject",
    "check_region",
    "parse",
    "require_ip_version",
    "summaries",
]


class SettingsError(Exception):
    """The configuration is wrong; the message has one sentence for each mistake."""


class Settings(Model):
    """All keys of the stack under `slb-mutual-tls:`."""

    certificate_authority: CertificateAuthority = CertificateAuthority()
    server: Server = Server()
    revocation_list: RevocationList = RevocationList()
    client_defaults: ClientDefaults = ClientDefaults()
    clients: dict[ClientName, Client] = Field(default_factory=dict)
    """By client name: 1 to 64 letters, digits, `.`, `-`, `_`, the first a letter or digit; not
    `ca`, not `chain`."""
    network: Network = Network()
    backends: Backends = Backends()
    load_balancer: LoadBalancer = LoadBalancer()
    listener: Listener = Listener()
    additional_listeners: dict[ListenerName, AdditionalListener] = Field(default_factory=dict)
    """Further HTTPS listeners with the same certificates, by name: 1 to 32 letters, digits,
    `-`, `_`."""
    tags: Tags = Field(default_factory=dict)
    """Texts (up to 128 characters) by name (1 to 64), for every resource that takes tags, up to
    18; `project` and `stack` are added. None begins with `aliyun` or `acs:` or has `http://` or
    `https://` in it."""
    published_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port under which clients reach the listener if something in front maps it; `0`: the
    listener's own."""

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

    @model_validator(mode="after")
    def _listeners(self) -> Self:
        listeners: dict[str, ListenerOptions] = {
            "listener": self.listener,
            **{
                path("additional_listeners", name): listener
                for name, listener in self.completed_listeners().items()
            },
        }
        require_distinct_ports(self.listener, self.additional_listeners)
        require_bandwidth(listeners.values(), self.load_balancer.bandwidth)
        if self.load_balancer.id is None:
            require_ip_version(listeners, self.load_balancer.address_ip_version)
        unequal = len({weight for weight in self.backends.weights if weight}) > 1
        if unequal and all(listener.scheduler == "rr" for listener in listeners.values()):
            raise ValueError(
                "backends.weights differ, and listener.scheduler rr does not weigh: set it to wrr"
            )
        return self

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
        intranet = self.load_balancer.address_type == "intranet"
        if intranet and self.backends.instance_ids and self.load_balancer.vswitch_id is None:
            raise ValueError(
                "load_balancer.address_type is intranet and backends.instance_ids are given: set "
                "load_balancer.vswitch_id to a vSwitch of their VPC"
            )
        return self

    def _require_key_of_the_ca(self) -> None:
        """What only a CA with a key can do, and what only one that was made elsewhere has done."""
        authority = self.certificate_authority
        for name, client in self.clients.items():
            if client.certificate is not None:
                if not authority.adopted or authority.certificate is None:
                    raise ValueError(
                        f"{path('clients', name, 'certificate')} is of a CA that was made "
                        "elsewhere, and the CA in force is not: give a signing_request, or neither "
                        "to have a key made"
                    )
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
            if client.certificate is None:
                continue
            for server, served in self._served().items():
                if served.certificate is not None and client.certificate in served.certificate:
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
        """Whose certificates of an existing CA the listener would refuse from now on, and why.

        The index of `openssl ca` tells common names alone, which constraints may be about.
        """
        authority = self.certificate_authority
        if not authority.adopted or authority.certificate is None:
            return {}
        own, constraints = certificates.load(authority.certificate), authority.constraints()
        found = {
            path("clients", name): paths.lockout(
                certificates.load(client.certificate), own, constraints
            )
            for name, client in self.clients.items()
            if client.certificate is not None and client.revoked is None
        }
        if authority.name_constraints.values():
            for entry in openssl_database.entries(authority.index or ""):
                if entry.status == "valid" and entry.in_force(datetime.now(UTC)):
                    found[f"{entry.name} of certificate_authority.index"] = _outside(
                        constraints, entry.name
                    )
        return {who: reason for who, reason in found.items() if reason is not None}

    def _outside_of_name_constraints(self) -> Iterator[str]:
        """What would be issued for names that the CA may not certify, a sentence each."""
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

    def _served(self) -> dict[str, Server]:
        """The certificates that the load balancer shows, by their place in the configuration."""
        return {
            "server": self.server,
            **{
                path("listener", "domain_extensions", domain): extension.server(domain)
                for domain, extension in self.listener.domain_extensions.items()
            },
        }

    def resource_tags(self, project: str, stack: str) -> dict[str, str]:
        """What every resource that takes tags gets: these two, and the configuration's."""
        return dict(zip(STACK_TAGS, (project, stack), strict=True)) | self.tags

    def completed_listeners(self) -> dict[str, AdditionalListener]:
        """The additional listeners, by name, with what they take from `listener`."""
        return {
            name: listener.completed(self.listener)
            for name, listener in self.additional_listeners.items()
        }

    def remarks(self) -> Iterator[str]:
        """What somebody should know before it is made, a sentence each."""
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
            if (
                client.pass_phrase is not None
                and not client.pass_phrase.get_secret_value().isascii()
            ):
                place = path("clients", name, "pass_phrase")
                yield (
                    f"{place} has characters beyond ASCII: Java cannot open a PKCS12 store with it "
                    "and calls it wrong, and other systems differ in how they encode it; a pass "
                    f"phrase of ASCII characters opens everywhere: {command(place, '--secret')} "
                    "takes it from standard input"
                )

    def renewal(self) -> dict[str, Any]:
        """How long before its end each certificate is due: what an expiry alarm needs to know.

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

    def client(self, name: str) -> ClientDefaults:
        """A client's effective key, validity, window and encoding.

        Raises:
            ValueError: Its own values and the defaults do not go together.
        """
        own = self.clients[name].model_dump(
            include=set(ClientDefaults.model_fields), exclude_none=True
        )
        # Not the sizes of keys that are defaults' own: which of them counts, the algorithm says.
        inherited = self.client_defaults.model_dump()
        algorithm = own.get("key_algorithm", inherited["key_algorithm"])
        del inherited["key_curve" if algorithm == "RSA" else "key_bits"]
        try:
            return ClientDefaults.model_validate({**inherited, **own})
        except ValidationError as error:
            reasons = "; ".join(sentences(error, ClientDefaults, path("clients", name)))
            raise ValueError(reasons) from None


def _outside(constraints: x509.NameConstraints | None, common_name: str) -> str | None:
    try:
        name_constraints.require_within(constraints, common_name, ())
    except ValueError as error:
        return str(error)
    return None


def parse(values: Mapping[str, Any], *, file: str, secret_keys: Iterable[str] = ()) -> Settings:
    """Validate a stack's configuration.

    Args:
        values: What the stack has under this project's namespace.
        file: Name of the stack's configuration file, for messages.
        secret_keys: Top-level keys that hold encrypted values.

    Raises:
        SettingsError: With a sentence for each mistake.
    """
    hidden = set(secret_keys)
    if wrong := list(misread(values)):
        raise SettingsError("\n".join(f"{file}: {place}: {reason}" for place, reason in wrong))
    # The engine makes an empty text of a key of the first level with nothing behind it.
    written = {key: None if value == "" else value for key, value in values.items()}
    try:
        settings = Settings.model_validate(written)
    except ValidationError as error:
        found = sentences(error, Settings, file, secret_keys=hidden)
        raise SettingsError("\n".join(found)) from None
    shown = {key: value for key, value in written.items() if key not in hidden}
    require_no_secret_in_the_clear(shown, file)
    return settings


def require_no_secret_in_the_clear(values: Mapping[str, Any], file: str) -> None:
    """Refuse secrets that are not encrypted.

    The engine tells the program only which keys of the first level have a secret below them, so
    that this sees one beside an encrypted one in the file alone.

    Args:
        values: What a stack's file has under this project's namespace; encrypted ones as maps.
        file: Its name, for messages.

    Raises:
        SettingsError: With a sentence for each.
    """
    if found := sorted(in_the_clear(Settings, values)):
        raise SettingsError("\n".join(f"{file}: {sentence}" for sentence in found))


def check_region(region: str | None, *, file: str, hidden: bool = False) -> str:
    """Return the region if the provider knows it.

    Args:
        region: Its id.
        file: Name of the stack's configuration file, for messages.
        hidden: Whether it was set as a secret, which no message repeats.

    Raises:
        SettingsError: It is missing or unknown.
    """
    if region in REGIONS:
        return region
    if not region:
        raise SettingsError(f"{file}: alicloud:region is not set; set it to one like cn-hangzhou")
    close = difflib.get_close_matches(region, REGIONS, n=1)
    hint = f"did you mean {close[0]}?" if close else "take one such as cn-hangzhou"
    given = "set to one that" if hidden else f"{region!r}, which"
    raise SettingsError(f"{file}: alicloud:region is {given} does not exist; {hint}")
