"""The rule on how long certificates live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rules.model import Resource, Rule

AUTHORITY = "pulumi-python:dynamic/pki:CertificateAuthority"
SERVER = "pulumi-python:dynamic/pki:ServerCertificate"
REGISTER = "pulumi-python:dynamic/pki:CertificateRegister"

DAY = timedelta(days=1)

SECOND = timedelta(seconds=1)
"""`not_after` is the last second of validity and not the first after it."""


def _within_bounds(resource: Resource, configuration: Mapping[str, Any]) -> Iterable[str]:
    for place, option, begin, end in _windows(resource):
        if not (isinstance(begin, str) and isinstance(end, str)):
            continue  # Not known yet in this preview, or not there.
        bounds = configuration[option]
        length = datetime.fromisoformat(end) - datetime.fromisoformat(begin) + SECOND
        if not bounds["minimum"] * DAY <= length <= bounds["maximum"] * DAY:
            yield (
                f"The certificate of {place} is valid from {begin} to {end}, "
                f"{length / DAY:.4g} days: set {place}.validity to {bounds['minimum']:g}d to "
                f"{bounds['maximum']:g}d, or have {option} changed in policy/configuration.json"
            )


def _windows(resource: Resource) -> Iterator[tuple[str, str, Any, Any]]:
    """Of each certificate: where it is configured, the option that bounds it, its window."""
    if resource.type == REGISTER:
        clients = resource.properties.get("clients")
        for name, client in clients.items() if isinstance(clients, Mapping) else ():
            yield f"clients.{name}", "client_days", *_window(client)
    elif resource.type == SERVER:
        yield "server", "server_days", *_window(resource.properties)
    else:
        for prefix in ("", "next_"):
            window = _window(resource.properties, prefix)
            yield "certificate_authority", "certificate_authority_days", *window


def _window(properties: Mapping[str, Any], prefix: str = "") -> tuple[Any, Any]:
    return properties.get(f"{prefix}not_before"), properties.get(f"{prefix}not_after")


def _days(minimum: int, maximum: int, source: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"Shortest and longest validity, in days. {source}",
        "properties": {
            "minimum": {"type": "number", "minimum": 0},
            "maximum": {"type": "number", "minimum": 0},
        },
        "required": ["minimum", "maximum"],
        "additionalProperties": False,
        "default": {"minimum": minimum, "maximum": maximum},
    }


RULES = (
    Rule(
        "certificate-validity",
        "The CA's, the server's and the clients' certificates live neither too short nor too long.",
        _within_bounds,
        frozenset({AUTHORITY, SERVER, REGISTER}),
        {
            "certificate_authority_days": _days(365, 3653, "Ten years with their leap days."),
            # Nothing renews a certificate between two runs of a daily job.
            "server_days": _days(1, 398, "CA/Browser Forum, Baseline Requirements, 6.3.2."),
            "client_days": _days(1, 398, "As the server's."),
        },
    ),
)
