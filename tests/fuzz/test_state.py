"""A stack's state, edited by hand: every provider goes on with it, or says in one sentence why not.

The engine hands old inputs to `check`, old outputs to `diff` and `update`.
"""

from __future__ import annotations

import base64
import copy
import itertools
import json
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st

from components.dynamic import (
    certificate_authority,
    certificate_record,
    certificate_register,
    revocation_list,
    server_certificate,
)
from components.dynamic.properties import unpack
from components.dynamic.state import UnreadableStateError
from components.pki import keys
from tests.engine.keep_state import FOLDER
from tests.fuzz.cases import ROUNDS, SECRET, armoured, documents, given, old_habits, spoilt, tried
from tests.unit.components.dynamic import earlier_state
from tests.unit.components.dynamic.engine import Kept, texts, wire
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    by_the_next,
    client,
    present,
    register,
    revocations,
    server,
)
from tests.unit.components.pki.material import small_key

FEWER = max(20, ROUNDS // 5)
"""A case reads keys and makes some, which takes tenths of a second."""

PHRASE = "correct horse battery staple"

LABELS = ("CERTIFICATE", "RSA PRIVATE KEY")
"""What stands in PEM and is read."""

REMOVED = object()

OTHER_TYPES = (REMOVED, None, True, 7.0, "x", ["x", None], {"x": None})
"""What stands in for a value, of each type that JSON has."""


@dataclass(frozen=True)
class Stack:
    """A resource in the state, and what programs may ask of it next."""

    kept: Kept
    asked: tuple[dict, ...]


def made() -> dict[str, Stack]:
    """Resources by name; each has something that its next update builds on."""
    ca, rotating = Kept(certificate_authority.Provider()), Kept(certificate_authority.Provider())
    ca.up(AUTHORITY)
    rotating.up(AUTHORITY)
    rotating.up({**AUTHORITY, "next_generation": 2})
    given_up = Kept(certificate_authority.Provider())
    given_up.up({**AUTHORITY, "next_generation": 2})
    given_up.up(AUTHORITY)
    own = Kept(server_certificate.Provider())
    own.up(server(ca))
    asked = json.loads((FOLDER / "settled.json").read_text())["asked"]["clients"]
    clients = Kept(certificate_register.Provider())
    three = {
        "browser": client("browser", pass_phrase=PHRASE),
        "gateway": client("gateway", signing_request=asked["gateway"]["signing_request"]),
        "phone": client("phone"),
    }
    clients.up(register(ca, {**three, "leaver": client("leaver")}))
    clients.up(register(ca, three))
    recorded = Kept(certificate_record.Provider())
    recorded.up(present(rotating, server=own))
    recorded.up(present(ca, server=own))
    revoked = Kept(revocation_list.Provider())
    revoked.up(revocations(ca, clients))
    legacy = {name: {**one, "bundle_encoding": "legacy"} for name, one in three.items()}
    earlier = earlier_state.kept("certificate_register")
    first = earlier_state.asked_for(earlier)
    return {
        "CA": Stack(ca, (AUTHORITY, {**AUTHORITY, "validity": "3000d"})),
        "CA with a next one": Stack(
            rotating,
            (
                {**AUTHORITY, "next_generation": 2},
                {**AUTHORITY, "generation": 2},
                {**AUTHORITY, "next_generation": 2, "validity": "3000d"},
                AUTHORITY,
            ),
        ),
        "CA whose rotation was given up": Stack(
            given_up, (AUTHORITY, {**AUTHORITY, "next_generation": 3})
        ),
        "server's certificate": Stack(own, (server(ca), server(ca, validity="90d"))),
        "register": Stack(
            clients,
            (
                register(ca, three),
                register(ca, legacy),
                register(rotating, three, **by_the_next(rotating)),
                register(ca, {}),
            ),
        ),
        "register of the first version": Stack(
            earlier, (first, {**first, "clients": {"browser": client("browser")}})
        ),
        "record": Stack(recorded, (present(ca, server=own), present(ca))),
        "revocation list": Stack(
            revoked, (revocations(ca, clients), revocations(ca, clients, revision="another"))
        ),
    }


@pytest.fixture(scope="module", autouse=True)
def quick_keys():
    """Small keys, of which none comes twice within a case."""
    ready = itertools.cycle([small_key() for _ in range(32)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "generate", lambda _bits: next(ready))
        yield


@pytest.fixture(scope="module")
def stacks(quick_keys):
    return made()


STACKS = ("CA", "CA with a next one", "CA whose rotation was given up", "server's certificate",
          "register", "register of the first version", "revocation list")  # fmt: skip


def paths(node, before=()):
    """Where something stands, in depth, in texts of JSON too."""
    node = opened(node)
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*before, key)
        if isinstance(opened(value), (dict, list)):
            yield from paths(value, (*before, key))


def opened(value):
    """A packed output as objects."""
    packed = isinstance(value, str) and value[:1] in {"{", "["}
    return unpack(value) if packed else value


def replaced(node, path, change):
    """A copy of properties in which `change` has made another value of what stands at a path."""
    if not path:
        return change(node)
    inner = copy.copy(opened(node))
    value = replaced(inner[path[0]], path[1:], change)
    if value is not REMOVED:
        inner[path[0]] = value
    else:
        del inner[path[0]]
    return json.dumps(inner) if isinstance(node, str) else inner


def edited(data, properties):
    """One edit of properties as people and broken tools make them."""
    path = data.draw(st.sampled_from(sorted(paths(properties), key=str)))
    return replaced(properties, path, lambda value: data.draw(instead_of(value, properties)))


def instead_of(value, properties):
    """Other values for one: any, none at all, what stands elsewhere, the same with an error."""
    others = [st.just(REMOVED), documents, st.sampled_from([*texts(properties), value])]
    if isinstance(value, str) and value:
        others.append(spoilt(value.encode()).map(lambda content: content.decode("latin-1")))
        label = value.removeprefix("-----BEGIN ").partition("-")[0]
        if label in LABELS:
            der = base64.b64decode("".join(value.split("\n")[1:-2]))
            others.append(spoilt(der).map(lambda content: armoured(label, content)))
    return st.one_of(others)


def secrets_in(kept):
    """Private keys and pass phrases, in pieces that would be seen in a message."""
    for text in (*texts(kept.inputs), *texts(opened(kept.outputs.get("bundles", {})))):
        if "PRIVATE KEY" in text or text == PHRASE:
            yield from text.splitlines()[1:-1] or [text]
    for name in ("private_key", "next_private_key"):
        yield from kept.outputs.get(name, "").splitlines()[1:-1]


def judge_message(message, kept):
    assert message
    assert len(message.splitlines()) == 1
    assert SECRET not in message
    assert not [secret for secret in secrets_in(kept) if secret in message]


def judge(stack, olds, outputs, asked):
    """A check, and if it finds nothing a diff and an update, as the engine calls them."""
    tried["state"] += 1
    provider = stack.kept.provider
    news = wire(asked)
    with old_habits():
        result = provider.check(olds, news)
        for found in result.failures:
            judge_message(found.reason, stack.kept)
        if result.failures:
            return
        inputs = wire(result.inputs)
        for call in (provider.diff, provider.update):
            try:
                assert call(stack.kept.id, outputs, inputs)
            except UnreadableStateError as error:
                judge_message(str(error), stack.kept)


@pytest.mark.parametrize("name", STACKS)
def test_the_whole_is_gone_on_with(name, stacks):
    stack = stacks[name]
    for asked in stack.asked:
        result = stack.kept.provider.check(wire(stack.kept.inputs), wire(asked))
        assert not result.failures
        stack.kept.provider.diff(stack.kept.id, wire(stack.kept.outputs), wire(result.inputs))
        stack.kept.provider.update(stack.kept.id, wire(stack.kept.outputs), wire(result.inputs))


@pytest.mark.parametrize("name", STACKS)
@given(rounds=FEWER, data=st.data())
def test_old_inputs_that_were_edited(name, stacks, data):
    stack = stacks[name]
    olds = edited(data, wire(stack.kept.inputs))
    judge(stack, olds, wire(stack.kept.outputs), data.draw(st.sampled_from(stack.asked)))


@pytest.mark.parametrize("name", STACKS)
@given(rounds=FEWER, data=st.data())
def test_old_outputs_that_were_edited(name, stacks, data):
    stack = stacks[name]
    outputs = edited(data, wire(stack.kept.outputs))
    judge(stack, wire(stack.kept.inputs), outputs, data.draw(st.sampled_from(stack.asked)))


@pytest.mark.parametrize("side", ["inputs", "outputs"])
@pytest.mark.parametrize("name", STACKS)
def test_each_old_value_that_is_missing_or_of_another_type(name, side, stacks):
    stack = stacks[name]
    whole = {"inputs": wire(stack.kept.inputs), "outputs": wire(stack.kept.outputs)}
    edits = itertools.product(paths(whole[side]), OTHER_TYPES)
    for (path, value), asked in zip(edits, itertools.cycle(stack.asked), strict=False):
        olds = {**whole, side: replaced(whole[side], path, lambda _, value=value: value)}
        judge(stack, olds["inputs"], olds["outputs"], asked)
