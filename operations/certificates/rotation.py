"""Rotation of the CA to another key, and the revocation of a client, which needs one.

A rotation has two steps, between which both keys' clients get through.

Prepare: the next key is made, and signed by the present CA; clients get certificates of the next
CA, whose chain leads to the certificate that the listener has. Complete: the listener takes the
next CA's certificate.

A revocation is the same in one step: a listener that reads no revocation list refuses a client once
the CA has another key. Every certificate of before is refused then, and all other clients get new
ones, which are to be handed out at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.serialization import Encoding

from components.arguments.model import NAMESPACE
from components.pki import certificates
from components.pki.register import IssuedCertificate
from configuration.outputs import StackOutputs
from operations.errors import OperationError
from operations.stacks.environment import section
from operations.verification import checks, probes
from operations.verification.identity import Identity
from operations.verification.report import Check

Step = Literal["prepare", "complete", "abort"]

AUTHORITY = f"{NAMESPACE}:certificate_authority"


def rotation_changes(values: Mapping[str, Any], step: Step) -> dict[str, int | None]:
    """Compute the configuration changes of a step of the rotation, by path; None removes a key.

    Args:
        values: Content of its configuration file.
        step: Step of the rotation.

    Raises:
        OperationError: The configuration is at another step.
    """
    present, following = read_generations(values)
    if step == "prepare":
        if following is not None:
            raise OperationError(
                f"A rotation to generation {following} is prepared already: hand the clients' "
                "bundles out, then make rotate STEP=complete; or STEP=abort."
            )
        return {f"{AUTHORITY}.next_generation": present + 1}
    if following is None:
        raise OperationError(f"No rotation is prepared, so there is none to {step}.")
    removed: dict[str, int | None] = {f"{AUTHORITY}.next_generation": None}
    return removed if step == "abort" else {f"{AUTHORITY}.generation": following, **removed}


def read_generations(values: Mapping[str, Any]) -> tuple[int, int | None]:
    """Read the generation in force, and the one that a rotation prepares.

    Raises:
        OperationError: One of them is no number.
    """
    authority = section(values.get("config", {}), "certificate_authority")
    present, following = (
        _read_number(name, authority.get(name)) for name in ("generation", "next_generation")
    )
    return 1 if present is None else present, following


def _read_number(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        return int(str(value))
    except ValueError:
        raise OperationError(
            f"certificate_authority.{name} in the configuration is no whole number: correct it, as "
            f"in `pulumi config set --path --type int '{AUTHORITY}.{name}' 2`."
        ) from None


def find_left_behind(outputs: StackOutputs, now: datetime) -> list[IssuedCertificate]:
    """Certificates in force that have no successor by the next CA: completing cuts them off.

    One that an earlier CA issued under a name of the server's is the server's, and none that a
    client shows.
    """
    if not outputs.next_ca_certificate:
        return []
    following = certificates.load(outputs.next_ca_certificate)
    signer = certificates.key_identifier(following).digest.hex()
    return [
        entry
        for entry in outputs.issued
        if entry.status == "valid"
        and entry.not_after >= now
        and entry.authority_key_id != signer
        and not (entry.imported and entry.name in outputs.server_names)
    ]


def check_earlier_clients(outputs: StackOutputs, earlier: Mapping[str, Identity]) -> Check:
    """Check that clients' certificates of before the rotation still get through."""
    target, context = probes.target_of(outputs), probes.stack_context(outputs)
    outcomes = {name: probes.probe(target, context, identity) for name, identity in earlier.items()}
    keys = {
        name: certificates.key_words(certificates.load(identity.certificates))
        for name, identity in earlier.items()
    }
    finding = checks.judge_clients(outcomes, len(outcomes), keys)
    return Check("earlier", "Earlier certificates still get through", *finding)


def list_entries(entries: Sequence[IssuedCertificate]) -> str:
    """Write names and serial numbers for a sentence."""
    return ", ".join(f"{entry.name} ({entry.serial_number})" for entry in entries)


def find_client(values: Mapping[str, Any], outputs: StackOutputs, name: str) -> tuple[str, bool]:
    """Find the client that a name, or a certificate's serial number, stands for.

    Args:
        values: Content of the stack's configuration file.
        outputs: Outputs of the stack.
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


def revocation_changes(
    values: Mapping[str, Any], name: str, reason: str, *, imported: bool = False
) -> dict[str, str | int | None]:
    """Compute the configuration changes that revoke a client, by path; None removes a key.

    Args:
        values: Content of its configuration file.
        name: Name of the client.
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
    present, following = read_generations(values)
    wanted: dict[str, str | int | None] = {
        f"{NAMESPACE}:clients[{json.dumps(name)}].revoked": reason,
        f"{AUTHORITY}.generation": max(present, following or present) + 1,
    }
    if following is not None:
        # The client has a certificate of the prepared CA as well.
        wanted[f"{AUTHORITY}.next_generation"] = None
    return wanted


def check_cut_off(outputs: StackOutputs, name: str, leaver: Identity | None) -> Check:
    """Check that the listener refuses a revoked client, once the stack has been verified.

    Args:
        outputs: Outputs of the stack.
        name: Name of the client.
        leaver: The client's certificate and key; None where the key is elsewhere.
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
