"""A CA's key is changed in two steps, and what each step leaves as it was."""

from __future__ import annotations

import pytest
from cryptography import x509
from pulumi.runtime.rpc import UNKNOWN

from components.dynamic import revocation_list, server_certificate
from pki import certificates
from tests.unit.components.dynamic.engine import Kept, wire
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    LIST,
    TWO,
    register,
    revocations,
    server,
    signer,
)
from tests.unit.pki.material import needs_openssl, openssl

PREPARING = {**AUTHORITY, "next_generation": 2}
COMPLETED = {**AUTHORITY, "generation": 2}


def by_the_next(ca):
    """The next CA as the register takes it."""
    return {
        "ca_certificate": ca.outputs["cross_certificate"],
        "ca_private_key": ca.outputs["next_private_key"],
        "ca_key_id": ca.outputs["next_key_id"],
    }


def bundles(kept):
    return kept.seen["bundles"]


@pytest.fixture
def prepared(ca, kept_register):
    """The CA and its register between the two steps, and what the clients had before."""
    before = bundles(kept_register)
    assert ca.up(PREPARING) == "update"
    assert kept_register.up(register(ca, **by_the_next(ca))) == "update"
    return before


def test_preparing_keeps_the_present_ca_and_lets_one_stand_below_it(ca):
    before = dict(ca.outputs)
    assert ca.preview(PREPARING).replaces == []
    assert ca.up(PREPARING) == "update"
    for name in ("private_key", "key_id", "public_key_sha256", "not_after", "expired_probe"):
        assert ca.outputs[name] == before[name]
    present = certificates.load(ca.outputs["certificate"])
    assert certificates.allows_below(present, 1)
    crossed = certificates.load(ca.outputs["cross_certificate"])
    following = certificates.load(ca.outputs["next_certificate"])
    crossed.verify_directly_issued_by(present)
    following.verify_directly_issued_by(following)
    assert crossed.public_key() == following.public_key() != present.public_key()
    assert crossed.subject == following.subject
    assert following.subject.rfc4514_string() == "CN=Example CA G2,C=CN"
    assert ca.up(PREPARING) == "same"


def test_what_is_chosen_of_the_next_ca_is_known_before_it_is_made(ca):
    inputs = ca.checked(PREPARING)
    assert inputs["next_key_id"] != inputs["key_id"] == ca.outputs["key_id"]
    assert inputs["next_subject"]["common_name"] == "Example CA G2"
    assert inputs["next_not_before"] == "2026-03-14T00:00:00Z"


@needs_openssl
def test_old_and_new_clients_are_accepted_under_the_present_ca(
    ca, kept_register, prepared, tmp_path
):
    (tmp_path / "ca").write_text(ca.outputs["certificate"])
    (tmp_path / "next").write_text(ca.outputs["next_certificate"])
    verify = ("verify", "-purpose", "sslclient", "-attime", "1773500000", "-auth_level", "0")
    new = bundles(kept_register)["browser"]
    (tmp_path / "chain").write_text(new["chain"])
    trusting = ("-CAfile", str(tmp_path / "ca"))
    openssl(*verify, *trusting, text=prepared["browser"]["certificate"])
    openssl(*verify, *trusting, "-untrusted", str(tmp_path / "chain"), text=new["certificate"])
    openssl(*verify, "-CAfile", str(tmp_path / "next"), text=new["certificate"])
    with pytest.raises(AssertionError, match="unable to get local issuer"):
        openssl(*verify, *trusting, text=new["certificate"])


def test_every_client_is_issued_anew_and_its_old_certificate_stays_good(kept_register, prepared):
    assert {entry["name"]: entry["status"] for entry in kept_register.seen["issued"][:2]} == (
        dict.fromkeys(TWO, "superseded")
    )
    for name, bundle in bundles(kept_register).items():
        assert bundle["certificate"] != prepared[name]["certificate"]


def test_completing_takes_the_prepared_ca_over_and_moves_no_client(ca, kept_register, prepared):
    following, key = ca.outputs["next_certificate"], ca.outputs["next_private_key"]
    key_id, handed_out = ca.outputs["next_key_id"], dict(kept_register.outputs)
    assert prepared
    assert ca.preview(COMPLETED).replaces == []
    assert ca.up(COMPLETED) == "update"
    assert (ca.outputs["certificate"], ca.outputs["private_key"]) == (following, key)
    assert ca.outputs["key_id"] == key_id
    assert not [name for name in ca.outputs if name.startswith(("next_", "cross_"))]
    assert ca.up(COMPLETED) == "same"
    assert kept_register.up(register(ca)) == "same"
    assert kept_register.outputs == handed_out


def test_a_preview_of_the_completion_says_so_though_the_ca_is_not_known_yet(
    ca, kept_register, prepared
):
    assert prepared
    key_id = ca.checked(COMPLETED)["key_id"]
    unknown = {"ca_certificate": UNKNOWN, "ca_private_key": UNKNOWN, "ca_key_id": key_id}
    news = register(ca, **unknown)
    found = kept_register.provider.check(wire(kept_register.inputs), wire(news))
    old = wire(kept_register.outputs)
    assert kept_register.provider.diff(kept_register.id, old, found.inputs).changes is False


