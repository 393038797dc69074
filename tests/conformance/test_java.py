"""Java's keytool: chains, revocation lists and bundles as key stores."""

from __future__ import annotations

import base64
import functools
import shutil

import pytest

from tests.conformance.judges import answer, ask, put
from tests.conformance.specimens import (
    HOLDERS,
    LEAVES,
    PHRASE,
    SUBJECTS,
    bundle,
    client,
    crl,
    every_reason,
    specimen,
    trusted_ca,
)

pytestmark = pytest.mark.commands("keytool")


def keytool(tmp_path, *arguments):
    """A command of keytool; of Java's two compilers the fast one, as it runs for a moment."""
    phrase = put(tmp_path, "phrase", PHRASE)
    options = ("-J-Duser.language=en", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC")
    return ("keytool", *options, *arguments, "-storepass:file", phrase)


@pytest.fixture(scope="module")
def trusting(tmp_path_factory):
    """Options that name a key store in a folder: it has a CA's certificate, and what is below."""

    @functools.cache
    def store(ca):
        folder = tmp_path_factory.mktemp("trusted")
        store = ("-keystore", str(folder / "trusted.p12"), "-storetype", "PKCS12")
        for alias, text in (("ca", trusted_ca(ca)), ("next", client(ca).chain)):
            if not text:
                continue
            path = put(folder, f"{alias}.pem", text)
            command = ("-importcert", "-noprompt", "-alias", alias, "-file", path)
            assert "Certificate was added" in ask(*keytool(folder, *command, *store))
        return folder / "trusted.p12"

    def options(folder, ca):
        return ("-keystore", str(shutil.copy(store(ca), folder)), "-storetype", "PKCS12")

    return options


@pytest.mark.parametrize("name", LEAVES)
def test_a_leaf_is_trusted_because_of_its_ca(tmp_path, trusting, name):
    made = specimen(name)
    other = "ascii" if made.ca == "beyond-ascii" else "beyond-ascii"
    leaf = put(tmp_path, "leaf.pem", made.pem)
    # With nobody to answer, keytool adds only what leads to a certificate that it trusts.
    add = ("-importcert", "-alias", "leaf", "-file", leaf)
    for ca, added in [(made.ca, True), (other, False)]:
        folder = tmp_path / ca
        folder.mkdir()
        _, printed = answer(*keytool(folder, *add, *trusting(folder, ca)))
        assert ("Certificate was added" in printed) is added
        assert ("Trust this certificate?" in printed) is not added
        assert "arning" not in printed


@pytest.mark.parametrize("ca", SUBJECTS)
@pytest.mark.parametrize("entries", [[], every_reason()], ids=["empty", "every reason"])
def test_a_revocation_list_is_the_cas(tmp_path, trusting, ca, entries):
    listed = put(tmp_path, "list.pem", crl(entries, ca))
    command = keytool(tmp_path, "-printcrl", "-file", listed, *trusting(tmp_path, ca))
    printed = ask(*command)
    assert f"Verified by {'next' if client(ca).chain else 'ca'} in keystore" in printed
    assert printed.count("Reason Code: ") == len(entries)
    assert "arning" not in printed


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("encoding", ["modern", "legacy"])
def test_a_bundle_is_a_key_store_with_key_and_chain(tmp_path, encoding, holder):
    packed = put(tmp_path, "client.p12", base64.b64decode(bundle(encoding, holder).pkcs12))
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
