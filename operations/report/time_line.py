"""Time line of certificates: places in per cent, so that any width shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from operations.certificates.inventory import CertificateState, InventoryItem, sort_by_urgency

MOST_LANES = 60
"""Number of holders with a lane each; of more, a chart has the months, the most urgent a lane."""

URGENT_LANES = 20

MOST_TICKS = 5
"""Number of labels that stand beside each other on a telephone."""

MOST_COLUMNS = 36

MONTHS_APART = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000, 24_000)
"""Distances of ticks, and widths of columns, in months."""

LEAST = timedelta(days=30)
"""Least time that the line shows on either side of the present."""


@dataclass(frozen=True)
class Scale:
    """Scale of a stretch of time; a place on it is 0 at its beginning and 100 at its end."""

    begin: datetime
    end: datetime

    def place(self, time: datetime) -> float:
        """Place of a time on the scale; what lies outside is at the border."""
        part = (time - self.begin) / (self.end - self.begin)
        return round(min(max(part, 0.0), 1.0) * 100, 2)

    def ticks(self) -> list[datetime]:
        """Beginnings of months, evenly apart and no more than there is room for."""
        return month_starts(self.begin, self.end, MOST_TICKS)


@dataclass(frozen=True)
class Bar:
    """A certificate on the time line.

    Attributes:
        item: The certificate.
        begin: Place of its beginning.
        due: Place from which the next `up` renews it; its end where nobody does.
        end: Place of its end.
        goes_on: Whether it ends after the end of the scale.
    """

    item: InventoryItem
    begin: float
    due: float
    end: float
    goes_on: bool

    @property
    def is_current(self) -> bool:
        """Tell whether a certificate is the one that its holder is to present."""
        return self.item.due_at is not None


@dataclass(frozen=True)
class Lane:
    """Lane of a holder's certificates; the first is the one that counts."""

    bars: tuple[Bar, ...]

    @property
    def first(self) -> InventoryItem:
        """Item that the lane is named after."""
        return self.bars[0].item


@dataclass(frozen=True)
class Column:
    """Number of certificates that are due in some months, or end then if nobody renews them."""

    begin: datetime
    counts: Counter[CertificateState]


@dataclass(frozen=True)
class Columns:
    """Columns of a chart of many holders.

    Attributes:
        columns: Columns in order of time, without gaps.
        holders: How many there are.
        certificates: Number of certificates.
    """

    columns: tuple[Column, ...]
    holders: int
    certificates: int

    @property
    def highest(self) -> int:
        """Number of certificates in the highest column."""
        return max(column.counts.total() for column in self.columns)


@dataclass(frozen=True)
class Group:
    """Holders of one kind: a lane each, or columns and the lanes of the most urgent."""

    lanes: tuple[Lane, ...]
    columns: Columns | None


@dataclass(frozen=True)
class TimeLine:
    """Time line of all certificates: CA, servers and revocation list, and clients."""

    scale: Scale
    now: datetime
    infrastructure: Group
    clients: Group


def build_time_line(items: Sequence[InventoryItem], now: datetime) -> TimeLine:
    """Put certificates on a time line around the present."""
    scale = _scale(items, now)
    clients = [item for item in items if item.role == "client"]
    others = [item for item in items if item.role != "client"]
    return TimeLine(scale, now, _group(others, scale), _group(clients, scale))


def month_starts(begin: datetime, end: datetime, most: int) -> list[datetime]:
    """Beginnings of months within a stretch of time, evenly apart and no more than so many."""
    first, last = begin.year * 12 + begin.month - 1, end.year * 12 + end.month - 1
    for apart in MONTHS_APART:
        starts = [month for month in range(first, last + 1) if month % apart == 0]
        if len(starts) <= most:
            break
    return [
        time
        for month in starts
        if begin <= (time := datetime(max(month // 12, 1), month % 12 + 1, 1, tzinfo=UTC)) <= end
    ]


def _scale(items: Sequence[InventoryItem], now: datetime) -> Scale:
    """Span all certificates' times, unless a CA's long life would hide the others'."""
    short = [item for item in items if item.role != "ca"] or items
    ends = [item.not_after for item in short if item.due_at] or [item.not_after for item in short]
    end = max([now + LEAST, *ends])
    end = _later(end, (end - now) / 20)
    begin = min([now - LEAST, *(item.not_before for item in short if item.not_before)])
    # What is long gone takes no more room than what is to come.
    return Scale(max(begin, _earlier(now, end - now)), end)


def _later(time: datetime, by: timedelta) -> datetime:
    return time + by if datetime.max.replace(tzinfo=UTC) - time > by else time


def _earlier(time: datetime, by: timedelta) -> datetime:
    first = datetime.min.replace(tzinfo=UTC)
    return time - by if time - first > by else first


def _group(items: Sequence[InventoryItem], scale: Scale) -> Group:
    holders: dict[tuple[str, str, str], list[InventoryItem]] = {}
    # What is urgent comes first, and what nobody renews any more last: also within a lane.
    for item in sort_by_urgency(items):
        # There is a revocation list for each key of the CA in use.
        own = item.serial_number if item.role == "revocation list" else ""
        holders.setdefault((item.role, item.name, own), []).append(item)
    lanes = [Lane(tuple(_bar(item, scale) for item in held)) for held in holders.values()]
    if len(lanes) <= MOST_LANES:
        return Group(tuple(lanes), None)
    return Group(tuple(lanes[:URGENT_LANES]), Columns(_columns(items), len(lanes), len(items)))


def _bar(item: InventoryItem, scale: Scale) -> Bar:
    due_at = item.due_at or item.not_after
    begin = scale.place(item.not_before) if item.not_before else 0.0
    end = scale.place(item.not_after)
    due = min(max(scale.place(due_at), begin), end)
    return Bar(item, begin, due, end, item.not_after > scale.end)


def _columns(items: Sequence[InventoryItem]) -> tuple[Column, ...]:
    times = [(item.due_at or item.not_after, item.state) for item in items]
    first, last = min(times)[0], max(times)[0]
    begins = _begins(first, last)
    counts: list[Counter[CertificateState]] = [Counter() for _ in begins]
    place = 0
    for time, state in sorted(times):
        while place + 1 < len(begins) and begins[place + 1] <= time:
            place += 1
        counts[place][state] += 1
    return tuple(map(Column, begins, counts))


def _begins(first: datetime, last: datetime) -> list[datetime]:
    """Beginnings of columns; the first is not after the first time."""
    from_, to = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    apart = next(n for n in MONTHS_APART if to // n - from_ // n < MOST_COLUMNS)
    return [
        datetime(max(number * apart // 12, 1), number * apart % 12 + 1, 1, tzinfo=UTC)
        for number in range(from_ // apart, to // apart + 1)
    ]
