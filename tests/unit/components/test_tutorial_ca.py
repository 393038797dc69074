"""The CA that the tutorial's own commands make goes on under the program, judged by OpenSSL."""

from __future__ import annotations

import pytest
from cryptography import x509

from components.arguments.certificates import CertificateAuthorityArguments
from components.dynamic import certificate_authority, certificate_register, revocation_list
from components.pki import brought_along, certificates, openssl_database
from tests.engine.tutorial_ca import TutorialCA
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import (
    LIST,
    by_the_next,
    client,
    register,
    revocations,
    signer,
)
from tests.unit.components.pki.material import needs_openssl, openssl

pytestmark = needs_openssl

NAME = "www.example.com/emailAddress=ca@example.com"
AS_IT_WAS = {"validity": "365d", "renew_before": "30d"}
RENEWED = {"validity": "3650d", "renew_before": "730d"}


@pytest.fixture(scope="module", params=["sha256", "md5"])
def tutorial(request, tmp_path_factory):
    return TutorialCA(tmp_path_factory.mktemp("ca"), NAME, request.param)


@pytest.fixture
def adopting(tutorial):
    """Makes inputs of the CA."""
    configured = CertificateAuthorityArguments(
        certificate=tutorial.read("private/ca.crt"), private_key=tutorial.read("private/ca.key")
    )

    def made(**values):
        return {
            "subject": configured.distinguished_name("unused"),
            "key_bits": 2048,
            "adopted_certificate": configured.certificate,
            "adopted_private_key": configured.private_key.get_secret_value(),
            **values,
        }

    return made


@pytest.fixture
def index(tutorial):
    own = certificates.load(tutorial.read("private/ca.crt"))
    return {
        "index": tutorial.read("index.txt"),
        "adopted_key_id": certificates.key_identifier(own).digest.hex(),
    }


def adopted(inputs):
    """The CA after it was brought along, and renewed where that was asked for."""
    kept = Kept(certificate_authority.Provider())
    assert kept.up({**inputs, **AS_IT_WAS}) == "create"
    assert kept.outputs["certificate"] == inputs["adopted_certificate"]
    assert kept.up(inputs) == ("same" if inputs["validity"] == "365d" else "update")
    return kept


@pytest.fixture
def verify(tmp_path):
    """Whether a client's certificate is good for OpenSSL under a CA and what stands between."""

    def judged(leaf, ca, *between, lists=None):
        (tmp_path / "ca").write_text(ca)
        options = ["-purpose", "sslclient", "-CAfile", str(tmp_path / "ca")]
        if between:
            (tmp_path / "between").write_text("".join(between))
            options += ["-untrusted", str(tmp_path / "between")]
        if lists is not None:
            (tmp_path / "list").write_text(lists)
            options += ["-crl_check", "-CRLfile", str(tmp_path / "list")]
        return openssl("verify", *options, text=leaf)

    return judged


def refused(reason):
    return pytest.raises(AssertionError, match=reason)


def test_it_is_of_version_1_and_taken_as_a_ca(tutorial):
    own = tutorial.read("private/ca.crt")
    assert certificates.load(own).version is x509.Version.v1
    assert brought_along.authority_certificate(own) == own


def test_its_renewal_keeps_name_key_and_identifier_and_what_it_has_issued(
    tutorial, adopting, verify
):
    before = certificates.load(tutorial.read("private/ca.crt"))
    renewed = adopted(adopting(**RENEWED)).outputs["certificate"]
    after = certificates.load(renewed)
    assert after.subject.public_bytes() == before.subject.public_bytes()
    assert after.public_key() == before.public_key()
    assert certificates.key_identifier(after) == certificates.key_identifier(before)
    assert after.version is x509.Version.v3
    assert after.signature_hash_algorithm.name == "sha256"
    assert after.serial_number == before.serial_number
    for ca in (tutorial.read("private/ca.crt"), renewed):
        verify(tutorial.read("users/client.crt"), ca)


def test_what_it_has_issued_is_known_by_name_and_number(tutorial):
    found = openssl_database.entries(tutorial.read("index.txt"))
    assert [(one.name, one.status, one.reason) for one in found] == [
        ("client", "valid", None),
        ("leaver", "revoked", "keyCompromise"),
    ]
    for entry in found:
        held = certificates.load(tutorial.read(f"users/{entry.name}.crt"))
        assert entry.serial_number == certificates.serial_number(held)
        assert entry.subject == held.subject.rfc4514_string()
        assert entry.not_after == held.not_valid_after_utc


