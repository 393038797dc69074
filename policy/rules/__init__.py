"""Rules that every stack obeys, as functions of a resource and of the rule's configuration."""

from __future__ import annotations

from rules import (
    client_keys,
    listeners,
    protection,
    regions,
    secret_inputs,
    security_groups,
    validity,
)

RULES = (
    *listeners.RULES,
    *security_groups.RULES,
    *validity.RULES,
    *client_keys.RULES,
    *protection.RULES,
    *secret_inputs.RULES,
    *regions.RULES,
)
