"""The stack's configuration as validated, typed models.

`Pulumi.yaml` declares the same keys; README's table explains them. Ranges are those of the
Alibaba Cloud APIs (CreateLoadBalancerHTTPSListener, CreateLoadBalancer, RunInstances) and of the
provider, whichever is narrower.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    model_validator,
)

from configuration_errors import sentences
from pki.durations import parse as parse_duration
from regions import REGIONS

NAMESPACE = "slb-mutual-tls"


class SettingsError(Exception):
    """The configuration is wrong; the message has one sentence for each mistake."""


def _duration(value: str) -> str:
    parse_duration(value)
    return value


Duration = Annotated[str, AfterValidator(_duration)]
"""A length of time such as 365d, 12h, 30m or 90s."""


class Model(BaseModel):
    """Base of all models: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Subject(Model):
    """A distinguished name (RFC 5280, 4.1.2.6); empty fields are left out of it."""

    common_name: str | None = None
    organization: str | None = None
    organizational_unit: str | None = None
    country: str | None = None
    province: str | None = None
    locality: str | None = None
    email: str | None = None

    def values(self) -> dict[str, str]:
        """The fields that are set."""
        return self.model_dump(exclude_none=True)


class Validity(Model):
    """How long a certificate lives, and how long before its end it is renewed."""

    validity: Duration
    renew_before: Duration

    @property
    def lifetime(self) -> timedelta:
        """The validity as a length of time."""
        return parse_duration(self.validity)

    @model_validator(mode="after")
    def _window_within_validity(self) -> Self:
        if parse_duration(self.renew_before) >= self.lifetime:
            raise ValueError(
                f"renew_before is {self.renew_before} and validity is {self.validity}: the "
                "certificate would be due for renewal the moment it is issued; make renew_before "
                "shorter than validity"
            )
        return self


KeyBits = Literal[2048, 4096]
"""RSA modulus length; the load balancer takes no 3072 and no elliptic curves."""


class CertificateAuthority(Validity):
    """The private CA whose certificate the listener checks clients against."""

    subject: Subject = Subject()
    key_bits: KeyBits = 2048
    validity: Duration = "3650d"
    renew_before: Duration = "730d"


class Server(Validity):
    """The certificate that the load balancer shows; from the private CA unless given."""

    domains: tuple[str, ...] = ()
    key_bits: KeyBits = 2048
    validity: Duration = "365d"
    renew_before: Duration = "30d"
    certificate: str | None = None
    private_key: SecretStr | None = None
    alicloud_certificate_id: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            missing = "private_key" if self.private_key is None else "certificate"
            raise ValueError(
                "certificate and private_key belong together, and "
                f"{missing} is missing: `pulumi config set --path "
                f"{'--secret ' if missing == 'private_key' else ''}"
                f"'{NAMESPACE}:server.{missing}'` takes it from standard input"
            )
        if self.certificate is not None and self.alicloud_certificate_id is not None:
            raise ValueError(
                "certificate and alicloud_certificate_id are both set: keep the one to serve"
            )
        return self


class ClientDefaults(Validity):
    """What a client has where its own entry says nothing."""

    key_bits: KeyBits = 2048
    validity: Duration = "365d"
    renew_before: Duration = "30d"
    bundle_encoding: Literal["modern", "legacy"] = "modern"


class Client(Model):
    """A holder of a client certificate; what is unset comes from client_defaults and the CA."""

    subject: Subject = Subject()
    key_bits: KeyBits | None = None
    validity: Duration | None = None
    renew_before: Duration | None = None
    bundle_encoding: Literal["modern", "legacy"] | None = None
    pass_phrase: SecretStr | None = None


ClientName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Becomes a file name and, by default, the certificate's common name."""


class Network(Model):
    """The VPC that is made for new backends."""

    cidr_block: IPvAnyNetwork = Field(default=ipaddress.ip_network("192.168.0.0/16"))

    @model_validator(mode="after")
    def _room(self) -> Self:
        block = self.cidr_block
        if block.version != 4 or not block.is_private or not 8 <= block.prefixlen <= 24:
            raise ValueError(
                f"cidr_block is {block}: a VPC takes a private IPv4 block between /8 and /24, "
                "such as 192.168.0.0/16"
            )
        return self


