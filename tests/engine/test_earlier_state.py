"""Stacks of the first version go on under this one: nothing in them is issued anew for its sake.

The state of each dynamic resource as it was kept then is imported into a stack whose program asks
for what it asked for then. The tests of this file share the stack and run in order.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.dynamic.certificate_record import read_entries
from tests.engine.kept_stack import TYPES, KeptStack, secret
from tests.unit.components.dynamic import earlier_state
from tests.unit.components.dynamic.engine import Kept

pytestmark = pytest.mark.in_order

PROGRAM = Path(__file__).parent / "earlier_state"
FROM_OTHERS = {
    "__provider",
    *("ca_certificate", "ca_private_key", "ca_key_id", "ca_id"),
    *("issued", "revision", "certificates"),
}
"""Inputs that the program takes from the other resources."""


def asked_for(resource: Kept, **changes):
    inputs = earlier_state.asked_for(resource, **changes)
    return {name: value for name, value in inputs.items() if name not in FROM_OTHERS}


def imported(state: dict, kept: dict[str, Kept]) -> dict:
    """A state with the resources as they were kept then, and no others of ours."""
    changed = copy.deepcopy(state)
    resources = changed["deployment"]["resources"]
    resources[:] = [one for one in resources if TYPES.get(one["type"], "") in {"", *kept}]
    for one in resources:
        if one["type"] not in TYPES:
            continue
        resource = kept[TYPES[one["type"]]]
        secrets = set(one.get("additionalSecretOutputs", ()))
        one["id"] = resource.id
        one["inputs"] = {
            name: secret(value) if name == "ca_private_key" else value
            for name, value in resource.inputs.items()
        }
        one["outputs"] = {
            name: secret(value) if name in secrets else value
            for name, value in resource.outputs.items()
        }
    return changed


@pytest.fixture(scope="module")
def kept():
    found = {name: earlier_state.kept(name) for name in earlier_state.PROVIDERS}
    # Since there are revocation lists, a register says which.
    found["certificate_register"].outputs["revision"] = "0"
    return found


@pytest.fixture(scope="module")
def brought_in(toolchain, tmp_path_factory, kept):
    """Makes a stack, and imports resources as they were kept into its state."""

    def made(resources):
        stack = KeptStack(toolchain, tmp_path_factory.mktemp("earlier"), PROGRAM)
        stack.asked = {name: asked_for(resource) for name, resource in kept.items()}
        stack.run("stack", "init", "kept")
        # So that it has all that the engine keeps around the resources.
        stack.up()
        state = json.dumps(imported(stack.state(), resources))
        stack.run("stack", "import", "--stack", "kept", text=state)
        return stack

    return made


@pytest.fixture(scope="module")
def stack(brought_in, kept):
    """The stack with the earlier state in it."""
    return brought_in(kept)


def test_the_state_is_the_earlier_one(stack, kept):
    assert stack.outputs() == {name: resource.outputs for name, resource in kept.items()}


def test_a_refresh_changes_nothing(stack):
    stack.change("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_preview_shows_nothing_and_an_update_issues_nothing(stack, kept):
    assert stack.steps() == {}
    stack.up("--expect-no-changes")
    assert stack.outputs() == {name: resource.outputs for name, resource in kept.items()}


def test_other_windows_alone_issue_nothing(stack):
    before = copy.deepcopy(stack.asked)
    try:
        for inputs in stack.asked.values():
            for windowed in (inputs, *inputs.get("clients", {}).values()):
                if "renew_before" in windowed:
                    windowed["renew_before"] = "5d"
        assert stack.steps() == {}
    finally:
        stack.asked = before


def test_what_is_due_is_renewed_and_the_ca_is_not(stack, kept):
    stack.moment = datetime(2027, 2, 20, 12, tzinfo=UTC)
    renewed = (
        "certificate_record",
        "certificate_register",
        "revocation_list",
        "server_certificate",
    )
    assert stack.steps() == dict.fromkeys(renewed, "update")
    stack.up()
    outputs = stack.outputs()
    assert outputs["certificate_authority"] == kept["certificate_authority"].outputs
    assert outputs["revocation_list"]["number"] == "2"
    assert outputs["server_certificate"]["not_after"] == "2028-02-19T23:59:59Z"
    recorded = read_entries(outputs["certificate_record"]["entries"])
    assert [(one["name"], one["status"]) for one in recorded] == [
        ("server", "superseded"),
        ("CA", "valid"),
        ("server", "valid"),
    ]
    assert stack.steps() == {}


def test_the_ca_is_renewed_with_its_key(stack, kept):
    stack.moment = datetime(2034, 4, 1, 12, tzinfo=UTC)
    assert stack.steps()["certificate_authority"] == "update"
    stack.up()
    before, after = kept["certificate_authority"].outputs, stack.outputs()["certificate_authority"]
    assert after["certificate"] != before["certificate"]
    for name in ("private_key", "key_id", "public_key_sha256", "expired_probe"):
        assert after[name] == before[name]
    assert stack.steps() == {}


def test_a_stack_of_the_first_version_gets_what_came_later_and_keeps_the_rest(brought_in):
    later = {"certificate_record", "revocation_list"}
    first = {
        name: earlier_state.kept(name) for name in earlier_state.PROVIDERS if name not in later
    }
    stack = brought_in(first)
    stack.change("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert stack.steps() == dict.fromkeys(later, "create")
    stack.up()
    outputs = stack.outputs()
    assert outputs.pop("revocation_list")["number"] == "1"
    assert len(read_entries(outputs.pop("certificate_record")["entries"])) == 2
    assert outputs == {name: resource.outputs for name, resource in first.items()}
    assert stack.steps() == {}
