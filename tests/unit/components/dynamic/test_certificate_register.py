"""The register: clients come and go, and a CA that is merely renewed disturbs none of them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from components.dynamic import certificate_authority
from components.dynamic.certificate_register import Provider
from components.dynamic.properties import pack
from components.dynamic.register_state import read_issued
from components.pki import certificates, keys
from tests.unit.components.dynamic.engine import Kept, texts
from tests.unit.components.dynamic.programs import AUTHORITY, TWO, client, register, two

OUTPUTS = {
    "clients",
    "issued",
    "revision",
    "bundles",
    "ca_key_id",
    "ca_public_key_sha256",
}
ENTRY = {"name", "subject", "authority_key_id"}
SHOWN = {"serial_number", "fingerprint_sha256", "not_before", "not_after", "status", "key"}
BUNDLE = {"pkcs12", "pass_phrase", "private_key", "certificate", "chain"}
PHRASE = "correct horse"


def statuses(kept, name):
    return [entry["status"] for entry in kept.seen["issued"] if entry["name"] == name]


def serials(kept):
    return {name: entry["serial_number"] for name, entry in kept.seen["inventory"].items()}


def the_key(bundle):
    return keys.load(bundle["private_key"], bundle["pass_phrase"]).private_numbers()


def test_a_new_register_has_every_output_and_not_the_cas_key(kept_register, ca):
    assert set(kept_register.outputs) == OUTPUTS
    assert ca.outputs["private_key"] not in texts(kept_register.seen)
    assert kept_register.id == f"register-of-{ca.outputs['public_key_sha256'][:16]}"
    assert set(kept_register.seen["inventory"]) == set(kept_register.seen["bundles"]) == set(TWO)
    assert all(set(entry) == SHOWN for entry in kept_register.seen["inventory"].values())
    assert all(set(bundle) == BUNDLE for bundle in kept_register.seen["bundles"].values())
    assert set(kept_register.seen["issued"][0]) == {*ENTRY, *SHOWN}


def test_each_client_has_what_was_asked_for(kept_register, ca):
    ends = {name: entry["not_after"] for name, entry in kept_register.seen["inventory"].items()}
    assert ends == {"browser": "2027-03-13T23:59:59Z", "phone": "2026-06-11T23:59:59Z"}
    for name, bundle in kept_register.seen["bundles"].items():
        certificate = certificates.load(bundle["certificate"])
        certificate.verify_directly_issued_by(certificates.load(ca.outputs["certificate"]))
        assert certificate.subject.rfc4514_string() == f"CN={name}"
        assert bundle["chain"] == ca.outputs["certificate"]


def test_an_entry_of_a_valid_certificate_says_nothing_of_a_revocation(kept_register):
    made = kept_register.provider.create(kept_register.inputs).outs
    assert all(set(entry) == {*ENTRY, *SHOWN} for entry in read_issued(made["issued"]))


def test_nothing_happens_without_a_change(kept_register, ca, clock):
    before = dict(kept_register.seen)
    clock("59d")
    assert kept_register.up(register(ca)) == "same"
    browser_and_phone = {name: {**TWO[name], "renew_before": "20d"} for name in TWO}
    assert kept_register.up(register(ca, browser_and_phone)) == "same"
    assert kept_register.seen == before


def test_a_register_without_clients_waits_for_the_first(ca):
    kept = Kept(Provider())
    assert kept.up(register(ca, {})) == "create"
    assert (kept.seen["issued"], kept.seen["bundles"]) == ([], {})
    assert kept.up(register(ca, {})) == "same"
    assert kept.up(register(ca)) == "update"
    assert set(kept.seen["bundles"]) == set(TWO)


def test_a_due_client_is_renewed_and_no_other(kept_register, ca, clock):
    before, old_key = serials(kept_register), the_key(kept_register.seen["bundles"]["phone"])
    browser = kept_register.seen["bundles"]["browser"]
    clock("60d")
    assert kept_register.preview(register(ca)).changes is True
    assert kept_register.up(register(ca)) == "update"
    assert set(kept_register.outputs) == OUTPUTS
    assert statuses(kept_register, "phone") == ["superseded", "valid"]
    assert statuses(kept_register, "browser") == ["valid"]
    assert kept_register.seen["inventory"]["phone"]["not_after"] == "2026-08-10T23:59:59Z"
    assert serials(kept_register)["phone"] != before["phone"]
    assert the_key(kept_register.seen["bundles"]["phone"]) != old_key
    assert kept_register.seen["bundles"]["browser"] == browser
    assert kept_register.up(register(ca)) == "same"


def test_clients_that_are_not_valid_yet_are_issued_anew(kept_register, ca, clock):
    clock("-2d")
    assert kept_register.up(register(ca)) == "update"
    for name in TWO:
        assert statuses(kept_register, name) == ["superseded", "valid"]
        assert kept_register.seen["inventory"][name]["not_before"] == "2026-03-12T00:00:00Z"
        because = kept_register.inputs["clients"][name]["issued_because"]
        assert because.startswith("not valid before 2026-03-14T00:00:00Z: ")
    assert kept_register.up(register(ca)) == "same"


def test_a_client_that_the_cas_end_cuts_is_due_once_the_ca_lasts_longer(clock):
    authority = {**AUTHORITY, "validity": "200d", "renew_before": "10d"}
    ca, kept = Kept(certificate_authority.Provider()), Kept(Provider())
    ca.up(authority)
    kept.up(register(ca))
    end = "2026-09-29T23:59:59Z"
    assert kept.inputs["clients"]["browser"]["not_after"] == end
    assert kept.seen["inventory"]["browser"]["not_after"] == end
    # As versions wrote it that did not know of the cut.
    uncut = {"not_after": "2027-03-13T23:59:59Z"}
    kept.inputs["clients"]["browser"] |= uncut
    clients = kept.seen["clients"]
    kept.outputs["clients"] = pack({**clients, "browser": {**clients["browser"], **uncut}})
    assert kept.up(register(ca)) == "same"
    clock("180d")
    kept.up(register(ca))
    assert statuses(kept, "browser") == ["valid"]
    ca.up({**authority, "validity": "400d"})
    assert kept.up(register(ca)) == "update"
    assert statuses(kept, "browser") == ["superseded", "valid"]
    assert kept.up(register(ca)) == "same"


def test_a_superseded_certificate_is_dropped_once_it_has_expired(kept_register, ca, clock):
    clock("60d")
    kept_register.up(register(ca))
    clock("90d")
    kept_register.up(register(ca, two(key_bits=4096)))
    assert statuses(kept_register, "phone") == ["valid"]


def test_a_new_client_is_issued_beside_the_others(kept_register, ca, made_keys):
    made, before = len(made_keys), dict(kept_register.seen["bundles"])
    assert (
        kept_register.up(register(ca, {**TWO, "tablet": client("tablet", key_bits=4096)}))
        == "update"
    )
    assert made_keys[made:] == [4096]
    assert {name: kept_register.seen["bundles"][name] for name in TWO} == before
    assert kept_register.seen["inventory"]["tablet"]["status"] == "valid"


def test_a_removed_client_is_revoked_and_shown_until_it_expires(kept_register, ca, clock):
    only_browser = {"browser": TWO["browser"]}
    assert kept_register.preview(register(ca, only_browser)).changes is True
    assert kept_register.up(register(ca, only_browser)) == "update"
    assert set(kept_register.seen["bundles"]) == set(kept_register.seen["clients"]) == {"browser"}
    assert kept_register.seen["inventory"]["phone"]["status"] == "revoked"
    (entry,) = (entry for entry in kept_register.seen["issued"] if entry["name"] == "phone")
    assert (entry["revoked_at"], entry["reason"]) == (
        "2026-03-14T15:09:26Z",
        "cessationOfOperation",
    )
    assert kept_register.up(register(ca, only_browser)) == "same"
    clock("90d")
    kept_register.up(register(ca, {"browser": client("browser", key_bits=4096)}))
    assert "phone" not in kept_register.seen["inventory"]


def test_a_client_that_returns_gets_another_certificate_for_a_whole_term(kept_register, ca, clock):
    before = serials(kept_register)
    kept_register.up(register(ca, {"browser": TWO["browser"]}))
    clock("10d")
    assert kept_register.up(register(ca)) == "update"
    assert statuses(kept_register, "phone") == ["revoked", "valid"]
    assert serials(kept_register)["phone"] != before["phone"]
    assert serials(kept_register)["browser"] == before["browser"]
    assert kept_register.seen["inventory"]["phone"]["not_before"] == "2026-03-24T00:00:00Z"


CONTENT = {
    "subject": {"subject": {"common_name": "other"}},
    "e-mail": {"subject": {"common_name": "browser", "email": "b@example.com"}},
    "size": {"key_bits": 4096},
    "validity": {"validity": "180d"},
}


@pytest.mark.parametrize("change", CONTENT)
def test_other_content_is_issued_at_once_for_a_whole_term(kept_register, ca, change, clock):
    clock("10d")
    news = register(ca, two(**CONTENT[change]))
    assert kept_register.up(news) == "update"
    assert statuses(kept_register, "browser") == ["superseded", "valid"]
    assert kept_register.seen["inventory"]["browser"]["not_before"] == "2026-03-24T00:00:00Z"
    assert statuses(kept_register, "phone") == ["valid"]
    assert kept_register.up(news) == "same"


ELLIPTIC = {"key_algorithm": "ECDSA", "key_curve": "P-256"}


def on_a_curve(name, **changes):
    """A client of the register, with a key of another algorithm."""
    asked = {**client(name), **ELLIPTIC, **changes}
    return {field: value for field, value in asked.items() if field != "key_bits"}


def test_a_key_of_another_algorithm_is_issued_at_once_and_the_preview_says_why(
    kept_register, ca, made_keys, clock
):
    clock("10d")
    news, made = register(ca, {**TWO, "browser": on_a_curve("browser")}), len(made_keys)
    assert kept_register.preview(news).changes is True
    assert kept_register.up(news) == "update"
    assert kept_register.inputs["clients"]["browser"]["issued_because"] == "key_algorithm changed"
    assert statuses(kept_register, "browser") == ["superseded", "valid"]
    assert statuses(kept_register, "phone") == ["valid"]
    shown = kept_register.seen["inventory"]["browser"]
    assert (shown["key"], shown["not_before"]) == ("ECDSA P-256", "2026-03-24T00:00:00Z")
    bundle = kept_register.seen["bundles"]["browser"]
    held = keys.load(bundle["private_key"], bundle["pass_phrase"])
    assert certificates.load(bundle["certificate"]).public_key() == held.public_key()
    assert len(made_keys) == made  # No RSA key was made.
    assert kept_register.up(news) == "same"
    other_curve = register(ca, {**TWO, "browser": on_a_curve("browser", key_curve="P-384")})
    assert kept_register.up(other_curve) == "update"
    assert kept_register.inputs["clients"]["browser"]["issued_because"] == "key_curve changed"
    assert kept_register.up(register(ca)) == "update"
    assert kept_register.inputs["clients"]["browser"]["issued_because"] == "key_algorithm changed"
    assert kept_register.up(register(ca)) == "same"


@pytest.mark.parametrize("change", [{"pass_phrase": PHRASE}, {"bundle_encoding": "legacy"}])
def test_a_key_on_a_curve_goes_into_another_bundle_as_it_is(kept_register, ca, change):
    kept_register.up(register(ca, {**TWO, "browser": on_a_curve("browser")}))
    old, issued = kept_register.seen["bundles"]["browser"], kept_register.seen["issued"]
    assert kept_register.up(register(ca, {**TWO, "browser": on_a_curve("browser", **change)}))
    new = kept_register.seen["bundles"]["browser"]
    opened = pkcs12.load_pkcs12(base64.b64decode(new["pkcs12"]), new["pass_phrase"].encode())
    assert opened.key.private_numbers() == the_key(new) == the_key(old)
    assert kept_register.seen["issued"] == issued


def test_an_entry_that_does_not_say_its_key_is_read_and_kept_as_it_is(kept_register, ca):
    """As versions before wrote it."""
    before = [{**entry} for entry in kept_register.seen["issued"]]
    for entry in before:
        del entry["key"]
    kept_register.outputs["issued"] = pack(before)
    assert kept_register.up(register(ca)) == "same"
    kept_register.up(register(ca, {**TWO, "tablet": on_a_curve("tablet")}))
    *old, new = kept_register.seen["issued"]
    assert (old, new["key"]) == (before, "ECDSA P-256")


REBUNDLED = {
    "pass phrase": {"pass_phrase": PHRASE},
    "encoding": {"bundle_encoding": "legacy"},
}


@pytest.mark.parametrize("change", REBUNDLED)
def test_another_bundle_holds_the_same_certificate_and_key(kept_register, ca, change, made_keys):
    made, old = len(made_keys), kept_register.seen["bundles"]["browser"]
    issued = kept_register.seen["issued"]
    news = register(ca, two(**REBUNDLED[change]))
    assert kept_register.preview(news).changes is True
    assert kept_register.up(news) == "update"
    new = kept_register.seen["bundles"]["browser"]
    opened = pkcs12.load_pkcs12(base64.b64decode(new["pkcs12"]), new["pass_phrase"].encode())
    assert opened.key.private_numbers() == the_key(new) == the_key(old)
    assert new["certificate"] == old["certificate"]
    assert new["pass_phrase"] == REBUNDLED[change].get("pass_phrase", old["pass_phrase"])
    assert (kept_register.seen["issued"], len(made_keys)) == (issued, made)
    assert kept_register.up(news) == "same"


def test_a_pass_phrase_is_repeated_nowhere_but_in_the_bundle(kept_register, ca):
    kept_register.up(register(ca, two(pass_phrase=PHRASE)))
    outs = dict(kept_register.seen)
    bundle = outs["bundles"].pop("browser")
    assert bundle["pass_phrase"] == PHRASE
    assert PHRASE not in texts(outs)
    assert set(outs["clients"]["browser"]) == {
        *client("browser"),
        "not_before",
        "not_after",
        "issued_because",
    }


def test_a_pass_phrase_no_longer_asked_for_is_kept(kept_register, ca):
    kept_register.up(register(ca, two(pass_phrase=PHRASE)))
    assert kept_register.up(register(ca)) == "same"
    assert kept_register.seen["bundles"]["browser"]["pass_phrase"] == PHRASE


def test_a_renewed_ca_moves_nothing(kept_register, ca, clock):
    clock("10d")
    assert ca.up({**AUTHORITY, "validity": "3000d"}) == "update"
    assert kept_register.up(register(ca)) == "same"


def test_what_is_issued_after_a_renewal_has_the_renewed_ca_in_its_chain(kept_register, ca, clock):
    first = ca.outputs["certificate"]
    clock("10d")
    ca.up({**AUTHORITY, "validity": "3000d"})
    kept_register.up(register(ca, {**TWO, "tablet": client("tablet")}))
    chains = {name: bundle["chain"] for name, bundle in kept_register.seen["bundles"].items()}
    assert chains == {"browser": first, "phone": first, "tablet": ca.outputs["certificate"]}


def test_another_ca_issues_all_anew_for_a_whole_term(kept_register, ca, clock):
    before = serials(kept_register)
    clock("10d")
    assert ca.up({**AUTHORITY, "subject": {"common_name": "Other CA"}}) == "replace"
    assert kept_register.preview(register(ca)).changes is True
    assert kept_register.up(register(ca)) == "update"
    authority = certificates.load(ca.outputs["certificate"])
    for name, bundle in kept_register.seen["bundles"].items():
        certificates.load(bundle["certificate"]).verify_directly_issued_by(authority)
        assert kept_register.seen["inventory"][name]["not_before"] == "2026-03-24T00:00:00Z"
        assert statuses(kept_register, name) == ["superseded", "valid"]
        assert serials(kept_register)[name] != before[name]
    assert kept_register.seen["ca_key_id"] == ca.outputs["key_id"]
    assert kept_register.up(register(ca)) == "same"


def test_a_ca_replaced_by_hand_under_the_same_id_is_noticed(kept_register, ca):
    again = Kept(certificate_authority.Provider())
    again.up(AUTHORITY)
    assert again.outputs["key_id"] == ca.outputs["key_id"]
    assert kept_register.preview(register(again)).changes is True
    assert kept_register.up(register(again)) == "update"
    authority = certificates.load(again.outputs["certificate"])
    for bundle in kept_register.seen["bundles"].values():
        certificates.load(bundle["certificate"]).verify_directly_issued_by(authority)
    assert kept_register.up(register(again)) == "same"
