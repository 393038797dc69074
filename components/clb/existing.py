"""Choices from what the account and the region have of load balancers."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_alicloud as alicloud

from ..catalogue import no_such
from .arguments import LoadBalancerArguments


@dataclass(frozen=True)
class ExistingLoadBalancer:
    """A load balancer of the account.

    Attributes:
        address: IP address that clients connect to.
        ip_version: `ipv4` or `ipv6`.
    """

    address: str
    ip_version: str


def find_load_balancer(load_balancer_id: str, opts: pulumi.InvokeOptions) -> ExistingLoadBalancer:
    """Look a load balancer up, and check that an HTTPS listener can be had on it.

    Raises:
        pulumi.RunError: It does not exist, or shares its performance with others, where the
            provider can set no TLS policy.
    """
    balancers = alicloud.slb.get_application_load_balancers(
        ids=[load_balancer_id], enable_details=True, opts=opts
    ).balancers
    if not balancers:
        raise no_such("load_balancer.id", [load_balancer_id], "load balancers")
    if not balancers[0].load_balancer_spec:
        raise pulumi.RunError(
            f"load_balancer.id names {load_balancer_id}, a shared-performance instance: it takes "
            "neither a TLS policy nor domain extensions. Name a guaranteed-performance or "
            "pay-by-LCU one, or leave the key out for a new one."
        )
    return ExistingLoadBalancer(balancers[0].address, balancers[0].address_ip_version)


def require_load_balancer_zones(
    load_balancer: LoadBalancerArguments, opts: pulumi.InvokeOptions
) -> None:
    """Check that the region sells a load balancer in the configured zones and of the IP version.

    Nothing is asked for where neither is configured.

    Raises:
        pulumi.RunError: It does not; it names the zones that are sold.
    """
    version, master = load_balancer.address_ip_version, load_balancer.master_zone_id
    if version == "ipv4" and master is None:
        return
    sold = alicloud.slb.get_zones(
        available_slb_address_type="vpc" if load_balancer.address_type == "intranet" else None,
        available_slb_address_ip_version=version,
        opts=opts,
    ).zones
    pairs = [(zone.master_zone_id, zone.slave_zone_id) for zone in sold]
    if not pairs:
        raise pulumi.RunError(
            f"The region sells no load balancer with an address of {version}: leave "
            "load_balancer.address_ip_version out, or take another region."
        )
    slave = load_balancer.slave_zone_id
    if master is not None and not any(
        master == first and slave in {None, second} for first, second in pairs
    ):
        offered = ", ".join(sorted(f"{first} with {second}" for first, second in set(pairs)))
        raise pulumi.RunError(
            f"The region sells no load balancer in load_balancer.master_zone_id {master}"
            f"{f' with slave_zone_id {slave}' if slave else ''}: it sells them in {offered}."
        )
