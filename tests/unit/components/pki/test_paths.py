"""Whom a listener would let in, said by us as OpenSSL says it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509

from components.pki import certificates, paths, reissue
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window
from tests.unit.components.dynamic.adopted import KINDS, LIFE, leaves, made
from tests.unit.components.pki.material import NOW, needs_openssl, openssl, small_key

pytestmark = needs_openssl

KEY, HOLDER, NEXT = small_key(), small_key(), small_key()
WINDOW = Window(NOW - timedelta(days=1), NOW + timedelta(days=100))
AT = int(NOW.timestamp())


@pytest.fixture
def openssl_refuses(tmp_path):
    def judged(leaf, between, anchor):
        for name, found in {"ca": [anchor], "between": between, "leaf": [leaf]}.items():
            (tmp_path / name).write_text("".join(map(certificates.pem, found)))
        chain = ("-untrusted", str(tmp_path / "between")) if between else ()
        only = ("-no-CApath", "-no-CAstore", "-CAfile", str(tmp_path / "ca"))
        how = ("-purpose", "sslclient", "-auth_level", "0", "-attime", str(AT))
        try:
            openssl("verify", *how, *only, *chain, str(tmp_path / "leaf"))
        except AssertionError as error:
            return str(error)
        return None

    return judged


def agree(openssl_refuses, leaf, between, anchor):
    ours, theirs = paths.refusal(leaf, between, anchor, NOW), openssl_refuses(leaf, between, anchor)
    assert (ours is None) == (theirs is None), (ours, theirs)
    return ours is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_names_its_issuer_in_every_way_is_judged_alike(openssl_refuses, kind):
    given = made(KINDS[kind], KEY)
    of_chance = certificates.issue_authority(given.subject, KEY, WINDOW)
    kept = reissue.reissue(given, KEY, WINDOW, path_length=0, constraints=None)
    for anchor in (given, of_chance, kept):
        for leaf in leaves(KINDS[kind], KEY, HOLDER).values():
            let_in = agree(openssl_refuses, leaf, [], anchor)
            assert let_in or anchor is of_chance


def _client(issuer, **changes):
    subject = distinguished_name({"common_name": changes.pop("name", "browser")})
    window = changes.pop("window", WINDOW)
    return certificates.issue_client(issuer, subject, HOLDER.public_key(), window, **changes)


def _excluding(*names):
    return x509.NameConstraints(None, list(names))


ANCHORS = {
    "path length 0": {"path_length": 0},
    "path length 1": {"path_length": 1},
    "excludes the cross-certificate": {
        "path_length": 1,
        "constraints": _excluding(x509.UniformResourceIdentifier("x.invalid")),
    },
    "excludes its name": {
        "path_length": 1,
        "constraints": _excluding(x509.DirectoryName(distinguished_name({"common_name": "G2"}))),
    },
    "excludes a name of the client": {
        "path_length": 1,
        "constraints": _excluding(x509.DNSName("smith")),
    },
    "permits another": {
        "path_length": 1,
        "constraints": x509.NameConstraints([x509.RFC822Name("example.com")], None),
    },
    "expired": {"window": Window(NOW - LIFE, NOW - timedelta(days=1))},
}
SUBJECT = distinguished_name({"common_name": "Example CA"})


@pytest.mark.parametrize("kind", ANCHORS)
def test_paths_of_every_length_are_judged_alike(openssl_refuses, kind):
    changes = {"window": WINDOW, **ANCHORS[kind]}
    anchor = certificates.issue_authority(SUBJECT, KEY, **changes)
    free = Issuer(certificates.issue_authority(SUBJECT, KEY, WINDOW, path_length=1), KEY)
    name = distinguished_name({"common_name": "G2"})
    crossed = certificates.cross_sign(free, name, NEXT.public_key(), WINDOW, "x.invalid")
    verdicts = set()
    for client in ({}, {"name": "alice.smith"}, {"email": "a@example.com"}, {"email": "a@b.org"}):
        for issuer, between in ((free, []), (Issuer(crossed, NEXT), [crossed])):
            verdicts.add(agree(openssl_refuses, _client(issuer, **client), between, anchor))
        agree(openssl_refuses, _client(Issuer(crossed, NEXT), **client), [], anchor)
    assert verdicts <= {True, False}


def test_other_faults_are_judged_alike(openssl_refuses):
    anchor = Issuer(certificates.issue_authority(SUBJECT, KEY, WINDOW), KEY)
    other = Issuer(certificates.issue_authority(SUBJECT, NEXT, WINDOW), NEXT)
    past = Window(NOW - timedelta(days=2), NOW - timedelta(days=1))
    to_come = Window(NOW + timedelta(days=1), NOW + timedelta(days=2))
    server = certificates.issue_server(anchor, SUBJECT, HOLDER.public_key(), WINDOW, ())
    below = Issuer(_client(anchor), HOLDER)
    wrong = [
        (_client(anchor, window=past), []),
        (_client(anchor, window=to_come), []),
        (_client(other), []),
        (_client(other), [other.certificate]),
        (server, []),
        (_client(below, name="below"), [below.certificate]),
    ]
    for leaf, between in wrong:
        assert not agree(openssl_refuses, leaf, between, anchor.certificate)
    assert agree(openssl_refuses, _client(anchor), [anchor.certificate], anchor.certificate)
