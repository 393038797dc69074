"""Arguments about listeners: what is served, to whom, and on which port. `args.py` describes them.

Ranges are those of CreateLoadBalancerHTTPSListener, CreateDomainExtension and
AddAccessControlListEntry (SLB 2014-05-15) and of the provider, whichever is narrower.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sized
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ..arguments.certificates import ServedCertificateArguments, ServerArguments, other_names
from ..arguments.identifiers import AclId, ServerGroupId
from ..arguments.late import InputOf, is_known
from ..arguments.model import Model, matching
from ..pki import dns_names
from ..pki.mistakes import WrongValueError

Port = Annotated[int, Field(ge=1, le=65535)]

MOST_ENTRIES = 300
"""Entries of an access control list, at most (the provider's schema)."""

MOST_ACLS = 3
"""Access control lists of a listener, at most (CLB access control, limits)."""

MOST_DOMAINS = 3
"""Additional domains of a listener (CLB quotas)."""

_Several = TypeVar("_Several", bound=Sized)


def _domain(value: str) -> str:
    domain = dns_names.a_labels(value)
    if "." not in domain:
        raise WrongValueError.of(value, " has no dot: give a whole name such as www.example.com")
    if len(domain) > 64:
        raise ValueError(
            f"{len(domain)} characters do not fit into a certificate's common name: 64"
        )
    return domain


_CHECKS_DOMAIN = matching(
    r"[A-Za-z0-9.-]{1,80}",
    "this is no domain name of 1 to 80 letters, digits, dots and dashes: give one such as "
    "health.example.com, or leave the key out for the backend's address",
)

_CHECKS_URI = matching(
    r"/[A-Za-z0-9_\-/.%?#&=~]{1,79}",
    "this is no path of 2 to 80 letters, digits and -_/.%?#&=~ that begins with /: give "
    "one such as /healthz, which every backend answers",
)

_COOKIE = matching(
    r"[A-Za-z0-9]{1,200}",
    "the load balancer takes cookies named by 1 to 200 letters and digits, such as "
    "JSESSIONID: name one of these",
)


def _cidr_block(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        pass
    try:
        block = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(
            "this is no CIDR block: give one such as 203.0.113.0/24, or a single address"
        ) from None
    raise ValueError(f"the block of this address is {block}: give that, or the address alone")


def _bandwidth(value: int) -> int:
    if value != -1 and not 1 <= value <= 1000:
        range_ = "it is -1 (no limit) or 1 to 1000 Mbit/s"
        raise WrongValueError(f"bandwidth is {value}: {range_}", range_)
    return value


_LISTENER_NAME = matching(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}",
    "a listener's name becomes part of a resource's: 1 to 32 letters, digits, dashes or "
    "underscores, the first one a letter or digit",
)


def _at_most(count: int, what: str) -> AfterValidator:
    def check(value: _Several) -> _Several:
        if len(value) > count:
            raise ValueError(f"{len(value)} are given, and {what} at most {count}: leave some out")
        return value

    return AfterValidator(check)


DomainName = Annotated[str, AfterValidator(_domain)]
"""DNS name of a host, in small ASCII letters; the first label may be a `*`."""

CidrBlock = Annotated[str, AfterValidator(_cidr_block)]
"""A block of IPv4 or IPv6 addresses in its normal form."""

ListenerName = Annotated[str, _LISTENER_NAME]


class HealthCheckArguments(Model):
    """Active checks of the backends; times in seconds."""

    enabled: bool = True
    uri: Annotated[str, _CHECKS_URI] = "/healthz"
    method: Literal["head", "get"] = "head"
    http_codes: tuple[Literal["http_2xx", "http_3xx", "http_4xx", "http_5xx"], ...] = ("http_2xx",)
    domain: Annotated[str, _CHECKS_DOMAIN] | None = None
    port: Port | None = None
    interval: Annotated[int, Field(ge=1, le=50)] = 2
    timeout: Annotated[int, Field(ge=1, le=300)] = 5
    healthy_threshold: Annotated[int, Field(ge=2, le=10)] = 3
    unhealthy_threshold: Annotated[int, Field(ge=2, le=10)] = 3


class ForwardedHeadersArguments(Model):
    """Headers that tell backends about a request, beside X-Forwarded-For."""

    proto: bool = True
    slb_id: bool = False
    slb_ip: bool = False


class StickySessionArguments(Model):
    """Requests with the session's cookie go to the backend that answered its first one."""

    type: Literal["insert", "server"]
    cookie_timeout: Annotated[int, Field(ge=1, le=86400)] | None = None
    cookie: Annotated[str, _COOKIE] | None = None

    @model_validator(mode="after")
    def _matching(self) -> Self:
        needed, other = {
            "insert": ("cookie_timeout", "cookie"),
            "server": ("cookie", "cookie_timeout"),
        }[self.type]
        if getattr(self, needed) is None:
            example = "3600 (seconds)" if needed == "cookie_timeout" else "JSESSIONID"
            raise ValueError(
                f"type is {self.type}, which needs {needed}: set it, e.g. to {example}"
            )
        if getattr(self, other) is not None:
            raise ValueError(f"type is {self.type}, which takes no {other}: leave it out")
        return self


class AclArguments(Model):
    """Access control list that says who may connect at all, made from entries or existing by id."""

    type: Literal["white", "black"]
    entries: Annotated[dict[CidrBlock, str | None], _at_most(MOST_ENTRIES, "an ACL has")] = Field(
        default_factory=dict
    )
    ids: Annotated[
        tuple[InputOf[AclId], ...],
        _at_most(MOST_ACLS, "a listener takes"),
    ] = ()

    @property
    def ip_versions(self) -> set[int]:
        """IP versions of the entries: 4, 6 or both."""
        return {ipaddress.ip_network(block).version for block in self.entries}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.entries) == bool(self.ids):
            given = "both given" if self.ids else "both empty (an empty list would admit everybody)"
            raise ValueError(
                f"entries and ids are {given}: give entries for a new list, or ids of existing ones"
            )
        if len(self.ip_versions) > 1:
            raise ValueError(
                "entries has IPv4 and IPv6 blocks, and an ACL holds one kind: give those of the "
                "load balancer's address_ip_version"
            )
        return self


