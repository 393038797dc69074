"""Expectations of each acceptance test: that it passes, or why it does not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from acceptance.trial import Ending, TrialOutcome

FILE = Path(__file__).parent / "expectations.toml"

PASSES = "passes"


class ExpectationsError(Exception):
    """The list of expectations is not as it should be."""


@dataclass(frozen=True)
class Reason:
    """Reason for which tests do not pass.

    Attributes:
        kind: `out of scope`, `precondition`, or `the test is wrong`.
        why: Explanation, one sentence.
        ending: How the tests end for this reason.
        says: Pattern of what the tests print then, which proves the reason.
    """

    kind: str
    why: str
    ending: Ending
    says: str


@dataclass(frozen=True)
class Expectations:
    """Expectations of the tests by their names; None for a test that passes."""

    reasons: Mapping[str, Reason]
    tests: Mapping[str, str]

    def reason(self, name: str) -> Reason | None:
        """Find the reason for which a test does not pass; None if it does."""
        key = self.tests[name]
        return None if key == PASSES else self.reasons[key]


KINDS = ("out of scope", "precondition", "the test is wrong")


def read(path: Path = FILE) -> Expectations:
    """Read the list of expectations.

    Raises:
        ExpectationsError: The list names a reason that it does not have, or a reason has no proof.
    """
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    reasons = {}
    for key, fields in text["reasons"].items():
        proofs = [ending for ending in ("fails", "skipped") if ending in fields]
        if len(proofs) != 1 or fields.get("kind") not in KINDS:
            raise ExpectationsError(
                f"The reason {key} needs a kind ({', '.join(KINDS)}) and either `fails` or "
                "`skipped`: a pattern of what such a test prints."
            )
        reasons[key] = Reason(
            fields["kind"],
            fields["why"],
            "fails" if proofs[0] == "fails" else "is skipped",
            fields[proofs[0]],
        )
    unknown = set(text["tests"].values()) - {PASSES, *reasons}
    if unknown:
        raise ExpectationsError(f"There is no reason {', '.join(sorted(unknown))}.")
    return Expectations(reasons, text["tests"])


def find_unlisted(expectations: Expectations, names: Collection[str]) -> list[str]:
    """List what is wrong with the expectations beside the tests that there are: a line each."""
    return [
        *(f"{name} is not in {FILE.name}" for name in names if name not in expectations.tests),
        *(
            f"{name} is in {FILE.name}, and the provider has no such test"
            for name in expectations.tests
            if name not in names
        ),
    ]


def find_difference(expectations: Expectations, outcome: TrialOutcome) -> str | None:
    """Describe how an outcome differs from what is expected; None if it does not."""
    reason = expectations.reason(outcome.name)
    expected = "passes" if reason is None else reason.ending
    if outcome.ending != expected:
        return f"{outcome.name} {outcome.ending}, where it is expected that it {expected}"
    if reason is not None and not re.search(reason.says, outcome.output):
        return f"{outcome.name} {outcome.ending}, but does not say {reason.says!r}"
    return None