class Backends(Model):
    """The ECS instances that answer requests: new ones, or existing ones by id."""

    count: Annotated[int, Field(ge=1, le=20)] = 2
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    instance_type: str | None = None
    image_id: str | None = None
    system_disk_category: str = "cloud_essd"
    instance_ids: tuple[Annotated[str, Field(pattern=r"^i-[a-z0-9]+$")], ...] = ()


class LoadBalancer(Model):
    """The CLB instance."""

    name: Annotated[str, Field(pattern=r"^[\w./-]{1,80}$")] | None = None
    address_type: Literal["internet", "intranet"] = "internet"
    vswitch_id: str | None = None
    instance_charge_type: Literal["PayByCLCU", "PayBySpec"] = "PayByCLCU"
    specification: str | None = None
    internet_charge_type: Literal["PayByTraffic", "PayByBandwidth"] = "PayByTraffic"
    bandwidth: Annotated[int, Field(ge=1, le=5000)] | None = None
    deletion_protection: bool = False
    resource_group_id: str | None = None

    @model_validator(mode="after")
    def _charges(self) -> Self:
        if self.instance_charge_type == "PayByCLCU" and self.specification is not None:
            raise ValueError(
                "specification is set, but a PayByCLCU instance has none: leave it out, or set "
                "instance_charge_type to PayBySpec"
            )
        if self.instance_charge_type == "PayBySpec" and self.specification is None:
            raise ValueError(
                "instance_charge_type is PayBySpec, which needs a specification such as "
                "slb.s1.small (shared-performance instances are no longer sold)"
            )
        by_bandwidth = self.internet_charge_type == "PayByBandwidth"
        if by_bandwidth and self.instance_charge_type == "PayByCLCU":
            raise ValueError("a PayByCLCU instance is charged PayByTraffic only")
        if by_bandwidth != (self.bandwidth is not None):
            raise ValueError(
                "bandwidth (Mbit/s, 1 to 5000) belongs to internet_charge_type PayByBandwidth: "
                "set both or neither"
            )
        return self


class HealthCheck(Model):
    """Active checks of the backends; times in seconds."""

    uri: Annotated[str, Field(pattern=r"^/.{1,79}$")] = "/healthz"
    method: Literal["head", "get"] = "head"
    http_codes: tuple[Literal["http_2xx", "http_3xx", "http_4xx", "http_5xx"], ...] = ("http_2xx",)
    interval: Annotated[int, Field(ge=1, le=50)] = 2
    timeout: Annotated[int, Field(ge=1, le=300)] = 5
    healthy_threshold: Annotated[int, Field(ge=2, le=10)] = 3
    unhealthy_threshold: Annotated[int, Field(ge=2, le=10)] = 3


class ForwardedHeaders(Model):
    """What the listener tells backends beside X-Forwarded-For."""

    proto: bool = True
    slb_id: bool = False
    slb_ip: bool = False


class Listener(Model):
    """The HTTPS listener that demands a client certificate."""

    port: Annotated[int, Field(ge=1, le=65535)] = 443
    tls_cipher_policy: Literal[
        "tls_cipher_policy_1_2_strict_with_1_3",
        "tls_cipher_policy_1_2_strict",
        "tls_cipher_policy_1_2",
        "tls_cipher_policy_1_1",
        "tls_cipher_policy_1_0",
    ] = "tls_cipher_policy_1_2_strict_with_1_3"
    http2: bool = True
    gzip: bool = True
    scheduler: Literal["rr", "wrr"] = "rr"
    bandwidth: int = -1
    idle_timeout: Annotated[int, Field(ge=1, le=60)] = 15
    request_timeout: Annotated[int, Field(ge=1, le=180)] = 60
    forwarded_headers: ForwardedHeaders = ForwardedHeaders()
    health_check: HealthCheck = HealthCheck()

    @model_validator(mode="after")
    def _bandwidth(self) -> Self:
        if self.bandwidth != -1 and not 1 <= self.bandwidth <= 1000:
            raise ValueError(
                f"bandwidth is {self.bandwidth}: it is -1 (no limit) or 1 to 1000 Mbit/s"
            )
        return self


