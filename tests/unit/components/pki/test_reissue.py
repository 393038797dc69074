"""A CA's certificate is issued anew, and nothing but what has to be is another."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from components.pki import certificates, name_constraints, reissue
from components.pki.windows import Window
from tests.unit.components.dynamic.adopted import KINDS, made
from tests.unit.components.pki.der import elements, path
from tests.unit.components.pki.material import NOW, needs_openssl, openssl, small_key

KEY = small_key()
WINDOW = Window(NOW.replace(microsecond=0), NOW.replace(microsecond=0) + timedelta(days=4000))
EXCLUDED = x509.NameConstraints(None, [x509.UniformResourceIdentifier("x.invalid")])


def again(given, **changes):
    same = {
        "path_length": certificates.path_length(given),
        "constraints": name_constraints.of(given),
    }
    return reissue.reissue(given, KEY, WINDOW, **{**same, **changes})


def parts(certificate):
    """The elements of a TBSCertificate after its version (RFC 5280, 4.1), as they are encoded."""
    found = list(elements(path(certificate.public_bytes(Encoding.DER), 0, 0)))
    return found[1:] if found[0][0] == 0xA0 else found


@needs_openssl
@pytest.mark.parametrize("kind", KINDS)
def test_all_but_the_dates_stays_byte_for_byte(kind):
    given = made(KINDS[kind], KEY)
    renewed = again(given)
    assert Window.of_certificate(renewed) == WINDOW
    before, after = parts(given), parts(renewed)
    validity, extensions = 3, 6
    for place in range(len(before)):
        if place != validity:
            assert before[place] == after[place], place
    assert len(after) > extensions
    assert reissue.keeps_identity(renewed, given)
    # What OpenSSL's own way of signing anew keeps.
    printed = openssl("x509", "-noout", "-serial", "-subject", text=certificates.pem(renewed))
    assert printed == openssl("x509", "-noout", "-serial", "-subject", text=certificates.pem(given))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_asked_for_is_added_and_the_rest_is_as_it_was(kind):
    given = made(KINDS[kind], KEY)
    changed = again(given, path_length=3, constraints=EXCLUDED)
    assert certificates.path_length(changed) == 3
    assert name_constraints.of(changed) == EXCLUDED
    assert reissue.keeps_identity(changed, given)
    touched = {x509.BasicConstraints.oid, x509.NameConstraints.oid}
    kept = {one.oid: one for one in changed.extensions}
    for extension in given.extensions:
        if extension.oid not in touched:
            assert kept[extension.oid] == extension


def test_another_serial_number_is_another_identity():
    given = made(KINDS["easy-rsa"], KEY)
    of_chance = certificates.issue_authority(given.subject, KEY, WINDOW)
    assert not reissue.keeps_identity(of_chance, given)
