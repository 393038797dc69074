"""The rule on where things may be made."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from rules.model import Resource, Rule


def _allowed(provider: Resource, configuration: Mapping[str, Any]) -> Iterable[str]:
    allowed = configuration["allowed"]
    region = provider.properties.get("region")
    if not allowed or region in allowed or not isinstance(region, str):
        return
    close = difflib.get_close_matches(region, allowed, n=3, cutoff=0)
    yield (
        f"The region {region} is not allowed: set alicloud:region to one that is, such as "
        f"{' or '.join(close)}, or have it added to region.allowed in policy/configuration.json"
    )


RULES = (
    Rule(
        "region",
        "Everything is made in a region that is allowed.",
        _allowed,
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
