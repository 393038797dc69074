"""Contents of the report on a stack, before they are put into a language."""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from components.pki import certificates, name_constraints
from components.pki.register import IssuedCertificate
from configuration.outputs import StackOutputs
from operations.certificates import rotation
from operations.certificates.inventory import InventoryItem, list_certificates, sort_by_urgency
from operations.errors import OperationError
from operations.report.time_line import TimeLine, build_time_line
from operations.verification.report import Report

DEFAULT_LEVEL = "mandatory"
"""Enforcement level that the pack gives its rules."""


@dataclass(frozen=True)
class PolicyRule:
    """A rule that stacks obey.

    Attributes:
        name: Name of the rule, such as `tls-policy`.
        description: Sentence that says what holds.
        level: `mandatory`, `advisory`, `remediate` or `disabled`.
        options: Value of each of its settings.
    """

    name: str
    description: str
    level: str
    options: Mapping[str, Any]


def read_rules(pack: Path) -> tuple[PolicyRule, ...]:
    """Read the rules of a policy pack and its `configuration.json`.

    Raises:
        OperationError: That file cannot be read.
    """
    path = pack / "configuration.json"
    try:
        configuration = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OperationError(f"{path} cannot be read: {error}.") from None
    if str(pack) not in sys.path:
        # The pack is a program of its own, whose modules know each other by these names.
        sys.path.append(str(pack))
    return tuple(
        configure_rule(rule, configuration) for rule in importlib.import_module("rules").RULES
    )


def configure_rule(rule: Any, configuration: Mapping[str, Any]) -> PolicyRule:
    """Read a rule with its level and its settings, as Pulumi reads them.

    Args:
        rule: Rule of the pack.
        configuration: Enforcement level by a rule's name, or an object of its settings in
            which `enforcementLevel` may be; `all` is for every rule that has no level of its own.
    """
    level = _level(configuration.get("all"), DEFAULT_LEVEL)
    own = configuration.get(rule.name)
    settings = own if isinstance(own, Mapping) else {}
    options = {
        name: settings.get(name, schema.get("default")) for name, schema in rule.options.items()
    }
    return PolicyRule(rule.name, rule.description, _level(own, level), options)


def _level(setting: Any, otherwise: str) -> str:
    if isinstance(setting, Mapping):
        setting = setting.get("enforcementLevel")
    return setting if isinstance(setting, str) else otherwise


@dataclass(frozen=True)
class Verification:
    """Verification whose result was kept.

    Attributes:
        report: Report of the verification.
        written_at: Time at which its file was written.
    """

    report: Report
    written_at: datetime


@dataclass(frozen=True)
class Authority:
    """A CA of the stack.

    Attributes:
        subject: Distinguished name, as RFC 4514 writes one.
        permitted: Names that it may certify, with the form of each; none: all.
        excluded: Names that it may not.
    """

    subject: str
    fingerprint_sha256: str
    not_after: datetime
    permitted: tuple[tuple[type[x509.GeneralName], str], ...]
    excluded: tuple[tuple[type[x509.GeneralName], str], ...]


@dataclass(frozen=True)
class Rotation:
    """A rotation of the CA that is prepared and not completed.

    Attributes:
        following: The CA that takes the place of the present one.
        left_behind: Certificates in force that completing it cuts off.
    """

    following: Authority
    left_behind: tuple[IssuedCertificate, ...]


@dataclass(frozen=True)
class Contents:
    """Contents of the report.

    Attributes:
        stack: Name of the stack.
        at: Time as of which the contents are.
        outputs: Outputs of the stack, of which no secret is shown.
        items: Every certificate, the most urgent first.
        line: The same certificates on a time line.
        authority: The CA that the listener has.
        rotation: None if none is prepared.
        verification: None if none was given.
        rules: Rules of the policy pack.
    """

    stack: str
    at: datetime
    outputs: StackOutputs
    items: tuple[InventoryItem, ...]
    line: TimeLine
    authority: Authority
    rotation: Rotation | None
    verification: Verification | None
    rules: tuple[PolicyRule, ...]

    def subjects(self) -> dict[tuple[str, str], str]:
        """Subjects that say more than the client's name, by name and serial number."""
        return {
            (entry.name, entry.serial_number): entry.subject
            for entry in self.outputs.issued
            if entry.subject != f"CN={entry.name}"
        }

    @property
    def keys_of_clients(self) -> Counter[str]:
        """Number of clients in force for each kind of key; the empty kind is unknown."""
        return Counter(
            item.key
            for item in self.items
            if item.role == "client" and item.state in {"valid", "due"}
        )


def gather_contents(
    stack: str,
    outputs: StackOutputs,
    rules: Sequence[PolicyRule],
    verification: Verification | None,
    now: datetime,
) -> Contents:
    """Gather the report's contents."""
    items = sort_by_urgency(list_certificates(outputs, now))
    return Contents(
        stack,
        now,
        outputs,
        tuple(items),
        build_time_line(items, now),
        _authority(outputs.ca),
        _rotation(outputs, now),
        verification,
        tuple(rules),
    )


def _rotation(outputs: StackOutputs, now: datetime) -> Rotation | None:
    if not outputs.next_ca_certificate:
        return None
    following = _authority(certificates.load(outputs.next_ca_certificate))
    return Rotation(following, tuple(rotation.find_left_behind(outputs, now)))


def _authority(certificate: x509.Certificate) -> Authority:
    constraints = name_constraints.of(certificate)
    return Authority(
        certificate.subject.rfc4514_string(),
        certificates.fingerprint_sha256(certificate),
        certificate.not_valid_after_utc,
        _names(constraints.permitted_subtrees if constraints else None),
        _names(constraints.excluded_subtrees if constraints else None),
    )


def _names(
    subtrees: Sequence[x509.GeneralName] | None,
) -> tuple[tuple[type[x509.GeneralName], str], ...]:
    return tuple(
        (
            type(subtree),
            subtree.value.rfc4514_string()
            if isinstance(subtree, x509.DirectoryName)
            else str(subtree.value),
        )
        for subtree in subtrees or ()
    )
