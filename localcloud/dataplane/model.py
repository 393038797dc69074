"""What the control plane asks of the data plane: plain values, in CLB's own terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ServerHealth = Literal["normal", "abnormal", "unavailable"]
"""ServerHealthStatus of DescribeHealthStatus; unavailable: not checked (yet)."""


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


@dataclass(frozen=True)
class Backend:
    """A server of a listener's group, at the socket its instance really listens on."""

    server_id: str
    socket: SocketAddress
    weight: int = 100
    """0 to 100; 0 takes no new requests."""


@dataclass(frozen=True)
class ForwardedHeaders:
    """Which X-Forwarded-… headers the listener adds beside X-Forwarded-For."""

    slb_ip: bool = False
    slb_id: bool = False
    proto: bool = False


@dataclass(frozen=True)
class Listener:
    """A running HTTP or HTTPS listener of a load balancer."""

    load_balancer_id: str
    address: str
    """The load balancer's loopback address."""
    port: int
    """The listener's port as the API knows it."""
    protocol: Literal["http", "https"]
    backends: tuple[Backend, ...]
    scheduler: Literal["rr", "wrr", "wlc"] = "rr"
    health_check: HealthCheck | None = None
    idle_timeout: int = 15
    request_timeout: int = 60
    forwarded: ForwardedHeaders = ForwardedHeaders()
    server_certificate: str | None = None
    """PEM: leaf, intermediates, then the PKCS#1 key. HTTPS only."""
    ca_certificate: str | None = None
    """PEM of the client CA: set means mutual TLS."""
    tls_cipher_policy: str = "tls_cipher_policy_1_0"
    http2: bool = True
    gzip: bool = True

    @property
    def key(self) -> ListenerKey:
        """Identifies the listener within the data plane."""
        return (self.load_balancer_id, self.protocol, self.port)


ListenerKey = tuple[str, str, int]
"""Load balancer id, protocol, port of the API."""


@dataclass(frozen=True)
class InstanceSpec:
    """An ECS instance as a local process."""

    instance_id: str
    host: str
    """The loopback address that stands for its private address."""
    user_data: str
    """Decoded cloud-config text; empty: an instance with nothing listening."""


class DataPlaneError(Exception):
    """The data plane cannot do what was asked; the message is one sentence for a person."""