@pytest.mark.parametrize("window", [RENEWED, AS_IT_WAS], ids=["renewed", "as it was"])
def test_its_list_names_who_was_revoked_before(tutorial, adopting, index, verify, window):
    ca = adopted(adopting(**window))
    kept = Kept(certificate_register.Provider())
    kept.up(register(ca, {}, **index))
    listed = Kept(revocation_list.Provider())
    listed.up(revocations(ca, kept, first_number=4097))
    lists = {"lists": listed.outputs["revocation_list"]}
    certificate = ca.outputs["certificate"]
    verify(tutorial.read("users/client.crt"), certificate, **lists)
    with refused("certificate revoked"):
        verify(tutorial.read("users/leaver.crt"), certificate, **lists)
    assert listed.outputs["number"] == "4097"


@pytest.mark.parametrize("window", [RENEWED, AS_IT_WAS], ids=["renewed", "as it was"])
def test_it_is_rotated_with_a_time_in_which_old_and_new_clients_are_accepted(
    tutorial, adopting, index, verify, window
):
    ca = adopted(adopting(**window))
    assert ca.up(adopting(**window, next_generation=2)) == "update"
    kept = Kept(certificate_register.Provider())
    kept.up(register(ca, {"new": client("new")}, **index, **by_the_next(ca)))
    present, following = ca.outputs["certificate"], ca.outputs["next_certificate"]
    assert (present == tutorial.read("private/ca.crt")) == (window == AS_IT_WAS)
    old, new = tutorial.read("users/client.crt"), kept.seen["bundles"]["new"]
    verify(old, present)
    verify(new["certificate"], present, new["chain"])
    verify(new["certificate"], following)
    with refused("unable to get local issuer"):
        verify(old, following)
    with refused("unable to get local issuer"):
        verify(new["certificate"], present)
    completed = {**adopting(**window), "generation": 2}
    del completed["adopted_certificate"], completed["adopted_private_key"]
    assert ca.up(completed) == "update"
    assert ca.outputs["certificate"] == following
    assert kept.up(register(ca, {"new": client("new")})) == "same"


def test_a_client_that_it_issued_is_revoked_on_its_list(tutorial, adopting, index, verify):
    ca = adopted(adopting(**RENEWED))
    held = brought_along.client_certificate(tutorial.read("users/client.crt"))
    brought_along.require_issued_by(held, adopting()["adopted_certificate"])
    kept, listed = Kept(certificate_register.Provider()), Kept(revocation_list.Provider())
    kept.up(register(ca, {"client": client("client", certificate=held)}, **index))
    assert {entry["serial_number"] for entry in kept.seen["issued"]} == {"face", "facf"}
    kept.up(register(ca, {}, **index, revoked={"client": "keyCompromise"}))
    listed.up({**LIST, **signer(ca), "issued": kept.seen["issued"]})
    with refused("certificate revoked"):
        verify(held, ca.outputs["certificate"], lists=listed.outputs["revocation_list"])


def test_a_client_that_it_issued_is_on_no_list_of_the_next_ca(tutorial, adopting, index):
    ca = adopted(adopting(**RENEWED))
    ca.up(adopting(**RENEWED, next_generation=2))
    held = {"client": client("client", certificate=tutorial.read("users/client.crt"))}
    kept, listed = Kept(certificate_register.Provider()), Kept(revocation_list.Provider())
    kept.up(register(ca, held, **index, **by_the_next(ca)))
    kept.up(register(ca, {}, **index, **by_the_next(ca)))
    following = {f"next_{name}": value for name, value in by_the_next(ca).items()}
    following["next_ca_certificate"] = ca.outputs["next_certificate"]
    listed.up(revocations(ca, kept, **following))
    by_present, by_next = (
        {entry.serial_number for entry in x509.load_pem_x509_crl(listed.outputs[name].encode())}
        for name in ("revocation_list", "next_revocation_list")
    )
    assert (by_present, by_next) == ({0xFACE, 0xFACF}, set())
    completed = {**adopting(**RENEWED), "generation": 2}
    del completed["adopted_certificate"], completed["adopted_private_key"]
    ca.up(completed)
    listed.up(revocations(ca, kept))
    assert list(x509.load_pem_x509_crl(listed.outputs["revocation_list"].encode())) == []
