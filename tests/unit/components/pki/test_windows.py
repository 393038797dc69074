"""When certificates begin, end and are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.pki.durations import LONGEST, parse
from components.pki.windows import BACKDATE, Window, read_time, require_lasting, show_time
from tests.unit.components.pki.material import NOW, YEAR

SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
MONTH = 30 * DAY

moments = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
lengths = st.timedeltas(MINUTE, 100 * YEAR)
late_on_sunday = datetime(2026, 3, 15, 23, 59, 59, tzinfo=UTC)


def window(begin, end):
    return Window(read_time(begin), read_time(end))


def test_a_long_window_begins_and_ends_at_midnight():
    assert Window.opening(NOW, YEAR) == window("2026-03-14T00:00:00Z", "2027-03-13T23:59:59Z")


def test_a_short_window_begins_and_ends_on_the_minute():
    assert Window.opening(NOW, HOUR) == window("2026-03-14T15:04:00Z", "2026-03-14T16:08:59Z")


@pytest.mark.parametrize(
    ("validity", "begin"),
    [(MONTH, "2026-03-14T00:00:00Z"), (MONTH - SECOND, "2026-03-14T15:04:00Z")],
)
def test_whole_days_count_from_thirty_days_on(validity, begin):
    assert show_time(Window.opening(NOW, validity).not_before) == begin


@pytest.mark.parametrize("validity", [MONTH - DAY, 7 * DAY, DAY])
def test_whole_hours_count_for_fewer_days(validity):
    assert show_time(Window.opening(NOW, validity).not_before) == "2026-03-14T15:00:00Z"


@pytest.mark.parametrize(
    ("renew_before", "begin"),
    [
        (MONTH - DAY - SECOND, "2026-03-14T00:00:00Z"),
        (MONTH - DAY, "2026-03-14T15:00:00Z"),
        (MONTH - HOUR - SECOND, "2026-03-14T15:00:00Z"),
        (MONTH - HOUR, "2026-03-14T15:04:00Z"),
    ],
)
def test_whole_days_count_only_where_they_leave_time_until_it_is_due(renew_before, begin):
    assert show_time(Window.opening(NOW, MONTH, renew_before).not_before) == begin


def test_shortly_after_midnight_a_window_begins_the_day_before():
    opening = Window.opening(NOW.replace(hour=0, minute=4), YEAR)
    assert opening == window("2026-03-13T00:00:00Z", "2027-03-13T23:59:59Z")


@given(now=moments, validity=lengths)
def test_a_window_is_backdated_and_lasts_as_long_as_asked_to_within_its_rounding(now, validity):
    opening = Window.opening(now, validity)
    rounding = DAY if validity >= MONTH else MINUTE if validity % DAY else HOUR
    assert BACKDATE <= now - opening.not_before < BACKDATE + rounding
    assert validity - rounding - SECOND < opening.not_after - now <= validity - SECOND


@given(now=moments)
def test_what_is_written_is_read_again_to_the_second(now):
    assert read_time(show_time(now)) == now.replace(microsecond=0)


def test_a_window_is_read_from_its_properties():
    assert Window.of_properties(**OLD.properties()) == OLD


def test_times_are_written_in_utc():
    shanghai = datetime(2026, 1, 1, 7, 30, tzinfo=timezone(8 * HOUR))
    assert show_time(shanghai) == "2025-12-31T23:30:00Z"


OLD = Window.opening(NOW, YEAR)
DUE = OLD.not_after - MONTH


@pytest.mark.parametrize(
    ("now", "renewed"), [(DUE - SECOND, False), (DUE, True), (DUE + YEAR, True)]
)
def test_a_window_is_succeeded_once_it_is_due(now, renewed):
    by = Window.opening(now, YEAR)
    assert OLD.succeeded(by, now, MONTH) == (by if renewed else OLD)


def test_a_window_that_would_end_no_later_does_not_succeed():
    shorter = Window(DUE, OLD.not_after)
    assert OLD.succeeded(shorter, DUE, MONTH) == OLD
    later = Window(DUE, OLD.not_after + SECOND)
    assert OLD.succeeded(later, DUE, MONTH) == later


def test_a_leaf_ends_with_its_ca():
    assert OLD.within(OLD.not_after + SECOND) == OLD
    ended = OLD.within(OLD.not_after - SECOND)
    assert ended == Window(OLD.not_before, OLD.not_after - SECOND)


written = st.builds(
    lambda number, unit: parse(f"{number}{unit}"),
    st.integers(1, 400) | st.integers(1, LONGEST.days),
    st.sampled_from("dhms"),
)
"""Lengths of time as somebody may write them."""

late = st.builds(
    lambda now, before: now.replace(hour=23, minute=59, second=59, microsecond=before),
    moments,
    st.integers(0, 999_999),
)
"""The last second of a day, in which least is left of one that was counted from its start."""


@given(now=moments | late, validity=written, renew_before=written)
@example(late_on_sunday, MONTH, MONTH - HOUR)
@example(late_on_sunday, 31 * DAY, MONTH)
@example(late_on_sunday, timedelta(seconds=20), timedelta(seconds=10))
def test_no_window_is_due_or_over_as_it_opens_or_its_lengths_are_refused(
    now, validity, renew_before
):
    try:
        require_lasting(validity, renew_before)
    except ValueError:
        assert validity - renew_before <= MINUTE + SECOND
        return
    opening = Window.opening(now, validity, renew_before)
    assert opening.begun(now)
    assert opening.not_after > now + renew_before
    later = Window.opening(now, 2 * validity)
    assert opening.succeeded(later, now, renew_before) == opening


def test_a_window_that_has_not_begun_is_succeeded_by_one_that_has():
    ahead = Window.opening(NOW + 40 * DAY, YEAR)
    by = Window.opening(NOW, YEAR)
    assert ahead.succeeded(by, NOW, MONTH) == by
    assert ahead.succeeded(by, ahead.not_before, MONTH) == ahead
