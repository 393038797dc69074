"""What a program asks the dynamic resources for."""

from __future__ import annotations

from typing import Any

from tests.unit.components.dynamic.engine import Kept

AUTHORITY = {
    "subject": {"common_name": "Example CA", "country": "CN"},
    "key_bits": 2048,
    "validity": "3650d",
    "renew_before": "730d",
}
SERVER = {
    "common_name": "www.example.com",
    "dns_names": ["www.example.com", "bücher.example"],
    "ip_addresses": ["203.0.113.10"],
    "key_bits": 2048,
    "validity": "365d",
    "renew_before": "30d",
}
LIST = {"issued": [], "revision": "0", "validity": "30d", "renew_before": "10d"}


def client(name: str, **changes: Any) -> dict[str, Any]:
    """One client of the register."""
    return {
        "subject": {"common_name": name},
        "key_bits": 2048,
        "validity": "365d",
        "renew_before": "30d",
        "bundle_encoding": "modern",
        **changes,
    }


TWO = {"browser": client("browser"), "phone": client("phone", validity="90d")}


def two(**changes: Any) -> dict[str, Any]:
    """Two clients, with changes to the browser."""
    return {**TWO, "browser": client("browser", **changes)}


def signer(ca: Kept) -> dict[str, Any]:
    """The CA as those who are signed by it take it."""
    return {f"ca_{name}": ca.outputs[name] for name in ("certificate", "private_key", "key_id")}


def by_the_next(ca: Kept) -> dict[str, Any]:
    """The CA that a rotation prepares, as the register takes it."""
    return {
        "ca_certificate": ca.outputs["cross_certificate"],
        "ca_private_key": ca.outputs["next_private_key"],
        "ca_key_id": ca.outputs["next_key_id"],
    }


def server(ca: Kept, **changes: Any) -> dict[str, Any]:
    """Inputs of the server's certificate."""
    return {**SERVER, **signer(ca), **changes}


def present(ca: Kept, **servers: Kept) -> dict[str, Any]:
    """Inputs of the record: the CA's certificate, and those of servers by name."""
    found = [("ca", "CA", ca), *(("server", name, server) for name, server in servers.items())]
    return {
        "certificates": [
            {"role": role, "name": name, "certificate": kept.outputs["certificate"]}
            for role, name, kept in found
        ]
    }


def register(ca: Kept, clients: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Inputs of the register; with two clients unless told."""
    return {**signer(ca), "clients": TWO if clients is None else clients, **changes}


def revocations(ca: Kept, register: Kept, **changes: Any) -> dict[str, Any]:
    """Inputs of the revocation list of what a register has issued."""
    revoked = [entry for entry in register.seen["issued"] if entry["status"] == "revoked"]
    known = {"issued": revoked, "revision": register.outputs["revision"]}
    return {**LIST, **signer(ca), **known, **changes}
