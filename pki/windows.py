"""Validity windows: from when until when, and when the next one is due (RFC 5280, 4.1.2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

BACKDATE = timedelta(minutes=5)
"""How far a window begins in the past, for clients and servers whose clocks run slow."""

WHOLE_DAYS_FROM = timedelta(days=30)
"""Lifetimes from here on begin and end at midnight UTC, so that a preview in the morning and the
update in the afternoon agree on the dates."""


@dataclass(frozen=True)
class Window:
    """First and last moment of validity, both inclusive, to the second, in UTC."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def opening(cls, now: datetime, validity: timedelta) -> Window:
        """The window of a certificate that is issued now.

        It lasts `validity`, counted from the start of this day, or of this minute where
        `validity` is short.
        """
        floor = _day if validity >= WHOLE_DAYS_FROM else _minute
        return cls(floor(now - BACKDATE), floor(now) + validity - timedelta(seconds=1))

    @classmethod
    def of_properties(cls, not_before: str, not_after: str) -> Window:
        """Read two RFC 3339 texts."""
        return cls(read_time(not_before), read_time(not_after))

    @classmethod
    def of_certificate(cls, certificate: x509.Certificate) -> Window:
        """The window of a certificate that was issued elsewhere."""
        return cls(certificate.not_valid_before_utc, certificate.not_valid_after_utc)

    def properties(self) -> dict[str, str]:
        """The window as RFC 3339 texts under `not_before` and `not_after`."""
        return {"not_before": show_time(self.not_before), "not_after": show_time(self.not_after)}

    def within(self, end: datetime) -> Window:
        """The same window, ending no later than `end`: no leaf outlives its CA."""
        return Window(self.not_before, min(self.not_after, end))

    def succeeded(self, by: Window, now: datetime, renew_before: timedelta) -> Window:
        """The window that is in force: this one, or `by` if this one is due for renewal.

        It is not due where renewing would gain no time: a leaf that ends with its CA.
        """
        due = now >= self.not_after - renew_before and by.not_after > self.not_after
        return by if due else self


def show_time(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str) -> datetime:
    """Read an RFC 3339 text."""
    return datetime.fromisoformat(text)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
