from __future__ import annotations

import pytest

from operations.stacks.stack import in_order_until, unfinished_types

UPDATED = {"kind": "update", "result": "succeeded", "startTime": "2026-11-24T10:00:00.000Z"}
DONE = {**UPDATED, "endTime": "2026-11-24T10:01:00.000Z"}
FAILED = {
    "kind": "update",
    "result": "failed",
    "startTime": "2026-11-24T11:00:00.000Z",
    "endTime": "2026-11-24T11:01:00.000Z",
}
REFRESHED = {**DONE, "kind": "refresh"}
PENDING = {"pending_operations": [{"type": "creating", "resource": {"type": "a:b:C"}}]}
STARTED = {"manifest": {"time": "2026-11-24T08:00:00Z"}}
MADE = {"resources": [{"type": "a:b:C", "created": "2026-11-24T09:00:00.123456789Z"}]}


@pytest.mark.parametrize(
    ("deployment", "history"),
    [({}, []), (MADE, [DONE]), (MADE, [DONE, FAILED]), (MADE, [REFRESHED, DONE])],
)
def test_a_stack_in_order(deployment, history):
    assert in_order_until(deployment, history) is None


@pytest.mark.parametrize(
    ("deployment", "history", "since"),
    [
        (MADE, [FAILED, DONE], "2026-11-24T10:01:00+00:00"),
        (MADE, [REFRESHED, FAILED, FAILED, DONE], "2026-11-24T10:01:00+00:00"),
        (PENDING, [DONE], "2026-11-24T10:01:00+00:00"),
        ({**MADE, **PENDING}, [], "2026-11-24T09:00:00.123456+00:00"),
        (MADE, [FAILED], "2026-11-24T09:00:00.123456+00:00"),
        ({}, [FAILED], "2026-11-24T11:00:00+00:00"),
        (
            {**PENDING, "manifest": {"time": "2026-11-24T08:00:00Z"}},
            [],
            "2026-11-24T08:00:00+00:00",
        ),
    ],
)
def test_since_when_a_stack_is_out_of_order(deployment, history, since):
    found = in_order_until(deployment, history)
    assert found is not None
    assert found.isoformat() == since


def test_what_is_unfinished():
    half = {"type": "alicloud:slb/listener:Listener", "initErrors": ["busy"]}
    deployment = {"resources": [half, {"type": "a:b:D"}], **PENDING}
    assert unfinished_types(deployment) == ["a:b:C", "alicloud:slb/listener:Listener"]
