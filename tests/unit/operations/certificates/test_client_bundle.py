from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from operations import outputs as stack_outputs
from operations.certificates.client_bundle import write_bundle
from operations.errors import OperationError

PASS_PHRASE = 'pass "phrase" \\ of browser'
"""Pass phrase of the fixture's bundles; all that needs care in curl's and Java's option files."""

FILES = [
    "browser.p12",
    "browser.key",
    "passphrase.txt",
    "browser.crt",
    "chain.crt",
    "ca.crt",
    "install.txt",
]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_files_are_written_for_their_owner_only(found, out):
    before = os.umask(0)
    try:
        written = write_bundle(found, "browser", out)
    finally:
        os.umask(before)
    assert written == [out / name for name in FILES]
    assert names(out) == sorted(FILES)
    assert mode(out) == 0o700
    assert {mode(path) for path in written} == {0o600}


def test_files_hold_what_their_names_say(found, out, pki):
    write_bundle(found, "browser", out)
    files = content(out)
    assert files["passphrase.txt"] == f"{PASS_PHRASE}\n".encode()
    key, certificate, chain = pkcs12.load_key_and_certificates(
        files["browser.p12"], PASS_PHRASE.encode()
    )
    assert key.private_numbers() == pki.browser.key.private_numbers()
    assert (certificate, chain) == (pki.browser.certificate, [pki.ca.certificate])
    pem_key = serialization.load_pem_private_key(files["browser.key"], PASS_PHRASE.encode())
    assert pem_key.private_numbers() == pki.browser.key.private_numbers()
    assert b"ENCRYPTED PRIVATE KEY" in files["browser.key"]
    assert files["browser.crt"].decode() == pki.browser.pem
    assert files["chain.crt"].decode() == files["ca.crt"].decode() == pki.ca.pem


def test_bundle_of_the_same_client_is_replaced(found, out, document, pki):
    write_bundle(found, "browser", out)
    renewed = document()
    renewed["client_bundles"]["browser"] = {
        **renewed["client_bundles"]["partner"],
        "pass_phrase": "another",
    }
    write_bundle(stack_outputs.parse(renewed), "browser", out)
    assert (out / "browser.crt").read_text() == pki.partner.pem
    assert (out / "passphrase.txt").read_text() == "another\n"
    assert {mode(out / name) for name in FILES} == {0o600}


def test_directory_of_another_client_is_refused(found, out):
    write_bundle(found, "partner", out)
    before = content(out)
    with pytest.raises(OperationError, match=r"holds partner\.p12, another client's") as raised:
        write_bundle(found, "browser", out)
    assert str(raised.value).endswith(f"such as {out / 'browser'}.")
    assert content(out) == before
    assert write_bundle(found, "browser", out / "browser")


@pytest.mark.parametrize("name", ["passphrase.txt", "ca.crt", "browser.key"])
def test_file_of_someone_else_is_not_overwritten(found, tmp_path, name):
    (tmp_path / name).write_text("somebody else's\n")
    with pytest.raises(OperationError, match=f"holds another {name}.* such as"):
        write_bundle(found, "browser", tmp_path)
    assert content(tmp_path) == {name: b"somebody else's\n"}


def test_interrupted_writing_can_be_completed(found, out):
    write_bundle(found, "browser", out)
    for name in FILES[1:]:
        (out / name).unlink()
    (out / "ca.crt").write_text("of an earlier CA\n")
    write_bundle(found, "browser", out)
    assert names(out) == sorted(FILES)


@pytest.mark.parametrize("bits", [0o720, 0o702, 0o777])
def test_directory_that_others_can_write_to_is_refused(found, out, bits):
    out.mkdir()
    out.chmod(bits)
    with pytest.raises(OperationError, match=rf"Other users can write to .*mode 0{bits:o}"):
        write_bundle(found, "browser", out)
    assert not names(out)


def test_existing_directory_that_others_can_only_read_is_taken_as_it_is(found, out):
    out.mkdir(mode=0o755)
    out.chmod(0o755)
    write_bundle(found, "browser", out)
    assert mode(out) == 0o755


def test_directory_of_another_user_is_refused(found, out, monkeypatch):
    out.mkdir()
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(OperationError, match="belongs to another user"):
        write_bundle(found, "browser", out)
    assert not names(out)


