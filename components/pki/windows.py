"""Validity windows: from when until when, and when the next one is due (RFC 5280, 4.1.2.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509

from . import durations

BACKDATE = timedelta(minutes=5)
"""How far a window begins in the past, for clients and servers whose clocks run slow."""

WHOLE_DAYS_FROM = timedelta(days=30)
"""Lifetimes from here on begin and end at midnight UTC, so that a preview in the morning and the
update in the afternoon agree on the dates. Shorter ones of whole days do so at a whole hour, for a
preview and an update that follow each other."""

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

SECOND = timedelta(seconds=1)
"""`not_after` is the last second of a window and not the first after it."""


def require_lasting(validity: timedelta, renew_before: timedelta) -> None:
    """Refuse lengths of time by which a certificate could be due, or over, as it is issued.

    Raises:
        ValueError: With what would be right.
    """
    if renew_before >= validity:
        raise ValueError(
            "the certificate would be due for renewal the moment it is issued; make renew_before "
            "shorter than validity"
        )
    if _spare(validity, renew_before) < MINUTE:
        raise ValueError(
            "the certificate could be due for renewal, or over, the moment it is issued, as it "
            "ends on a whole minute; make validity more than a minute longer than renew_before"
        )


@dataclass(frozen=True)
class Window:
    """First and last moment of validity, both inclusive, to the second, in UTC."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def opening(
        cls, now: datetime, validity: timedelta, renew_before: timedelta = timedelta()
    ) -> Window:
        """The window of a certificate that is issued now.

        It lasts `validity`, counted from the start of this day; or of this hour or minute, where
        `validity` is short or the certificate would be due by the end of the day. So no window
        is due for renewal as it opens, if `require_lasting` has nothing against the two lengths.
        """
        spare = _spare(validity, renew_before)
        if validity >= WHOLE_DAYS_FROM and spare >= DAY:
            grain = DAY
        elif not validity % DAY and spare >= HOUR:
            grain = HOUR
        else:
            grain = MINUTE
        return cls(_floor(now - BACKDATE, grain), _floor(now, grain) + validity - SECOND)

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
        """Cut the window so that it ends no later than `end`: no leaf outlives its CA."""
        return Window(self.not_before, min(self.not_after, end))

    def succeeded(self, by: Window, now: datetime, renew_before: timedelta) -> Window:
        """The window that is in force: this one, or `by` if this one is due for renewal.

        It is not due where renewing would gain no time: a leaf that ends with its CA. It is if it
        has not begun, since nobody takes the certificate until then.
        """
        due = now >= self.not_after - renew_before and by.not_after > self.not_after
        return by if due or not self.begun(now) else self

    def begun(self, now: datetime) -> bool:
        """Whether the window has begun; it has not where the clock that chose it ran ahead."""
        return self.not_before <= now


FIRST_ISSUE = "first issue"
"""Why a certificate is issued where there was none before."""


@dataclass(frozen=True)
class Lengths:
    """Lengths of time, as configured, by which a window is chosen: `365d`, `30d`."""

    validity: str
    renew_before: str

    def parse(self) -> tuple[timedelta, timedelta]:
        """Read both.

        Raises:
            ValueError: One is no length of time, or the two do not go together.
        """
        validity, renew_before = map(durations.parse, (self.validity, self.renew_before))
        try:
            require_lasting(validity, renew_before)
        except ValueError as error:
            raise ValueError(
                f"renew_before is {self.renew_before} and validity is {self.validity}: {error}"
            ) from None
        return validity, renew_before


@dataclass(frozen=True)
class ChosenWindow:
    """A window with what it was chosen by.

    Attributes:
        window: First and last moment.
        validity: The length of time that was asked for.
        because: Why a certificate is issued for it; None where the window began before there were
            reasons.
    """

    window: Window
    validity: str
    because: str | None = None

    def properties(self) -> dict[str, str]:
        """The window and the reason, as a resource's inputs have them."""
        reason = {} if self.because is None else {"issued_because": self.because}
        return {**self.window.properties(), **reason}


def choose_window(
    previous: ChosenWindow | None,
    wanted: Lengths,
    now: datetime,
    *,
    anew: str | None,
    end: datetime | None = None,
) -> ChosenWindow:
    """Choose the window that is in force: the previous one until it is due.

    Args:
        previous: The window that was chosen last; None for a new certificate.
        wanted: The lengths of time that are configured now.
        now: The time of the choice.
        anew: Why the certificate is issued anew at any rate, so that its time begins anew.
        end: Last moment of the CA, which no certificate outlives; None for a CA's own window, and
            where a preview cannot know it.

    Raises:
        ValueError: A length of time is wrong, or the two do not go together.
    """
    validity, renew_before = wanted.parse()
    opening = _until(end, Window.opening(now, validity, renew_before))
    if opening.not_after <= now:
        raise ValueError(
            f"the CA's certificate ends at {show_time(opening.not_after)}, and nothing that it "
            "issues lasts longer: renew it first"
        )
    if previous is None:
        return ChosenWindow(opening, wanted.validity, FIRST_ISSUE)
    if anew or previous.validity != wanted.validity:
        return ChosenWindow(opening, wanted.validity, anew or "validity changed")
    old = _until(end, previous.window)
    if not old.begun(now):
        begin = show_time(old.not_before)
        because = f"not valid before {begin}: the clock by which it was issued ran ahead"
        return ChosenWindow(opening, wanted.validity, because)
    if old.succeeded(opening, now, renew_before) is opening:
        due = show_time(old.not_after - renew_before)
        return ChosenWindow(opening, wanted.validity, f"renewal due since {due}")
    return replace(previous, window=old)


def show_time(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str) -> datetime:
    """Read an RFC 3339 text."""
    return datetime.fromisoformat(text)


def _until(end: datetime | None, window: Window) -> Window:
    return window if end is None else window.within(end)


def _spare(validity: timedelta, renew_before: timedelta) -> timedelta:
    """How much of its length a window can lose to rounding without being due at once."""
    return validity - SECOND - renew_before


def _floor(moment: datetime, grain: timedelta) -> datetime:
    """The last whole day, hour or minute until a moment."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // grain * grain
