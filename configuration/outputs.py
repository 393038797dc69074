"""The contract of a stack's outputs: what the program tells its commands, other stacks and people.

PEM texts hold the leaf first.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from components.pki import certificates
from components.pki.durations import parse as parse_duration
from components.pki.record import RecordedCertificate
from components.pki.register import CLIENT_NAME, IssuedCertificate

SECRET_OUTPUTS = ("client_bundles", "expired_probe")


class _Model(BaseModel):
    # Validation errors must not quote what they refuse: it may be a private key.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


def _in_certificates(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("has no time zone")
    # RFC 5280, 4.1.2.5: there is no earlier one. What comes before is close to where dates end.
    if value.year < certificates.FIRST_YEAR:
        raise ValueError("is before 1950, which no certificate is")
    return value


def _length_of_time(value: str) -> str:
    try:
        parse_duration(value)
    except ValueError:
        # The parser's own message quotes what it refuses.
        raise ValueError("is no length of time such as 365d") from None
    return value


Time = Annotated[datetime, AfterValidator(_in_certificates)]
"""Time of a certificate, in RFC 3339."""

Duration = Annotated[str, AfterValidator(_length_of_time)]


def _certificates(value: str) -> str:
    try:
        for certificate in certificates.load_chain(value):
            _in_certificates(certificate.not_valid_before_utc)
            _in_certificates(certificate.not_valid_after_utc)
    except ValueError as error:
        raise ValueError("holds no PEM certificate") from error
    return value


def _lists(value: str) -> str:
    try:
        for listed in _revocation_lists(value):
            listed.extensions.get_extension_for_class(x509.CRLNumber)
            _in_certificates(listed.last_update_utc)
            _in_certificates(listed.next_update_utc or listed.last_update_utc)
    except (
        ValueError,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise ValueError("holds no revocation list in PEM") from error
    return value


def _from_json(value: Any) -> Any:
    """Decode a map from JSON; earlier versions put out the map itself."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None


Pem = Annotated[str, AfterValidator(_certificates)]
"""One or more certificates in PEM, the leaf first."""

PemOrEmpty = Annotated[str, AfterValidator(lambda value: value and _certificates(value))]

FileName = Annotated[str, Field(pattern=CLIENT_NAME)]
"""A client's name as the configuration takes it: files are named after it."""


class ClientRecord(_Model):
    """A client's certificate in the inventory."""

    serial_number: str
    fingerprint_sha256: str
    not_before: Time
    not_after: Time
    status: str
    key: str = ""


Entry = TypeVar("Entry", IssuedCertificate, RecordedCertificate)


def _beginning_may_be_unknown(value: Any) -> Any:
    if isinstance(value, Mapping) and value.get("not_before", "") == "":
        return {**value, "not_before": None}
    return value


def _with_times_of_certificates(entry: Entry) -> Entry:
    times = (entry.not_before, entry.not_after, getattr(entry, "revoked_at", None))
    for time in times:
        if time is not None:
            _in_certificates(time)
    return entry


Issued = Annotated[
    IssuedCertificate,
    BeforeValidator(_beginning_may_be_unknown),
    AfterValidator(_with_times_of_certificates),
]
"""A client certificate that has not expired, as the register has it."""


Recorded = Annotated[RecordedCertificate, AfterValidator(_with_times_of_certificates)]
"""A certificate of the CA or of a server that has not expired, in use or of before."""


class Renewal(_Model):
    """Renewal periods: how long before its end each certificate is renewed, such as 30d."""

    certificate_authority: Duration = "1s"
    server: Duration = "1s"
    revocation_list: Duration = "1s"
    clients: dict[str, Duration] = {}
    domain_extensions: dict[str, Duration] = {}


class ListenerSettings(_Model):
    """Settings of an HTTPS listener, as far as whoever tries it from outside has to know.

    `sticky_session` and `acl` are their types, or empty; `cookie` is of sticky sessions of type
    server. A VServer group's backends are not those of the output `backends`.
    """

    name: str = "listener"
    port: int = 443
    scheduler: str = "rr"
    sticky_session: Literal["", "insert", "server"] = ""
    cookie: str = ""
    acl: Literal["", "white", "black"] = ""
    health_check: bool = True
    server_group_id: str = ""


class BackendRecord(_Model):
    """An ECS instance behind the load balancer; weight 0 drains it."""

    server_id: str
    weight: int


class DomainCertificate(_Model):
    """Certificate served for an additional domain: PEM, empty for one that Alibaba Cloud keeps."""

    certificate: PemOrEmpty
    issuer: Literal["private", "other"]

    @property
    def parsed(self) -> x509.Certificate | None:
        """The domain's own certificate, if state has it."""
        if not self.certificate:
            return None
        return certificates.load(self.certificate)


class ClientBundle(_Model):
    """Bundle that a client is handed: its certificate, and its key unless it keeps that to itself.

    `pkcs12` is base64, `private_key` PKCS#8 PEM; `pass_phrase` opens both. The three are there
    together or not at all.
    """

    certificate: str
    chain: str
    pkcs12: SecretStr | None = None
    pass_phrase: SecretStr | None = None
    private_key: SecretStr | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len({self.pkcs12 is None, self.pass_phrase is None, self.private_key is None}) > 1:
            raise ValueError("holds a part of a key's bundle and not the rest")
        return self


