"""A CA's key is changed in two steps, and what each step leaves as it was."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pulumi.runtime.rpc import UNKNOWN

from components.dynamic import (
    certificate_authority,
    certificate_register,
    revocation_list,
    server_certificate,
)
from components.pki import certificates, names
from tests.unit.components.dynamic.engine import Kept, wire
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    LIST,
    TWO,
    by_the_next,
    client,
    register,
    revocations,
    server,
    signer,
)
from tests.unit.components.pki.material import key as full_size_key
from tests.unit.components.pki.material import needs_openssl, openssl

PREPARING = {**AUTHORITY, "next_generation": 2}
COMPLETED = {**AUTHORITY, "generation": 2}


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


def test_a_next_name_that_would_be_too_long_loses_the_end_of_the_present_one(ca):
    """X.520 allows a common name 64 characters (ub-common-name)."""
    subject = {"common_name": "x" * 63}
    long = Kept(ca.provider)
    long.up({**AUTHORITY, "subject": subject})
    checked = long.checked({**PREPARING, "subject": subject})
    assert checked["next_subject"] == {"common_name": f"{'x' * 61} G2"}


def test_marks_that_tell_names_apart_stay_within_their_bound():
    assert names.name_generation("x" * 64, 12, "++") == f"{'x' * 58} G12++"


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


def test_giving_up_keeps_the_present_key_whatever_size_the_next_one_was_to_have(ca):
    ca.up({**PREPARING, "key_bits": 4096})
    with pytest.raises(ValueError, match="given up and the present CA stays, but key_bits changed"):
        ca.checked({**AUTHORITY, "key_bits": 4096})
    assert ca.preview({**AUTHORITY, "key_bits": 4096, "generation": 3}).replaces
    assert ca.up(AUTHORITY) == "update"
    # Afterwards it is a change like any other.
    assert ca.preview({**AUTHORITY, "key_bits": 4096}).replaces == ["key_bits"]


def test_a_new_ca_may_begin_with_a_rotation(made_keys):
    kept = Kept(certificate_authority.Provider())
    assert kept.up(PREPARING) == "create"
    assert len(made_keys) == 3  # Of the CA, of the next one, and of the expired client.
    crossed = certificates.load(kept.outputs["cross_certificate"])
    assert certificates.signed_by(crossed, certificates.load(kept.outputs["certificate"]))
    assert kept.up(PREPARING) == "same"
    assert kept.up(COMPLETED) == "update"


def test_another_rotation_begins_where_the_last_one_ended(ca, kept_register, prepared):
    assert prepared
    ca.up(COMPLETED)
    second = certificates.load(ca.outputs["certificate"])
    news = {**COMPLETED, "next_generation": 3}
    assert ca.up(news) == "update"
    present = certificates.load(ca.outputs["certificate"])
    assert present.subject == second.subject
    assert present.public_key() == second.public_key()
    assert certificates.allows_below(present, 1)
    following = certificates.load(ca.outputs["next_certificate"])
    assert following.subject.rfc4514_string() == "CN=Example CA G3,C=CN"
    assert certificates.signed_by(certificates.load(ca.outputs["cross_certificate"]), present)
    assert kept_register.up(register(ca, **by_the_next(ca))) == "update"
    assert ca.up({**AUTHORITY, "generation": 3}) == "update"
    assert certificates.load(ca.outputs["certificate"]) == following
    assert kept_register.up(register(ca)) == "same"
    assert ca.up({**AUTHORITY, "generation": 3}) == "same"


def test_a_completed_ca_is_renewed_under_its_name_and_key(ca, clock):
    ca.up(PREPARING)
    ca.up(COMPLETED)
    before, key = certificates.load(ca.outputs["certificate"]), ca.outputs["private_key"]
    clock("2920d")
    assert ca.up(COMPLETED) == "update"
    after = certificates.load(ca.outputs["certificate"])
    assert after.subject == before.subject
    assert certificates.key_identifier(after) == certificates.key_identifier(before)
    assert (ca.outputs["private_key"], after == before) == (key, False)
    assert ca.up(COMPLETED) == "same"


def test_completing_may_complete_and_prepare_the_one_after_at_once(ca):
    ca.up(PREPARING)
    taken_over = ca.outputs["next_private_key"]
    assert ca.up({**COMPLETED, "next_generation": 3}) == "update"
    assert ca.outputs["private_key"] == taken_over != ca.outputs["next_private_key"]
    crossed = certificates.load(ca.outputs["cross_certificate"])
    assert certificates.signed_by(crossed, certificates.load(ca.outputs["certificate"]))
    assert ca.up({**COMPLETED, "next_generation": 3}) == "same"


def test_a_rotation_that_is_prepared_again_makes_another_key(ca, kept_register, prepared):
    first = ca.outputs["next_private_key"]
    assert prepared
    ca.up(AUTHORITY)
    kept_register.up(register(ca))
    assert ca.up(PREPARING) == "update"
    assert ca.outputs["next_private_key"] != first
    assert kept_register.up(register(ca, **by_the_next(ca))) == "update"
    crossed = certificates.load(ca.outputs["cross_certificate"])
    for bundle in bundles(kept_register).values():
        assert bundle["chain"] == ca.outputs["cross_certificate"]
        assert certificates.signed_by(certificates.load(bundle["certificate"]), crossed)


def test_a_client_with_its_own_key_is_issued_by_the_next_ca_for_the_same_key(ca):
    own = full_size_key("own")
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = built.sign(own, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    clients = {"own": client("own", signing_request=request)}
    kept = Kept(certificate_register.Provider())
    kept.up(register(ca, clients))
    ca.up(PREPARING)
    assert kept.up(register(ca, clients, **by_the_next(ca))) == "update"
    held = bundles(kept)["own"]
    assert set(held) == {"certificate", "chain"}
    assert held["chain"] == ca.outputs["cross_certificate"]
    assert certificates.load(held["certificate"]).public_key() == own.public_key()


STEPS = {
    "prepare": (AUTHORITY, PREPARING),
    "complete": (PREPARING, COMPLETED),
    "give up": (PREPARING, AUTHORITY),
}
FOLLOWED = {
    "prepare": {"register": "update", "list": "update", "server": "same"},
    "complete": {"register": "same", "list": "update", "server": "update"},
    "give up": {"register": "update", "list": "update", "server": "same"},
}


def dependents(ca, kept_register):
    """Inputs of all that the CA signs, as the program gives them."""
    if "next_key_id" not in ca.outputs:
        return {
            "register": register(ca),
            "list": revocations(ca, kept_register),
            "server": server(ca),
        }
    following = {f"next_{name}": value for name, value in by_the_next(ca).items()}
    following["next_ca_certificate"] = ca.outputs["next_certificate"]
    return {
        "register": register(ca, **by_the_next(ca)),
        "list": revocations(ca, kept_register, **following),
        "server": server(ca),
    }


@pytest.mark.parametrize("step", STEPS)
def test_a_preview_of_each_step_says_what_is_then_done(ca, kept_register, step):
    before, news = STEPS[step]
    kept = {
        "register": kept_register,
        "list": Kept(revocation_list.Provider()),
        "server": Kept(server_certificate.Provider()),
    }
    ca.up(before)
    for name, inputs in dependents(ca, kept_register).items():
        kept[name].up(inputs)
    inputs, outputs = ca.checked(news), ca.outputs
    made = ("certificate", "private_key", "next_certificate", "next_private_key")
    unknown = dict.fromkeys((*made, "cross_certificate"), UNKNOWN)
    # What the engine gives those who depend on a resource that waits for its update: its inputs.
    ca.outputs = {**inputs, **unknown}
    asked = dependents(ca, kept_register)
    if kept_register.preview(asked["register"]).changes:
        revision = kept_register.checked(asked["register"])["revision"]
        asked["list"] |= {"issued": UNKNOWN, "revision": revision}
    planned = {
        name: "update" if kept[name].preview(asked[name]).changes else "same" for name in kept
    }
    ca.outputs = outputs
    assert ca.up(news) == "update"
    done = {name: kept[name].up(dependents(ca, kept_register)[name]) for name in kept}
    assert planned == done == FOLLOWED[step]
    assert {name: kept[name].up(dependents(ca, kept_register)[name]) for name in kept} == (
        dict.fromkeys(kept, "same")
    )


def test_why_is_told_to_whoever_reads_the_preview(ca, kept_register):
    ca.up(PREPARING)
    found = kept_register.checked(register(ca, **by_the_next(ca)))["clients"]["browser"]
    assert found["issued_because"] == "the CA's key changed"
    assert found["not_before"] == "2026-03-14T00:00:00Z"
