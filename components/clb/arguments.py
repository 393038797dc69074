"""Arguments of a CLB instance and of its listeners together. `args.py` describes them.

Ranges are those of CreateLoadBalancer (SLB 2014-05-15) and of the provider, whichever is narrower.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ..arguments.certificates import ServerArguments
from ..arguments.cloud import Tags
from ..arguments.identifiers import LoadBalancerId, VSwitchId
from ..arguments.late import InputOf
from ..arguments.model import Model, matching
from ..arguments.paths import path
from ..pki.mistakes import WrongValueError
from .listener_arguments import (
    AdditionalListenerArguments,
    ListenerArguments,
    ListenerName,
    ListenerOptions,
    Port,
    require_bandwidth,
    require_distinct_ports,
    require_ip_version,
)

SPECIFICATIONS = (
    "slb.s1.small",
    "slb.s2.small",
    "slb.s2.medium",
    "slb.s3.small",
    "slb.s3.medium",
    "slb.s3.large",
    "slb.s4.large",
)
"""Specifications that the provider takes, without that of pay-by-LCU instances."""


_NAME = matching(
    r"[\w./-]{1,80}",
    "the load balancer's name has 1 to 80 letters, digits, dots, dashes, slashes and "
    "underscores: give one such as shop-dev",
)


def _specification(value: str) -> str:
    if value not in SPECIFICATIONS:
        sentence = f" is none of {', '.join(SPECIFICATIONS)}: take one of these"
        raise WrongValueError(f"{value}{sentence}", f"this{sentence}")
    return value


class LoadBalancerArguments(Model):
    """The CLB instance: a new one, or an existing one by id."""

    id: InputOf[LoadBalancerId] | None = None
    name: Annotated[str, _NAME] | None = None
    address_type: Literal["internet", "intranet"] = "internet"
    address_ip_version: Literal["ipv4", "ipv6"] = "ipv4"
    vswitch_id: InputOf[VSwitchId] | None = None
    master_zone_id: str | None = None
    slave_zone_id: str | None = None
    instance_charge_type: Literal["PayByCLCU", "PayBySpec"] = "PayByCLCU"
    specification: Annotated[str, AfterValidator(_specification)] | None = None
    internet_charge_type: Literal["PayByTraffic", "PayByBandwidth"] = "PayByTraffic"
    bandwidth: Annotated[int, Field(ge=1, le=5000)] | None = None
    deletion_protection: bool = False
    # None leaves it as it is: the provider would not take it off where it is no longer set.
    modification_protection: bool | None = None
    resource_group_id: InputOf[str] | None = None

    @model_validator(mode="after")
    def _nothing_for_an_existing_one(self) -> Self:
        others = sorted(self.model_fields_set - {"id"})
        if self.id is not None and others:
            raise ValueError(
                f"id names an existing load balancer, which is left as it is: leave out "
                f"{', '.join(others)}, or id for a new one"
            )
        return self

    @model_validator(mode="after")
    def _address(self) -> Self:
        if self.address_type == "intranet" and self.address_ip_version == "ipv6":
            raise ValueError(
                "address_type is intranet, which takes an IPv4 address: leave address_ip_version "
                "out, or set address_type to internet"
            )
        if self.slave_zone_id is not None and self.slave_zone_id == self.master_zone_id:
            raise ValueError("slave_zone_id is the master_zone_id: give another zone")
        if self.slave_zone_id is not None and self.master_zone_id is None:
            raise ValueError("slave_zone_id is given without master_zone_id: set both")
        return self

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


class BalancingArguments(Model):
    """Arguments about the load balancer and its listeners, with the rules that hold among them."""

    server: ServerArguments = ServerArguments()
    load_balancer: LoadBalancerArguments = LoadBalancerArguments()
    listener: ListenerArguments = ListenerArguments()
    additional_listeners: dict[ListenerName, AdditionalListenerArguments] = Field(
        default_factory=dict
    )
    tags: Tags = Field(default_factory=dict)

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
        return self

    def completed_listeners(self) -> dict[str, AdditionalListenerArguments]:
        """The additional listeners, by name, with what they take from `listener`."""
        return {
            name: listener.completed(self.listener)
            for name, listener in self.additional_listeners.items()
        }


class MutualTlsLoadBalancerArguments(BalancingArguments):
    """Arguments of the load balancer by itself."""

    backend_port: Port = 80
    vswitch_id: InputOf[str] | None = None
