from __future__ import annotations

import json

import pytest

from operations.review import plan
from operations.review.plan import ABSENT, SECRET, UNKNOWN, Property

HIDDEN = {plan.SECRET_MARK: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}


def step(
    operation, old=None, new=None, *, name="web", kind="alicloud:slb/listener:Listener", **rest
):
    def state(inputs, outputs):
        return inputs if inputs is None else {"inputs": inputs, "outputs": outputs or {}}

    metadata = {
        "op": operation,
        "urn": f"urn:pulumi:dev::slb-mutual-tls::parent${kind}::{name}",
        "type": kind,
        "old": state(old, rest.pop("found", {})),
        "new": state(new, {}),
        **rest,
    }
    return {"resourcePreEvent": {"metadata": metadata}}


def parse(*events):
    return plan.parse_plan("".join(json.dumps(event) + "\n" for event in events))


def properties(*events):
    (change,) = parse(*events).changes
    return list(change.properties)


def test_an_update_names_the_deepest_properties_that_differ():
    assert properties(
        step(
            "update",
            {"port": 443, "tags": {"a": "1", "b": "2"}, "servers": [{"id": "i-1"}]},
            {"port": 443, "tags": {"a": "1", "b": "3"}, "servers": [{"id": "i-1"}, {"id": "i-2"}]},
        )
    ) == [Property("servers[1].id", ABSENT, "i-2"), Property("tags.b", "2", "3")]


def test_what_is_new_or_gone_is_told_with_all_it_has():
    assert properties(step("create", None, {"port": 443, "on": True})) == [
        Property("on", ABSENT, True),
        Property("port", ABSENT, 443),
    ]
    assert properties(step("delete", {"port": 443}, None)) == [Property("port", 443, ABSENT)]


def test_a_value_known_later_is_told_once():
    assert properties(step("update", {"ids": ["a", "b"]}, {"ids": plan.UNKNOWN_MARK})) == [
        Property("ids", ["a", "b"], UNKNOWN)
    ]


def test_a_secret_counts_as_different_if_the_provider_says_so():
    old, new = {"key": HIDDEN, "port": 1}, {"key": HIDDEN, "port": 2}
    assert properties(step("update", old, new)) == [Property("port", 1, 2)]
    assert properties(step("update", old, new, diffs=["key", "port"])) == [
        Property("key", SECRET, SECRET),
        Property("port", 1, 2),
    ]


def test_what_the_provider_takes_for_the_same_is_left_out():
    old, new = {"bandwidth": 5120, "policy": "a"}, {"bandwidth": 1, "policy": "b"}
    assert properties(step("update", old, new, diffs=["policy"])) == [Property("policy", "a", "b")]


def test_drift_is_told_by_what_was_found():
    (found,) = properties(
        step("update", {"gzip": True}, {"gzip": True}, found={"gzip": False}, diffs=["gzip"])
    )
    assert found == Property("gzip", False, True)


def test_the_sdk_s_own_properties_are_left_out():
    assert properties(step("update", {"__provider": "a", "x": 1}, {"__provider": "b", "x": 2})) == [
        Property("x", 1, 2)
    ]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (("create-replacement", "replace", "delete-replaced"), False),
        (("delete-replaced", "replace", "create-replacement"), True),
    ],
)
def test_a_replacement_is_one_change_that_says_which_half_comes_first(order, first):
    events = [step(one, {"port": 443}, {"port": 8443}, keys=["port"]) for one in order]
    (change,) = parse(*events).changes
    assert change.operation == "replace"
    assert change.forced_by == ("port",)
    assert change.deletes_first is first


def test_what_stays_is_counted_and_not_listed():
    found = parse(
        step("same", {"port": 443}, {"port": 443}),
        {"summaryEvent": {"resourceChanges": {"same": 17}, "result": "succeeded"}},
    )
    assert (found.changes, found.unchanged) == ((), 17)


def test_the_engine_s_own_providers_are_no_change():
    kind = "pulumi:providers:pulumi-python"
    assert parse(step("update", {"a": "1"}, {"a": "2"}, name="default", kind=kind)).changes == ()


def test_messages_are_sorted_by_weight_and_told_once():
    def said(severity, message):
        return {"diagnosticEvent": {"severity": severity, "message": message}}

    found = parse(
        said("debug", "registering"),
        said("warning", "using pulumi-resource-alicloud from $PATH at /x\n"),
        said("warning", "soon gone\n"),
        said("error", "wrong\n"),
        said("error", "wrong\n"),
    )
    assert (found.errors, found.warnings) == (("wrong",), ("soon gone",))


def test_broken_rules_are_told_with_their_level():
    def broken(level):
        return {
            "policyEvent": {
                "policyName": "tls",
                "enforcementLevel": level,
                "message": "TLS 1.0\n",
            }
        }

    assert [one.mandatory for one in parse(broken("mandatory"), broken("advisory")).violations] == [
        True,
        False,
    ]


def test_an_empty_log_is_an_empty_plan():
    assert plan.parse_plan("") == plan.Plan((), 0, (), (), ())
