"""Who is revoked is somebody: by name, or by a serial number in whatever case OpenSSL prints it."""

from __future__ import annotations

import pytest

from components.dynamic import certificate_register
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import TWO, client, register

INDEX = (
    "V\t271124121929Z\t\t0A1B\tunknown\t/CN=desk\nV\t271124121929Z\t\t0A1C\tunknown\t/CN=tablet\n"
)


def statuses(kept):
    return {entry["serial_number"]: entry["status"] for entry in kept.seen["issued"]}


@pytest.mark.parametrize("spelling", ["0a1b", "0A1B", "A1B", "desk"])
def test_what_was_imported_is_revoked_by_its_number_in_any_case(ca, spelling):
    kept = Kept(certificate_register.Provider())
    kept.up(register(ca, index=INDEX))
    revoking = register(ca, index=INDEX, revoked={spelling: "keyCompromise"})
    assert kept.up(revoking) == "update"
    assert statuses(kept)["0a1b"] == "revoked"
    assert statuses(kept)["0a1c"] == "valid"
    assert kept.up(revoking) == "same"


def test_a_number_of_a_certificate_is_no_number_where_a_client_has_it_as_its_name(ca):
    kept = Kept(certificate_register.Provider())
    named = {**TWO, "0A1B": client("0A1B")}
    kept.up(register(ca, named, index=INDEX))
    kept.up(register(ca, index=INDEX, revoked={"0A1B": "keyCompromise"}))
    assert statuses(kept)["0a1b"] == "valid"


@pytest.mark.parametrize("name", ["phnoe", "0A1D", "browsr"])
def test_nobody_is_revoked_in_silence(ca, kept_register, name):
    with pytest.raises(ValueError, match=rf"clients\.{name} is revoked, and there is no client"):
        kept_register.preview(register(ca, index=INDEX, revoked={name: "keyCompromise"}))
    with pytest.raises(ValueError, match=rf"clients\.{name} is revoked, and there is no client"):
        Kept(certificate_register.Provider()).up(register(ca, revoked={name: "keyCompromise"}))


def test_a_client_that_left_earlier_is_still_somebody(ca, kept_register):
    kept_register.up(register(ca, {"phone": TWO["phone"]}))
    kept_register.up(register(ca, {"phone": TWO["phone"]}, index=""))
    later = register(ca, {"phone": TWO["phone"]}, revoked={"browser": "keyCompromise"})
    assert kept_register.up(later) == "update"
    assert kept_register.up(later) == "same"


def test_who_was_revoked_stays_somebody_when_the_certificate_has_expired(ca, kept_register, clock):
    gone = register(ca, {"phone": TWO["phone"]}, revoked={"browser": "keyCompromise"})
    kept_register.up(gone)
    clock("500d")
    kept_register.up(gone)
    assert "browser" not in {entry["name"] for entry in kept_register.seen["issued"]}
    assert kept_register.up(gone) == "same"


def test_a_misspelt_name_is_told_of_the_one_that_is_close(ca, kept_register):
    with pytest.raises(ValueError, match=r"did you mean browser\?"):
        kept_register.preview(register(ca, revoked={"browsr": "keyCompromise"}))


@pytest.mark.parametrize("spelling", ["0a1b", "0A1B", "desk"])
def test_who_was_imported_is_somebody_when_the_index_has_gone_with_the_cas_key(ca, spelling):
    kept = Kept(certificate_register.Provider())
    kept.up(register(ca, index=INDEX))
    kept.up(register(ca, revoked={spelling: "keyCompromise"}))
    assert statuses(kept)["0a1b"] == "revoked"


def test_who_was_imported_stays_somebody_later(ca):
    kept = Kept(certificate_register.Provider())
    kept.up(register(ca, index=INDEX))
    kept.up(register(ca))
    kept.up(register(ca))
    kept.up(register(ca, revoked={"desk": "keyCompromise"}))
    assert statuses(kept)["0a1b"] == "revoked"