class Settings(Model):
    """All keys of the stack under `slb-mutual-tls:`."""

    certificate_authority: CertificateAuthority = CertificateAuthority()
    server: Server = Server()
    client_defaults: ClientDefaults = ClientDefaults()
    clients: dict[ClientName, Client] = {}
    network: Network = Network()
    backends: Backends = Backends()
    load_balancer: LoadBalancer = LoadBalancer()
    listener: Listener = Listener()
    tags: dict[str, str] = {}
    published_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where clients reach the listener if something in front maps its port; 0: the listener's."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        leaves = {
            "server": self.server.lifetime,
            **{f"clients.{name}": self.client(name).lifetime for name in self.clients},
        }
        for place, lifetime in leaves.items():
            if lifetime > parse_duration(self.certificate_authority.renew_before):
                raise ValueError(
                    f"{place} is valid longer than certificate_authority.renew_before "
                    f"({self.certificate_authority.renew_before}), so it could outlive the CA's "
                    "certificate: shorten its validity, or renew the CA earlier"
                )
        intranet = self.load_balancer.address_type == "intranet"
        if intranet and self.backends.instance_ids and self.load_balancer.vswitch_id is None:
            raise ValueError(
                "load_balancer.address_type is intranet and backends.instance_ids are given: set "
                "load_balancer.vswitch_id to a vSwitch of their VPC"
            )
        return self

    def client(self, name: str) -> ClientDefaults:
        """A client's effective key size, validity, window and encoding.

        Raises:
            ValueError: Its own values and the defaults do not go together.
        """
        own = self.clients[name].model_dump(
            include=set(ClientDefaults.model_fields), exclude_none=True
        )
        try:
            return ClientDefaults.model_validate({**self.client_defaults.model_dump(), **own})
        except ValidationError as error:
            reasons = "; ".join(sentences(error, ClientDefaults, f"clients.{name}"))
            raise ValueError(reasons) from None


def parse(values: Mapping[str, Any], *, file: str, secret_keys: Iterable[str] = ()) -> Settings:
    """Validate a stack's configuration.

    Args:
        values: What the stack has under this project's namespace.
        file: Name of the stack's configuration file, for messages.
        secret_keys: Top-level keys that hold encrypted values.

    Raises:
        SettingsError: With a sentence for each mistake.
    """
    try:
        settings = Settings.model_validate(dict(values))
    except ValidationError as error:
        raise SettingsError("\n".join(sentences(error, Settings, file))) from None
    in_the_clear = sorted(_secret_places(settings, set(secret_keys)))
    if in_the_clear:
        raise SettingsError(
            "\n".join(
                f"{file}: {place} is a secret in the clear; give it by "
                f"`pulumi config set --secret --path '{NAMESPACE}:{place}'`"
                for place in in_the_clear
            )
        )
    return settings


def load() -> tuple[Settings, str]:
    """Read the running stack's configuration.

    Returns:
        The settings, and the region.

    Raises:
        pulumi.RunError: Something in it is wrong; one sentence for each mistake.
    """
    config = pulumi.Config()
    file = f"Pulumi.{pulumi.get_stack()}.yaml"
    prefix = f"{NAMESPACE}:"
    # Every key that is set, also one that no model knows: a misspelt key must not pass in silence.
    names = {*runtime_config.CONFIG.get(), *runtime_config.get_config_env()}
    keys = sorted(key.removeprefix(prefix) for key in names if key.startswith(prefix))
    values = {key: config.get_object(key) for key in keys}
    secret_keys = [key for key in keys if runtime_config.is_config_secret(prefix + key)]
    try:
        region = check_region(pulumi.Config("alicloud").get("region"), file=file)
        return parse(values, file=file, secret_keys=secret_keys), region
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def check_region(region: str | None, *, file: str) -> str:
    """Return the region if the provider knows it.

    Raises:
        SettingsError: It is missing or unknown.
    """
    if region in REGIONS:
        return region
    if not region:
        raise SettingsError(f"{file}: alicloud:region is not set; set it to one like cn-hangzhou")
    close = difflib.get_close_matches(region, REGIONS, n=1)
    hint = f"did you mean {close[0]}?" if close else "take one such as cn-hangzhou"
    raise SettingsError(f"{file}: alicloud:region is {region!r}, which does not exist; {hint}")


def _secret_places(settings: Settings, secret_keys: set[str]) -> list[str]:
    places = []
    if settings.server.private_key is not None and "server" not in secret_keys:
        places.append("server.private_key")
    if "clients" not in secret_keys:
        places += [
            f"clients.{name}.pass_phrase"
            for name, client in settings.clients.items()
            if client.pass_phrase is not None
        ]
    return places
