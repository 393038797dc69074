"""The policy pack: rules that every stack obeys.

`pulumi preview --policy-pack policy --policy-pack-config policy/configuration.json`
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, PolicyPack

from adapter import make_policy
from rules import RULES

PolicyPack(
    name="slb-mutual-tls",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[make_policy(rule) for rule in RULES],
)
