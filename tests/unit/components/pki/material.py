"""Keys, an issuer and OpenSSL's own reading of what was issued, shared by the tests here."""

from __future__ import annotations

import functools
import itertools
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from components.pki import certificates, keys
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window

NOW = datetime(2026, 3, 14, 15, 9, 26, 535_897, tzinfo=UTC)
YEAR = timedelta(days=365)
CA_SUBJECT = {"common_name": "Example CA", "organization": "Example Ltd", "country": "CN"}

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on PATH")


def small_key(_bits: int = 0) -> rsa.RSAPrivateKey:
    """A new key of half the least size, in a tenth of the time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


SMALL_KEYS: list[rsa.RSAPrivateKey] = []
"""What was made in place of full keys, for the next test to have again."""


def make_small_keys(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have small keys made in place of full ones; return the list of the sizes asked for.

    No key is made twice in a test; another test may have the same.
    """
    sizes: list[int] = []
    turns = itertools.count()

    def generate(bits: int) -> rsa.RSAPrivateKey:
        sizes.append(bits)
        turn = next(turns)  # Threads make keys too.
        while turn >= len(SMALL_KEYS):
            SMALL_KEYS.append(small_key())
        return SMALL_KEYS[turn]

    monkeypatch.setattr(keys, "generate", generate)
    return sizes


def key(which: str = "leaf") -> rsa.RSAPrivateKey:
    """A key of full size, one for each name in all tests."""
    return _made(which)


def with_bit_strings(pem: str) -> str:
    """A certificate with its common names as bit strings, which X.520 has for another attribute.

    The library finds out when it is asked for the name.
    """
    common_name = bytes.fromhex("0603550403")
    utf8, bits = b"\x0c", b"\x03"
    der = ssl.PEM_cert_to_DER_cert(pem)
    return ssl.DER_cert_to_PEM_cert(der.replace(common_name + utf8, common_name + bits))


def with_long_countries(pem: str) -> str:
    """A certificate with its common names as countries, which X.520 has two letters for."""
    common_name, country = bytes.fromhex("0603550403"), bytes.fromhex("0603550406")
    return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(pem).replace(common_name, country))


@functools.cache
def issuer(validity: timedelta = 10 * YEAR, since: datetime = NOW) -> Issuer:
    """A CA that was made at `since`; always with the same key."""
    window = Window.opening(since, validity)
    subject = distinguished_name(CA_SUBJECT)
    return Issuer(certificates.issue_authority(subject, key("ca"), window), key("ca"))


def openssl(*arguments: str, text: str | bytes = "") -> str:
    """Run openssl with `text` on its standard input; return what it prints.

    Raises:
        AssertionError: It failed.
    """
    done = subprocess.run(
        ["openssl", *arguments],
        input=text if isinstance(text, bytes) else text.encode(),
        capture_output=True,
        timeout=10,
        check=False,
    )
    printed = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, printed
    return printed


@functools.cache
def _made(_which: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
