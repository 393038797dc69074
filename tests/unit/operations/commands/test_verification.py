from __future__ import annotations

import json
import os

import pytest


def test_json_is_alone_on_standard_output(run, target, health, capsys):
    status = run("verify", "--json")
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert (status, report["passed"]) == (0, True)
    assert "Waiting for: backends' health: busy [bold]at first[/bold]" in printed.err


def test_table_is_printed_for_people(run, target, health, capsys):
    assert run("verify") == 0
    assert "Verification of https://127.0.0.1" in capsys.readouterr().out


def test_health_is_asked_in_the_environment_of_the_stack(run, target, health, capsys):
    before = dict(os.environ)
    run("verify", "--json")
    assert health[0] == {**before, "SSL_CERT_FILE": "/ca-of-the-stack.pem"}
    assert dict(os.environ) == before


def test_health_is_not_asked_for_with_no_health(run, target, health, capsys):
    assert run("verify", "--json", "--no-health") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert next(c["status"] for c in checks if c["id"] == "health") == "skipped"
    assert not health


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_failed_verification_is_the_exit_status(run, target, health, capsys, form):
    target.stack.document["server_names"] = ["elsewhere.test"]
    assert run("verify", *form) == 1