class DomainExtensionArguments(ServedCertificateArguments):
    """The certificate of an additional domain, which clients ask for by SNI."""

    def server(self, domain: str) -> ServerArguments:
        """Arguments of a server certificate for the domain alone."""
        return ServerArguments.model_construct(domains=(domain,), **dict(self))


def _each_once(extensions: Any) -> Any:
    """Refuse two spellings of one name: the later of them would count, without a word."""
    spelt: dict[str, str] = {}
    for domain in extensions if isinstance(extensions, Mapping) else ():
        try:
            name = dns_names.a_labels(str(domain))
        except ValueError:
            continue  # Its own validator says what is wrong.
        if name in spelt:
            raise ValueError(f"{spelt[name]} and {domain} are one DNS name: keep one of them")
        spelt[name] = domain
    return extensions


def _of_their_domains(
    extensions: dict[str, DomainExtensionArguments],
) -> dict[str, DomainExtensionArguments]:
    for domain, extension in extensions.items():
        certificate = extension.certificate
        if is_known(certificate) and (other := other_names(certificate, domain)):
            raise ValueError(
                f"the certificate of {domain} is for {other}, so clients would refuse it: give "
                "one for the domain"
            )
    return extensions


class ListenerOptions(Model):
    """Settings that each listener has for itself."""

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
    sticky_session: StickySessionArguments | None = None
    acl: AclArguments | None = None
    bandwidth: Annotated[int, AfterValidator(_bandwidth)] = -1
    idle_timeout: Annotated[int, Field(ge=1, le=60)] = 15
    request_timeout: Annotated[int, Field(ge=1, le=180)] = 60
    forwarded_headers: ForwardedHeadersArguments = ForwardedHeadersArguments()
    health_check: HealthCheckArguments = HealthCheckArguments()

    def summary(self) -> dict[str, Any]:
        """Summarize the settings that somebody who tries the listener from outside has to know."""
        sticky = self.sticky_session
        return {
            "scheduler": self.scheduler,
            "sticky_session": sticky.type if sticky else "",
            "cookie": (sticky.cookie if sticky else None) or "",
            "acl": self.acl.type if self.acl else "",
            "health_check": self.health_check.enabled,
        }


class ListenerArguments(ListenerOptions):
    """The HTTPS listener that demands a client certificate."""

    port: Port = 443
    redirect_port: Port | None = None
    domain_extensions: Annotated[
        dict[DomainName, DomainExtensionArguments],
        BeforeValidator(_each_once),
        _at_most(MOST_DOMAINS, "a listener takes"),
        AfterValidator(_of_their_domains),
    ] = Field(default_factory=dict)


class AdditionalListenerArguments(ListenerOptions):
    """A further one with the same certificates; what is unset is as `listener` has it."""

    port: Port
    backend_port: Port | None = None
    server_group_id: InputOf[ServerGroupId] | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.backend_port is not None and self.server_group_id is not None:
            raise ValueError(
                "backend_port and server_group_id are both set, and a VServer group has its own "
                "ports: keep one"
            )
        return self

    def completed(self, listener: ListenerOptions) -> Self:
        """Take what this listener leaves unset from another one."""
        unset = ListenerOptions.model_fields.keys() - self.model_fields_set
        return self.model_copy(update={name: getattr(listener, name) for name in unset})


def require_distinct_ports(
    listener: ListenerArguments, others: Mapping[str, AdditionalListenerArguments]
) -> None:
    """Check that no two listeners are on the same port.

    Raises:
        ValueError: Two are; it names both.
    """
    places = {"listener.port": listener.port, "listener.redirect_port": listener.redirect_port}
    places |= {f"additional_listeners.{name}.port": other.port for name, other in others.items()}
    taken: dict[int, str] = {}
    for place, port in places.items():
        if port is None:
            continue
        if port in taken:
            raise ValueError(
                f"{taken[port]} and {place} are both {port}, and a port has one listener: give "
                "one of them another port"
            )
        taken[port] = place


def require_ip_version(listeners: Mapping[str, ListenerOptions], version: str) -> None:
    """Check that ACLs have blocks of the load balancer's IP version (`ipv4` or `ipv6`).

    Raises:
        ValueError: One has not; it names it.
    """
    for place, listener in listeners.items():
        if listener.acl and listener.acl.ip_versions - {int(version[-1])}:
            raise ValueError(
                f"{place}.acl.entries has blocks of another IP version than the load balancer's "
                f"({version}), which takes none of them: give blocks of {version}"
            )


def require_bandwidth(listeners: Iterable[ListenerOptions], bandwidth: int | None) -> None:
    """Check that the listeners' shares fit into the load balancer's bandwidth, in Mbit/s.

    Raises:
        ValueError: They are more.
    """
    shares = sum(listener.bandwidth for listener in listeners if listener.bandwidth != -1)
    if bandwidth is not None and shares > bandwidth:
        raise ValueError(
            f"the listeners' bandwidth is {shares} Mbit/s together, and load_balancer.bandwidth is "
            f"{bandwidth}: lower the former, or raise the latter"
        )
