"""Rotation of the CA to another key in two steps, between which both keys' clients get through.

Prepare: the next key is made, and signed by the present CA; clients get certificates of the next
CA, whose chain leads to the certificate that the listener has. Complete: the listener takes the
next CA's certificate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from components.arguments.model import NAMESPACE
from components.pki import certificates
from operations.errors import OperationError
from operations.outputs import IssuedCertificate, StackOutputs
from operations.stacks.environment import section
from operations.verification import checks, probes
from operations.verification.identity import Identity
from operations.verification.report import Check

Step = Literal["prepare", "complete", "abort"]

AUTHORITY = f"{NAMESPACE}:certificate_authority"


def changes(values: Mapping[str, Any], step: Step) -> dict[str, int | None]:
    """Compute the configuration changes of a step of the rotation, by path; None removes a key.

    Args:
        values: Content of its configuration file.
        step: Of the rotation.

    Raises:
        OperationError: The configuration is at another step.
    """
    present, following = generations(values)
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


def generations(values: Mapping[str, Any]) -> tuple[int, int | None]:
    """Read the generation in force, and the one that a rotation prepares.

    Raises:
        OperationError: One of them is no number.
    """
    authority = section(values.get("config", {}), "certificate_authority")
    present, following = (
        _number(name, authority.get(name)) for name in ("generation", "next_generation")
    )
    return 1 if present is None else present, following


def _number(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        return int(str(value))
    except ValueError:
        raise OperationError(
            f"certificate_authority.{name} in the configuration is no whole number: correct it, as "
            f"in `pulumi config set --path --type int '{AUTHORITY}.{name}' 2`."
        ) from None


def left_behind(outputs: StackOutputs, now: datetime) -> list[IssuedCertificate]:
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


def earlier_clients(outputs: StackOutputs, earlier: Mapping[str, Identity]) -> Check:
    """Check that clients' certificates of before the rotation still get through."""
    target, context = probes.target_of(outputs), probes.stack_context(outputs)
    outcomes = {name: probes.probe(target, context, one) for name, one in earlier.items()}
    keys = {
        name: certificates.key_words(certificates.load(one.certificates))
        for name, one in earlier.items()
    }
    finding = checks.judge_clients(outcomes, len(outcomes), keys)
    return Check("earlier", "Earlier certificates still get through", *finding)


def listed(entries: Sequence[IssuedCertificate]) -> str:
    """Write names and serial numbers for a sentence."""
    return ", ".join(f"{entry.name} ({entry.serial_number})" for entry in entries)
