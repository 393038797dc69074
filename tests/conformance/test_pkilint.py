"""pkilint's reading of RFC 5280, with every finding from notice to fatal."""

from __future__ import annotations

import importlib
import json

import pytest

from tests.conformance.judges import put
from tests.conformance.specimens import LEAVES, NAMES, SUBJECTS, crl, every_reason, specimen

pytest.importorskip("pkilint", reason="pkilint is not installed (requirements-dev.txt)")

# Its commands leave the file they read to be closed with their arguments.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

WILDCARD = ("ERROR", "pkix.invalid_domain_name_syntax")
"""RFC 5280, 4.2.1.6 leaves the meaning of wildcards to others, and this validator knows no other:
RFC 9525, 6.3 has it."""


def findings(capsys, linter, *arguments):
    """Severity and code of what a linter of pkilint finds."""
    command = importlib.import_module(f"pkilint.bin.{linter}")
    status = command.main(["lint", *arguments[:-1], "-s", "NOTICE", "-f", "JSON", arguments[-1]])
    found = [
        (finding["severity"], finding["code"])
        for result in json.loads(capsys.readouterr().out)["results"]
        for finding in result["finding_descriptions"]
    ]
    assert status == len(found)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_keeps_to_rfc_5280(tmp_path, capsys, name):
    path = put(tmp_path, "certificate.pem", specimen(name).pem)
    expected = [WILDCARD] if "wildcard" in name else []
    assert findings(capsys, "lint_pkix_cert", path) == expected


@pytest.mark.parametrize("name", LEAVES)
def test_a_certificate_and_its_ca_fit_together(tmp_path, capsys, name):
    made = specimen(name)
    signer = put(tmp_path, "ca.pem", made.chain or made.authority)
    signed = put(tmp_path, "leaf.pem", made.pem)
    assert findings(capsys, "lint_pkix_signer_signee_cert_chain", signer, signed) == []


@pytest.mark.parametrize("ca", SUBJECTS)
@pytest.mark.parametrize("entries", [[], every_reason()], ids=["empty", "every reason"])
def test_a_revocation_list_keeps_to_rfc_5280(tmp_path, capsys, ca, entries):
    path = put(tmp_path, "list.pem", crl(entries, ca))
    assert findings(capsys, "lint_crl", "-t", "CRL", "-p", "PKIX", path) == []
