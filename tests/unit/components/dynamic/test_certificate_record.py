"""What certificates there have been: kept past renewal and replacement until they expire."""

from __future__ import annotations

import pytest
from pulumi.runtime.rpc import UNKNOWN

from components.dynamic import certificate_authority, server_certificate
from components.dynamic.certificate_record import Provider, read_entries
from components.pki import certificates
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import AUTHORITY, present, server


@pytest.fixture
def issued(ca):
    found = Kept(server_certificate.Provider())
    found.up(server(ca))
    return found


@pytest.fixture
def kept(ca, issued):
    found = Kept(Provider())
    assert found.up(present(ca, server=issued)) == "create"
    return found


def statuses(kept):
    return [(one["name"], one["status"]) for one in read_entries(kept.outputs["entries"])]


def test_what_is_in_use_is_recorded(kept, issued):
    authority, served = read_entries(kept.outputs["entries"])
    assert (authority["role"], authority["name"], authority["status"]) == ("ca", "CA", "valid")
    assert served == {
        "role": "server",
        "name": "server",
        "subject": "CN=www.example.com",
        "status": "valid",
        # The tests' keys are half as long as real ones.
        "key": "RSA 1024",
        **{
            name: issued.outputs[name]
            for name in ("serial_number", "fingerprint_sha256", "not_before", "not_after")
        },
    }


def test_the_same_certificates_change_nothing(kept, ca, issued):
    assert kept.up(present(ca, server=issued)) == "same"


def test_another_certificate_leaves_the_one_before_on_record(kept, ca, issued):
    before = read_entries(kept.outputs["entries"])
    issued.up(server(ca, validity="200d"))
    assert kept.up(present(ca, server=issued)) == "update"
    assert statuses(kept) == [("server", "superseded"), ("CA", "valid"), ("server", "valid")]
    assert read_entries(kept.outputs["entries"])[0] == {**before[1], "status": "superseded"}


def test_a_domain_that_is_gone_and_a_ca_that_was_replaced_stay_on_record(kept, ca, issued):
    another = Kept(certificate_authority.Provider())
    another.up({**AUTHORITY, "generation": 2})
    assert kept.up(present(another)) == "update"
    assert statuses(kept) == [("CA", "superseded"), ("server", "superseded"), ("CA", "valid")]


def test_what_has_expired_is_forgotten(kept, ca, issued, clock):
    clock("366d")
    issued.up(server(ca))
    assert kept.up(present(ca, server=issued)) == "update"
    assert statuses(kept) == [("CA", "valid"), ("server", "valid")]


def test_what_is_there_is_not_forgotten_because_it_has_expired(kept, ca, issued, clock):
    clock("366d")
    assert kept.up(present(ca, server=issued)) == "same"


def test_a_certificate_that_comes_back_is_recorded_once(kept, ca, issued):
    first = present(ca, server=issued)
    issued.up(server(ca, validity="200d"))
    kept.up(present(ca, server=issued))
    assert kept.up(first) == "update"
    assert statuses(kept) == [("server", "superseded"), ("CA", "valid"), ("server", "valid")]


def test_one_certificate_may_take_another_place(kept, ca, issued):
    moved = present(ca, other=issued)
    assert kept.up(moved) == "update"
    assert statuses(kept) == [("CA", "valid"), ("other", "valid")]


def test_what_alibaba_cloud_keeps_is_not_known_here(kept, ca):
    news = present(ca)
    news["certificates"].append({"role": "server", "name": "elsewhere", "certificate": ""})
    kept.up(news)
    assert kept.up(news) == "same"
    assert ("elsewhere", "valid") not in statuses(kept)


def test_a_certificate_that_is_not_known_yet_is_a_change(kept, ca, issued):
    news = present(ca, server=issued)
    news["certificates"][1]["certificate"] = UNKNOWN
    assert kept.preview(news).changes


def test_of_a_chain_the_leaf_is_recorded(kept, ca, issued):
    news = present(ca, server=issued)
    leaf = certificates.load(news["certificates"][1]["certificate"])
    news["certificates"][1]["certificate"] += ca.outputs["certificate"]
    assert kept.up(news) == "same"
    assert read_entries(kept.outputs["entries"])[1]["serial_number"] == certificates.serial_number(
        leaf
    )
