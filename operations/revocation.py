"""Cuts a client off: the one way that works with a load balancer that reads no revocation list.

The client is marked as revoked, and the CA gets another key, so that the listener refuses every
certificate of before. All others get new ones, which are to be handed out at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from operations import checks, probes
from operations.errors import OperationError
from operations.identity import Identity
from operations.outputs import StackOutputs
from operations.report import Check
from operations.stack import Stack
from settings import NAMESPACE


def changes(values: dict[str, Any], name: str, reason: str) -> dict[str, str | int]:
    """What to set in a stack's configuration, by path.

    Args:
        values: Content of its configuration file.
        name: Of the client.
        reason: CRLReason (RFC 5280, 5.3.1).

    Raises:
        OperationError: The configuration has no such client, or has it as revoked.
    """
    config = values.get("config", {})
    clients = config.get(f"{NAMESPACE}:clients", {})
    if name not in clients:
        known = ", ".join(sorted(clients)) or "none"
        raise OperationError(f"The configuration has no client {name!r}; it has {known}.")
    if (clients[name] or {}).get("revoked"):
        raise OperationError(f"Client {name} is revoked already ({clients[name]['revoked']}).")
    generation = config.get(f"{NAMESPACE}:certificate_authority", {}).get("generation", 1)
    return {
        f"{NAMESPACE}:clients[{json.dumps(name)}].revoked": reason,
        f"{NAMESPACE}:certificate_authority.generation": int(generation) + 1,
    }


def configure(stack: Stack, file: Path, wanted: dict[str, str | int]) -> None:
    """Write the changes into the stack's own configuration file; its comments stay.

    Raises:
        OperationError: The Pulumi CLI refuses.
    """
    for path, value in wanted.items():
        kind = "int" if isinstance(value, int) else "string"
        options = ("--path", "--type", kind, "--config-file", str(file))
        answer = stack.capture("config", "set", *options, path, str(value))
        if answer.returncode != 0:
            raise OperationError(f"{file.name} cannot be changed: {answer.stderr.strip()}")


def cut_off(outputs: StackOutputs, name: str, leaver: Identity) -> Check:
    """Whether the listener refuses what the client had; to be asked after the verification."""
    outcome = probes.probe(probes.target_of(outputs), probes.stack_context(outputs), leaver)
    finding = checks.refusal(outcome, clients_get_through=True)
    return Check("revoked", f"What {name} had is refused", finding.status, finding.detail)
