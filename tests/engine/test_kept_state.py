"""Stacks of earlier versions as the engine exported them go on under this one.

`python -m tests.engine.keep_state` made the files, and says more. The tests of this file share a
stack for each file and run in order.
"""

from __future__ import annotations

import copy
import json

import pytest
from cryptography import x509

from components.dynamic.register_state import read_bundles, read_issued
from components.pki import certificates
from tests.engine.keep_state import FOLDER, STACKS
from tests.engine.kept_stack import KeptStack

pytestmark = pytest.mark.in_order

CA = {
    "settled": ("certificate", "key_id"),
    "rotating": ("cross_certificate", "next_key_id"),
    "elliptic": ("certificate", "key_id"),
}
"""Outputs of the CA that issues to clients."""

KEYS = {"elliptic": {"browser": "ECDSA P-256", "gateway": "ECDSA P-521"}}
"""Kinds of clients' keys, where they are not all RSA."""


@pytest.fixture(scope="module", params=STACKS)
def kept(request):
    return request.param, json.loads((FOLDER / f"{request.param}.json").read_text())


@pytest.fixture(scope="module")
def stack(kept, toolchain, tmp_path_factory):
    name, content = kept
    stack = KeptStack(toolchain, tmp_path_factory.mktemp(name), FOLDER)
    stack.asked = content["asked"]
    stack.run("stack", "init", "kept")
    stack.run("stack", "import", "--stack", "kept", text=json.dumps(content["state"]))
    return stack


@pytest.fixture(scope="module")
def before(stack):
    """The outputs as they were kept."""
    return stack.outputs()


def test_the_file_shows_no_secret_and_no_path_of_the_machine_where_it_was_made(kept):
    text = json.dumps(kept[1])
    assert "PRIVATE KEY" not in text
    assert "plaintext" not in text
    assert "project:///" not in text


def test_the_state_holds_what_was_kept(kept, before):
    name, _ = kept
    clients = [(entry["name"], entry["status"]) for entry in read_issued(entries(before))]
    settled = [("leaver", "revoked"), ("browser", "valid"), ("gateway", "valid")]
    renewed = [("browser", "superseded"), ("gateway", "superseded")]
    assert sorted(clients) == sorted(settled + (renewed if name == "rotating" else []))
    for bundle in read_bundles(before["certificate_register"]["bundles"]).values():
        assert bundle["chain"] == before["certificate_authority"][CA[name][0]]
    held = read_bundles(before["certificate_register"]["bundles"])
    kinds = {
        client: certificates.key_words(certificates.load(bundle["certificate"]))
        for client, bundle in held.items()
    }
    assert kinds == KEYS.get(name, dict.fromkeys(held, "RSA 2048"))


def entries(outputs):
    return outputs["certificate_register"]["issued"]


def test_a_refresh_changes_nothing(stack, before):
    stack.change("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert stack.outputs() == before


def test_a_preview_shows_nothing_and_an_update_issues_nothing(stack, before):
    assert stack.steps() == {}
    stack.up("--expect-no-changes")
    assert stack.outputs() == before


def test_another_client_gets_a_certificate_and_the_others_keep_theirs(stack, before):
    stack.asked = copy.deepcopy(stack.asked)
    stack.asked["clients"]["auditor"] = {}
    assert stack.steps() == {"certificate_register": "update"}
    stack.up()
    after = stack.outputs()
    had, has = (outputs.pop("certificate_register") for outputs in (dict(before), after))
    assert after == {name: before[name] for name in after}
    *old, new = read_issued(has["issued"])
    assert old == read_issued(had["issued"])
    assert new["name"] == "auditor"
    bundles = read_bundles(has["bundles"])
    added = certificates.load(bundles.pop("auditor")["certificate"])
    assert certificates.serial_number(added) == new["serial_number"]
    assert bundles == read_bundles(had["bundles"])
    assert stack.steps() == {}


def test_a_client_that_is_removed_joins_the_one_on_the_list(stack, before):
    stack.asked = copy.deepcopy(stack.asked)
    del stack.asked["clients"]["auditor"]
    assert stack.steps() == {"certificate_register": "update", "revocation_list": "update"}
    stack.up()
    after = stack.outputs()
    assert int(after["revocation_list"]["number"]) == 1 + int(before["revocation_list"]["number"])
    listed = {
        entry.serial_number
        for name, text in after["revocation_list"].items()
        if name.endswith("revocation_list")
        for entry in x509.load_pem_x509_crl(text.encode())
    }
    gone = [entry for entry in read_issued(entries(after)) if entry["status"] == "revoked"]
    assert {entry["name"] for entry in gone} == {"leaver", "auditor"}
    assert listed == {int(entry["serial_number"], 16) for entry in gone}
    assert stack.steps() == {}


@pytest.mark.parametrize("kept", ["rotating"], indirect=True)
def test_a_rotation_in_the_middle_is_completed(stack, before):
    held = read_bundles(stack.outputs()["certificate_register"]["bundles"])
    stack.asked = copy.deepcopy(stack.asked)
    stack.asked["certificate_authority"] |= {"generation": 2, "next_generation": None}
    changed = ("certificate_authority", "revocation_list", "server_certificate")
    assert stack.steps() == dict.fromkeys(changed, "update")
    stack.up()
    after = stack.outputs()
    was, now = before["certificate_authority"], after["certificate_authority"]
    for name in ("certificate", "private_key", "key_id"):
        assert now[name] == was[f"next_{name}"]
    assert read_bundles(after["certificate_register"]["bundles"]) == held
    assert stack.steps() == {}
