from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from components.pki import revocation_list
from components.pki.windows import Window
from operations import outputs as stack_outputs
from operations.certificates.inventory import list_certificates
from operations.errors import OperationError
from operations.verification.checks import Expiry, list_expiries
from operations.verification.identity import bundle_identity
from tests.unit.components.pki.material import NOW, YEAR, issuer, with_bit_strings


def test_stack_that_is_not_up():
    with pytest.raises(OperationError, match="so it is not up: run `make up` first"):
        stack_outputs.parse({})


def test_missing_outputs_are_all_named(document):
    values = document()
    del values["url"], values["clients"]["browser"]["status"]
    with pytest.raises(OperationError, match=r"lack url, clients.browser.status: .*`make up`"):
        stack_outputs.parse(values)


def test_hidden_secrets_are_told_from_missing_ones(document):
    with pytest.raises(OperationError, match=r"client_bundles is hidden.*--show-secrets"):
        stack_outputs.parse(document(client_bundles="[secret]"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"url": "http://127.0.0.1/"}, "output url cannot be used .is not an https:// address."),
        ({"url": "https://127.0.0.1:99999/"}, "output url cannot be used"),
        ({"ca_certificate": "text"}, "ca_certificate cannot be used .holds no PEM certificate."),
        ({"listener_port": 0}, "output listener_port cannot be used"),
        ({"server_certificate_issuer": "?"}, "server_certificate_issuer cannot be used"),
    ],
)
def test_unusable_output_is_named(document, changes, sentence):
    with pytest.raises(OperationError, match=sentence):
        stack_outputs.parse(document(**changes))


def test_a_certificate_whose_name_cannot_be_read_is_none(document):
    broken = with_bit_strings(document()["ca_certificate"])
    with pytest.raises(OperationError, match=r"ca_certificate cannot be used \(holds no PEM"):
        stack_outputs.parse(document(ca_certificate=broken))


def test_a_revocation_list_with_an_extension_twice_is_none(document):
    key_identifier, number = bytes.fromhex("0603551d23"), bytes.fromhex("0603551d14")
    listed = revocation_list.issue(issuer(), 1, Window.opening(NOW, YEAR), [])
    der = listed.public_bytes(Encoding.DER).replace(key_identifier, number)
    broken = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM).decode()
    with pytest.raises(OperationError, match="holds no revocation list in PEM"):
        stack_outputs.parse(document(certificate_revocation_list=broken))


def test_bundles_are_a_text_and_were_a_map(document):
    values = document()
    text = json.dumps(values["client_bundles"])
    assert stack_outputs.parse({**values, "client_bundles": text}) == stack_outputs.parse(values)


@pytest.mark.parametrize("end", [1, -1])
def test_bundles_that_were_cut_short_are_refused_and_not_repeated(document, end):
    text = json.dumps(document()["client_bundles"])[:end]
    with pytest.raises(
        OperationError, match=r"output client_bundles cannot be used \(is no JSON\)"
    ):
        stack_outputs.parse(document(client_bundles=text))


def test_a_bundle_that_would_leave_its_folder_is_refused(document):
    bundle = document()["client_bundles"]["browser"]
    with pytest.raises(OperationError, match=r"client_bundles.*cannot be used"):
        stack_outputs.parse(document(client_bundles={"../browser": bundle}))


def test_what_an_earlier_version_does_not_say_of_renewal_is_due_as_it_ends(document):
    found = stack_outputs.parse(document())
    assert found.renewal.certificate_authority == "1s"
    assert list_certificates(found, datetime.now(UTC))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"renewal": {"server": "0s"}}, "renewal.server cannot be used"),
        ({"certificate_revocation_list": "-----END X509 CRL-----\n"}, "holds no revocation list"),
        ({"next_ca_certificate": "text"}, "holds no PEM certificate"),
    ],
)
def test_what_inventory_reads_is_checked(document, changes, sentence):
    with pytest.raises(OperationError, match=sentence):
        stack_outputs.parse(document(**changes))


def test_time_before_all_certificates_is_refused(document):
    values = document()
    values["clients"]["browser"]["not_after"] = "0001-01-01T00:00:00Z"
    with pytest.raises(OperationError, match=r"clients.browser.not_after .*before 1950"):
        stack_outputs.parse(values)


def test_time_without_zone_is_refused(document):
    values = document()
    values["clients"]["browser"]["not_after"] = "2030-01-01T00:00:00"
    with pytest.raises(OperationError, match=r"clients.browser.not_after .*has no time zone"):
        stack_outputs.parse(values)


