"""The rule that nobody deletes a production load balancer by mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from rules.model import Resource, Rule


def _check_protection(load_balancer: Resource, configuration: Mapping[str, Any]) -> Iterable[str]:
    stack = load_balancer.stack
    if not any(fnmatchcase(stack, pattern) for pattern in configuration["stacks"]):
        return
    if load_balancer.properties.get("deleteProtection") != "on":
        yield (
            f"The load balancer of stack {stack} can be deleted by mistake: set "
            "load_balancer.deletion_protection to true"
        )


RULES = (
    Rule(
        "deletion-protection",
        "A load balancer in production is protected from deletion.",
        _check_protection,
        frozenset({"alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer"}),
        {
            "stacks": {
                "type": "array",
                "description": "Names of the stacks in production; `*` stands for any text.",
                "items": {"type": "string"},
                "default": ["prod"],
            }
        },
    ),
)
