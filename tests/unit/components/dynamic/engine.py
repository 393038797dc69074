"""One dynamic resource as the engine keeps it: what crosses the wire, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.dynamic import DiffResult, ResourceProvider
from pulumi.runtime import rpc

from components.dynamic.properties import unpack
from components.dynamic.register_state import read_bundles, read_issued
from components.private_ca import latest


def wire(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as a provider's process receives them: numbers are floats, None is left out."""
    loop = asyncio.new_event_loop()
    try:
        sent = loop.run_until_complete(rpc.serialize_properties(dict(properties), {}))
    finally:
        loop.close()
    return dict(rpc.deserialize_properties(sent, keep_unknowns=True))


@dataclass
class Kept:
    """A resource in the state. Old inputs go to `check`, old outputs to `diff` and `update`."""

    provider: ResourceProvider
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    id: str = ""

    @property
    def seen(self) -> dict[str, Any]:
        """The outputs of a register as the program reads them, and what it makes of them."""
        issued = read_issued(self.outputs["issued"])
        return {
            **self.outputs,
            "clients": unpack(self.outputs["clients"]),
            "issued": issued,
            "bundles": read_bundles(self.outputs["bundles"]),
            "inventory": latest(issued),
        }

    def checked(self, news: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs as `check` completes them.

        Raises:
            ValueError: It reports failures.
        """
        result = self.provider.check(wire(self.inputs), wire(news))
        if result.failures:
            raise ValueError("; ".join(f"{f.property}: {f.reason}" for f in result.failures))
        return wire(result.inputs)

    def preview(self, news: Mapping[str, Any]) -> DiffResult:
        """What `diff` says of new inputs."""
        return self.provider.diff(self.id, wire(self.outputs), self.checked(news))

    def up(self, news: Mapping[str, Any]) -> str:
        """Bring the resource up to date; return the step it took."""
        if not self.id:
            return self._created(news, "create")
        inputs = self.checked(news)
        found = self.provider.diff(self.id, wire(self.outputs), inputs)
        if found.replaces:
            self.inputs = {}  # A replacement is checked again, with no old inputs.
            return self._created(news, "replace")
        self.inputs = inputs
        if not found.changes:
            return "same"
        self.outputs = wire(self.provider.update(self.id, wire(self.outputs), inputs).outs or {})
        return "update"

    def _created(self, news: Mapping[str, Any], step: str) -> str:
        self.inputs = self.checked(news)
        made = self.provider.create(self.inputs)
        self.id, self.outputs = made.id, wire(made.outs or {})
        return step


@dataclass(frozen=True)
class Declaration:
    """What a resource's class asks of the engine."""

    type: str
    provider: ResourceProvider
    properties: Mapping[str, Any]
    options: pulumi.ResourceOptions

    @property
    def secret_outputs(self) -> set[str]:
        """Outputs that the state encrypts."""
        return set(self.options.additional_secret_outputs or ())


def texts(value: Any) -> list[str]:
    """Every text within a value."""
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []
