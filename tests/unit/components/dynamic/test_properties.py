"""The clock, unknown values and windows that all dynamic providers share."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from components.dynamic.properties import BECAUSE, changed, chosen, failure, is_unknown, now
from components.pki.clock import CLOCK_OFFSET
from tests.unit.components.dynamic.engine import wire
from tests.unit.components.pki.material import NOW

LENGTHS = {"validity": "365d", "renew_before": "30d"}


def days(count):
    return NOW + timedelta(days=count)


def opened(news=LENGTHS, moment=NOW):
    return window({}, news, moment)


def window(olds, news, moment, anew=None):
    """The dates alone."""
    return {
        name: value
        for name, value in chosen(olds, news, moment, anew=anew).items()
        if name != BECAUSE
    }


def kept(**changes):
    return {**LENGTHS, **opened(), **changes}


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


def test_a_new_certificate_begins_today():
    assert opened() == {
        "not_before": "2026-03-14T00:00:00Z",
        "not_after": "2027-03-13T23:59:59Z",
    }


@pytest.mark.parametrize(("day", "renewed"), [(0, False), (334, False), (335, True), (400, True)])
def test_a_certificate_is_renewed_from_the_day_it_is_due(day, renewed):
    found = window(kept(), LENGTHS, days(day))
    assert found == opened(moment=days(day) if renewed else NOW)


@pytest.mark.parametrize("renew_before", ["1d", "60d", "364d"])
def test_another_renew_before_alone_moves_nothing(renew_before):
    news = {**LENGTHS, "renew_before": renew_before}
    assert window(kept(), news, NOW) == opened()


def test_another_renew_before_renews_what_it_makes_due():
    news = {**LENGTHS, "renew_before": "60d"}
    assert window(kept(), news, days(310)) == opened(moment=days(310))


@pytest.mark.parametrize("validity", ["90d", "730d"])
def test_another_validity_begins_anew(validity):
    news = {**LENGTHS, "validity": validity}
    found = window(kept(), news, days(10))
    assert found == opened(news, days(10))
    assert window({**news, **found}, news, days(11)) == found


def test_a_certificate_issued_for_another_reason_begins_anew():
    assert window(kept(), LENGTHS, days(10), "subject changed") == opened(moment=days(10))


REASONS = {
    "first issue": ({}, 0, LENGTHS, None),
    "renewal due since 2027-02-11T23:59:59Z": (kept(), 340, LENGTHS, None),
    "validity changed": (kept(), 10, {**LENGTHS, "validity": "90d"}, None),
    "the CA's key changed": (kept(), 10, LENGTHS, "the CA's key changed"),
    "not valid before 2026-03-14T00:00:00Z: the clock by which it was issued ran ahead": (
        kept(),
        -1,
        LENGTHS,
        None,
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_preview_says_why_a_certificate_is_issued(reason):
    olds, day, news, anew = REASONS[reason]
    assert chosen(olds, news, days(day), anew=anew)[BECAUSE] == reason


def test_the_reason_stays_with_the_certificate():
    first = {**LENGTHS, **chosen({}, LENGTHS, NOW, anew=None)}
    assert chosen(first, LENGTHS, days(10), anew=None)[BECAUSE] == "first issue"
    assert chosen(first, LENGTHS, NOW, anew=None)[BECAUSE] == "first issue"


def test_a_certificate_of_before_there_were_reasons_gets_none():
    assert BECAUSE not in chosen(kept(), LENGTHS, days(10), anew=None)


def test_what_changed_is_named_in_words():
    olds, news = {"ca_key_id": "a", "subject": "b"}, {"ca_key_id": "c", "subject": "d"}
    names = ("ca_key_id", "subject", "key_bits")
    assert changed(olds, news, names) == "the CA's key, subject changed"
    assert changed(olds, {**news, "ca_key_id": UNKNOWN}, names) == "subject changed"
    assert changed(olds, olds, names) is None
    assert changed({}, news, names) is None


def test_a_certificate_that_would_be_due_at_once_is_refused():
    news = {"validity": "30d", "renew_before": f"{30 * 86_400 - 1}s"}
    with pytest.raises(ValueError, match=r"validity is 30d: .* more than a minute longer"):
        opened(news)


def test_a_certificate_that_is_due_on_its_first_day_is_not_due_at_once():
    news = {"validity": "30d", "renew_before": f"{30 * 24 - 1}h"}
    olds = {**news, **opened(news)}
    for minutes in (0, 10, 55):
        assert window(olds, news, NOW + timedelta(minutes=minutes)) == opened(news)
    later = NOW + timedelta(hours=1)
    assert window(olds, news, later) == opened(news, later)


@pytest.mark.parametrize("renew_before", ["365d", "366d", "8760h"])
def test_a_certificate_that_would_always_be_due_is_refused(renew_before):
    with pytest.raises(ValueError, match="make renew_before shorter than validity"):
        opened({**LENGTHS, "renew_before": renew_before})


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("text", ["", "1y", "9999999d"])
def test_a_length_of_time_that_is_none_is_refused(name, text):
    with pytest.raises(ValueError, match=repr(text)):
        opened({**LENGTHS, name: text})


def test_a_failure_names_its_place_and_reason():
    def refuse():
        raise ValueError("too long")

    (found,) = failure("clients.browser", refuse)
    assert (found.property, found.reason) == ("clients.browser", "too long")
    assert failure("clients.browser", lambda: None) == []


def test_only_mistakes_of_the_user_are_failures():
    def crash():
        raise KeyError("subject")

    with pytest.raises(KeyError):
        failure("clients.browser", crash)
