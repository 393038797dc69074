"""What the register says of mistakes, and of inputs that a preview cannot know."""

from __future__ import annotations

import pytest
from pulumi.runtime.rpc import UNKNOWN

from components.dynamic.certificate_register import Provider
from tests.unit.components.dynamic.engine import wire
from tests.unit.components.dynamic.programs import client, register, two


def test_numbers_come_as_floats_and_count_as_what_they_were(kept_register, ca, made_keys):
    found = kept_register.provider.check(wire(kept_register.inputs), wire(register(ca)))
    assert isinstance(found.inputs["clients"]["browser"]["key_bits"], int)
    assert isinstance(kept_register.inputs["clients"]["browser"]["key_bits"], float)
    assert all(isinstance(bits, int) for bits in made_keys)


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"subject": {}}, "subject", "the subject is empty"),
        ({"subject": {"common_name": "x", "email": "ü@x"}}, "subject.email", "in ASCII"),
        ({"key_bits": 1024}, "key_bits", "RSA 2048, RSA 3072 or RSA 4096"),
        ({"key_algorithm": "ECDSA", "key_curve": "P-521"}, "key_curve", "P-256 or ECDSA P-384"),
        ({"key_algorithm": "ECDSA"}, "key_bits", "a key is RSA of a number of bits"),
        ({"validity": "1y"}, "validity", "no length of time"),
        ({"renew_before": "365d"}, "validity", "shorter than validity"),
    ],
)
def test_a_mistake_is_a_failure_at_its_clients_place(ca, change, place, reason):
    (failure,) = Provider().check({}, wire(register(ca, two(**change)))).failures
    assert failure.property == f"clients.browser.{place}"
    assert reason in failure.reason


def unknown(ca, name):
    if name in client(""):
        return wire(register(ca, two(**{name: UNKNOWN})))
    return wire(register(ca, **{name: UNKNOWN}))


@pytest.mark.parametrize("name", ["clients", *client(""), "pass_phrase"])
def test_an_unknown_client_shows_as_a_change(kept_register, ca, name, made_keys):
    made = len(made_keys)
    news = (
        unknown(ca, name) if name != "pass_phrase" else wire(register(ca, two(pass_phrase=UNKNOWN)))
    )
    result = kept_register.provider.check(wire(kept_register.inputs), news)
    assert (result.inputs, result.failures) == (news, [])
    assert (
        kept_register.provider.diff(
            kept_register.id, wire(kept_register.outputs), result.inputs
        ).changes
        is True
    )
    assert len(made_keys) == made


@pytest.mark.parametrize("name", ["ca_certificate", "ca_private_key"])
def test_a_ca_that_waits_for_its_own_renewal_changes_nothing(kept_register, ca, name):
    result = kept_register.provider.check(wire(kept_register.inputs), unknown(ca, name))
    assert result.failures == []
    assert (
        kept_register.provider.diff(
            kept_register.id, wire(kept_register.outputs), result.inputs
        ).changes
        is False
    )


@pytest.mark.parametrize("key_id", [UNKNOWN, "another"])
def test_a_ca_that_is_about_to_be_another_shows_as_a_change(kept_register, ca, key_id):
    news = wire(register(ca, ca_certificate=UNKNOWN, ca_private_key=UNKNOWN, ca_key_id=key_id))
    result = kept_register.provider.check(wire(kept_register.inputs), news)
    assert result.failures == []
    assert (
        kept_register.provider.diff(
            kept_register.id, wire(kept_register.outputs), result.inputs
        ).changes
        is True
    )


def test_an_unknown_id_of_the_ca_alone_begins_no_other_term(kept_register, ca, clock):
    clock("10d")
    result = kept_register.provider.check(wire(kept_register.inputs), unknown(ca, "ca_key_id"))
    begin = {client["not_before"] for client in result.inputs["clients"].values()}
    assert begin == {"2026-03-14T00:00:00Z"}


@pytest.mark.parametrize("name", ["ca_certificate", "ca_private_key", "ca_key_id", "clients"])
def test_a_first_preview_takes_any_unknown_input(ca, name):
    assert Provider().check({}, unknown(ca, name)).failures == []


def test_deleting_it_and_reading_it_touch_nothing(kept_register):
    provider, outs = kept_register.provider, wire(kept_register.outputs)
    assert provider.delete(kept_register.id, outs) is None
    read = provider.read(kept_register.id, outs)
    assert (read.id, read.outs, read.inputs) == (kept_register.id, kept_register.outputs, None)
