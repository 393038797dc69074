"""What is expected of the acceptance tests, and what differs from it."""

from __future__ import annotations

import pytest

from acceptance import expectations, page, trial
from acceptance.trial import Ending, TrialOutcome, read_ending

LIST = """
[reasons.eni]
kind = "out of scope"
why = "Network interfaces are not emulated."
fails = "NotEmulated.*CreateNetworkInterface"

[tests]
TestAccPasses = "passes"
TestAccEni = "eni"
"""


@pytest.fixture
def expected(tmp_path):
    path = tmp_path / "expectations.toml"
    path.write_text(LIST)
    return expectations.read(path)


@pytest.mark.parametrize(
    ("name", "ending", "output", "differs"),
    [
        ("TestAccPasses", "passes", "", None),
        ("TestAccPasses", "fails", "a", "fails"),
        ("TestAccPasses", "is skipped", "a", "is skipped"),
        ("TestAccEni", "fails", "NotEmulated: CreateNetworkInterface", None),
        ("TestAccEni", "fails", "panic", "does not say"),
        ("TestAccEni", "passes", "", "passes"),
        ("TestAccEni", "is skipped", "NotEmulated: CreateNetworkInterface", "is skipped"),
    ],
)
def test_an_outcome_is_held_against_the_list(
    expected, name: str, ending: Ending, output: str, differs: str | None
) -> None:
    found = expectations.find_difference(expected, TrialOutcome(name, ending, output, 1.0))
    assert (found is None) == (differs is None)
    assert found is None or differs in found


def test_every_test_is_on_the_list_and_nothing_else(expected) -> None:
    assert expectations.find_unlisted(expected, ["TestAccPasses", "TestAccEni"]) == []
    assert expectations.find_unlisted(expected, ["TestAccPasses", "TestAccNew"]) == [
        "TestAccNew is not in expectations.toml",
        "TestAccEni is in expectations.toml, and the provider has no such test",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('TestAccEni = "eni"', 'TestAccEni = "udp"'),
        ('fails = "NotEmulated.*CreateNetworkInterface"', ""),
        ('kind = "out of scope"', 'kind = "flaky"'),
    ],
)
def test_a_reason_has_a_kind_and_a_proof(tmp_path, old: str, new: str) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text(LIST.replace(old, new))
    with pytest.raises(expectations.ExpectationsError):
        expectations.read(path)


@pytest.mark.parametrize(
    ("output", "status", "ending"),
    [
        ("=== RUN   TestAccA\n--- PASS: TestAccA (1.00s)\nPASS\n", 0, "passes"),
        ("--- SKIP: TestAccA (0.00s)\n    a_test.go:1: no\nPASS\n", 0, "is skipped"),
        ("--- FAIL: TestAccA (0.00s)\nFAIL\n", 1, "fails"),
        ("panic: nothing\n", 2, "fails"),
        # Nothing was run, or another test.
        ("testing: warning: no tests to run\nPASS\n", 0, "fails"),
        ("--- PASS: TestAccAB (1.00s)\nPASS\n", 0, "fails"),
        ("--- PASS: TestAccA (1.00s)\npanic: later\n", 2, "fails"),
    ],
)
def test_how_a_test_ended_is_what_go_says(output: str, status: int, ending: str) -> None:
    assert read_ending("TestAccA", output, status) == ending


def test_the_page_is_up_to_date() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.write_page(), (
        "python -m acceptance --page > docs/provider-tests.md brings it up to date"
    )


def test_a_test_is_run_in_a_folder_of_its_own_and_ends_as_it_says(tmp_path) -> None:
    tests = tmp_path / "tests"
    tests.write_text(
        "#!/bin/sh\n"
        'case "$1" in -test.list) printf "TestAccA\\nTestAccB\\nok\\n"; exit;; esac\n'
        "touch left\n"
        'test "$TF_ACC" = 1 && test "$2" = "^TestAccA$" && echo "--- PASS: TestAccA (0.00s)"\n'
    )
    tests.chmod(0o755)
    assert trial.list_names(tests, {}) == ["TestAccA", "TestAccB"]
    outcomes = [trial.run(tests, name, {}, tmp_path) for name in ("TestAccA", "TestAccB")]
    assert [one.ending for one in outcomes] == ["passes", "fails"]
    assert (tmp_path / "TestAccA" / "left").exists()
