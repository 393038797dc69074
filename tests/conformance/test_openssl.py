"""OpenSSL, in its strict mode: who is trusted for what, revocation, and bundles."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime

import pytest

from components.pki.windows import read_time
from tests.conformance.judges import answer, ask, put
from tests.conformance.specimens import (
    ADDRESSES,
    HOLDERS,
    HOST,
    LEAVES,
    NAMES,
    PHRASE,
    SUBJECTS,
    bundle,
    ca_of,
    client,
    crl,
    every_reason,
    list_issuer,
    revoked,
    specimen,
    trusted_ca,
)

pytestmark = pytest.mark.commands("openssl")


def verify(tmp_path, made, *options):
    trusted = put(tmp_path, "ca.crt", made.authority)
    leaf = put(tmp_path, "leaf.crt", made.pem)
    between = ("-untrusted", put(tmp_path, "chain.crt", made.chain)) if made.chain else ()
    fixed = ("-x509_strict", "-CAfile", trusted, *between)
    return answer("openssl", "verify", *fixed, *options, leaf)


def purpose(made):
    return () if made.purpose == "any" else ("-purpose", f"ssl{made.purpose}")


@pytest.mark.parametrize("name", NAMES)
def test_strict_verification_finds_no_fault(tmp_path, name):
    made = specimen(name)
    status, printed = verify(tmp_path, made, "-check_ss_sig", *purpose(made))
    assert (status, printed) == (0, f"{tmp_path}/leaf.crt: OK\n")


@pytest.mark.parametrize("name", LEAVES)
def test_a_leaf_serves_no_purpose_but_its_own(tmp_path, name):
    made = specimen(name)
    other = {"client": "sslserver", "server": "sslclient"}[made.purpose]
    for wrong in (other, "smimesign", "timestampsign"):
        status, printed = verify(tmp_path, made, "-purpose", wrong)
        assert status != 0
        assert re.search("unsuitable certificate purpose|unsupported certificate purpose", printed)


@pytest.mark.parametrize("name", [name for name in LEAVES if name.startswith("server")])
def test_a_server_is_found_under_its_names_and_no_others(tmp_path, name):
    made = specimen(name)
    assert verify(tmp_path, made, "-verify_hostname", HOST)[0] == 0
    assert verify(tmp_path, made, "-verify_hostname", "www.example.org")[0] != 0
    for address in ADDRESSES:
        assert verify(tmp_path, made, "-verify_ip", address)[0] == 0
    assert verify(tmp_path, made, "-verify_ip", "192.0.2.11")[0] != 0


@pytest.mark.parametrize("ca", SUBJECTS)
def test_an_e_mail_address_is_found(tmp_path, ca):
    made = specimen(f"client with e-mail, {ca}")
    assert verify(tmp_path, made, "-verify_email", "mueller@example.com")[0] == 0
    assert verify(tmp_path, made, "-verify_email", "maier@example.com")[0] != 0


@pytest.mark.parametrize("ca", SUBJECTS)
@pytest.mark.parametrize("entries", [[], every_reason()], ids=["empty", "every reason"])
def test_who_is_not_on_the_list_passes_the_check_against_it(tmp_path, ca, entries):
    listed = put(tmp_path, "list.pem", crl(entries, ca))
    status, printed = verify(tmp_path, client(ca), "-crl_check", "-CRLfile", listed)
    assert (status, printed) == (0, f"{tmp_path}/leaf.crt: OK\n")


@pytest.mark.parametrize("ca", SUBJECTS)
def test_who_is_on_the_list_does_not_pass(tmp_path, ca):
    made = client(ca)
    listed = put(tmp_path, "list.pem", crl([revoked(made.certificate)], ca))
    status, printed = verify(tmp_path, made, "-crl_check", "-CRLfile", listed)
    assert status != 0
    assert "certificate revoked" in printed


@pytest.mark.parametrize("ca", SUBJECTS)
@pytest.mark.parametrize("entries", [[], every_reason()], ids=["empty", "every reason"])
def test_the_lists_signature_is_the_cas(tmp_path, ca, entries):
    trusted = put(tmp_path, "ca.crt", list_issuer(ca))
    printed = ask("openssl", "crl", "-noout", "-CAfile", trusted, text=crl(entries, ca))
    assert printed == "verify OK\n"


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("encoding", ["modern", "legacy"])
def test_a_bundle_opens_without_a_word_and_its_chain_verifies(tmp_path, encoding, holder):
    content = base64.b64decode(bundle(encoding, holder).pkcs12)
    phrase = ("-passin", f"file:{put(tmp_path, 'phrase', PHRASE)}")
    packed = put(tmp_path, "client.p12", content)
    read = ("openssl", "pkcs12", "-in", packed, *phrase)
    assert ask(*read, "-noout") == ""
    leaf = put(tmp_path, "leaf.crt", ask(*read, "-nokeys", "-clcerts"))
    chain = put(tmp_path, "chain.crt", ask(*read, "-nokeys", "-cacerts"))
    trusted = put(tmp_path, "ca.crt", trusted_ca(ca_of(holder)))
    fixed = ("-purpose", "sslclient", "-untrusted", chain, "-CAfile", trusted)
    verified = ask("openssl", "verify", *fixed, leaf)
    assert verified == f"{leaf}: OK\n"
    # The same key by itself, as PKCS#8.
    made = bundle(encoding, holder)
    own = ask("openssl", "pkey", *phrase, "-pubout", text=made.private_key)
    assert own == ask("openssl", "x509", "-noout", "-pubkey", text=made.certificate)


def test_a_list_is_not_dated_before_its_last_entry():
    earlier = revoked(specimen("server, ascii").certificate, minutes_ago=3)
    later = revoked(client("ascii").certificate, minutes_ago=2)
    printed = ask("openssl", "crl", "-noout", "-lastupdate", text=crl([earlier, later]))
    dated = datetime.strptime(printed.strip(), "lastUpdate=%b %d %H:%M:%S %Y GMT")
    assert dated.replace(tzinfo=UTC) == read_time(later.revoked_at)
