"""The rule that only the load balancer reaches the backends."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from rules.model import Resource, Rule

LOAD_BALANCER = ipaddress.IPv4Network("100.64.0.0/10")
"""Addresses that CLB's requests and health checks come from; `is_private` leaves them out."""

WIDEST = {4: 24, 6: 64}
"""Shortest prefix, by IP version, of a public range that is still one site's and not the world."""

SOURCES = ("cidrIp", "ipv6CidrIp")


def _check_sources(rule: Resource, _configuration: Mapping[str, Any]) -> Iterable[str]:
    properties = rule.properties
    # The provider's defaults: policy accept.
    if properties.get("type") != "ingress" or properties.get("policy", "accept") != "accept":
        return
    for source in SOURCES:
        value = properties.get(source)
        if isinstance(value, str) and value and _is_the_world(value):
            yield (
                f"Port range {properties.get('portRange', '-1/-1')} of the security group is open "
                f"to {value}: only the load balancer ({LOAD_BALANCER}) has to reach a backend; "
                "give its range, a private one, or one site's"
            )


def _is_the_world(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False  # The provider says what is wrong with it.
    if isinstance(network, ipaddress.IPv4Network) and network.subnet_of(LOAD_BALANCER):
        return False
    return not network.is_private and network.prefixlen < WIDEST[network.version]


RULES = (
    Rule(
        "backend-ports",
        "No port of a backend is open to the world.",
        _check_sources,
        frozenset({"alicloud:ecs/securityGroupRule:SecurityGroupRule"}),
    ),
)
