"""The rule on how strong clients' keys are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rules.model import Resource, Rule
from rules.paths import write_key

REGISTER = "pulumi-python:dynamic/pki:CertificateRegister"

CURVES = ("P-256", "P-384", "P-521")
"""Curves of keys, from the weakest to the strongest."""


def _check_strength(register: Resource, configuration: Mapping[str, Any]) -> Iterable[str]:
    clients = register.properties.get("clients")
    for name, client in clients.items() if isinstance(clients, Mapping) else ():
        weakness = _find_weakness(client, configuration["rsa_bits"], configuration["curve"])
        if weakness is None:
            continue
        key, option, wanted = weakness
        place = f"clients{write_key(name)}"
        way_on = f"set {place}.{wanted}"
        if client.get("signing_request") or client.get("certificate"):
            way_on = f"have the client send a signing_request with a key of {wanted}"
        yield (
            f"The key of {place} is {key}: {way_on} or more, or have {option} changed in "
            "policy/configuration.json"
        )


def _find_weakness(client: Any, bits: float, curve: str) -> tuple[str, str, str] | None:
    """Find a weak key, the option that says so, and what would be right; None for a strong one."""
    if not isinstance(client, Mapping):
        return None  # Not known yet in this preview.
    length, on = client.get("key_bits"), client.get("key_curve")
    if on in CURVES and CURVES.index(on) < CURVES.index(curve):
        return f"ECDSA {on}", "curve", f"key_curve {curve}"
    if isinstance(length, int | float) and length < bits:
        return f"RSA {length:g}", "rsa_bits", f"key_bits {bits:g}"
    return None


RULES = (
    Rule(
        "client-keys",
        "Clients' keys are as long as they have to be.",
        _check_strength,
        frozenset({REGISTER}),
        {
            "rsa_bits": {
                "type": "number",
                "description": "Least length of an RSA key, in bits.",
                "minimum": 2048,
                "default": 2048,
            },
            "curve": {
                "type": "string",
                "description": "The weakest elliptic curve of an ECDSA key.",
                "enum": list(CURVES),
                "default": "P-256",
            },
        },
    ),
)
