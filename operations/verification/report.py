"""Findings of a verification, and its report: for people as a table, for machines as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

Status = Literal["passed", "failed", "skipped"]

SHOWN = 3
"""Number of names that a detail lists before it counts the rest."""

_STYLE: dict[Status, str] = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


@dataclass(frozen=True)
class Check:
    """Result of one check, with its title.

    Attributes:
        id: Stable name for scripts, e.g. `no_certificate`.
        title: Sentence that should be true, for people.
        status: `skipped` where it could not be tried; `detail` says why.
        detail: What was seen, and what should have been if it is not that.
    """

    id: str
    title: str
    status: Status
    detail: str


@dataclass(frozen=True)
class Report:
    """All checks of a stack, in the order in which they are shown."""

    url: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Tell whether no check failed."""
        return not any(check.status == "failed" for check in self.checks)

    @property
    def exit_status(self) -> int:
        """Exit status: 0 if no check failed, else 1."""
        return 0 if self.passed else 1

    def to_json(self) -> str:
        """Return `{"url", "passed", "checks": [{"id", "title", "status", "detail"}]}` as JSON."""
        document = {
            "url": self.url,
            "passed": self.passed,
            "checks": [asdict(check) for check in self.checks],
        }
        return json.dumps(document, indent=2, ensure_ascii=False)


def parse_report(text: str) -> Report:
    """Read what `Report.to_json` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        return _REPORT.validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"])) or "it"
        raise ValueError(f"{place}: {problem['msg']}") from None


_REPORT = TypeAdapter(Report)


def render_report(report: Report, console: Console) -> None:
    """Print the report as a table with a closing line that counts."""
    table = Table(title=f"Verification of {report.url}", title_justify="left", expand=False)
    table.add_column("Check", ratio=2)
    table.add_column("Result", no_wrap=True)
    table.add_column("Seen", ratio=3)
    for check in report.checks:
        # Text and not markup: a detail may quote what a server sent.
        table.add_row(
            Text(check.title), Text(check.status, style=_STYLE[check.status]), Text(check.detail)
        )
    console.print(table)
    counts = ", ".join(
        f"{sum(check.status == status for check in report.checks)} {status}" for status in _STYLE
    )
    console.print(Text(counts, style=_STYLE["passed" if report.passed else "failed"]))


class Finding(NamedTuple):
    """Result of one check."""

    status: Status
    detail: str

    @classmethod
    def passed_if(cls, good: bool, detail: str) -> Finding:
        """Finding that is passed or failed, with the same detail in either case."""
        return cls("passed" if good else "failed", detail)


def abbreviate(items: Iterable[str]) -> str:
    """List the first few, and how many more there are."""
    listed = list(items)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
