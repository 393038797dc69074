"""Model of what the control plane asks of the data plane: plain values, in CLB's own terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ServerHealth = Literal["normal", "abnormal", "unavailable"]
"""Value of ServerHealthStatus in DescribeHealthStatus; unavailable: not checked (yet)."""


@dataclass(frozen=True)
class SocketAddress:
    """A loopback address and TCP port."""

    host: str
    port: int


@dataclass(frozen=True)
class HealthCheck:
    """Active checks of a listener's backends; times in seconds."""

    uri: str = "/"
    method: Literal["head", "get"] = "head"
    domain: str | None = None
    http_codes: tuple[str, ...] = ("http_2xx",)
    interval: int = 2
    timeout: int = 5
    healthy_threshold: int = 3
    unhealthy_threshold: int = 3
    kind: Literal["http", "tcp"] = "http"
    """Kind of check: an answer counts, or only that a connection comes about."""


@dataclass(frozen=True)
class BackendSpec:
    """A server of a listener's group, at the socket its instance really listens on."""

    server_id: str
    socket: SocketAddress
    weight: int = 100
    """Weight of the backend, 0 to 100; 0 takes no requests."""
    checked_port: int | None = None
    """Port that health checks go to, on the same host; None: to the socket itself."""

    @property
    def key(self) -> BackendKey:
        """Key that identifies the backend within its listener."""
        return (self.server_id, self.socket)


BackendKey = tuple[str, SocketAddress]
"""Key of a backend: server id and socket, as a group may hold an instance with several ports."""


@dataclass(frozen=True)
class StickySession:
    """Session persistence: a cookie says which backend a client's requests go to."""

    cookie: str = "SERVERID"
    timeout: int | None = None
    """Seconds idle that an inserted cookie is good for; None: the backend's own is rewritten."""


@dataclass(frozen=True)
class AccessControl:
    """Access control: which clients may connect, by address."""

    type: Literal["white", "black"]
    entries: tuple[str, ...]
    """Blocks of addresses (CIDR); none of them means that everyone may, whatever the type."""


@dataclass(frozen=True)
class DomainSpec:
    """A domain with a server certificate of its own, chosen by SNI."""

    domain: str
    """Domain, exact or with `*` for its first label."""
    server_certificate: str
    """Certificate of the domain, PEM: leaf, intermediates, then the PKCS#1 key."""


@dataclass(frozen=True)
class RuleSpec:
    """Requests for a domain, or for paths that begin alike, which go to backends of their own."""

    rule_id: str
    domain: str
    """Domain, exact or with `*` before its first dot; empty: any domain that no other rule has."""
    url: str
    """Prefix of the path; empty: all of the domain."""
    backends: tuple[BackendSpec, ...]
    scheduler: Literal["rr", "wrr", "wlc"] = "rr"
    sticky_session: StickySession | None = None
    health_check: HealthCheck | None = None


@dataclass(frozen=True)
class ForwardedHeaders:
    """X-Forwarded-… headers that the listener adds beside X-Forwarded-For."""

    slb_ip: bool = False
    slb_id: bool = False
    proto: bool = False


@dataclass(frozen=True)
class ListenerSpec:
    """A running listener of a load balancer."""

    load_balancer_id: str
    address: str
    """The load balancer's loopback address, IPv4 or IPv6."""
    port: int
    """The listener's port as the API knows it."""
    protocol: Literal["http", "https", "tcp"]
    backends: tuple[BackendSpec, ...]
    scheduler: Literal["rr", "wrr", "wlc"] = "rr"
    sticky_session: StickySession | None = None
    access_control: AccessControl | None = None
    forward_port: int | None = None
    """Port of the HTTPS listener to which an HTTP listener redirects every request."""
    health_check: HealthCheck | None = None
    idle_timeout: int = 15
    request_timeout: int = 60
    forwarded: ForwardedHeaders = ForwardedHeaders()
    server_certificate: str | None = None
    """Certificate of an HTTPS listener, PEM: leaf, intermediates, then the PKCS#1 key."""
    domain_extensions: tuple[DomainSpec, ...] = ()
    rules: tuple[RuleSpec, ...] = ()
    ca_certificate: str | None = None
    """Certificate of the clients' CA, PEM; if it is set, TLS is mutual."""
    tls_cipher_policy: str = "tls_cipher_policy_1_0"
    http2: bool = True
    gzip: bool = True
    persistence_timeout: int = 0
    """Seconds for which a TCP listener sends a client's address to the same backend; 0: none."""
    proxy_protocol: bool = False
    """PROXY protocol, version 2: a TCP listener's backends are told the client's address."""
    established_timeout: int = 900
    """Seconds after which a TCP listener closes an idle connection."""

    @property
    def key(self) -> ListenerKey:
        """Key that identifies the listener within the data plane."""
        return (self.load_balancer_id, self.protocol, self.port)


Pool = ListenerSpec | RuleSpec
"""Holder of backends: a listener for what no rule takes, or one of its rules."""

ListenerKey = tuple[str, str, int]
"""Key of a listener: load balancer id, protocol, port of the API."""

OPEN_QUESTIONS = (
    "no_certificate",
    "ec_keys",
    "lower_ca",
    "sessions",
    "no_server_name",
    "long_headers",
    "many_requests",
)
"""Questions that CLB's documentation leaves open, by which a data plane can be told to differ."""


@dataclass(frozen=True)
class InstanceSpec:
    """An ECS instance as a local process."""

    instance_id: str
    host: str
    """Loopback address that stands for the instance's private address."""
    user_data: str
    """User data of the instance, decoded cloud-config; empty: nothing listens."""


class DataPlaneError(Exception):
    """The data plane cannot do what was asked; the message is one sentence for a person."""


class RefusedError(DataPlaneError):
    """A value cannot be served: asking again will not help."""
