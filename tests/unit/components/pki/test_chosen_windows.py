"""Which window is in force: the one that was chosen last until it is due, or a new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from components.pki.windows import FIRST_ISSUE, ChosenWindow, Lengths, Window, choose_window
from tests.unit.components.pki.material import NOW

LENGTHS = Lengths("365d", "30d")


def days(count):
    return NOW + timedelta(days=count)


def opened(wanted=LENGTHS, moment=NOW):
    return choose_window(None, wanted, moment, anew=None).window


def window(previous, wanted, moment, anew=None):
    return choose_window(previous, wanted, moment, anew=anew).window


def kept(wanted=LENGTHS, because=None):
    return ChosenWindow(opened(wanted), wanted.validity, because)


def test_a_new_certificate_begins_today():
    assert opened() == Window.of_properties("2026-03-14T00:00:00Z", "2027-03-13T23:59:59Z")


@pytest.mark.parametrize(("day", "renewed"), [(0, False), (334, False), (335, True), (400, True)])
def test_a_certificate_is_renewed_from_the_day_it_is_due(day, renewed):
    assert window(kept(), LENGTHS, days(day)) == opened(moment=days(day) if renewed else NOW)


@pytest.mark.parametrize("renew_before", ["1d", "60d", "364d"])
def test_another_renew_before_alone_moves_nothing(renew_before):
    assert window(kept(), replace(LENGTHS, renew_before=renew_before), NOW) == opened()


def test_another_renew_before_renews_what_it_makes_due():
    wanted = replace(LENGTHS, renew_before="60d")
    assert window(kept(), wanted, days(310)) == opened(moment=days(310))


@pytest.mark.parametrize("validity", ["90d", "730d"])
def test_another_validity_begins_anew(validity):
    wanted = replace(LENGTHS, validity=validity)
    begun = choose_window(kept(), wanted, days(10), anew=None)
    assert begun.window == opened(wanted, days(10))
    assert window(begun, wanted, days(11)) == begun.window


def test_a_certificate_issued_for_another_reason_begins_anew():
    assert window(kept(), LENGTHS, days(10), "subject changed") == opened(moment=days(10))


REASONS = {
    FIRST_ISSUE: (None, 0, LENGTHS, None),
    "renewal due since 2027-02-11T23:59:59Z": (kept(), 340, LENGTHS, None),
    "validity changed": (kept(), 10, replace(LENGTHS, validity="90d"), None),
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
    previous, day, wanted, anew = REASONS[reason]
    chosen = choose_window(previous, wanted, days(day), anew=anew)
    assert chosen.properties()["issued_because"] == reason


def test_the_reason_stays_with_the_certificate():
    first = choose_window(None, LENGTHS, NOW, anew=None)
    assert choose_window(first, LENGTHS, days(10), anew=None) == first
    assert first.because == "first issue"


def test_a_certificate_of_before_there_were_reasons_gets_none():
    chosen = choose_window(kept(), LENGTHS, days(10), anew=None)
    assert chosen.because is None
    assert "issued_because" not in chosen.properties()


def test_a_certificate_that_would_be_due_at_once_is_refused():
    wanted = Lengths("30d", f"{30 * 86_400 - 1}s")
    with pytest.raises(ValueError, match=r"validity is 30d: .* more than a minute longer"):
        opened(wanted)


def test_a_certificate_that_is_due_on_its_first_day_is_not_due_at_once():
    wanted = Lengths("30d", f"{30 * 24 - 1}h")
    for minutes in (0, 10, 55):
        moment = NOW + timedelta(minutes=minutes)
        assert window(kept(wanted), wanted, moment) == opened(wanted)
    later = NOW + timedelta(hours=1)
    assert window(kept(wanted), wanted, later) == opened(wanted, later)


@pytest.mark.parametrize("renew_before", ["365d", "366d", "8760h"])
def test_a_certificate_that_would_always_be_due_is_refused(renew_before):
    with pytest.raises(ValueError, match="make renew_before shorter than validity"):
        opened(replace(LENGTHS, renew_before=renew_before))


@pytest.mark.parametrize("name", ["validity", "renew_before"])
@pytest.mark.parametrize("text", ["", "1y", "9999999d"])
def test_a_length_of_time_that_is_none_is_refused(name, text):
    with pytest.raises(ValueError, match=repr(text)):
        opened(replace(LENGTHS, **{name: text}))