def test_link_is_replaced_and_not_followed(found, out, tmp_path):
    write_bundle(found, "browser", out)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    (out / "browser.key").unlink()
    (out / "browser.key").symlink_to(elsewhere)
    write_bundle(found, "browser", out)
    assert elsewhere.read_text() == "kept"
    assert not (out / "browser.key").is_symlink()


def test_failure_leaves_no_scratch_file(found, out):
    write_bundle(found, "browser", out)
    (out / "browser.key").unlink()
    (out / "browser.key").mkdir()
    with pytest.raises(OperationError, match=r"browser\.key cannot be written: Is a directory\."):
        write_bundle(found, "browser", out)
    assert names(out) == sorted(FILES)


def test_file_in_place_of_the_directory(found, out):
    out.write_text("")
    with pytest.raises(OperationError, match=r"cannot be written: Not a directory\."):
        write_bundle(found, "browser", out)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("brwoser", "no client 'brwoser'; there are browser, partner; did you mean browser?"),
        ("x", "no client 'x'; there are browser, partner."),
        ("../browser", "no client '../browser'; there are browser, partner; did you mean browser?"),
    ],
)
def test_unknown_client_is_told_the_known_ones(found, out, name, sentence):
    with pytest.raises(OperationError, match=re.escape(sentence) + "$"):
        write_bundle(found, name, out)
    assert not out.exists()


def test_stack_without_clients(document, out):
    found = stack_outputs.parse(document(clients={}, client_bundles={}))
    with pytest.raises(OperationError, match="has no clients: configure one"):
        write_bundle(found, "browser", out)


@pytest.mark.parametrize("has_bundle", [True, False])
def test_revoked_client_is_refused(document, out, has_bundle):
    values = document()
    record = values["clients"]["browser"]
    record["status"] = "revoked"
    if not has_bundle:
        del values["client_bundles"]["browser"]
    serial = record["serial_number"]
    with pytest.raises(OperationError, match=rf"browser is revoked \(certificate {serial}\)"):
        write_bundle(stack_outputs.parse(values), "browser", out)
    assert not out.exists()


@pytest.mark.parametrize("name", ["ca", "chain", "CA"])
def test_client_named_like_a_file_of_the_bundle_is_refused(document, out, name):
    values = document()
    values["client_bundles"][name] = values["client_bundles"]["browser"]
    with pytest.raises(OperationError, match=rf"own {name.lower()}\.crt"):
        write_bundle(stack_outputs.parse(values), name, out)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("pass_phrase", "SECRET\nSECRET", "holds a line break"),
        ("pkcs12", "SECRETSE!", "is not base64"),
    ],
)
def test_unusable_bundle_is_refused_without_quoting_it(document, out, field, value, sentence):
    values = document()
    values["client_bundles"]["browser"][field] = value
    with pytest.raises(OperationError, match=sentence) as raised:
        write_bundle(stack_outputs.parse(values), "browser", out)
    assert "SECRET" not in str(raised.value)
    assert not out.exists()


def test_nothing_secret_is_printed(found, out, capfd):
    write_bundle(found, "browser", out)
    assert capfd.readouterr() == ("", "")
    shown = f"{found!r} {found} {found.client_bundles['browser']!r}"
    bundle = found.client_bundles["browser"]
    for secret in (bundle.pass_phrase, bundle.private_key, bundle.pkcs12):
        value = secret.get_secret_value()
        assert value not in shown
        assert repr(value)[1:-1] not in shown


def test_a_client_that_keeps_its_key_gets_certificates_alone(document, out):
    bundles = document()["client_bundles"]
    own = {name: bundles["browser"][name] for name in ("certificate", "chain")}
    found = stack_outputs.parse(document(client_bundles={**bundles, "browser": own}))
    write_bundle(found, "browser", out)
    assert names(out) == ["browser.crt", "ca.crt", "chain.crt", "install.txt"]
    text = (out / "install.txt").read_text()
    assert "openssl pkcs12 -export -inkey own.key -in browser.crt" in text
    assert "passphrase.txt" not in text


def test_what_stands_between_a_client_and_the_ca_goes_along(document, out, pki):
    following = pki.server.pem
    found = stack_outputs.parse(document(next_ca_certificate=following))
    write_bundle(found, "browser", out)
    # The CA itself is self-signed, and the listener has it.
    assert (out / "browser.crt").read_text() == found.client_bundles["browser"].certificate
    assert (out / "ca.crt").read_text() == found.ca_certificate + following
