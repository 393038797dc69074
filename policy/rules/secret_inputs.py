"""The rule that no key and no pass phrase is in state in the clear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rules.model import Resource, Rule

NAMES = ("privatekey", "passphrase", "password", "pkcs12", "secretkey", "securitytoken")
"""Endings of the names of properties that hold secrets, without `_` and in small letters."""

PEM = "PRIVATE KEY-----"
"""Text that every private key in PEM has, whatever its property is called."""


def _check_secrecy(resource: Resource, _configuration: Mapping[str, Any]) -> Iterable[str]:
    for place in _find_in_the_clear("", resource.properties):
        yield (
            f"{place} is a secret in the clear, and would be so in state: wrap it by "
            "pulumi.Output.secret, or set it by `pulumi config set --secret`"
        )


def _find_in_the_clear(place: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _find_in_the_clear(f"{place}.{name}" if place else name, item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _find_in_the_clear(f"{place}[{index}]", item)
    elif isinstance(value, str) and value and (PEM in value or _holds_secret(place)):
        yield place


def _holds_secret(place: str) -> bool:
    name = place.rpartition(".")[2].replace("_", "").lower()
    return name.endswith(NAMES)


RULES = (
    Rule(
        "secret-inputs",
        "Private keys, pass phrases and bundles are secrets.",
        _check_secrecy,
        secrets_hidden=True,
    ),
)
