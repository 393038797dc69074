"""Makes policies of Pulumi's policy SDK from rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    proxy,
)
from pulumi_policy.deserialize import (
    SPECIAL_SECRET_SIG,
    SPECIAL_SIG_KEY,
    serialize_properties,
)

from rules.model import Marker, Resource, Rule

UNKNOWN = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))
"""Texts that stand for values which a preview cannot know."""

Validate = Callable[[ResourceValidationArgs, ReportViolation], None]


def make_policy(rule: Rule) -> ResourceValidationPolicy:
    """Make a policy of the SDK from a rule."""
    options = PolicyConfigSchema(properties={name: dict(s) for name, s in rule.options.items()})
    if not rule.secrets_hidden:
        return ResourceValidationPolicy(
            name=rule.name,
            description=rule.description,
            validate=lambda args, report: _report(_violations(rule, args), report),
            config_schema=options if rule.options else None,
        )
    # The SDK hands secrets to `validate` in the clear, and only `remediate` sees which they are:
    # the engine calls it first. Nothing is remedied; who uses a secret in the clear has to know.
    violations: dict[str, list[str]] = {}

    def remediate(args: ResourceValidationArgs) -> None:
        violations[args.urn] = _violations(rule, args)

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        _report(violations.pop(args.urn, [UNSEEN.format(name=rule.name)]), report)

    return ResourceValidationPolicy(
        name=rule.name,
        description=rule.description,
        remediate=remediate,
        validate=validate,
        enforcement_level=EnforcementLevel.REMEDIATE,
    )


UNSEEN = (
    "What is secret cannot be seen at this enforcement level: set that of {name} to remediate, or "
    "to disabled"
)


def _violations(rule: Rule, args: ResourceValidationArgs) -> list[str]:
    properties = _plain(serialize_properties(args.props))
    return rule.find_violations(
        Resource(args.resource_type, properties, pulumi.get_stack(), args.name),
        args.get_config(),
    )


def _report(violations: list[str], report: ReportViolation) -> None:
    for violation in violations:
        report(violation)


def _plain(value: Any) -> Any:
    """Put markers in place of secrets and of what is not known yet."""
    if isinstance(value, Mapping):
        if value.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG:
            return Marker.SECRET
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return Marker.UNKNOWN if isinstance(value, str) and value in UNKNOWN else value
