"""Mozilla's NSS: its data base takes CA, leaves, revocation lists and bundles."""

from __future__ import annotations

import base64
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.conformance.judges import answer, ask, put
from tests.conformance.specimens import (
    HOLDERS,
    LEAVES,
    PHRASE,
    SUBJECTS,
    bundle,
    ca_of,
    client,
    crl,
    revoked,
    server,
    specimen,
    trusted_ca,
)

pytestmark = pytest.mark.commands("certutil", "pk12util", "crlutil")

USAGE = {"client": "C", "server": "V"}


@pytest.fixture
def database(tmp_path):
    """Makes a new data base that trusts a ca's CA for clients and servers."""

    def made(ca):
        folder = tmp_path / "nss"
        folder.mkdir()
        options = ("-d", f"sql:{folder}")
        ask("certutil", "-N", "--empty-password", *options)
        authority = put(tmp_path, "ca.pem", trusted_ca(ca))
        ask("certutil", "-A", "-n", "ca", "-t", "CT,,", "-a", "-i", authority, *options)
        if chain := client(ca).chain:
            between = put(tmp_path, "chain.pem", chain)
            ask("certutil", "-A", "-n", "chain", "-t", ",,", "-a", "-i", between, *options)
        return options

    return made


def validity(database, usage, name="leaf"):
    _, printed = answer("certutil", "-V", "-n", name, "-u", usage, "-e", *database)
    return printed.strip()


@pytest.mark.parametrize("name", LEAVES)
def test_a_leaf_is_valid_for_its_purpose_alone(tmp_path, database, name):
    made = specimen(name)
    opened = database(made.ca)
    leaf = put(tmp_path, "leaf.pem", made.pem)
    ask("certutil", "-A", "-n", "leaf", "-t", ",,", "-a", "-i", leaf, *opened)
    other = {"client": "server", "server": "client"}[made.purpose]
    assert validity(opened, USAGE[made.purpose]) == "certutil: certificate is valid"
    assert "certificate is invalid" in validity(opened, USAGE[other])


@pytest.mark.parametrize("ca", SUBJECTS)
def test_the_later_list_of_a_day_replaces_the_one_before(tmp_path, database, ca):
    opened = database(ca)
    made = client(ca)
    leaf = put(tmp_path, "leaf.pem", made.pem)
    ask("certutil", "-A", "-n", "leaf", "-t", ",,", "-a", "-i", leaf, *opened)
    first = revoked(server(ca).certificate, minutes_ago=3)
    second = revoked(made.certificate, minutes_ago=2)
    lists = [
        ([], "certificate is valid"),
        ([first], "certificate is valid"),
        ([first, second], "has been revoked"),
    ]
    for number, (entries, verdict) in enumerate(lists, start=1):
        listed = x509.load_pem_x509_crl(crl(entries, ca, number).encode())
        path = put(tmp_path, "list.der", listed.public_bytes(Encoding.DER))
        assert ask("crlutil", "-I", "-i", path, *opened) == ""
        assert verdict in validity(opened, USAGE["client"])


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("encoding", ["modern", "legacy"])
def test_a_bundle_brings_key_and_certificate(tmp_path, database, encoding, holder):
    kind = "rsa" if holder in SUBJECTS else "ec"
    opened = database(ca_of(holder))
    packed = put(tmp_path, "client.p12", base64.b64decode(bundle(encoding, holder).pkcs12))
    phrase = put(tmp_path, "phrase", PHRASE + "\n")
    printed = ask("pk12util", "-i", packed, "-w", phrase, "-K", "", *opened)
    assert printed == "pk12util: PKCS12 IMPORT SUCCESSFUL\n"
    assert validity(opened, USAGE["client"], "browser") == "certutil: certificate is valid"
    assert re.search(rf"{kind} +[0-9a-f]{{40}} +browser\n", ask("certutil", "-K", *opened))
