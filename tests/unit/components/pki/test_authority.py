"""The life of a CA as pure functions: each transition, what it keeps and what it changes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from components.pki import authority_issuing, authority_planning, certificates
from components.pki.authority import (
    Adopted,
    AuthorityPlan,
    Transition,
    Wanted,
    replaced_by,
    transitions,
)
from components.pki.authority_issuing import IssuingSources
from components.pki.mistakes import WrongInputsError
from components.pki.windows import Lengths
from tests.unit.components.pki.material import NOW, key

WANTED = Wanted({"common_name": "CA"}, 2048, Lengths("3650d", "30d"))
PREPARING = replace(WANTED, next_generation=2)
COMPLETED = replace(WANTED, generation=2)
LATER = NOW + timedelta(days=10)
DUE = NOW + timedelta(days=3625)
KEYS = ("one", "two", "three", "four")


class Numbers:
    """Keys and serial numbers in the order in which they were asked for."""

    def __init__(self):
        self.keys = map(key, itertools.chain(KEYS))
        self.serial_numbers = itertools.count(1000)

    def sources(self):
        return IssuingSources(lambda bits: next(self.keys), lambda: next(self.serial_numbers))


@pytest.fixture
def numbers():
    return Numbers()


@pytest.fixture
def lead(numbers):
    """Plan and carry out; returns the CA with the transitions that led to it."""

    def to(present, wanted, now=NOW, adopted_key=None):
        planned = authority_planning.plan(present.plan if present else None, wanted, now)
        steps = transitions(present, planned) if present else frozenset()
        made = authority_issuing.carry_out(present, planned, adopted_key, now, numbers.sources())
        assert transitions(made, authority_planning.plan(made.plan, wanted, now)) == frozenset()
        return made, steps

    return to


@pytest.fixture
def created(lead):
    return lead(None, WANTED)[0]


@pytest.fixture
def prepared(lead, created):
    return lead(created, PREPARING, LATER)[0]


def test_create_takes_the_key_and_the_serial_number_that_are_handed_in(created):
    assert created.private_key == key("one")
    assert created.certificate.serial_number == 1000
    assert created.certificate.not_valid_before_utc == created.plan.window.window.not_before
    probe = certificates.load(created.expired_probe.certificate)
    assert probe.public_key() == key("two").public_key()
    assert probe.serial_number == 1001
    assert certificates.signed_by(probe, created.certificate)
    assert probe.not_valid_after_utc < NOW


def test_renew_issues_another_certificate_with_the_same_key(lead, created):
    renewed, steps = lead(created, WANTED, DUE)
    assert steps == {Transition.RENEW}
    assert renewed.private_key == created.private_key
    assert renewed.certificate.subject == created.certificate.subject
    assert renewed.certificate.not_valid_after_utc > created.certificate.not_valid_after_utc
    assert renewed.plan.key_id == created.plan.key_id
    assert renewed.expired_probe == created.expired_probe
    assert renewed.plan.window.because.startswith("renewal due since ")


def test_prepare_makes_the_next_ca_and_keeps_the_present_one(lead, created):
    prepared, steps = lead(created, PREPARING, LATER)
    assert steps == {Transition.PREPARE}
    assert prepared.private_key == created.private_key
    assert prepared.next.private_key == key("three")
    assert certificates.signed_by(prepared.next.cross_certificate, prepared.certificate)
    assert certificates.signed_by(prepared.next.certificate, prepared.next.certificate)
    assert certificates.path_length(prepared.certificate) == 1
    assert prepared.plan.next.subject == {"common_name": "CA G2"}


def test_complete_lets_the_ca_that_was_prepared_take_over(lead, prepared):
    completed, steps = lead(prepared, COMPLETED, LATER)
    assert steps == {Transition.COMPLETE}
    assert completed.private_key == prepared.next.private_key
    assert completed.certificate == prepared.next.certificate
    assert completed.plan.key_id == prepared.plan.next.key_id
    assert completed.next is None
    assert completed.revoked == ()
    assert completed.expired_probe != prepared.expired_probe
    assert replaced_by(prepared.plan, completed.plan.identity) == []


def test_abort_withdraws_what_the_present_ca_had_signed_for_the_next(lead, prepared):
    aborted, steps = lead(prepared, WANTED, LATER)
    assert steps == {Transition.ABORT, Transition.RENEW}
    assert aborted.private_key == prepared.private_key
    assert aborted.next is None
    (revoked,) = aborted.revoked
    number = certificates.serial_number(prepared.next.cross_certificate)
    assert (revoked.serial_number, revoked.revoked_at) == (number, LATER)
    assert revoked.reason == "cessationOfOperation"
    (withdrawn,) = aborted.plan.withdrawn
    assert withdrawn.cross_name == prepared.plan.next.cross_name


def test_another_rotation_gives_up_the_one_under_way_and_prepares_its_own(lead, prepared):
    other, steps = lead(prepared, replace(WANTED, next_generation=3), LATER)
    assert steps == {Transition.ABORT, Transition.RENEW, Transition.PREPARE}
    assert other.next.private_key not in (prepared.private_key, prepared.next.private_key)
    assert len(other.revoked) == 1


def test_a_next_ca_that_is_due_is_renewed_with_its_key(lead, prepared):
    renewed, steps = lead(prepared, PREPARING, DUE + timedelta(days=10))
    assert steps == {Transition.RENEW, Transition.PREPARE}
    assert renewed.next.private_key == prepared.next.private_key
    assert len(renewed.next.cross_certificates) == 2


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"subject": {"common_name": "Another"}}, "subject"),
        ({"key_bits": 4096}, "key_bits"),
        ({"generation": 2}, "generation"),
    ],
)
def test_replace_is_another_ca(created, change, name):
    wanted = replace(WANTED, **change)
    planned = authority_planning.plan(created.plan, wanted, LATER)
    assert Transition.REPLACE in transitions(created, planned)
    assert replaced_by(created.plan, planned.identity) == [name]
    assert (
        authority_planning.change_of_identity(created.plan, planned.identity) == f"{name} changed"
    )
    assert planned.key_id != created.plan.key_id
    assert planned.window.because == f"{name} changed"


@pytest.fixture
def brought_along(created):
    text = certificates.pem(created.certificate)
    return replace(WANTED, adopted=Adopted(text, has_key=True))


def test_adopt_takes_a_ca_as_it_is_and_makes_no_key(lead, numbers, brought_along):
    adopted, _ = lead(None, brought_along, LATER, adopted_key=key("one"))
    assert adopted.certificate == brought_along.adopted.certificate
    assert adopted.private_key == key("one")
    assert adopted.plan.window.because == "brought along"
    assert adopted.plan.certificate_as_adopted() == adopted.certificate


def test_adopt_takes_the_key_on_once_it_is_given(lead, brought_along):
    without = replace(brought_along, adopted=replace(brought_along.adopted, has_key=False))
    adopted, _ = lead(None, without, LATER)
    assert (adopted.private_key, adopted.expired_probe) == (None, None)
    with_key, steps = lead(adopted, brought_along, LATER, adopted_key=key("one"))
    assert steps == {Transition.ADOPT}
    assert with_key.private_key == key("one")
    assert with_key.expired_probe is not None


def test_adopt_in_place_of_a_ca_that_was_made_here_replaces_it(created, brought_along):
    planned = authority_planning.plan(created.plan, brought_along, LATER)
    assert transitions(created, planned) >= {Transition.REPLACE, Transition.ADOPT}


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"subject": {}}, ["subject"]),
        ({"key_bits": 1024}, ["key_bits"]),
        ({"lengths": Lengths("1y", "30d")}, ["validity"]),
        ({"subject": {}, "lengths": Lengths("30d", "30d")}, ["subject", "validity"]),
        ({"constraints": {"permitted": {"ip_ranges": ["x"]}}}, ["name_constraints"]),
        ({"adopted": Adopted("none", has_key=False)}, ["adopted_certificate"]),
    ],
)
def test_each_wrong_input_is_told_at_its_place(change, places):
    with pytest.raises(WrongInputsError) as refused:
        authority_planning.plan(None, replace(WANTED, **change), NOW)
    assert [mistake.place for mistake in refused.value.mistakes] == places


@pytest.mark.parametrize("wanted", [PREPARING, COMPLETED, WANTED])
def test_an_identity_does_not_change_within_a_rotation(prepared, wanted):
    wanted = replace(wanted, subject={"common_name": "Another"})
    with pytest.raises(WrongInputsError) as refused:
        authority_planning.plan(prepared.plan, wanted, LATER)
    assert [mistake.place for mistake in refused.value.mistakes] == ["next_generation"]
    assert "subject changed" in str(refused.value)


def test_lengths_of_time_are_refused_although_a_ca_that_was_brought_along_needs_none(brought_along):
    with pytest.raises(WrongInputsError, match="'1y' is no length of time"):
        authority_planning.plan(None, replace(brought_along, lengths=Lengths("1y", "1d")), NOW)


def test_what_is_planned_is_decided_by_inputs_and_time_alone():
    assert isinstance(authority_planning.plan(None, WANTED, NOW), AuthorityPlan)
    assert authority_planning.plan(None, WANTED, NOW) == authority_planning.plan(None, WANTED, NOW)


def test_a_key_is_not_in_a_representation(created):
    assert "PRIVATE" not in repr(created)
    assert isinstance(created.certificate, x509.Certificate)