def test_the_completed_cas_own_probe_is_expired_and_its_own(ca):
    before = ca.outputs["expired_probe"]
    ca.up(PREPARING)
    ca.up(COMPLETED)
    probe = certificates.load(ca.outputs["expired_probe"]["certificate"])
    assert ca.outputs["expired_probe"] != before
    probe.verify_directly_issued_by(certificates.load(ca.outputs["certificate"]))


def test_a_rotation_that_is_given_up_leaves_the_present_ca_and_refuses_what_was_handed_out(
    ca, kept_register, prepared
):
    key, crossed = ca.outputs["private_key"], ca.outputs["cross_certificate"]
    assert prepared
    assert ca.up(AUTHORITY) == "update"
    present = certificates.load(ca.outputs["certificate"])
    assert ca.outputs["private_key"] == key
    assert not certificates.allows_below(present, 1)
    assert certificates.signed_by(certificates.load(crossed), present)
    assert kept_register.up(register(ca)) == "update"
    for bundle in bundles(kept_register).values():
        certificates.load(bundle["certificate"]).verify_directly_issued_by(present)


def test_the_next_key_may_have_another_size(ca, made_keys):
    made = len(made_keys)
    news = {**PREPARING, "key_bits": 4096}
    assert ca.up(news) == "update"
    assert made_keys[made:] == [4096]
    assert ca.outputs["key_bits"] == 2048
    assert ca.up(news) == "same"
    assert ca.up({**COMPLETED, "key_bits": 4096}) == "update"
    assert ca.up({**COMPLETED, "key_bits": 4096}) == "same"


@pytest.mark.parametrize("generation", [1, 2])
def test_nothing_else_may_change_in_a_rotation(ca, generation):
    ca.up(PREPARING)
    news = {**AUTHORITY, "generation": generation, "subject": {"common_name": "Other CA"}}
    if generation == 1:
        news["next_generation"] = 2
    with pytest.raises(ValueError, match="keeps the present CA until it is complete, but subject"):
        ca.checked(news)


def test_another_generation_than_the_prepared_one_is_another_ca(ca):
    ca.up(PREPARING)
    assert ca.preview({**AUTHORITY, "generation": 3}).replaces == ["generation"]


def test_a_next_name_that_is_too_long_is_refused(ca):
    subject = {"common_name": "x" * 63}
    long = Kept(ca.provider)
    long.up({**AUTHORITY, "subject": subject})
    with pytest.raises(ValueError, match="next_subject: common_name has 66 characters"):
        long.checked({**PREPARING, "subject": subject})


def test_both_cas_are_renewed_between_the_steps(ca, clock):
    ca.up(PREPARING)
    keys = ca.outputs["private_key"], ca.outputs["next_private_key"]
    clock("2920d")
    assert ca.up(PREPARING) == "update"
    assert (ca.outputs["private_key"], ca.outputs["next_private_key"]) == keys
    assert ca.outputs["not_before"] == ca.outputs["next_not_before"] == "2034-03-12T00:00:00Z"
    assert ca.up(PREPARING) == "same"


def test_the_servers_certificate_stays_until_the_rotation_is_complete(ca):
    kept = Kept(server_certificate.Provider())
    kept.up(server(ca))
    ca.up(PREPARING)
    assert kept.up(server(ca)) == "same"
    ca.up(COMPLETED)
    assert kept.up(server(ca)) == "update"
    assert kept.inputs["issued_because"] == "the CA's key changed"


def test_each_key_answers_for_its_own_certificates(ca, kept_register, prepared):
    assert prepared
    news = register(ca, {"browser": TWO["browser"]}, **by_the_next(ca))
    assert kept_register.up(news) == "update"
    following = {f"next_{name}": value for name, value in by_the_next(ca).items()}
    following["next_ca_certificate"] = ca.outputs["next_certificate"]
    listed = Kept(revocation_list.Provider())
    listed.up(revocations(ca, kept_register, **following))
    by_present, by_next = (
        x509.load_pem_x509_crl(listed.outputs[name].encode())
        for name in ("revocation_list", "next_revocation_list")
    )
    gone = {
        one["authority_key_id"]: int(one["serial_number"], 16)
        for one in kept_register.seen["issued"]
        if one["status"] == "revoked"
    }
    for revoked, place in ((by_present, "certificate"), (by_next, "next_certificate")):
        authority = certificates.load(ca.outputs[place])
        assert revoked.is_signature_valid(authority.public_key())
        signer_id = certificates.key_identifier(authority).digest.hex()
        assert [entry.serial_number for entry in revoked] == [gone[signer_id]]
    ca.up(COMPLETED)
    assert listed.up(revocations(ca, kept_register)) == "update"
    assert (listed.outputs["number"], "next_revocation_list" in listed.outputs) == ("2", False)


def test_a_list_without_a_rotation_is_as_before(ca):
    listed = Kept(revocation_list.Provider())
    assert listed.up({**LIST, **signer(ca)}) == "create"
    assert "next_revocation_list" not in listed.outputs


def test_a_list_goes_on_from_the_number_that_an_adopted_ca_had(ca):
    listed = Kept(revocation_list.Provider())
    listed.up({**LIST, **signer(ca), "first_number": 4097})
    assert listed.outputs["number"] == "4097"
