"""The policy pack's rules, with what this repository has configured of them."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.errors import OperationError

DEFAULT_LEVEL = "mandatory"
"""Enforcement level that the pack gives its rules."""


@dataclass(frozen=True)
class PolicyRule:
    """A rule that stacks obey.

    Attributes:
        name: Such as `tls-policy`.
        description: What holds, in a sentence.
        level: `mandatory`, `advisory`, `remediate` or `disabled`.
        options: Value of each of its settings.
    """

    name: str
    description: str
    level: str
    options: Mapping[str, Any]


def read_rules(pack: Path) -> tuple[PolicyRule, ...]:
    """Read the rules of a policy pack and its `configuration.json`.

    Raises:
        OperationError: That file cannot be read.
    """
    path = pack / "configuration.json"
    try:
        configuration = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OperationError(f"{path} cannot be read: {error}.") from None
    if str(pack) not in sys.path:
        # The pack is a program of its own, whose modules know each other by these names.
        sys.path.append(str(pack))
    return tuple(configured(rule, configuration) for rule in importlib.import_module("rules").RULES)


def configured(rule: Any, configuration: Mapping[str, Any]) -> PolicyRule:
    """Read a rule with its level and its settings, as Pulumi reads them.

    Args:
        rule: Of the pack.
        configuration: By a rule's name its enforcement level, or an object of its settings in
            which `enforcementLevel` may be; `all` is for every rule that has no level of its own.
    """
    level = _level(configuration.get("all"), DEFAULT_LEVEL)
    own = configuration.get(rule.name)
    settings = own if isinstance(own, Mapping) else {}
    options = {
        name: settings.get(name, schema.get("default")) for name, schema in rule.options.items()
    }
    return PolicyRule(rule.name, rule.description, _level(own, level), options)


def _level(given: Any, otherwise: str) -> str:
    if isinstance(given, Mapping):
        given = given.get("enforcementLevel")
    return given if isinstance(given, str) else otherwise
