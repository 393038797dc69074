"""The rule on how long certificates live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rules.model import Resource, Rule

AUTHORITY = "pulumi-python:dynamic/pki:CertificateAuthority"
SERVER = "pulumi-python:dynamic/pki:ServerCertificate"
REGISTER = "pulumi-python:dynamic/pki:CertificateRegister"

SECOND = timedelta(seconds=1)
"""`not_after` is the last second of validity and not the first after it."""


def _within_bounds(resource: Resource, configuration: Mapping[str, Any]) -> Iterable[str]:
    for place, option, properties in _certificates(resource):
        bounds = configuration[option]
        shortest = timedelta(days=bounds["minimum"])
        longest = timedelta(days=bounds["maximum"])
        try:
            begin = datetime.fromisoformat(properties["not_before"])
            end = datetime.fromisoformat(properties["not_after"])
        except (KeyError, TypeError):
            continue  # Not known yet in this preview.
        if not shortest <= end - begin + SECOND <= longest:
            yield (
                f"The certificate of {place} is valid from {properties['not_before']} to "
                f"{properties['not_after']}, {(end - begin + SECOND) / timedelta(days=1):.4g} "
                f"days: set {place}.validity to {bounds['minimum']}d to {bounds['maximum']}d"
            )


def _certificates(resource: Resource) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Where a window is configured, the option with its bounds, and what has the window."""
    if resource.type == AUTHORITY:
        yield "certificate_authority", "certificate_authority_days", resource.properties
    elif resource.type == SERVER:
        yield "server", "server_days", resource.properties
    else:
        clients = resource.properties.get("clients")
        for name, client in clients.items() if isinstance(clients, Mapping) else ():
            yield f"clients.{name}", "client_days", client


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
