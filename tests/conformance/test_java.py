"""Java's keytool: chains, revocation lists and bundles as key stores."""

from __future__ import annotations

import base64

import pytest

from tests.conformance.judges import answer, ask, on_path, put
from tests.conformance.specimens import (
    LEAVES,
    PHRASE,
    SUBJECTS,
    bundle,
    crl,
    every_reason,
    issued_ca,
    specimen,
)

pytestmark = on_path("keytool")


def keytool(tmp_path, *arguments):
    phrase = put(tmp_path, "phrase", PHRASE)
    return ("keytool", "-J-Duser.language=en", *arguments, "-storepass:file", phrase)


def trusting(tmp_path, language):
    """Options that name a new key store which holds the CA's certificate."""
    store = ("-keystore", str(tmp_path / "trusted.p12"), "-storetype", "PKCS12")
    authority = put(tmp_path, "ca.pem", issued_ca(language))
    command = ("-importcert", "-noprompt", "-alias", "ca", "-file", authority)
    assert "Certificate was added" in ask(*keytool(tmp_path, *command, *store))
    return store


@pytest.mark.parametrize("name", LEAVES)
def test_a_leaf_is_trusted_because_of_its_ca(tmp_path, name):
    made = specimen(name)
    other = {"ascii": "beyond-ascii", "beyond-ascii": "ascii"}[made.language]
    leaf = put(tmp_path, "leaf.pem", made.pem)
    # With nobody to answer, keytool adds only what leads to a certificate that it trusts.
    add = ("-importcert", "-alias", "leaf", "-file", leaf)
    for language, added in [(made.language, True), (other, False)]:
        folder = tmp_path / language
        folder.mkdir()
        _, printed = answer(*keytool(folder, *add, *trusting(folder, language)))
        assert ("Certificate was added" in printed) is added
        assert ("Trust this certificate?" in printed) is not added
        assert "arning" not in printed


@pytest.mark.parametrize("language", SUBJECTS)
@pytest.mark.parametrize("entries", [[], every_reason()], ids=["empty", "every reason"])
def test_a_revocation_list_is_the_cas(tmp_path, language, entries):
    listed = put(tmp_path, "list.pem", crl(entries, language))
    command = keytool(tmp_path, "-printcrl", "-file", listed, *trusting(tmp_path, language))
    printed = ask(*command)
    assert "Verified by ca in keystore" in printed
    assert printed.count("Reason Code: ") == len(entries)
    assert "arning" not in printed


@pytest.mark.parametrize("language", SUBJECTS)
@pytest.mark.parametrize("encoding", ["modern", "legacy"])
def test_a_bundle_is_a_key_store_with_key_and_chain(tmp_path, encoding, language):
    packed = put(tmp_path, "client.p12", base64.b64decode(bundle(encoding, language).pkcs12))
    store = ("-keystore", packed, "-storetype", "PKCS12")
    printed = ask(*keytool(tmp_path, "-list", "-v", *store))
    assert "Your keystore contains 1 entry" in printed
    assert "Alias name: browser" in printed
    assert "Entry type: PrivateKeyEntry" in printed
    assert "Certificate chain length: 2" in printed
    assert "arning" not in printed
    # A request is signed with the key, so it has been decrypted too.
    requested = ask(*keytool(tmp_path, "-certreq", "-alias", "browser", *store))
    assert "BEGIN NEW CERTIFICATE REQUEST" in requested
