"""Model of rules, and of resources as rules see them; knows nothing of Pulumi's policy SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any


class Marker(Enum):
    """Marker that stands for a value that a rule does not get to see."""

    UNKNOWN = auto()
    SECRET = auto()


@dataclass(frozen=True)
class Resource:
    """Resource as it is to be.

    Attributes:
        type: Pulumi's type token, e.g. `alicloud:slb/listener:Listener`.
        properties: Inputs after the provider's check, by the names that state has, with a
            marker for what is not known yet.
        stack: Name of its stack.
        name: Name of the resource in the program.
    """

    type: str
    properties: Mapping[str, Any]
    stack: str = "dev"
    name: str = ""

    def has_value(self, name: str) -> bool:
        """Tell whether a property has a value, be it known yet or not."""
        return self.properties.get(name) not in (None, "")


Check = Callable[[Resource, Mapping[str, Any]], Iterable[str]]
"""Check of a rule: takes a resource and the rule's configuration, yields a sentence a violation."""


@dataclass(frozen=True)
class Rule:
    """Rule that resources have to obey.

    Attributes:
        name: Name in `configuration.json` and in reports.
        description: Sentence that says what must hold.
        check: Function that finds what breaks the rule.
        types: Types of the resources that the rule is about; none means all.
        options: JSON schema of each field of the rule's configuration, with a default.
        secrets_hidden: Whether the rule sees markers in place of secrets: one about secrecy does.
    """

    name: str
    description: str
    check: Check
    types: frozenset[str] = frozenset()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets_hidden: bool = False

    def find_violations(self, resource: Resource, configuration: Mapping[str, Any]) -> list[str]:
        """Describe what of a resource breaks the rule, one sentence a violation."""
        if self.types and resource.type not in self.types:
            return []
        return list(self.check(resource, configuration))
