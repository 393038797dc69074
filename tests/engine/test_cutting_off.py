"""`revoke`, as a person runs it: in a copy of the project, because it changes the configuration."""

from __future__ import annotations

import json

import pytest
import yaml

pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def deployed(run):
    answer = run("up", "--", "--skip-preview")
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.usefixtures("deployed")
def test_no_is_no(project, run):
    before = (project / "Pulumi.local.yaml").read_text()
    answer = run("revoke", "partner", answer="n\n")
    assert answer.returncode == 1
    assert "Nothing was done; Pulumi.local.yaml is as it was." in answer.stderr
    assert (project / "Pulumi.local.yaml").read_text() == before
    preview = run("preview", "--", "--expect-no-changes")
    assert preview.returncode == 0, preview.stdout


@pytest.mark.usefixtures("deployed")
def test_a_revoked_client_is_refused_and_every_other_is_let_in_with_what_is_new(project, run):
    before = json.loads(run("outputs").stdout)["clients"]
    answer = run("revoke", "partner", "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "What partner had is refused" in answer.stdout
    assert "New certificates: browser." in answer.stdout
    assert "Hand out: make client NAME=browser STACK=local DIR=out/browser" in answer.stdout
    after = json.loads(run("outputs").stdout)["clients"]
    assert after["partner"]["status"] == "revoked"
    assert after["browser"]["serial_number"] != before["browser"]["serial_number"]
    config = yaml.safe_load((project / "Pulumi.local.yaml").read_text())["config"]
    assert config["slb-mutual-tls:clients"]["partner"] == {"revoked": "keyCompromise"}
    assert config["slb-mutual-tls:certificate_authority"]["generation"] == 2
    assert "# The local cloud on this machine" in (project / "Pulumi.local.yaml").read_text()


@pytest.mark.usefixtures("deployed")
def test_the_inventory_knows_who_held_what(run):
    rows = json.loads(run("inventory", "--json").stdout)
    seen = {(row["role"], row["name"], row["state"]) for row in rows}
    assert {
        ("ca", "CA", "valid"),
        ("server", "server", "valid"),
        ("client", "browser", "valid"),
        ("client", "browser", "superseded"),
        ("client", "partner", "revoked"),
    } <= seen
    lines = run("inventory", "--csv").stdout.splitlines()
    assert lines[0].startswith("role,name,state,")
    assert len(lines) == len(rows) + 1


@pytest.mark.usefixtures("deployed")
def test_the_expiry_alarm_looks_as_far_as_it_is_told(run):
    assert run("expiry", "--days", "1").returncode == 0
    answer = run("expiry", "--days", "336", "--json")
    assert answer.returncode == 1
    due = [row["role"] for row in json.loads(answer.stdout)]
    assert due[0] == "revocation list"
    assert {"server", "client"} <= set(due)
    assert "ca" not in due


@pytest.mark.usefixtures("deployed")
def test_who_is_revoked_already_is_told_so(run):
    answer = run("revoke", "partner", "--yes")
    assert answer.returncode == 1
    assert answer.stderr.endswith("Client partner is revoked already (keyCompromise).\n")
