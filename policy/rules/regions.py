"""The rule on where things may be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rules.model import Resource, Rule


def _check_region(provider: Resource, configuration: Mapping[str, Any]) -> Iterable[str]:
    allowed = configuration["allowed"]
    region = provider.properties.get("region")
    if not allowed or region in allowed or not isinstance(region, str):
        return
    yield (
        f"The region {region} is not allowed: set alicloud:region to one that is "
        f"({', '.join(allowed)}), or have it added in policy/configuration.json"
    )


RULES = (
    Rule(
        "region",
        "Everything is made in a region that is allowed.",
        _check_region,
        frozenset({"pulumi:providers:alicloud"}),
        {
            "allowed": {
                "type": "array",
                "description": "Ids of regions; none means every region.",
                "items": {"type": "string"},
                "default": [],
            }
        },
    ),
)
