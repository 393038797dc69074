"""The tutorial's seven steps by the real engine: up, verify, nothing more to do, down.

The tests of this file share one stack and run in order.
"""

from __future__ import annotations

import base64
import json
import os
import re

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from components.pki.windows import show_time
from tests.engine.clock import later
from tests.homes import dump_of

pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def outputs(deployed):
    return deployed.stack.outputs()


def test_preview_of_an_empty_stack_creates_everything_and_fails_nothing(engine):
    steps = engine.steps()
    assert set(steps.values()) == {"create"}
    assert "pulumi-python:dynamic/pki:CertificateRegister::slb-mutual-tls-test" in steps
    assert "alicloud:slb/listener:Listener::slb-mutual-tls-test" in steps


def test_up_makes_a_service_that_passes_the_verification(deployed):
    report = deployed.verify()
    assert report.passed, report.to_json()
    assert {check.status for check in report.checks} == {"passed"}


def test_outputs_have_the_documented_shape(outputs):
    assert outputs["url"].startswith(f"https://{outputs['address']}")
    bundles = json.loads(outputs["client_bundles"])
    assert set(outputs["clients"]) == {"browser", "partner"} == set(bundles)
    assert set(outputs["clients"]["browser"]) == {
        "serial_number",
        "fingerprint_sha256",
        "not_before",
        "not_after",
        "status",
        "key",
    }
    bundle = bundles["browser"]
    assert set(bundle) == {"pkcs12", "pass_phrase", "private_key", "certificate", "chain"}
    pkcs12.load_pkcs12(base64.b64decode(bundle["pkcs12"]), bundle["pass_phrase"].encode())


def test_one_client_s_bundle_comes_from_the_state_alone(deployed, outputs):
    """README's way: the CLI prints the text itself, ready for jq."""
    answer = deployed.stack.capture("stack", "output", "client_bundles", "--show-secrets")
    assert answer.stdout.rstrip() == outputs["client_bundles"]
    assert json.loads(answer.stdout)["browser"]["pkcs12"]
    hidden = deployed.stack.capture("stack", "output", "client_bundles")
    assert hidden.stdout.strip() == "[secret]"


def test_a_second_up_changes_nothing(deployed):
    assert deployed.steps() == {}
    assert re.search(r"Resources:\n +\d+ unchanged\n", deployed.up())


def test_a_refresh_changes_nothing(deployed):
    text = deployed.succeed("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert re.search(r"Resources:\n +\d+ unchanged\n", text)


def test_preview_of_a_removed_client_shows_that_and_nothing_else(deployed):
    deployed.configure(clients={"browser": {}})
    try:
        assert deployed.steps() == {
            "pulumi-python:dynamic/pki:CertificateRegister::slb-mutual-tls-test": "update",
            "pulumi-python:dynamic/pki:RevocationList::slb-mutual-tls-test": "update",
        }
        assert re.search(r"- +partner", deployed.succeed("preview", "--diff"))
    finally:
        deployed.configure(clients={"browser": {}, "partner": {}})


def test_preview_of_another_backend_port_has_other_instances(deployed):
    # cloud-init would not read their new user data.
    deployed.configure(backends={"port": 8081})
    try:
        steps = deployed.steps()
    finally:
        deployed.configure(backends={})
    instances = {name: step for name, step in steps.items() if "ecs/instance:" in name}
    assert set(instances.values()) == {"replace"}
    assert len(instances) == 2


def test_preview_shows_the_new_dates_of_what_is_due(deployed):
    # In 340 days both clients and the server certificate are within their 30 days.
    due = {"SLB_MUTUAL_TLS_CLOCK_OFFSET": "340d"}
    steps = deployed.steps(variables=due)
    assert steps["pulumi-python:dynamic/pki:CertificateRegister::slb-mutual-tls-test"] == "update"
    assert steps["pulumi-python:dynamic/pki:ServerCertificate::slb-mutual-tls-test"] == "update"
    assert "pulumi-python:dynamic/pki:CertificateAuthority::slb-mutual-tls-test" not in steps
    assert re.search(r"~ not_after *: \"20", deployed.succeed("preview", "--diff", variables=due))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"clients": {"a/b": {}}}, "clients.a/b: a client's name becomes a file name"),
        ({"clients": {"a": {"validity": "20d"}}}, "renew_before is 30d and validity is 20d"),
        ({"listener": {"bandwidth": 4000}}, "bandwidth is 4000: it is -1 (no limit) or 1 to 1000"),
        ({"backends": {"instance_ids": ["i-nothere"]}}, "names i-nothere, which the account does"),
    ],
    ids=["name", "validity", "bandwidth", "backend"],
)
def test_wrong_input_is_one_sentence_before_anything_happens(deployed, settings, sentence):
    before = {key: deployed.values["config"].get(f"slb-mutual-tls:{key}") for key in settings}
    deployed.configure(**settings)
    try:
        text = deployed.fail("up", "--yes", "--skip-preview")
    finally:
        deployed.configure(**{key: value or {} for key, value in before.items()})
    assert sentence in text
    assert "Traceback" not in text
    assert re.search(r"\d+ unchanged|errored", text)
    assert " created" not in text


def test_preview_shows_which_client_is_due_and_up_does_that_and_no_more(deployed):
    deployed.configure(clients={"browser": {}, "partner": {"renew_before": "100d"}})
    deployed.up()
    before = deployed.outputs()
    # In 280 days the partner is within its 100 days, and the browser not within its 30.
    due = {"SLB_MUTUAL_TLS_CLOCK_OFFSET": "280d"}
    text = deployed.succeed("preview", "--diff", variables=due)
    shown = re.findall(r'~ not_after *: "(\S+)" => "(\S+)"', text)
    refused = deployed.fail("up", "--yes", "--skip-preview", variables=due)
    assert "SLB_MUTUAL_TLS_CLOCK_OFFSET=280d is set" in refused
    assert deployed.outputs() == before
    deployed.up(variables=later(280))
    after = deployed.outputs()
    assert after.clients["browser"] == before.clients["browser"]
    dates = [show_time(found.clients["partner"].not_after) for found in (before, after)]
    assert dates[0] != dates[1]
    lists = [show_time(found.revocation_lists[0].next_update_utc) for found in (before, after)]
    assert {tuple(dates)} < set(shown)
    # The other is the revocation list's.
    assert len(shown) == 2, (shown, lists)


def test_down_leaves_nothing_behind(deployed, local):
    deployed.succeed("destroy", "--yes", "--skip-preview")
    assert json.loads(deployed.state())["deployment"].get("resources") in (None, [])
    left = json.loads(dump_of(local))
    assert {kind: items for kind, items in left.items() if items} == {}
    assert local.cloud_status()["listeners"] == []
    assert not os.listdir(local.home / "cloud" / "data-plane" / "instances")