def test_error_does_not_quote_a_secret(document):
    values = document()
    values["client_bundles"]["browser"]["private_key"] = ["SECRET-KEY"]
    with pytest.raises(OperationError) as raised:
        stack_outputs.parse(values)
    assert "SECRET-KEY" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_numbers_arrive_as_floats_and_unknown_outputs_are_let_be(document):
    parsed = stack_outputs.parse(document(listener_port=443.0, something_new=1))
    assert parsed.listener_port == 443


@pytest.mark.parametrize(
    ("url", "host", "port", "is_ip"),
    [
        ("https://203.0.113.7/", "203.0.113.7", 443, True),
        ("https://127.0.0.1:8443/", "127.0.0.1", 8443, True),
        ("https://[2001:db8::1]/", "2001:db8::1", 443, True),
        ("https://a.test/", "a.test", 443, False),
    ],
)
def test_host_and_port_of_the_url(document, url, host, port, is_ip):
    parsed = stack_outputs.parse(document(url=url))
    assert (parsed.host, parsed.port, parsed.is_ip_address) == (host, port, is_ip)


def test_public_outputs_hold_no_secret(document):
    values = document()
    shown = stack_outputs.public(stack_outputs.parse(values))
    text = json.dumps(shown)
    new = {
        "name",
        "issued",
        "certificate_record",
        "renewal",
        "certificate_revocation_list",
        "next_ca_certificate",
        "listeners",
        "redirect_port",
        "backends",
        "domain_certificates",
    }
    assert set(shown) == {*values, *new} - {"client_bundles", "expired_probe"}
    assert shown["clients"]["browser"]["not_after"] == values["clients"]["browser"]["not_after"]
    assert "PRIVATE KEY" not in text
    for secret in values["client_bundles"]["browser"].values():
        assert (secret not in {values["ca_certificate"]} and secret not in text) or secret == (
            values["ca_certificate"]
        )


def test_days_left_are_whole_days():
    end = datetime(2030, 1, 10, tzinfo=UTC)
    expiry = Expiry(end, "server", "server")
    assert expiry.days_left(end - timedelta(days=1, seconds=1)) == 1
    assert expiry.days_left(end - timedelta(seconds=1)) == 0
    assert not expiry.has_expired(end)
    assert expiry.has_expired(end + timedelta(seconds=1))
    assert expiry.days_left(end + timedelta(seconds=1)) == -1


def test_the_first_to_expire_comes_first(document):
    values = document()
    values["clients"]["partner"]["not_after"] = "2020-01-01T00:00:00+08:00"
    assert list_expiries(stack_outputs.parse(values))[0].name == "partner"


def test_a_server_certificate_that_alibaba_cloud_keeps_is_in_no_state(document):
    found = stack_outputs.parse(document(server_certificate="", server_certificate_issuer="other"))
    assert found.server is None
    assert [expiry.role for expiry in list_expiries(found)].count("server") == 0


def own_key(bundle):
    """What is left of a bundle if the client keeps its key to itself."""
    return {name: bundle[name] for name in ("certificate", "chain")}


def test_a_client_that_keeps_its_key_is_in_force_and_cannot_be_tried(document):
    bundles = document()["client_bundles"]
    bundles["browser"] = own_key(bundles["browser"])
    found = stack_outputs.parse(document(client_bundles=bundles))
    assert found.clients_in_force() == ["browser", "partner"]
    assert found.clients_to_try() == ["partner"]
    with pytest.raises(OperationError, match="keeps its key to itself, so it cannot be tried"):
        bundle_identity(found.client_bundles["browser"])


@pytest.mark.parametrize("name", ["pkcs12", "pass_phrase", "private_key"])
def test_a_part_of_a_keys_bundle_is_refused(document, name):
    bundles = document()["client_bundles"]
    bundles["browser"] = {**own_key(bundles["browser"]), name: bundles["browser"][name]}
    with pytest.raises(OperationError, match="a part of a key's bundle and not the rest"):
        stack_outputs.parse(document(client_bundles=bundles))


def test_what_was_imported_has_no_beginning(document):
    entry = {
        "name": "phone",
        "serial_number": "face",
        "fingerprint_sha256": "",
        "subject": "CN=phone",
        "not_before": "",
        "not_after": "2030-01-01T00:00:00Z",
        "status": "valid",
        "authority_key_id": "00",
        "imported": True,
    }
    (found,) = stack_outputs.parse(document(issued=[entry])).issued
    assert (found.not_before, found.imported) == (None, True)
