"""The rule on how long certificates live."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rules.model import Resource, Rule
from rules.paths import write_key

AUTHORITY = "pulumi-python:dynamic/pki:CertificateAuthority"
SERVER = "pulumi-python:dynamic/pki:ServerCertificate"
REGISTER = "pulumi-python:dynamic/pki:CertificateRegister"

DAY = timedelta(days=1)

SECOND = timedelta(seconds=1)
"""Second to add to the time between two dates: `not_after` is itself the last second of it."""


UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
"""Units of lengths of time as configuration writes them."""


def _check_bounds(resource: Resource, configuration: Mapping[str, Any]) -> Iterable[str]:
    for place, option, properties, prefix in _find_issued_here(resource):
        begin, end = properties.get(f"{prefix}not_before"), properties.get(f"{prefix}not_after")
        if not (isinstance(begin, str) and isinstance(end, str)):
            continue  # Not known yet in this preview, or not there.
        bounds = configuration[option]
        shortest, longest = bounds["minimum"] * DAY, bounds["maximum"] * DAY
        asked = _read_length(properties.get("validity"))
        if asked is not None and shortest <= asked <= longest:
            continue  # The rest is rounding, or the end of the CA: no validity changes these.
        length = datetime.fromisoformat(end) - datetime.fromisoformat(begin) + SECOND
        if not shortest <= length <= longest:
            yield (
                f"The certificate of {place} is valid from {begin} to {end}, "
                f"{length / DAY:.4g} days: set {place}.validity to {bounds['minimum']:g}d to "
                f"{bounds['maximum']:g}d, or have {option} changed in policy/configuration.json"
            )


def _find_issued_here(resource: Resource) -> Iterator[tuple[str, str, Mapping[str, Any], str]]:
    """Yield for each certificate its place in the configuration, its bounds' option, and its dates.

    One that was brought along has its own dates, which no configuration changes.
    """
    properties = resource.properties
    if resource.type == REGISTER:
        clients = properties.get("clients")
        for name, client in clients.items() if isinstance(clients, Mapping) else ():
            # One that is not known yet in this preview has no dates yet.
            if isinstance(client, Mapping) and "certificate" not in client:
                yield f"clients{write_key(name)}", "client_days", client, ""
    elif resource.type == SERVER:
        yield _server_place(resource), "server_days", properties, ""
    else:
        for prefix in ("", "next_"):
            if prefix or not _is_as_it_came(properties):
                yield "certificate_authority", "certificate_authority_days", properties, prefix


def _is_as_it_came(authority: Mapping[str, Any]) -> bool:
    """Tell whether a CA's certificate was made elsewhere, and has not been renewed here."""
    reason = authority.get("issued_because", "brought along")
    return "adopted_certificate" in authority and reason == "brought along"


def _server_place(resource: Resource) -> str:
    """Place where a server's certificate is configured: an additional domain's has its name."""
    domains = resource.properties.get("dns_names")
    if isinstance(domains, list) and len(domains) == 1 and isinstance(domains[0], str):
        (domain,) = domains
        if resource.name.endswith(f"-{domain.replace('*', '_')}"):
            return f"listener.domain_extensions{write_key(domain)}"
    return "server"


def _read_length(text: Any) -> timedelta | None:
    """The length of time that a text such as `365d` stands for, if it does."""
    match = re.fullmatch("([0-9]{1,7})([dhms])", text) if isinstance(text, str) else None
    return timedelta(**{UNITS[match[2]]: int(match[1])}) if match else None


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
        _check_bounds,
        frozenset({AUTHORITY, SERVER, REGISTER}),
        {
            "certificate_authority_days": _days(365, 3653, "Ten years with their leap days."),
            # Nothing renews a certificate between two runs of a daily job.
            "server_days": _days(1, 398, "CA/Browser Forum, Baseline Requirements, 6.3.2."),
            "client_days": _days(1, 398, "As the server's."),
        },
    ),
)
