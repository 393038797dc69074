"""The search of `tests/engine/leaks.py` finds a secret in whatever form it has leaked."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from components.pki import keys
from tests.engine import leaks
from tests.unit.components.pki.material import key

PHRASE = 'correct "horse" \\ <Batterie> für 马'
DER = key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
PEM = keys.pkcs1(key())


@pytest.fixture(scope="module")
def secrets():
    found = leaks.Secrets()
    found.add_key("key", key())
    found.add_text("phrase", PHRASE)
    found.add_bytes("bundle", bytes(range(100, 200)))
    return found


@pytest.mark.parametrize(
    "leaked",
    [
        PEM,
        json.dumps({"pem": PEM}),
        json.dumps(json.dumps(json.dumps({"pem": PEM}))),
        repr(PEM),
        keys.pkcs1(key()).replace("\n", ""),
        DER,
        b"x" + DER,
        base64.b64encode(DER),
        base64.b64encode(b"x" + DER),
        base64.b64encode(b"xy" + DER),
        base64.encodebytes(DER),
        base64.urlsafe_b64encode(DER),
        base64.b64encode(PEM.encode()),
        DER.hex(),
        DER.hex().upper(),
        DER.hex(":"),
        str(key().private_numbers().d),
        f"{key().private_numbers().p:x}",
    ],
    ids=range(18),
)
def test_a_private_key_is_found(secrets, leaked):
    content = leaked if isinstance(leaked, bytes) else leaked.encode()
    assert secrets.in_(b"before " + content + b" after") == {"key"}


@pytest.mark.parametrize(
    "leaked",
    [
        PHRASE,
        json.dumps(PHRASE),
        json.dumps(json.dumps(PHRASE)),
        json.dumps(json.dumps(PHRASE), ensure_ascii=False),
        json.dumps(PHRASE, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e"),
        base64.b64encode(PHRASE.encode()).decode(),
        base64.b64encode(f"x{PHRASE}".encode()).decode(),
        PHRASE.encode().hex(),
    ],
    ids=range(8),
)
def test_a_pass_phrase_is_found(secrets, leaked):
    assert secrets.in_(f"before {leaked} after".encode()) == {"phrase"}


def test_a_bundle_is_found_in_files_packed_ones_too(secrets, tmp_path):
    content = base64.b64encode(bytes(range(256)))
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "log.gz").write_bytes(gzip.compress(content))
    found = [(path.name, secrets.in_(content)) for path, content in leaks.files(tmp_path)]
    assert found == [("log.gz", {"bundle"}), ("plain", {"bundle"})]


def test_what_is_public_is_no_secret(secrets):
    public = key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for text in (public, base64.b64encode(public), b"PRIVATE KEY", b"correct horse"):
        assert secrets.in_(text) == set()


def test_a_secret_that_could_be_found_by_accident_is_not_taken():
    with pytest.raises(AssertionError, match="too short"):
        leaks.Secrets().add_text("phrase", "short")
