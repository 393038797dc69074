"""The revocation list as a dynamic resource, beside the register that it tells of."""

from __future__ import annotations

import pytest
from cryptography import x509
from pulumi.output import Unknown

from components.dynamic import revocation_list
from pki import certificates
from tests.unit.components.dynamic.engine import Kept, wire
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    TWO,
    client,
    register,
    revocations,
)

PHONE_ALONE = {"phone": TWO["phone"]}


@pytest.fixture
def kept_list(ca, kept_register):
    found = Kept(revocation_list.Provider())
    assert found.up(revocations(ca, kept_register)) == "create"
    return found


def parsed(kept):
    return x509.load_pem_x509_crl(kept.outputs["revocation_list"].encode())


def entries(kept):
    return {
        f"{one.serial_number:040x}": one.extensions.get_extension_for_class(
            x509.CRLReason
        ).value.reason.value
        for one in parsed(kept)
    }


def number(kept):
    return parsed(kept).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_the_first_list_is_number_one_and_empty(kept_list, ca):
    assert number(kept_list) == 1
    assert entries(kept_list) == {}
    authority = certificates.load(ca.outputs["certificate"])
    assert parsed(kept_list).issuer == authority.subject
    assert parsed(kept_list).is_signature_valid(authority.public_key())


def test_a_removed_client_is_on_the_next_list(kept_list, kept_register, ca):
    serial = kept_register.seen["inventory"]["browser"]["serial_number"]
    kept_register.up(register(ca, PHONE_ALONE))
    assert kept_list.up(revocations(ca, kept_register)) == "update"
    assert entries(kept_list) == {serial.zfill(40): "cessationOfOperation"}
    assert number(kept_list) == 2


def test_a_reason_is_told(kept_list, kept_register, ca):
    revoked = {"browser": "keyCompromise"}
    assert kept_register.up(register(ca, PHONE_ALONE, revoked=revoked)) == "update"
    kept_list.up(revocations(ca, kept_register))
    assert list(entries(kept_list).values()) == ["keyCompromise"]


def test_a_reason_can_be_given_later(kept_list, kept_register, ca):
    kept_register.up(register(ca, PHONE_ALONE))
    at = kept_register.seen["issued"][0]["revoked_at"]
    kept_list.up(revocations(ca, kept_register))
    assert kept_register.up(register(ca, PHONE_ALONE, revoked={"browser": "superseded"})) == (
        "update"
    )
    assert kept_list.up(revocations(ca, kept_register)) == "update"
    assert list(entries(kept_list).values()) == ["superseded"]
    assert kept_register.seen["issued"][0]["revoked_at"] == at
    assert number(kept_list) == 3


def test_a_client_that_comes_back_stays_on_the_list_with_what_it_had(kept_list, kept_register, ca):
    before = kept_register.seen["inventory"]["browser"]["serial_number"]
    kept_register.up(register(ca, PHONE_ALONE))
    kept_register.up(register(ca))
    kept_list.up(revocations(ca, kept_register))
    assert list(entries(kept_list)) == [before.zfill(40)]
    assert kept_register.seen["inventory"]["browser"]["status"] == "valid"


def test_an_added_client_moves_no_list_and_preview_knows(kept_list, kept_register, ca):
    news = register(ca, {**TWO, "third": client("third")})
    inputs = kept_register.checked(news)
    assert kept_register.preview(news).changes
    # What the engine gives dependents of a resource that waits for its update: its inputs.
    waiting = revocations(ca, kept_register, issued=Unknown(), revision=inputs["revision"])
    assert kept_list.preview(waiting).changes is False
    kept_register.up(news)
    assert kept_list.up(revocations(ca, kept_register)) == "same"


def test_preview_shows_the_list_of_a_removal(kept_list, kept_register, ca):
    inputs = kept_register.checked(register(ca, PHONE_ALONE))
    waiting = revocations(ca, kept_register, issued=Unknown(), revision=inputs["revision"])
    assert kept_list.preview(waiting).changes is True


def test_nothing_moves_until_it_is_due_and_then_the_number_rises(
    kept_list, kept_register, ca, clock
):
    clock("19d")
    assert kept_list.up(revocations(ca, kept_register)) == "same"
    clock("21d")
    assert kept_list.up(revocations(ca, kept_register)) == "update"
    assert number(kept_list) == 2


def test_a_new_key_of_the_ca_answers_for_its_own_certificates_only(kept_list, kept_register, ca):
    kept_register.up(register(ca, PHONE_ALONE))
    assert ca.up({**AUTHORITY, "generation": 2}) == "replace"
    kept_register.up(register(ca, PHONE_ALONE))
    assert kept_list.up(revocations(ca, kept_register)) == "update"
    assert entries(kept_list) == {}
    authority = certificates.load(ca.outputs["certificate"])
    assert parsed(kept_list).is_signature_valid(authority.public_key())


def test_a_generation_is_another_ca_and_the_first_is_the_default(ca):
    assert ca.up({**AUTHORITY, "generation": 1}) == "same"
    key_id = ca.outputs["key_id"]
    assert ca.up({**AUTHORITY, "generation": 2}) == "replace"
    assert ca.outputs["key_id"] != key_id


@pytest.mark.parametrize("name", ["ca_certificate", "ca_key_id", "issued", "revision"])
def test_what_is_unknown_in_preview_breaks_nothing(kept_list, kept_register, ca, name):
    news = revocations(ca, kept_register, **{name: Unknown()})
    result = kept_list.provider.check(wire(kept_list.inputs), wire(news))
    assert result.failures == []
    assert kept_list.preview(news).changes is (name in {"ca_key_id", "revision"})


def test_a_register_of_the_first_version_that_stays_as_it_is_moves_no_list(kept_register, ca):
    made = Kept(revocation_list.Provider())
    made.up(revocations(ca, kept_register, revision=None))
    # It has no revision among its outputs, which a preview takes for one that it does not know.
    assert not made.preview(revocations(ca, kept_register, revision=Unknown())).changes
    assert made.up(revocations(ca, kept_register, revision="1")) == "update"


def test_a_window_longer_than_the_validity_is_refused(kept_list, kept_register, ca):
    with pytest.raises(ValueError, match="validity: renew_before is 30d and validity is 30d"):
        kept_list.checked(revocations(ca, kept_register, renew_before="30d"))


def test_the_cas_key_is_in_no_output(kept_list, ca):
    assert "PRIVATE KEY" not in str(kept_list.outputs)