class ExpiredProbe(_Model):
    """Expired client certificate of the stack's CA, with its key, for the verification alone."""

    certificate: str
    private_key: SecretStr


class StackOutputs(_Model):
    """Outputs of a stack that is up; `configuration.program_outputs` makes them.

    What has a default is missing in outputs that earlier versions made.
    """

    name: str = ""
    """Name that the stack's resources begin with."""
    url: str
    """Address of the service, `https://…/`."""
    address: str
    """IP address of the load balancer."""
    region: str
    """Region of all of the stack's resources."""
    load_balancer_id: str
    """Id of the load balancer, `lb-…`."""
    listener_port: int = Field(ge=1, le=65535)
    """Port of the main listener."""
    listeners: tuple[ListenerSettings, ...] = ()
    """Settings of each HTTPS listener, as far as whoever tries it from outside has to know."""
    redirect_port: int = 0
    """Port of the HTTP listener that redirects; 0 if there is none."""
    backends: tuple[BackendRecord, ...] = ()
    """Ids and weights of the instances that answer."""
    server_names: tuple[str, ...]
    """Names that the certificate was asked for."""
    server_certificate_issuer: Literal["private", "other"]
    """Issuer of the server's certificate: `private` for the private CA, else `other`."""
    ca_certificate: Pem
    """Certificate of the CA, PEM."""
    server_certificate: PemOrEmpty
    """Certificate that the listener presents, PEM, leaf first."""
    domain_certificates: dict[str, DomainCertificate] = {}
    """Certificates for additional domains, and who issued them, by domain."""
    clients: dict[str, ClientRecord]
    """Newest certificate of each client, by name."""
    issued: tuple[Issued, ...] = ()
    """Every client certificate that has not expired, in order of issue."""
    certificate_record: tuple[Recorded, ...] = ()
    """Every certificate of the CA and of servers that has not expired."""
    renewal: Renewal = Renewal()
    """Renewal periods: how long before its end each certificate is renewed."""
    certificate_revocation_list: Annotated[str, AfterValidator(_lists)] = ""
    """Revocation list of each key of the CA in use, PEM."""
    next_ca_certificate: PemOrEmpty = ""
    """Certificate of the CA that a rotation prepares, PEM; empty if none is prepared."""
    client_bundles: Annotated[dict[FileName, ClientBundle], BeforeValidator(_from_json)]
    """Bundles that clients are handed, JSON by name; secret."""
    expired_probe: ExpiredProbe | None = None
    """Client certificate that has expired, for the verification; secret."""

    @field_validator("url")
    @classmethod
    def _is_https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("is not an https:// address")
        parts.port  # noqa: B018 - raises ValueError for a port out of range
        return value

    @property
    def host(self) -> str:
        """The host of `url`, without brackets around an IPv6 address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The TCP port of `url`; it may differ from `listener_port` on a local stack."""
        return urlsplit(self.url).port or 443

    @property
    def is_ip_address(self) -> bool:
        """Tell whether `url` names an IP address and not a DNS name."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def listener(self) -> ListenerSettings:
        """Settings of the main listener."""
        return self.listeners[0] if self.listeners else ListenerSettings(port=self.listener_port)

    @property
    def weights(self) -> dict[str, int]:
        """Weight of each backend, by instance id; empty if an earlier version made the outputs."""
        return {backend.server_id: backend.weight for backend in self.backends}

    @property
    def ca(self) -> x509.Certificate:
        """The CA certificate, parsed."""
        return certificates.load(self.ca_certificate)

    @property
    def server(self) -> x509.Certificate | None:
        """The server's own certificate, parsed; None for one that Alibaba Cloud keeps."""
        if not self.server_certificate:
            return None
        return certificates.load(self.server_certificate)

    @property
    def revocation_lists(self) -> list[x509.CertificateRevocationList]:
        """Revocation lists, parsed: one for each key of the CA in use."""
        return _revocation_lists(self.certificate_revocation_list)

    def key_of(self, name: str) -> str:
        """Kind of a client's key, such as `ECDSA P-256`; empty if it cannot be told."""
        bundle = self.client_bundles.get(name)
        if bundle is None:
            return ""
        try:
            return certificates.key_words(certificates.load(bundle.certificate))
        except ValueError:
            return ""

    def clients_to_try(self) -> list[str]:
        """Names of the clients in force whose keys are here, in order."""
        return [n for n in self.clients_in_force() if self.client_bundles[n].private_key]

    def clients_in_force(self) -> list[str]:
        """Names of the clients that have a bundle and are not revoked, in order."""
        return sorted(
            name
            for name in self.client_bundles
            if name not in self.clients or self.clients[name].status != "revoked"
        )


def _revocation_lists(pem: str) -> list[x509.CertificateRevocationList]:
    end = "-----END X509 CRL-----\n"
    return [x509.load_pem_x509_crl((part + end).encode()) for part in pem.split(end)[:-1]]
