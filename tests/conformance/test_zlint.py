"""zlint's lints of RFC 5280 and Go's crypto/x509, built from `judge/`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.arguments.certificates import ServerArguments
from components.pki import certificates
from components.pki.certificates import Issuer
from components.pki.name_constraints import extension
from components.pki.names import distinguished_name
from tests import go
from tests.conformance.judges import ask, put
from tests.conformance.specimens import (
    HOST,
    NAMES,
    PLAIN,
    SUBJECTS,
    WILDCARD,
    crl,
    every_reason,
    key,
    list_issuer,
    opening_now,
    root,
    specimen,
)

SOURCE = Path(__file__).parent / "judge"


@pytest.fixture(scope="module")
def judge():
    """Asks the judge about a PEM."""
    command = go.program("judge", SOURCE, ("main.go", "go.mod", "go.sum"))

    def asked(text, *options):
        return json.loads(ask(str(command), *options, text=text))

    return asked


def above(tmp_path, made):
    """Options with the certificates above one."""
    authority = ("-authority", put(tmp_path, "ca.pem", made.authority))
    return *authority, "-chain", put(tmp_path, "chain.pem", made.chain)


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_passes_every_lint_and_go_accepts_it(tmp_path, judge, name):
    made = specimen(name)
    options = [*above(tmp_path, made), "-purpose", made.purpose]
    if made.purpose == "server":
        options += ["-host", HOST]
    verdict = judge(made.pem, *options)
    assert verdict["applied"] > 30
    assert (verdict["notices"], verdict["go_error"]) == ([], "")


@pytest.mark.parametrize("ca", SUBJECTS)
def test_go_accepts_a_leaf_for_no_purpose_but_its_own(tmp_path, judge, ca):
    for kind, other in [("client", "server"), ("server", "client")]:
        made = specimen(f"{kind}, {ca}")
        verdict = judge(made.pem, *above(tmp_path, made), "-purpose", other)
        assert "incompatible key usage" in verdict["go_error"]


@pytest.mark.parametrize("ca", SUBJECTS)
@pytest.mark.parametrize("entries", [[], every_reason()], ids=["empty", "every reason"])
def test_a_revocation_list_passes_every_lint_and_go_accepts_it(tmp_path, judge, ca, entries):
    authority = put(tmp_path, "ca.pem", list_issuer(ca))
    verdict = judge(crl(entries, ca), "-authority", authority)
    assert verdict["applied"] >= 7
    assert (verdict["notices"], verdict["go_error"]) == ([], "")


def test_go_accepts_no_wildcard_that_stands_for_an_excluded_name(tmp_path, judge):
    # OpenSSL does; what the project issues has to pass everywhere.
    free, names = root("ascii"), certificates.alternative_names([WILDCARD], [])
    held = extension({"excluded": {"domains": ["lab.example.com"]}})
    window = opening_now(ServerArguments())
    name, public = free.certificate.subject, key("server").public_key()
    constrained = certificates.issue_authority(name, key("ca"), window, constraints=held)
    made = certificates.issue_server(free, distinguished_name(PLAIN), public, window, names)
    authority = put(tmp_path, "ca.pem", certificates.pem(constrained))
    verdict = judge(certificates.pem(made), "-authority", authority, "-purpose", "server")
    assert 'DNS name "*.example.com" is excluded' in verdict["go_error"]
    with pytest.raises(ValueError, match=r"the DNS name \*\.example\.com is within"):
        certificates.issue_server(
            Issuer(constrained, key("ca")), distinguished_name(PLAIN), public, window, names
        )
