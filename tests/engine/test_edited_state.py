"""A state that was edited by hand is refused in a preview; put back, it goes on as before.

`tests/fuzz/test_state.py` tries many more edits, without the engine. The tests of this file share
a stack and run in order.
"""

from __future__ import annotations

import copy
import json
import shutil

import pytest

from components.dynamic.register_state import read_bundles
from tests.engine import tracebacks
from tests.engine.keep_state import FOLDER
from tests.engine.kept_stack import TYPES, KeptStack, secret, shown, type_of
from tests.engine.leaks import secrets_of

pytestmark = pytest.mark.in_order

AUTHORITY, REGISTER = "certificate_authority", "certificate_register"

GONE = object()

MESSAGE = "cannot be read"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("edited")


@pytest.fixture(scope="module")
def stack(toolchain, folder):
    content = json.loads((FOLDER / "settled.json").read_text())
    stack = KeptStack(toolchain, folder, FOLDER)
    stack.asked = content["asked"]
    stack.run("stack", "init", "kept")
    stack.run("stack", "import", "--stack", "kept", text=json.dumps(content["state"]))
    stack.asked["clients"]["auditor"] = {}
    stack.up()
    return stack


@pytest.fixture(scope="module")
def whole(stack):
    """The state as the last update left it, and what it keeps secret."""
    state = stack.state()
    bundles = read_bundles(stack.outputs()[REGISTER]["bundles"])
    return state, secrets_of(json.dumps(state), bundles)


@pytest.fixture
def put_back(folder):
    """As docs/en/troubleshooting.md, "Restoring a state" says, of a backend that is a folder."""
    yield
    checkpoint = max((folder / ".pulumi/history/kept-state/kept").glob("*.checkpoint.json"))
    shutil.copyfile(checkpoint, folder / ".pulumi/stacks/kept-state/kept.json")


def edited(state, kind, side, name, edit):
    """A state with another value of a resource's property, as a secret if it was one."""
    copied = copy.deepcopy(state)
    [resource] = [
        one for one in copied["deployment"]["resources"] if TYPES.get(type_of(one["urn"])) == kind
    ]
    before = resource[side].pop(name)
    after = edit(shown(before))
    if after is not GONE:
        resource[side][name] = secret(after) if shown(before) != before else after
    return copied


def without_the_chains(bundles):
    return json.dumps({**json.loads(bundles), "chains": []})


CASES = {
    "a text cut short": (REGISTER, "outputs", "issued", lambda text: text[:-40]),
    "a secret with a part missing": (REGISTER, "outputs", "bundles", without_the_chains),
    "a secret key cut short": (AUTHORITY, "outputs", "private_key", lambda text: text[:-300]),
    "a property removed": ("revocation_list", "outputs", "number", lambda _: GONE),
    "a date that is none": (AUTHORITY, "inputs", "not_after", lambda _: "next year"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("put_back")
def test_an_edit_is_refused_with_one_sentence_and_nothing_is_made(stack, whole, case, monkeypatch):
    kind, side, name, _ = CASES[case]
    state, secrets = whole
    changed = edited(state, *CASES[case])
    stack.run("stack", "import", "--stack", "kept", text=json.dumps(changed))
    before = stack.outputs()
    # Something to do, which an update would begin with.
    clients = {**stack.asked["clients"], "late": {}}
    monkeypatch.setattr(stack, "asked", {**stack.asked, "clients": clients})
    said = stack.fail("up", "--yes")
    [error] = [line for line in said.partition("Diagnostics:")[2].splitlines() if MESSAGE in line]
    resource = kind.title().replace("_", "")
    assert f"the stack's state of this {resource} {MESSAGE}: {name}" in error
    assert error.endswith('docs/en/troubleshooting.md, "Restoring a state"')
    # What a check finds is told without a traceback; of the rest, the SDK shows where it was.
    assert bool(tracebacks.of_ours(said)) == (side == "outputs"), said
    assert secrets.names
    assert secrets.in_(said.encode()) == set()
    assert stack.outputs() == before


def test_put_back_it_goes_on_as_before(stack, whole):
    state, _ = whole
    assert stack.state()["deployment"]["resources"] == state["deployment"]["resources"]
    assert stack.steps() == {}
    stack.up("--expect-no-changes")
