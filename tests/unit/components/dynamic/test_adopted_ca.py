"""A CA that was made elsewhere goes on: its key, its name, and what it has issued."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from components.dynamic import certificate_authority, certificate_register, revocation_list
from components.pki import certificates, durations, keys
from components.pki.authority_planning import renewed_before_end
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window, show_time
from tests.unit.components.dynamic.engine import Kept, texts
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    by_the_next,
    client,
    register,
    revocations,
)
from tests.unit.components.pki import odd
from tests.unit.components.pki.material import NOW, small_key

KEY = small_key()
SUBJECT = distinguished_name({"common_name": "Old CA", "organization": "Example Ltd"})
IDENTIFIER = x509.SubjectKeyIdentifier(b"of its own")
DATABASE = (
    "V\t271124121929Z\t\tFACE\tunknown\t/CN=phone\n"
    "R\t271124121929Z\t260301121930Z,keyCompromise\tFACF\tunknown\t/CN=leaver\n"
)
INDEX = {"index": DATABASE, "adopted_key_id": IDENTIFIER.digest.hex()}
LONG, SHORT = timedelta(days=3650), timedelta(days=100)


def certificate(validity=LONG, path_length=None):
    """PEM of a CA's certificate that began a week ago, with a key identifier of its own."""
    week_ago = NOW.replace(microsecond=0) - timedelta(days=7)
    built = (
        x509.CertificateBuilder()
        .subject_name(SUBJECT)
        .issuer_name(SUBJECT)
        .public_key(KEY.public_key())
        .serial_number(7)
        .not_valid_before(week_ago)
        .not_valid_after(week_ago + validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(IDENTIFIER, critical=False)
        .sign(KEY, hashes.SHA256())
    )
    return certificates.pem(built)


def adopting(pem=None, **changes):
    """Inputs of a CA that was brought along with its key."""
    return {
        **AUTHORITY,
        "subject": {"common_name": "Old CA", "organization": "Example Ltd"},
        "adopted_certificate": pem or certificate(),
        "adopted_private_key": keys.pkcs1(KEY),
        **changes,
    }


@pytest.fixture
def adopted(made_keys):
    kept = Kept(certificate_authority.Provider())
    assert kept.up(adopting()) == "create"
    # Of the expired client that verification shows, and no other.
    assert len(made_keys) == 1
    return kept


def test_a_ca_that_is_not_due_is_taken_as_it_is(adopted):
    assert adopted.outputs["certificate"] == certificate()
    assert adopted.outputs["private_key"] == keys.pkcs1(KEY)
    assert adopted.inputs["issued_because"] == "brought along"
    assert adopted.inputs["key_bits"] == 1024
    assert adopted.up(adopting()) == "same"
    assert keys.pkcs1(KEY) not in texts({**adopted.outputs, "private_key": ""})


def test_a_ca_that_ends_soon_stays_as_it_is_until_half_of_what_was_left_has_passed(clock):
    kept = Kept(certificate_authority.Provider())
    news = adopting(certificate(SHORT))
    kept.up(news)
    assert kept.outputs["certificate"] == news["adopted_certificate"]
    own = certificates.load(news["adopted_certificate"])
    told = own.not_valid_after_utc - durations.parse(told_before_end(kept, news))
    assert NOW + timedelta(days=46) < told < NOW + timedelta(days=47)
    clock("46d")  # Of 93 that were left.
    assert kept.up(news) == "same"
    clock("47d")
    assert kept.up(news) == "update"
    renewed = certificates.load(kept.outputs["certificate"])
    assert renewed.public_key() == KEY.public_key()
    assert certificates.key_identifier(renewed) == IDENTIFIER
    assert show_time(renewed.not_valid_before_utc) == "2026-04-30T00:00:00Z"
    assert kept.inputs["issued_because"].startswith("renewal due since 20")
    assert kept.up(news) == "same"
    assert told_before_end(kept, news) == news["renew_before"]


def told_before_end(kept, news):
    """What the outputs say of when it is due."""
    outs = kept.outputs
    return renewed_before_end(
        news["adopted_certificate"], outs["certificate"], outs["adopted_at"], news["renew_before"]
    )


def test_a_ca_that_had_expired_is_renewed_at_once_and_the_preview_says_so(clock):
    clock("101d")
    kept = Kept(certificate_authority.Provider())
    kept.up(adopting(certificate(SHORT)))
    renewed = certificates.load(kept.outputs["certificate"])
    assert show_time(renewed.not_valid_before_utc) == "2026-06-23T00:00:00Z"
    because = "brought along after it had expired at 2026-06-15T15:09:26Z"
    assert kept.inputs["issued_because"] == because
    assert kept.up(adopting(certificate(SHORT))) == "same"


def test_one_that_an_earlier_version_renewed_gets_its_serial_number_back(adopted):
    window = Window(NOW.replace(microsecond=0), NOW.replace(microsecond=0) + LONG)
    renewed = certificates.issue_authority(SUBJECT, KEY, window)
    del adopted.inputs["adopted_at"], adopted.inputs["certificate"]
    for kept in (adopted.inputs, adopted.outputs):
        kept |= {**window.properties(), "issued_because": "renewal due since 2026-03-01T00:00:00Z"}
    adopted.outputs["certificate"] = certificates.pem(renewed)
    assert adopted.preview(adopting()).changes
    because = "issued again with the serial number that it was brought along with"
    assert adopted.checked(adopting())["issued_because"] == because
    assert adopted.up(adopting()) == "update"
    mended = certificates.load(adopted.outputs["certificate"])
    assert mended.serial_number == 7 != renewed.serial_number
    assert certificates.key_identifier(mended) == IDENTIFIER
    assert Window.of_certificate(mended) == window
    assert adopted.up(adopting()) == "same"


def test_it_is_renewed_when_its_time_comes(adopted, clock):
    clock("2915d")
    assert adopted.up(adopting()) == "update"
    renewed = certificates.load(adopted.outputs["certificate"])
    assert certificates.key_identifier(renewed) == IDENTIFIER
    assert renewed.public_key() == KEY.public_key()


def test_a_certificate_that_its_owner_renewed_takes_its_place(adopted):
    another = certificate(LONG + timedelta(days=1))
    assert adopted.preview(adopting(another)).replaces == []
    assert adopted.up(adopting(another)) == "update"
    assert adopted.outputs["certificate"] == another


def test_another_key_is_another_ca(adopted, ca):
    assert adopted.preview(AUTHORITY).replaces
    other = adopting(ca.outputs["certificate"], adopted_private_key=ca.outputs["private_key"])
    assert adopted.preview(other).replaces == ["adopted_key_sha256"]


def test_without_its_key_it_is_taken_and_never_renewed(made_keys, clock):
    news = adopting()
    del news["adopted_private_key"]
    kept = Kept(certificate_authority.Provider())
    kept.up(news)
    assert not {"private_key", "expired_probe"} & set(kept.outputs)
    assert made_keys == []
    clock("3600d")
    assert kept.up(news) == "same"


def without_its_key():
    news = adopting()
    del news["adopted_private_key"]
    return news


def test_a_key_that_is_given_later_is_taken(made_keys):
    kept = Kept(certificate_authority.Provider())
    kept.up(without_its_key())
    assert kept.preview(adopting()).replaces == []
    assert kept.up(adopting()) == "update"
    assert kept.outputs["certificate"] == certificate()
    assert kept.outputs["private_key"] == keys.pkcs1(KEY)
    probe = certificates.load(kept.outputs["expired_probe"]["certificate"])
    assert certificates.signed_by(probe, certificates.load(certificate()))
    assert len(made_keys) == 1
    assert kept.up(adopting()) == "same"


def test_a_preview_knows_the_certificate_that_stays_as_it_is(adopted, clock):
    pem = certificate()
    assert adopted.inputs["certificate"] == pem
    assert adopted.checked(without_its_key())["certificate"] == pem
    # It would have to let one more CA stand below it.
    rotating = adopting(certificate(path_length=0), next_generation=2)
    assert "certificate" not in adopted.checked(rotating)
    clock("2915d")
    assert "certificate" not in adopted.checked(adopting())
    assert adopted.checked(without_its_key())["certificate"] == pem


def test_the_numbers_of_its_lists_go_on_when_its_key_comes_back(adopted, kept_register):
    listed = Kept(revocation_list.Provider())
    news = revocations(adopted, kept_register, first_number=7)
    keyless = {name: value for name, value in news.items() if name != "ca_private_key"}
    assert listed.up(news) == "create"
    assert listed.up({**news, "revision": "another"}) == "update"
    assert listed.outputs["number"] == "8"
    assert listed.up(keyless) == "update"
    assert "revocation_list" not in listed.outputs
    assert listed.outputs["number"] == "8"
    assert listed.up(keyless) == "same"
    assert listed.up(news) == "update"
    assert (listed.outputs["number"], number(listed)) == ("9", 9)
    assert listed.up(news) == "same"


def test_without_its_key_there_is_no_list_until_it_is_given(adopted, kept_register):
    listed = Kept(revocation_list.Provider())
    news = revocations(adopted, kept_register, first_number=7)
    keyless = {name: value for name, value in news.items() if name != "ca_private_key"}
    assert listed.up(keyless) == "create"
    assert "revocation_list" not in listed.outputs
    assert listed.up(keyless) == "same"
    assert listed.up(news) == "update"
    assert (listed.outputs["number"], number(listed)) == ("7", 7)


def test_a_number_that_is_said_later_holds_from_the_next_list_on(adopted, kept_register):
    listed = Kept(revocation_list.Provider())
    news = revocations(adopted, kept_register)
    listed.up(news)
    assert listed.up({**news, "first_number": 4097}) == "same"
    listed.up({**news, "first_number": 4097, "revision": "another"})
    assert number(listed) == 4097


def number(listed):
    found = x509.load_pem_x509_crl(listed.outputs["revocation_list"].encode())
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_a_key_that_is_taken_away_is_forgotten(adopted):
    assert adopted.up(without_its_key()) == "update"
    assert adopted.outputs["certificate"] == certificate()
    assert not {"private_key", "expired_probe"} & set(adopted.outputs)
    assert adopted.up(without_its_key()) == "same"


def test_without_its_key_its_own_certificate_takes_the_place_of_a_renewed_one(adopted, clock):
    clock("2915d")
    adopted.up(adopting())
    assert adopted.outputs["certificate"] != certificate()
    assert adopted.up(without_its_key()) == "update"
    assert adopted.outputs["certificate"] == certificate()


@pytest.mark.parametrize("name", [{}, {"country": "cn", "organization": " Example "}])
def test_its_name_may_be_one_that_no_new_ca_gets(name):
    kept = Kept(certificate_authority.Provider())
    assert kept.up(adopting(subject=name)) == "create"
    assert kept.up(adopting(subject=name)) == "same"


@pytest.mark.parametrize("path_length", [None, 0, 1])
def test_it_is_rotated_like_any_other(path_length):
    pem = certificate(path_length=path_length)
    kept = Kept(certificate_authority.Provider())
    kept.up(adopting(pem))
    preparing = adopting(pem, next_generation=2)
    assert kept.up(preparing) == "update"
    assert (kept.outputs["certificate"] == pem) == (path_length != 0)
    present = certificates.load(kept.outputs["certificate"])
    assert certificates.key_identifier(present) == IDENTIFIER
    crossed = certificates.load(kept.outputs["cross_certificate"])
    crossed.verify_directly_issued_by(present)
    following = kept.outputs["next_certificate"]
    # Generation 2 is not the one that was brought along.
    completed = {**AUTHORITY, "subject": preparing["subject"], "generation": 2}
    assert kept.up(completed) == "update"
    assert kept.outputs["certificate"] == following
    assert kept.up(completed) == "same"


@pytest.fixture
def kept_register(adopted):
    kept = Kept(certificate_register.Provider())
    assert kept.up(register(adopted, {"browser": client("browser")}, **INDEX)) == "create"
    return kept


def entries(kept):
    return {entry["serial_number"]: entry for entry in kept.seen["issued"] if "imported" in entry}


def test_what_it_has_issued_is_entered_under_its_key(kept_register, adopted):
    found = entries(kept_register)
    assert {serial: one["status"] for serial, one in found.items()} == {
        "face": "valid",
        "facf": "revoked",
    }
    assert {one["authority_key_id"] for one in found.values()} == {IDENTIFIER.digest.hex()}
    assert set(kept_register.seen["inventory"]) == {"browser"}
    same = register(adopted, {"browser": client("browser")}, **INDEX)
    assert kept_register.up(same) == "same"


def test_what_it_has_issued_is_under_its_key_even_if_the_next_ca_issues(adopted):
    adopted.up(adopting(next_generation=2))
    kept = Kept(certificate_register.Provider())
    news = register(adopted, {"browser": client("browser")}, **INDEX, **by_the_next(adopted))
    assert kept.up(news) == "create"
    found = entries(kept)
    assert {one["authority_key_id"] for one in found.values()} == {IDENTIFIER.digest.hex()}
    (own,) = (one for one in kept.seen["issued"] if one["serial_number"] not in found)
    following = certificates.load(adopted.outputs["next_certificate"])
    assert own["authority_key_id"] == certificates.key_identifier(following).digest.hex()


def test_what_it_has_issued_stays_revoked_on_its_list_through_a_rotation(adopted):
    kept, listed = Kept(certificate_register.Provider()), Kept(revocation_list.Provider())
    clients = {"browser": client("browser")}
    kept.up(register(adopted, clients, **INDEX))
    adopted.up(adopting(next_generation=2))
    kept.up(register(adopted, clients, **INDEX, **by_the_next(adopted)))
    following = {f"next_{name}": value for name, value in by_the_next(adopted).items()}
    following["next_ca_certificate"] = adopted.outputs["next_certificate"]
    listed.up(revocations(adopted, kept, **following))
    by_present, by_next = (
        x509.load_pem_x509_crl(listed.outputs[name].encode())
        for name in ("revocation_list", "next_revocation_list")
    )
    assert [entry.serial_number for entry in by_present] == [0xFACF]
    assert by_present.issuer == SUBJECT
    assert list(by_next) == []


def test_what_it_has_issued_is_remembered_without_the_database(kept_register, adopted):
    news = register(adopted, {"browser": client("browser")})
    assert kept_register.up(news) == "same"
    news = register(adopted, {"browser": client("browser", key_bits=4096)})
    assert kept_register.up(news) == "update"
    assert set(entries(kept_register)) == {"face", "facf"}


@pytest.mark.parametrize("name", ["phone", "face"])
def test_what_it_has_issued_is_revoked_by_name_or_serial_number(kept_register, adopted, name):
    revoked = {name: "superseded"}
    news = register(adopted, {"browser": client("browser")}, **INDEX, revoked=revoked)
    revision = kept_register.outputs["revision"]
    assert kept_register.up(news) == "update"
    assert entries(kept_register)["face"]["reason"] == "superseded"
    assert kept_register.outputs["revision"] != revision
    assert kept_register.up(news) == "same"


def test_a_revocation_that_the_database_learns_later_is_taken_over(kept_register, adopted):
    later = DATABASE.replace("V\t271124121929Z\t\t", "R\t271124121929Z\t260310000000Z\t")
    news = register(adopted, {"browser": client("browser")}, **{**INDEX, "index": later})
    assert kept_register.up(news) == "update"
    assert entries(kept_register)["face"]["revoked_at"] == "2026-03-10T00:00:00Z"
    assert kept_register.up(news) == "same"


def test_a_client_of_the_same_name_succeeds_what_was_issued_before(kept_register, adopted):
    clients = {"browser": client("browser"), "phone": client("phone")}
    assert kept_register.up(register(adopted, clients, **INDEX)) == "update"
    assert entries(kept_register)["face"]["status"] == "superseded"
    news = register(adopted, {"browser": client("browser")}, **INDEX)
    assert kept_register.up(news) == "update"
    assert entries(kept_register)["face"]["reason"] == "cessationOfOperation"
    assert kept_register.up(news) == "same"


OTHERS = "V\t360311150926Z\t\t07\tunknown\t/O=Example Ltd/CN=Old CA\n"


def test_what_is_known_to_be_no_clients_is_not_entered(kept_register, adopted):
    # `CA.pl -newca` enters the CA's own certificate in its index.
    clients = {"browser": client("browser")}
    mixed = {**INDEX, "index": DATABASE + OTHERS}
    assert kept_register.up(register(adopted, clients, **mixed, others=["07", "facf"])) == "same"
    # An earlier version entered it.
    assert kept_register.up(register(adopted, clients, **mixed)) == "update"
    assert set(entries(kept_register)) == {"07", "face", "facf"}
    news = register(adopted, clients, **mixed, others=["07", "facf"])
    assert kept_register.up(news) == "update"
    assert set(entries(kept_register)) == {"face", "facf"}
    assert kept_register.up(news) == "same"


def test_a_database_that_cannot_be_read_is_a_failure(adopted):
    with pytest.raises(ValueError, match="index: line 1 is none of"):
        Kept(certificate_register.Provider()).checked(register(adopted, {}, index="nonsense"))


def issued_before():
    """PEM of a client's certificate that the CA issued before it was brought along."""
    window = Window(NOW.replace(microsecond=0), NOW.replace(microsecond=0) + timedelta(days=9))
    issuer = Issuer(certificates.load(certificate()), KEY)
    subject = distinguished_name({"common_name": "phone"})
    return certificates.pem(
        certificates.issue_client(issuer, subject, small_key().public_key(), window)
    )


def test_one_that_is_entered_in_a_rotation_stands_under_the_ca_that_signed_it(adopted):
    adopted.up(adopting(next_generation=2))
    held = issued_before()
    clients = {"phone": client("phone", certificate=held), "browser": client("browser")}
    present = {"present_ca_certificate": adopted.outputs["certificate"]}
    kept = Kept(certificate_register.Provider())
    assert kept.up(register(adopted, clients, **by_the_next(adopted), **present)) == "create"
    found = kept.seen["bundles"]
    assert found["phone"] == {"certificate": held, "chain": adopted.outputs["certificate"]}
    assert found["browser"]["chain"] == adopted.outputs["cross_certificate"]


def test_a_certificate_that_it_issued_is_entered_and_nothing_made(adopted, made_keys):
    made = len(made_keys)
    held = issued_before()
    news = register(adopted, {"phone": client("phone", certificate=held)}, ca_private_key=None)
    del news["ca_private_key"]
    kept = Kept(certificate_register.Provider())
    assert kept.up(news) == "create"
    assert len(made_keys) == made
    assert kept.seen["bundles"]["phone"] == {
        "certificate": held,
        "chain": certificate(),
    }
    (entry,) = kept.seen["issued"]
    assert entry["serial_number"] == certificates.serial_number(certificates.load(held))
    assert entry["not_after"] == show_time(certificates.load(held).not_valid_after_utc)
    assert kept.up(news) == "same"


@pytest.mark.parametrize("serial", [0, 1, 0x80, (1 << 160) - 1, 1 << 160, 1 << 400])
def test_an_entered_certificate_of_any_number_is_read_again_and_listed(serial):
    """RFC 5280, 4.1.2.2 asks for at most 20 octets, and to handle others gracefully."""
    ca, kept, listed = (
        Kept(certificate_authority.Provider()),
        Kept(certificate_register.Provider()),
        Kept(revocation_list.Provider()),
    )
    ca.up(adopting())
    entered = odd.certificate(issuer=SUBJECT.public_bytes(), serial=serial, signer=KEY)
    holder = {"phone": client("phone", certificate=entered)}
    assert kept.up(register(ca, holder)) == "create"
    assert kept.up(register(ca, holder)) == "same"
    assert kept.up(register(ca, {})) == "update"
    listed.up(revocations(ca, kept))
    [entry] = x509.load_pem_x509_crl(listed.outputs["revocation_list"].encode())
    assert entry.serial_number == serial


def test_a_negative_number_that_an_earlier_version_let_in_is_read_again():
    ca, kept, listed = (
        Kept(certificate_authority.Provider()),
        Kept(certificate_register.Provider()),
        Kept(revocation_list.Provider()),
    )
    ca.up(adopting())
    entered = odd.certificate(issuer=SUBJECT.public_bytes(), serial=-5, signer=KEY)
    kept.up(register(ca, {"phone": client("phone", certificate=entered)}))
    assert kept.up(register(ca, {})) == "update"
    listed.up(revocations(ca, kept))
    assert not list(x509.load_pem_x509_crl(listed.outputs["revocation_list"].encode()))
