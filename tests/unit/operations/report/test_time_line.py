from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from operations.certificates.inventory import InventoryItem
from operations.report.time_line import (
    MOST_COLUMNS,
    MOST_LANES,
    MOST_TICKS,
    build_time_line,
    month_starts,
)

NOW = datetime(2030, 6, 1, tzinfo=UTC)


def item(name, begin, end, *, role="client", due=30):
    """A certificate with its times in days from `NOW`; one that nobody renews has no `due`."""
    not_after = NOW + timedelta(days=end)
    return InventoryItem(
        role=role,
        name=name,
        state="valid",
        not_before=None if begin is None else NOW + timedelta(days=begin),
        not_after=not_after,
        due_at=None if due is None else not_after - timedelta(days=due),
        serial_number="1",
        fingerprint_sha256="00",
    )


def bars(line):
    return {
        lane.first.name: lane.bars
        for group in (line.infrastructure, line.clients)
        for lane in group.lanes
    }


def test_a_bar_goes_from_beginning_to_end_and_is_lighter_from_when_it_is_due():
    line = build_time_line([item("a", -100, 265)], NOW)
    (bar,) = bars(line)["a"]
    scale = line.scale
    begin, end = NOW - timedelta(days=100), NOW + timedelta(days=265)
    assert (bar.begin, bar.end) == (scale.place(begin), scale.place(end))
    assert bar.due == scale.place(end - timedelta(days=30))
    assert 0 <= bar.begin < scale.place(NOW) < bar.due < bar.end < 100
    assert not bar.goes_on


def test_a_ca_s_long_life_does_not_hide_the_others():
    line = build_time_line([item("CA", -400, 3250, role="ca"), item("a", -100, 265)], NOW)
    (ca,), (client,) = bars(line)["CA"], bars(line)["a"]
    assert ca.goes_on
    assert (ca.end, ca.due) == (100, 100)
    assert client.end - client.begin > 50
    alone = build_time_line([item("CA", -400, 3250, role="ca")], NOW)
    assert not bars(alone)["CA"][0].goes_on


def test_what_a_holder_had_before_is_in_the_same_lane_after_what_counts():
    earlier = replace(item("a", -400, 20, due=None), state="superseded")
    line = build_time_line([earlier, item("a", -100, 265), item("a", -1, 9, role="server")], NOW)
    (lane,) = line.clients.lanes
    assert [bar.item.state for bar in lane.bars] == ["valid", "superseded"]
    assert [bar.is_current for bar in lane.bars] == [True, False]
    assert len(line.infrastructure.lanes) == 1


@pytest.mark.parametrize(
    ("begin", "end", "due"),
    [
        (-9000, -8000, 30),
        (100, 200, 30),
        (None, 5, None),
        (-1, 0, 400),
        (5, 5, 0),
        (-29000, 900000, 1),
    ],
)
def test_places_are_in_order_and_on_the_drawing_whatever_the_times(begin, end, due):
    line = build_time_line([item("a", begin, end, due=due)], NOW)
    (bar,) = bars(line)["a"]
    assert 0 <= bar.begin <= bar.due <= bar.end <= 100
    assert 0 < line.scale.place(NOW) < 100
    assert len(line.scale.ticks()) <= MOST_TICKS


def test_times_at_the_ends_of_the_calendar_have_a_place():
    first, last = datetime(1950, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    long = replace(item("a", 0, 1), not_before=first, not_after=last, due_at=last)
    line = build_time_line([long], NOW)
    assert bars(line)["a"][0].end <= 100
    assert 0 < len(line.scale.ticks()) <= MOST_TICKS


def test_without_clients_there_are_no_lanes():
    line = build_time_line([item("CA", -1, 300, role="ca")], NOW)
    assert line.clients.lanes == ()
    assert line.clients.columns is None


def test_of_many_holders_columns_count_all_and_the_most_urgent_have_lanes():
    items = [item(f"c{n}", n - 300, n + 65) for n in range(MOST_LANES + 1)]
    items += [item("gone", -100, 2, due=None)]
    clients = build_time_line(items, NOW).clients
    assert clients.columns is not None
    assert (clients.columns.holders, clients.columns.certificates) == (MOST_LANES + 2, len(items))
    assert sum(column.counts.total() for column in clients.columns.columns) == len(items)
    assert [lane.first.name for lane in clients.lanes[:2]] == ["c0", "c1"]
    assert len(clients.lanes) < 30
    few = build_time_line(items[:MOST_LANES], NOW).clients
    assert (len(few.lanes), few.columns) == (MOST_LANES, None)


@pytest.mark.parametrize("years", [0.1, 1, 3, 10, 100, 7900])
def test_columns_are_few_without_gaps_and_hold_what_begins_in_them(years):
    items = [item(f"c{n}", -1, n * years * 3.65, due=1) for n in range(100)]
    columns = build_time_line(items, NOW).clients.columns.columns
    assert len(columns) <= MOST_COLUMNS
    assert [column.begin for column in columns] == sorted({column.begin for column in columns})
    assert columns[0].counts
    assert columns[-1].counts
    for place, column in enumerate(columns):
        within = [
            one
            for one in items
            if one.due_at >= column.begin
            and (place + 1 == len(columns) or one.due_at < columns[place + 1].begin)
        ]
        assert column.counts.total() == len(within)


def test_ticks_are_beginnings_of_months_evenly_apart():
    begin, end = NOW - timedelta(days=200), NOW + timedelta(days=200)
    found = month_starts(begin, end, 5)
    assert [f"{one:%Y-%m-%d}" for one in found] == [
        "2030-01-01",
        "2030-04-01",
        "2030-07-01",
        "2030-10-01",
    ]
