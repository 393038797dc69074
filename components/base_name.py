"""The name that a stack's resources begin with: chosen once, it outlives a rename of the stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

OUTPUT = "name"
"""Output of the stack that remembers it."""

AUTHORITY = "PrivateCertificateAuthority$pulumi-python:dynamic/pki:CertificateAuthority"
"""End of the type of a resource that has it as its name. The output is missing in stacks of earlier
versions, and where the first update was interrupted."""


def base_name() -> str:
    """Return the name that the stack's resources have, or `PROJECT-STACK` for a new stack.

    The engine knows resources by their names. With others, a stack that was renamed would make
    everything anew and delete what it has: the CA's key, and the address.
    """
    project, stack = pulumi.get_project(), pulumi.get_stack()
    own = f"{pulumi.get_organization()}/{project}/{stack}"
    known: str | None = _state("readStackOutputs", name=own).get(OUTPUT)
    if known is None:
        known = name_in(_state("readStackResourceOutputs", stackName=own))
    return known or f"{project}-{stack}"


def name_in(urns: Iterable[str]) -> str | None:
    """Find the name by the URNs of a stack's resources; None if there are none yet."""
    parts = (urn.split("::", 3) for urn in urns)
    return next((name for _, _, kind, name in parts if kind.endswith(AUTHORITY)), None)


def _state(function: str, **arguments: str) -> Mapping[str, Any]:
    """Outputs that the stack's state has, as the engine's own provider `pulumi` tells them."""
    answer = pulumi.runtime.invoke(f"pulumi:pulumi:{function}", arguments).value or {}
    outputs: Mapping[str, Any] = answer.get("outputs") or {}
    return outputs
