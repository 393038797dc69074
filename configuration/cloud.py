"""The configuration's part on the cloud: network, backends, load balancer and listener.

Ranges are those of the Alibaba Cloud APIs (CreateLoadBalancerHTTPSListener, CreateLoadBalancer,
AddBackendServers, RunInstances) and of the provider, whichever is narrower.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, IPvAnyNetwork, model_validator

from configuration.model import Model

MOST_BACKENDS = 20
"""AddBackendServers takes that many in a call, and the provider sends all in one."""


def _instance_ids(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) > MOST_BACKENDS:
        raise ValueError(
            f"{len(value)} instances are given, and the load balancer takes {MOST_BACKENDS} at "
            "once: leave some out"
        )
    repeated = [name for name, times in Counter(value).items() if times > 1]
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is given more than once: give each once")
    return value


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

    count: Annotated[int, Field(ge=1, le=MOST_BACKENDS)] = 2
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    instance_type: str | None = None
    image_id: str | None = None
    system_disk_category: str = "cloud_essd"
    instance_ids: Annotated[
        tuple[Annotated[str, Field(pattern=r"^i-[a-z0-9]+$")], ...], AfterValidator(_instance_ids)
    ] = ()


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
