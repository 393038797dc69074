"""A stack's outputs, edited by hand or cut short, are read or refused with one sentence."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import strategies as st

from components.pki import certificates
from components.pki.windows import show_time
from operations import outputs
from operations.certificates import client_bundle, inventory
from operations.errors import OperationError
from operations.verification import checks
from tests.conformance import specimens
from tests.fuzz.cases import SECRET, armoured, documents, given, old_habits, spoilt, texts, tried

NOW = datetime.now(UTC)
LEAF = specimens.client("ascii").certificate
RECORD = {
    "serial_number": certificates.serial_number(LEAF),
    "fingerprint_sha256": certificates.fingerprint_sha256(LEAF),
    "not_before": show_time(LEAF.not_valid_before_utc),
    "not_after": show_time(LEAF.not_valid_after_utc),
    "status": "valid",
}
WHOLE = {
    "url": "https://127.0.0.1:8443/",
    "address": "127.0.0.1",
    "region": "cn-hangzhou",
    "load_balancer_id": "lb-test",
    "listener_port": 8443,
    "server_names": ["127.0.0.1"],
    "server_certificate_issuer": "private",
    "ca_certificate": specimens.trusted_ca("ascii"),
    "server_certificate": specimens.server("ascii").pem,
    "clients": {"browser": RECORD},
    "issued": [{**RECORD, "name": "browser", "subject": "CN=browser"}],
    "certificate_record": [{**RECORD, "role": "server", "name": "server"}],
    "renewal": {"certificate_authority": "730d", "server": "30d", "clients": {"browser": "30d"}},
    "certificate_revocation_list": specimens.crl([specimens.revoked(LEAF)]),
    "client_bundles": {"browser": asdict(specimens.bundle("modern"))},
}
PEMS = ("ca_certificate", "server_certificate", "certificate_revocation_list")


def paths(node, before=()):
    """Where something stands, in depth."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*before, key)
        if isinstance(value, (dict, list)):
            yield from paths(value, (*before, key))


PATHS = list(paths(WHOLE))


def with_changes(changes):
    """The outputs with other values at some paths; without what is None there."""
    document = copy.deepcopy(WHOLE)
    for path, value in changes:
        node = document
        for key in path[:-1]:
            node = node[key] if isinstance(node, dict) and key in node else {}
        if isinstance(node, dict):
            if value is None:
                node.pop(path[-1], None)
            else:
                node[path[-1]] = value
    return document


def read(document, folder):
    found = outputs.parse(document)
    assert json.dumps(outputs.public(found))
    assert found.port
    assert found.host
    assert checks.list_expiries(found)
    items = inventory.list_certificates(found, NOW)
    assert json.loads(inventory.to_json(items))
    assert inventory.to_csv(items)
    assert inventory.select_due(items, NOW) is not None
    if folder:
        for name in found.client_bundles:
            client_bundle.write_bundle(found, name, folder / "bundle")


def judge(document, folder=None):
    """Everything that reads outputs does so, or says in an OperationError why not."""
    tried["outputs"] += 1
    try:
        with old_habits():
            read(document, folder)
    except OperationError as error:
        message = str(error)
        assert SECRET not in message
        assert "Traceback" not in message
        assert len(message.splitlines()) == 1


def test_the_whole_is_read(tmp_path):
    found = outputs.parse(WHOLE)
    assert [one.role for one in inventory.list_certificates(found, NOW)]
    judge(WHOLE, tmp_path)
    assert (tmp_path / "bundle" / "browser.p12").exists()


@given(st.lists(st.tuples(st.sampled_from(PATHS), documents), min_size=1, max_size=4))
def test_other_values_anywhere(changes):
    judge(with_changes(changes))


@pytest.mark.parametrize("field", PEMS)
@given(data=st.data())
def test_certificates_and_lists_that_were_edited(field, data):
    text = WHOLE[field]
    judge(with_changes([((field,), data.draw(spoilt(text.encode())).decode("latin-1"))]))


@pytest.mark.parametrize(
    ("field", "certificate"),
    [
        ("ca_certificate", specimens.issuer().certificate),
        ("server_certificate", specimens.server("ascii").certificate),
    ],
)
@given(data=st.data())
def test_certificates_whose_bytes_changed(field, certificate, data):
    der = data.draw(spoilt(certificate.public_bytes(Encoding.DER)))
    judge(with_changes([((field,), armoured("CERTIFICATE", der))]))


@given(spoilt(json.dumps(WHOLE["client_bundles"]).encode()))
def test_bundles_whose_text_was_edited(text):
    judge(with_changes([(("client_bundles",), text.decode("latin-1"))]))


@given(st.dictionaries(texts, documents, max_size=3))
def test_outputs_of_another_program(document):
    judge(document)


@given(name=texts, encoded=texts)
def test_bundles_of_any_name_and_content(tmp_path_factory, name, encoded):
    bundle = {**WHOLE["client_bundles"]["browser"], "pkcs12": encoded}
    document = with_changes([(("client_bundles",), {name: bundle})])
    folder = tmp_path_factory.mktemp("handed-over", numbered=True)
    judge(document, folder)
    assert {path.parent for path in folder.rglob("*")} <= {folder, folder / "bundle"}
