"""The revocation list as a dynamic resource, beside the register that it tells of."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from cryptography import x509
from pulumi.output import Unknown

from components.dynamic import revocation_list
from components.pki import certificates
from tests.unit.components.dynamic.engine import Kept, wire
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    TWO,
    client,
    register,
    revocations,
)
from tests.unit.components.pki.material import NOW, needs_openssl, openssl

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


def test_the_list_of_a_new_key_under_the_same_name_names_what_the_old_one_had_signed(
    kept_list, kept_register, ca
):
    # RFC 5280, 5: a full and complete list has all unexpired certificates issued by a CA that have
    # been revoked, and the CA is a name (4.1.2.2: issuer name and serial number identify one).
    kept_register.up(register(ca, PHONE_ALONE))
    assert ca.up({**AUTHORITY, "generation": 2}) == "replace"
    kept_register.up(register(ca, PHONE_ALONE))
    gone = {
        one["serial_number"].zfill(40)
        for one in kept_register.seen["issued"]
        if one["status"] == "revoked"
    }
    assert kept_list.up(revocations(ca, kept_register)) == "update"
    assert entries(kept_list).keys() == gone != set()
    authority = certificates.load(ca.outputs["certificate"])
    assert parsed(kept_list).is_signature_valid(authority.public_key())
    assert kept_list.up(revocations(ca, kept_register)) == "same"


def test_the_list_of_another_name_says_nothing_of_what_is_not_its_cas(kept_list, kept_register, ca):
    kept_register.up(register(ca, PHONE_ALONE))
    assert ca.up({**AUTHORITY, "subject": {"common_name": "Other CA"}}) == "replace"
    kept_register.up(register(ca, PHONE_ALONE))
    assert kept_list.up(revocations(ca, kept_register)) == "update"
    assert entries(kept_list) == {}


def as_earlier(kept):
    """The list as an earlier version kept it."""
    kept.outputs = {
        k: v for k, v in kept.outputs.items() if k not in {"listed", "issuers", "scheduled"}
    }


@pytest.mark.parametrize("state", ["of today", "of an earlier version"])
def test_an_entry_stays_until_a_regular_list_beyond_its_certificates_end_had_it(
    kept_list, kept_register, ca, clock, state
):
    # RFC 5280, 3.3. The phone's certificate ends after 90 days.
    phone = kept_register.seen["inventory"]["phone"]["serial_number"].zfill(40)
    browser_alone = {"browser": TWO["browser"]}

    def up():
        kept_register.up(register(ca, browser_alone))
        if state == "of an earlier version":
            as_earlier(kept_list)
        return kept_list.up(revocations(ca, kept_register))

    assert up() == "update"
    clock("80d")
    assert up() == "update"
    clock("91d")
    # Somebody else is revoked: a list that is not a regular one, after the certificate's end.
    browser_alone = {}
    assert up() == "update"
    assert phone in {one.zfill(40) for one in entries(kept_list)}
    assert phone not in str(kept_register.outputs["issued"])
    if state == "of an earlier version":
        return  # Which of its lists were regular ones it did not say.
    clock("112d")
    assert up() == "update"
    assert phone in entries(kept_list)
    clock("133d")
    assert up() == "update"
    assert phone not in entries(kept_list)
    assert len(entries(kept_list)) == 1


def test_a_ca_that_is_replaced_on_the_day_it_was_made_signs_its_list_anew(
    kept_list, kept_register, ca
):
    again = Kept(ca.provider)
    again.up(AUTHORITY)  # As `up --replace` does: no old inputs, the same day.
    assert again.outputs["key_id"] == ca.outputs["key_id"]
    assert kept_list.up(revocations(again, kept_register)) == "update"
    authority = certificates.load(again.outputs["certificate"])
    assert parsed(kept_list).is_signature_valid(authority.public_key())
    assert kept_list.up(revocations(again, kept_register)) == "same"


ODD = {
    "serial number 0": "R\t351231235959Z\t260101000000Z,keyCompromise\t00\tunknown\t/CN=first\n",
    "the highest bit of 20": f"R\t351231235959Z\t260101000000Z\t{'F' * 40}\tunknown\t/CN=a\n",
    "21 octets": f"R\t351231235959Z\t260101000000Z\t{'7F' * 21}\tunknown\t/CN=a\n",
    "revoked in the future": "R\t351231235959Z\t300101000000Z\tFACF\tunknown\t/CN=a\n",
    "revoked in 9999": "R\t99991231235959Z\t99991231235959Z\tFACF\tunknown\t/CN=a\n",
    "ends in 9999": "R\t99991231235959Z\t500101000000Z\tFACF\tunknown\t/CN=a\n",
}


@needs_openssl
@pytest.mark.parametrize("index", ODD.values(), ids=ODD)
def test_an_odd_line_of_the_index_is_on_the_list_as_openssl_puts_it_there(kept_register, ca, index):
    key_id = certificates.key_identifier(certificates.load(ca.outputs["certificate"])).digest.hex()
    news = register(ca, PHONE_ALONE, index=index, adopted_key_id=key_id)
    assert kept_register.up(news) == "update"
    assert kept_register.up(news) == "same"
    kept = Kept(revocation_list.Provider())
    assert kept.up(revocations(ca, kept_register)) == "create"
    assert kept.up(revocations(ca, kept_register)) == "same"
    text = openssl("crl", "-noout", "-text", text=kept.outputs["revocation_list"])
    numbers = re.findall("Serial Number: ([0-9A-F]+)", text)
    assert index.split("\t")[3] in numbers
    dates = re.findall("Revocation Date: (.*)", text)
    moment = NOW.replace(tzinfo=None)
    assert all(datetime.strptime(one, "%b %d %H:%M:%S %Y GMT") <= moment for one in dates)


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
