"""The clock and unknown values, which all dynamic providers share."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from components.dynamic.properties import explain_change, failures_of, is_unknown, now
from components.pki.clock import CLOCK_OFFSET
from tests.unit.components.dynamic.engine import wire
from tests.unit.components.pki.material import NOW


def test_the_clock_stands_where_the_offset_says(clock):
    assert now() == NOW
    clock("60d")
    assert now() == NOW + timedelta(days=60)
    clock("-90m")
    assert now() == NOW - timedelta(minutes=90)
    clock("")
    assert now() == NOW


def test_an_offset_that_is_no_length_of_time_is_refused(clock):
    clock("tomorrow")
    with pytest.raises(ValueError, match="'tomorrow' is no length of time"):
        now()


def test_the_variable_is_named_as_documented():
    assert CLOCK_OFFSET == "SLB_MUTUAL_TLS_CLOCK_OFFSET"


@pytest.mark.parametrize(
    "value",
    [
        UNKNOWN,
        Unknown(),
        [UNKNOWN],
        ("a", Unknown()),
        {"a": {"b": UNKNOWN}},
        {"a": [{"b": UNKNOWN}]},
    ],
)
def test_an_unknown_value_is_found_at_any_depth(value):
    assert is_unknown(value)


@pytest.mark.parametrize("value", [None, "", "a", 2048.0, [], {}, {"a": ["b", None]}, "Unknown"])
def test_a_known_value_is_not_taken_for_unknown(value):
    assert not is_unknown(value)


def test_an_unknown_value_is_found_as_it_comes_off_the_wire():
    assert is_unknown(wire({"a": {"b": [UNKNOWN]}}))
    assert isinstance(wire({"a": UNKNOWN})["a"], Unknown)


def test_what_changed_is_named_in_words():
    olds, news = {"ca_key_id": "a", "subject": "b"}, {"ca_key_id": "c", "subject": "d"}
    names = ("ca_key_id", "subject", "key_bits")
    assert explain_change(olds, news, names) == "the CA's key, subject changed"
    assert explain_change(olds, {**news, "ca_key_id": UNKNOWN}, names) == "subject changed"
    assert explain_change(olds, olds, names) is None
    assert explain_change({}, news, names) is None


def test_a_failure_names_its_place_and_reason():
    def refuse():
        raise ValueError("too long")

    (found,) = failures_of("clients.browser", refuse)
    assert (found.property, found.reason) == ("clients.browser", "too long")
    assert failures_of("clients.browser", lambda: None) == []


def test_only_mistakes_of_the_user_are_failures():
    def crash():
        raise KeyError("subject")

    with pytest.raises(KeyError):
        failures_of("clients.browser", crash)
