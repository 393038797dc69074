"""Plan of a preview, read from the engine's events.

`pulumi preview --event-log FILE` writes one JSON object a line, as the Automation API reads it
(`apitype.EngineEvent` in pulumi/sdk). The engine blinds secrets before it writes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

Operation = Literal["create", "update", "replace", "delete", "read", "import"]

SHOWN: dict[str, Operation] = {
    "create": "create",
    "update": "update",
    "replace": "replace",
    "delete": "delete",
    "read": "read",
    "import": "import",
}
"""Steps of the engine that are a change to a reader.

The two halves of a replacement are told by `replace`.
"""

SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105
"""Key of an object that stands for a secret, an asset or another special value."""

UNKNOWN_MARK = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Text that stands for a value that is not known before the change is made."""


class Placeholder:
    """Mark in a value's place: not there, secret, or not known yet."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


ABSENT = Placeholder("—")
SECRET = Placeholder("[secret]")
UNKNOWN = Placeholder("known after up")


@dataclass(frozen=True)
class Property:
    """Property that differs.

    Attributes:
        path: Path of the property, such as `clients.browser.not_after`.
        before: Value in state: JSON, or a `Placeholder`.
        after: Value as planned.
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """Change that is planned for a resource.

    Attributes:
        type: The resource's type token.
        properties: Properties that differ; of a new or removed resource, all it has.
        forced_by: Properties that cannot be changed in place.
        deletes_first: The old one goes before the new one is made.
    """

    operation: Operation
    type: str
    name: str
    properties: tuple[Property, ...]
    forced_by: tuple[str, ...] = ()
    deletes_first: bool = False


@dataclass(frozen=True)
class Violation:
    """A rule of a policy pack that the plan breaks."""

    policy: str
    mandatory: bool
    message: str


@dataclass(frozen=True)
class Plan:
    """Plan of a whole preview."""

    changes: tuple[Change, ...]
    unchanged: int
    violations: tuple[Violation, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def parse_plan(log: str) -> Plan:
    """Read the plan from the engine's event log.

    Args:
        log: One JSON object a line.
    """
    events = [json.loads(line) for line in log.splitlines() if line.strip()]
    steps = [event["resourcePreEvent"]["metadata"] for event in events if _is_step(event)]
    summary: Mapping[str, Any] = next(
        (event["summaryEvent"] for event in events if "summaryEvent" in event), {}
    )
    diagnostics = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
    return Plan(
        changes=tuple(_changes(steps)),
        unchanged=summary.get("resourceChanges", {}).get("same", 0),
        violations=tuple(
            _violation(event["policyEvent"]) for event in events if "policyEvent" in event
        ),
        errors=tuple(_messages(diagnostics, "error")),
        warnings=tuple(_messages(diagnostics, "warning")),
    )


def _is_step(event: Mapping[str, Any]) -> bool:
    return "resourcePreEvent" in event


def _changes(steps: Iterable[Mapping[str, Any]]) -> Iterator[Change]:
    deleted: set[str] = set()
    for step in steps:
        urn, operation = step["urn"], step["op"]
        # The engine's own bookkeeping: its providers take in every key of the configuration.
        if step["type"].startswith("pulumi:providers:"):
            continue
        if operation == "delete-replaced":
            deleted.add(urn)
        if operation in SHOWN:
            yield Change(
                operation=SHOWN[operation],
                type=step["type"],
                name=urn.rsplit("::", 1)[-1],
                properties=tuple(_properties(step)),
                forced_by=tuple(step.get("keys") or ()) if operation == "replace" else (),
                deletes_first=operation == "replace" and urn in deleted,
            )


def _properties(step: Mapping[str, Any]) -> Iterator[Property]:
    old, new = step.get("old") or {}, step.get("new") or {}
    before, after = _plain(old.get("inputs") or {}), _plain(new.get("inputs") or {})
    named = {_top(path) for path in (*(step.get("diffs") or ()), *(step.get("detailedDiff") or ()))}
    seen = set()
    for key in sorted(before.keys() | after.keys()):
        # The provider takes some inputs for the same, such as defaults left out after an import.
        if named and key not in named:
            continue
        for difference in _differences(key, before.get(key, ABSENT), after.get(key, ABSENT)):
            # Two secrets look alike; whether they differ, only the provider says.
            if difference.before is not SECRET or difference.after is not SECRET or key in named:
                seen.add(key)
                yield difference
    # What the provider found to differ although the program asks for the same: drift.
    refreshed = _plain(old.get("outputs") or {})
    for key in sorted(named - seen):
        yield from _differences(key, refreshed.get(key, ABSENT), after.get(key, ABSENT))


def _differences(path: str, before: Any, after: Any) -> Iterator[Property]:
    """Find the deepest properties that differ; what is new or gone is taken apart as well."""
    if before == after and before is not SECRET:
        return
    containers = [value for value in (before, after) if isinstance(value, dict | list)]
    rest = [value for value in (before, after) if value is not ABSENT]
    if not containers or len(containers) < len(rest) or len({type(v) for v in containers}) > 1:
        yield Property(path, before, after)
    elif isinstance(containers[0], dict):
        old, new = (value if value is not ABSENT else {} for value in (before, after))
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(f"{path}.{key}", old.get(key, ABSENT), new.get(key, ABSENT))
    else:
        old, new = (value if value is not ABSENT else [] for value in (before, after))
        for index, (was, will_be) in enumerate(zip_longest(old, new, fillvalue=ABSENT)):
            yield from _differences(f"{path}[{index}]", was, will_be)


def _plain(value: Any) -> Any:
    """Put markers in place of what stands for another value."""
    if isinstance(value, Mapping):
        if SECRET_MARK in value:
            return SECRET
        # Double underscores: the SDK's own, such as a dynamic resource's pickled provider.
        return {key: _plain(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return UNKNOWN if value == UNKNOWN_MARK else value


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _violation(event: Mapping[str, Any]) -> Violation:
    return Violation(
        policy=event["policyName"],
        mandatory=event["enforcementLevel"] == "mandatory",
        message=event["message"].strip(),
    )


def _messages(diagnostics: Iterable[Mapping[str, Any]], severity: str) -> Iterator[str]:
    said = set()
    for diagnostic in diagnostics:
        message = diagnostic["message"].strip()
        # The engine says so of each plugin that was built here and not downloaded.
        noise = severity == "warning" and " from $PATH at " in message
        if diagnostic["severity"] == severity and not noise and message not in said:
            said.add(message)
            yield message
