"""GnuTLS: trust for each purpose and name, revocation, and bundles."""

from __future__ import annotations

import base64

import pytest

from tests.conformance.judges import answer, ask, put
from tests.conformance.specimens import (
    HOLDERS,
    HOST,
    LEAVES,
    NAMES,
    PHRASE,
    SUBJECTS,
    bundle,
    client,
    crl,
    every_reason,
    list_issuer,
    revoked,
    specimen,
)

pytestmark = pytest.mark.commands("certtool")

PURPOSES = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2"}
CHECKED_AGAINST_THEMSELVES = {"trusted authority, constrained", "authority, constrained"}
"""Asked about a CA's own certificate, GnuTLS takes its common name for a DNS name, and finds it
outside of its own constraints. What such a CA issues is trusted."""

TRUSTED = "Chain verification output: Verified. The certificate is trusted."


def verify(tmp_path, made, *options):
    trusted = put(tmp_path, "ca.pem", made.authority)
    leaf = put(tmp_path, "leaf.pem", made.pem + made.chain)
    # medium: RSA of 2048 bits and SHA-256 at the least.
    fixed = ("--verify-profile", "medium", "--load-ca-certificate", trusted, "--infile", leaf)
    return answer("certtool", "--verify", *fixed, *options)


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_is_trusted_for_its_purpose(tmp_path, name):
    made = specimen(name)
    options = ("--verify-purpose", PURPOSES[made.purpose]) if made.purpose != "any" else ()
    if made.purpose == "server":
        options += ("--verify-hostname", HOST)
    status, printed = verify(tmp_path, made, *options)
    if name in CHECKED_AGAINST_THEMSELVES:
        assert status != 0
        assert "violates the signer's constraints" in printed
        return
    assert status == 0, printed
    assert TRUSTED in printed
    assert "arning" not in printed


@pytest.mark.parametrize("name", LEAVES)
def test_a_leaf_is_trusted_for_no_other_purpose_or_name(tmp_path, name):
    made = specimen(name)
    other = {"client": "server", "server": "client"}[made.purpose]
    status, printed = verify(tmp_path, made, "--verify-purpose", PURPOSES[other])
    assert status != 0
    assert "does not match the intended purpose" in printed
    status, printed = verify(tmp_path, made, "--verify-hostname", "www.example.org")
    assert status != 0
    assert "The name in the certificate does not match the expected" in printed


@pytest.mark.parametrize("ca", SUBJECTS)
@pytest.mark.parametrize("entries", [[], every_reason()], ids=["empty", "every reason"])
def test_a_revocation_list_is_the_cas(tmp_path, ca, entries):
    trusted = put(tmp_path, "ca.pem", list_issuer(ca))
    command = ("certtool", "--verify-crl", "--load-ca-certificate", trusted)
    printed = ask(*command, text=crl(entries, ca))
    assert "Verification output: Verified. The certificate is trusted." in printed
    assert f"Revoked certificates ({len(entries)})" in printed or not entries


@pytest.mark.parametrize("ca", SUBJECTS)
def test_a_revoked_client_is_trusted_no_longer(tmp_path, ca):
    made = client(ca)
    for entries, trusted in [(every_reason(), True), ([revoked(made.certificate)], False)]:
        listed = put(tmp_path, "list.pem", crl(entries, ca))
        status, printed = verify(tmp_path, made, "--load-crl", listed)
        assert (status == 0) is trusted
        assert (TRUSTED in printed) is trusted
        assert ("certificate chain is revoked" in printed) is not trusted


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize(
    ("encoding", "mac", "cipher"),
    [("modern", "SHA256", "AES-256-CBC"), ("legacy", "SHA1", "3DES-CBC")],
)
def test_a_bundle_opens(tmp_path, encoding, mac, cipher, holder):
    packed = put(tmp_path, "client.p12", base64.b64decode(bundle(encoding, holder).pkcs12))
    # The phrase is the tests' own: certtool takes none from a file.
    printed = ask("certtool", "--p12-info", "--inder", "--password", PHRASE, "--infile", packed)
    assert f"MAC: {mac} " in printed
    assert printed.count(f"Cipher: {cipher}\n") == 2
    assert printed.count("-----BEGIN CERTIFICATE-----") == 2
    assert "Friendly name: browser" in printed
    assert "rror" not in printed
