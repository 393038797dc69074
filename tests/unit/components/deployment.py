"""What a program asked the engine for, to make assertions about."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

with warnings.catch_warnings():
    # The package loads itself at the first access, and with it modules of its that are deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pulumi_alicloud import ecs, slb, vpc

    LOADED = (ecs.Instance, slb.Listener, vpc.Network)


@dataclass(frozen=True)
class Registration:
    """A resource as the engine is asked to make it."""

    type: str
    name: str
    urn: str
    parent: str
    inputs: Mapping[str, Any]
    """Without the envelopes of secrets."""
    secret_inputs: frozenset[str]
    request: Any

    @property
    def kind(self) -> str:
        """Last part of the type, e.g. `slb/listener:Listener` of Alibaba Cloud's."""
        return self.type.split(":", 1)[1]

    @property
    def takes_tags(self) -> bool:
        """Whether it is a resource of the cloud that can be tagged."""
        if not self.type.startswith("alicloud:"):
            return False
        _, module, name = self.type.split(":")
        package = {"ecs": ecs, "slb": slb, "vpc": vpc}[module.split("/")[0]]
        return "tags" in inspect.signature(getattr(package, name)._internal_init).parameters


@dataclass
class Deployment:
    """What a program registered, invoked and exported."""

    registrations: list[Registration] = field(default_factory=list)
    invokes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    """Outputs of the stack, without the envelopes of secrets."""
    secret_outputs: set[str] = field(default_factory=set)

    def all(self, kind: str) -> list[Registration]:
        """Resources of a type by its last part, in order of name."""
        found = [one for one in self.registrations if one.kind == kind]
        return sorted(found, key=lambda one: one.name)

    def one(self, kind: str) -> Registration:
        """The only resource of a type."""
        (found,) = self.all(kind)
        return found
