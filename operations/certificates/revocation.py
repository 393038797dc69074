"""Revocation that cuts a client off, although the load balancer reads no revocation list.

The client is marked as revoked, and the CA gets another key, so that the listener refuses every
certificate of before. All others get new ones, which are to be handed out at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from components.arguments.model import NAMESPACE
from operations.certificates import rotation
from operations.errors import OperationError
from operations.outputs import StackOutputs
from operations.stacks.environment import section
from operations.verification import checks, probes
from operations.verification.identity import Identity
from operations.verification.report import Check


def named(values: Mapping[str, Any], outputs: StackOutputs, name: str) -> tuple[str, bool]:
    """Find the client that a name, or a certificate's serial number, stands for.

    Args:
        values: Content of the stack's configuration file.
        outputs: Of the stack.
        name: A client's, or a serial number in hex, in small letters or capitals.

    Returns:
        The name to be entered as revoked, and whether it is of a certificate that was issued before
        there was a register, and which therefore no client of the configuration has.
    """
    clients = section(values.get("config", {}), "clients")
    if name in clients:
        return name, False
    for entry in outputs.issued:
        if name.lower() == entry.serial_number.lower() or (entry.imported and name == entry.name):
            if entry.name in clients:
                return entry.name, False
            if entry.imported and entry.status != "revoked":
                return entry.serial_number.lower(), True
    return name, False


def changes(
    values: Mapping[str, Any], name: str, reason: str, *, imported: bool = False
) -> dict[str, str | int | None]:
    """Compute the configuration changes that revoke a client, by path; None removes a key.

    Args:
        values: Content of its configuration file.
        name: Of the client.
        reason: CRLReason (RFC 5280, 5.3.1).
        imported: Whether it is a certificate's that the configuration has no client for.

    Raises:
        OperationError: The configuration has no such client, or has it as revoked.
    """
    clients = section(values.get("config", {}), "clients")
    if name not in clients and not imported:
        known = ", ".join(sorted(clients)) or "none"
        raise OperationError(f"The configuration has no client {name!r}; it has {known}.")
    entry = clients.get(name)
    if isinstance(entry, Mapping) and entry.get("revoked"):
        raise OperationError(f"Client {name} is revoked already ({entry['revoked']}).")
    present, following = rotation.generations(values)
    wanted: dict[str, str | int | None] = {
        f"{NAMESPACE}:clients[{json.dumps(name)}].revoked": reason,
        f"{rotation.AUTHORITY}.generation": max(present, following or present) + 1,
    }
    if following is not None:
        # The client has a certificate of the prepared CA as well.
        wanted[f"{rotation.AUTHORITY}.next_generation"] = None
    return wanted


def cut_off(outputs: StackOutputs, name: str, leaver: Identity | None) -> Check:
    """Check that the listener refuses a revoked client, once the stack has been verified.

    Args:
        outputs: Of the stack.
        name: Of the client.
        leaver: What it had; None for one whose key is elsewhere.
    """
    if leaver is None:
        detail = "its key is not here to try it with; the listener's CA has another key now"
        return Check("revoked", f"What {name} had is refused", "skipped", detail)
    outcome = probes.probe(probes.target_of(outputs), probes.stack_context(outputs), leaver)
    finding = checks.judge_refusal(outcome, clients_get_through=True)
    return Check("revoked", f"What {name} had is refused", finding.status, finding.detail)


def write_lists(outputs: StackOutputs, directory: Path) -> list[Path]:
    """Write the revocation list, `ca.crl.pem` and `ca.crl` (DER, RFC 2585); return the files.

    While a rotation is prepared, the next CA's list is `next-ca.crl.pem` and `next-ca.crl`.

    Raises:
        OperationError: The stack has none, or the files cannot be written.
    """
    lists = outputs.revocation_lists
    if not lists:
        raise OperationError(
            "The stack has no revocation list: its CA's private key is not here, so whoever has "
            "it issues the list."
        )
    written = []
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, listed in zip(("ca", "next-ca"), lists, strict=False):
            for suffix, encoding in (("crl.pem", Encoding.PEM), ("crl", Encoding.DER)):
                path = directory / f"{name}.{suffix}"
                path.write_bytes(listed.public_bytes(encoding))
                written.append(path)
    except OSError as error:
        raise OperationError(f"{directory} cannot be written: {error.strerror}.") from None
    return written
