"""Cases led by coverage: those of other tests here, chosen by the code that they reach."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest

from tests import processes
from tests.fuzz.cases import ROUNDS, tried

RUNS = 2 * ROUNDS


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has wheels for Linux on x86_64"
)
@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("test_pem", "test_armour_with_bytes_changed"),
        ("test_pem", "test_certificates_with_bytes_changed"),
        ("test_pem", "test_signing_requests_with_bytes_changed"),
        ("test_pem", "test_an_openssl_database_that_was_edited"),
        ("test_settings", "test_keys_of_ours_and_others_in_any_place"),
        ("test_settings", "test_any_value_at_any_key"),
        ("test_outputs", "test_other_values_anywhere"),
        ("test_outputs", "test_outputs_of_another_program"),
    ],
)
def test_no_case_fails_that_reaches_other_code(tmp_path, request, module, test):
    # Given one, Hypothesis tries the same cases each time, and so does this.
    chosen = request.config.getoption("--hypothesis-seed")
    seed = 0 if chosen is None else int(chosen) + 1
    command = [sys.executable, "-m", "tests.fuzz.guided", f"tests.fuzz.{module}", test]
    answer = processes.run([*command, str(RUNS), str(seed), str(tmp_path)])
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (done,) = re.findall(r"^Done (\d+) runs", answer.stderr, re.MULTILINE)
    assert int(done) == RUNS
    tried["led by coverage"] += RUNS
