"""No private key gets from the CLI to the terminal, however it is written and cut into pieces."""

from __future__ import annotations

import json
import urllib.parse

import pytest

from components.pki import keys
from operations.stacks.pulumi_cli import LONGEST_KEY, REDACTED, Redactor
from tests.unit.components.pki.material import small_key

PEM = keys.pkcs1(small_key()).rstrip()
PKCS8 = PEM.replace("RSA PRIVATE", "PRIVATE")
CERTIFICATE = PEM.replace("RSA PRIVATE KEY", "CERTIFICATE")
FORMS = {
    "PEM": PEM,
    "PKCS#8": PKCS8,
    "encrypted": PEM.replace("RSA", "ENCRYPTED"),
    "URL": urllib.parse.quote_plus(PEM),
    "URL with %20": urllib.parse.quote(PEM),
    "JSON": json.dumps(PEM)[1:-1],
    "JSON in JSON": json.dumps(json.dumps(PEM)[1:-1])[1:-1],
}
SECRETS = [line for line in PEM.splitlines() if "-----" not in line]


def printed(content: bytes, size: int) -> bytes:
    redactor = Redactor()
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(redactor.feed(piece) for piece in pieces) + redactor.rest()


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_replaced_and_nothing_else(form, size):
    around = 'before -- --- {} after\nPost "https://a/?PrivateKey={}&b=c": timeout\n'
    text = around.format(FORMS[form], FORMS[form]).encode()
    shown = around.format(*[REDACTED.decode()] * 2)
    assert printed(text, size).decode() == shown


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_certificates_and_lines_are_printed_as_they_are(size):
    text = f"{CERTIFICATE}-----\n--\n-----BEGIN X509 CRL-----\nDo it? [y/N] ".encode()
    assert printed(text, size) == text


def test_a_question_is_not_held_back():
    assert Redactor().feed(b"Do you want to perform this update? ") == (
        b"Do you want to perform this update? "
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_key_that_is_cut_short_is_not_printed(form):
    start = FORMS[form][: len(FORMS[form]) // 2]
    got = printed(start.encode(), 64)
    assert got == REDACTED


def test_what_never_ends_is_printed_without_its_beginning():
    begun = FORMS["PEM"].splitlines()[0].encode() + b"\n" + SECRETS[0].encode()
    redactor = Redactor()
    assert redactor.feed(begun) == b""
    assert (
        redactor.feed(b" ...: " + b"x: " * LONGEST_KEY)
        == REDACTED + b"...: " + b"x: " * LONGEST_KEY
    )
    assert redactor.rest() == b""
