"""The CA and its register are asked for what the configuration says, and keep their secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pulumi.output import Unknown

from components.assembly import authority_arguments
from components.pki import certificates, keys
from components.pki.names import distinguished_name
from components.pki.windows import Window
from components.private_ca import PrivateCertificateAuthority
from configuration.settings import parse
from tests.unit.components.mock_cloud import CA_KEY_ID, ISSUED, deploy
from tests.unit.components.pki.material import CA_SUBJECT, issuer, key

CA, REGISTER = "dynamic/pki:CertificateAuthority", "dynamic/pki:CertificateRegister"
SECRET = ("private_key", "expired_probe", "client_bundles")
PUBLIC = ("certificate", "key_id", "fingerprint_sha256", "clients")
FOLLOWING = {
    "next_certificate": "certificate of the next CA",
    "cross_certificate": "the same, signed by the CA",
    "next_private_key": "key of the next CA",
    "next_key_id": "id of the next CA's key",
}
ROTATING = {
    **ISSUED,
    "CertificateAuthority": {**ISSUED["CertificateAuthority"], **FOLLOWING},
    "RevocationList": {
        "revocation_list": "list of the CA\n",
        "next_revocation_list": "next list\n",
    },
}


def signing_request(bits):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    made = builder.sign(keys.generate(bits), hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()


def deployed(values=None, *, secret_keys=("clients",), **options):
    settings = parse(values or {}, file="Pulumi.test.yaml", secret_keys=secret_keys)

    def program():
        authority = PrivateCertificateAuthority("test", authority_arguments(settings))
        for name in (*SECRET, *PUBLIC):
            pulumi.export(name, getattr(authority, name))

    return deploy(program, **options)


def requested(values):
    return deployed(values).one(REGISTER).inputs["clients"]


def test_the_ca_is_named_after_the_stack_unless_it_is_named():
    assert deployed().one(CA).inputs["subject"] == {"common_name": "test CA"}
    named = deployed({"certificate_authority": {"subject": {"common_name": "Example CA"}}})
    assert named.one(CA).inputs["subject"] == {"common_name": "Example CA"}


def test_the_ca_has_what_is_configured():
    authority = {"key_bits": 4096, "validity": "1000d", "renew_before": "400d"}
    inputs = deployed({"certificate_authority": authority}).one(CA).inputs
    assert {name: inputs[name] for name in authority} == authority


def test_the_ca_is_constrained_as_configured_and_not_otherwise():
    assert "name_constraints" not in deployed().one(CA).inputs
    configured = {
        "permitted": {"domains": ["b.example", "A.example", "b.example"]},
        "excluded": {"ip_ranges": ["203.0.113.10"]},
    }
    values = {"certificate_authority": {"name_constraints": configured}}
    server = {"domains": ["b.example"]}
    assert deployed({**values, "server": server}).one(CA).inputs["name_constraints"] == {
        "permitted": {"domains": ["a.example", "b.example"]},
        "excluded": {"ip_ranges": ["203.0.113.10/32"]},
    }


def test_the_register_signs_with_this_ca():
    inputs = deployed().one(REGISTER).inputs
    issued = ISSUED["CertificateAuthority"]
    assert inputs["ca_certificate"] == issued["certificate"]
    assert inputs["ca_private_key"] == issued["private_key"]
    assert inputs["ca_key_id"] == issued["key_id"]


def test_a_client_inherits_the_cas_organization_but_not_its_place():
    authority = {
        "common_name": "Example CA",
        "organization": "Example Ltd",
        "organizational_unit": "Platform",
        "country": "CN",
        "province": "Zhejiang",
        "locality": "Hangzhou",
        "email": "ca@example.com",
    }
    values = {
        "certificate_authority": {"subject": authority},
        "clients": {"browser": {}, "partner": {"subject": {"organization": "Partner Ltd"}}},
    }
    clients = requested(values)
    assert clients["browser"]["subject"] == {
        "common_name": "browser",
        "organization": "Example Ltd",
        "organizational_unit": "Platform",
        "country": "CN",
        "province": "Zhejiang",
    }
    assert clients["partner"]["subject"]["organization"] == "Partner Ltd"
    assert clients["partner"]["subject"]["organizational_unit"] == "Platform"


def test_a_client_has_its_own_values_before_the_defaults():
    clients = requested(
        {
            "client_defaults": {"validity": "90d", "bundle_encoding": "legacy"},
            "clients": {"a": {}, "b": {"validity": "60d", "key_bits": 4096}},
        }
    )
    effective = ("key_bits", "validity", "renew_before", "bundle_encoding")
    assert [clients["a"][name] for name in effective] == [2048, "90d", "30d", "legacy"]
    assert [clients["b"][name] for name in effective] == [4096, "60d", "30d", "legacy"]


def test_a_clients_pass_phrase_is_handed_on_as_a_secret():
    register = deployed({"clients": {"a": {"pass_phrase": "correct horse"}}}).one(REGISTER)
    assert register.inputs["clients"]["a"]["pass_phrase"] == "correct horse"
    assert "clients" in register.secret_inputs


def test_a_client_without_a_pass_phrase_asks_for_none():
    register = deployed({"clients": {"a": {}}}).one(REGISTER)
    assert "pass_phrase" not in register.inputs["clients"]["a"]


def test_keys_and_bundles_are_secret_in_the_state():
    deployment = deployed()
    found = {
        kind: set(deployment.one(kind).request.additionalSecretOutputs) for kind in (CA, REGISTER)
    }
    assert found == {
        CA: {"private_key", "next_private_key", "expired_probe"},
        REGISTER: {"bundles"},
    }
    assert "ca_private_key" in deployment.one(REGISTER).secret_inputs


def test_children_belong_to_the_component():
    deployment = deployed()
    component = deployment.one("index:PrivateCertificateAuthority")
    assert {deployment.one(kind).parent for kind in (CA, REGISTER)} == {component.urn}


def test_what_is_issued_comes_out():
    outputs = deployed().outputs
    bundles = outputs.pop("client_bundles")
    assert bundles == {"browser": {"pass_phrase": "of browser", "chain": "certificate of the CA"}}
    (browser,) = outputs.pop("clients").values()
    assert (browser["serial_number"], browser["status"]) == ("0a", "valid")
    issued = ISSUED["CertificateAuthority"]
    assert outputs == {name: issued[name] for name in (*PUBLIC, *SECRET) if name in issued}


def test_the_first_versions_outputs_are_read_as_well():
    bundle = {"pass_phrase": "of browser", "chain": "certificate of the CA"}
    entry = {**json.loads(ISSUED["CertificateRegister"]["issued"])[0], "name": "old"}
    register = {"issued": [entry], "revision": "0", "bundles": {"old": bundle}}
    outputs = deployed(issued={**ISSUED, "CertificateRegister": register}).outputs
    assert outputs["client_bundles"] == {"old": bundle}
    assert set(outputs["clients"]) == {"old"}


def test_a_preview_knows_the_keys_id_and_no_certificate():
    deployment = deployed(preview=True)
    inputs = deployment.one(REGISTER).inputs
    assert inputs["ca_key_id"] == CA_KEY_ID
    assert isinstance(inputs["ca_certificate"], Unknown)
    assert isinstance(deployment.outputs["client_bundles"], Unknown)


def test_a_client_with_a_request_asks_for_its_certificate_alone():
    request = signing_request(2048)
    inputs = requested({"clients": {"a": {"signing_request": request}, "b": {}}})
    assert inputs["a"]["signing_request"] == request
    assert not {"signing_request", "certificate"} & set(inputs["b"])


def test_another_default_size_of_keys_does_not_concern_a_client_that_has_its_own():
    clients = {"a": {"signing_request": signing_request(2048)}, "b": {}}
    inputs = requested({"clients": clients, "client_defaults": {"key_bits": 4096}})
    assert [inputs[name]["key_bits"] for name in ("a", "b")] == [2048, 4096]


KEY = ("key_algorithm", "key_bits", "key_curve")


def key_inputs(inputs):
    return {name: inputs[name] for name in KEY if name in inputs}


def test_a_key_is_asked_for_as_before_unless_it_is_of_another_algorithm():
    clients = {"a": {}, "b": {"key_algorithm": "ECDSA"}, "c": {"key_algorithm": "RSA"}}
    inputs = requested({"clients": clients})
    assert key_inputs(inputs["a"]) == key_inputs(inputs["c"]) == {"key_bits": 2048}
    assert key_inputs(inputs["b"]) == {"key_algorithm": "ECDSA", "key_curve": "P-256"}


def test_another_default_algorithm_does_not_concern_a_client_that_has_its_own_key():
    made = ec.generate_private_key(ec.SECP521R1())
    own = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = own.sign(made, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    clients = {
        "a": {"signing_request": signing_request(3072)},
        "b": {"signing_request": request},
        "c": {},
    }
    inputs = requested({"clients": clients, "client_defaults": {"key_algorithm": "ECDSA"}})
    assert key_inputs(inputs["a"]) == {"key_bits": 3072}
    assert key_inputs(inputs["b"]) == {"key_algorithm": "ECDSA", "key_curve": "P-521"}
    assert key_inputs(inputs["c"]) == {"key_algorithm": "ECDSA", "key_curve": "P-256"}


def test_an_adopted_ca_is_handed_on_with_its_key_and_what_it_has_issued():
    own = issuer(since=datetime.now(UTC))
    authority = {
        "certificate": certificates.pem(own.certificate),
        "private_key": keys.pkcs1(key("ca")),
        "index": "V\t491124121929Z\t\tFACE\tunknown\t/CN=phone\n",
        "crl_number": 7,
    }
    secret = {"secret_keys": ("certificate_authority",)}
    deployment = deployed({"certificate_authority": authority}, **secret)
    inputs = deployment.one(CA).inputs
    assert inputs["subject"] == CA_SUBJECT
    assert inputs["adopted_certificate"] == authority["certificate"]
    assert inputs["adopted_private_key"] == authority["private_key"]
    assert "adopted_private_key" in deployment.one(CA).secret_inputs
    signer = certificates.key_identifier(own.certificate).digest.hex()
    for rotating in ({}, {"next_generation": 2}):
        values = {"certificate_authority": authority | rotating}
        found = deployed(values, issued=ROTATING, **secret)
        inputs = found.one(REGISTER).inputs
        assert (inputs["index"], inputs["adopted_key_id"]) == (authority["index"], signer)
        assert found.one("dynamic/pki:RevocationList").inputs["first_number"] == 7
    completed = deployed({"certificate_authority": {**authority, "generation": 2}}, **secret)
    assert not {"adopted_certificate", "adopted_private_key"} & set(completed.one(CA).inputs)
    assert not {"index", "adopted_key_id"} & set(completed.one(REGISTER).inputs)
    assert completed.one(CA).inputs["subject"] == CA_SUBJECT


def test_without_the_cas_key_nothing_is_signed_and_no_list_made():
    own = certificates.pem(issuer(since=datetime.now(UTC)).certificate)
    values = {
        "certificate_authority": {"certificate": own},
        "server": {"alicloud_certificate_id": "1234567-cn-hangzhou"},
    }
    settings = parse(values, file="-")
    made = []
    deployment = deploy(
        lambda: made.append(PrivateCertificateAuthority("test", authority_arguments(settings)))
    )
    assert "adopted_private_key" not in deployment.one(CA).inputs
    assert "ca_private_key" not in deployment.one(REGISTER).inputs
    assert deployment.one(REGISTER).inputs["adopted_key_id"]
    assert "ca_private_key" not in deployment.one("dynamic/pki:RevocationList").inputs
    assert made[0].expired_probe is None


def test_while_a_rotation_is_prepared_the_next_ca_issues_and_the_present_one_stays():
    issued = ISSUED["CertificateAuthority"]
    settings = parse({"certificate_authority": {"next_generation": 2}}, file="-")

    def program():
        authority = PrivateCertificateAuthority("test", authority_arguments(settings))
        pulumi.export("certificate", authority.certificate)
        pulumi.export("next", authority.next_certificate)
        pulumi.export("lists", authority.revocation_list)

    deployment = deploy(program, issued=ROTATING)
    register = deployment.one(REGISTER)
    assert register.inputs["ca_certificate"] == FOLLOWING["cross_certificate"]
    assert register.inputs["present_ca_certificate"] == issued["certificate"]
    assert register.inputs["ca_private_key"] == FOLLOWING["next_private_key"]
    assert register.inputs["ca_key_id"] == FOLLOWING["next_key_id"]
    assert "ca_private_key" in register.secret_inputs
    listed = deployment.one("dynamic/pki:RevocationList")
    assert listed.inputs["ca_certificate"] == issued["certificate"]
    assert listed.inputs["next_ca_certificate"] == FOLLOWING["next_certificate"]
    assert {"ca_private_key", "next_ca_private_key"} <= listed.secret_inputs
    assert deployment.outputs == {
        "certificate": issued["certificate"],
        "next": FOLLOWING["next_certificate"],
        "lists": "list of the CA\nnext list\n",
    }


def test_what_the_old_ca_issued_to_itself_and_to_servers_is_no_clients():
    signer = issuer()
    window = Window.of_certificate(signer.certificate)
    name = distinguished_name({"common_name": "www.example.com"})
    names = certificates.alternative_names(["www.example.com"], [])
    public = key("server").public_key()
    served = certificates.issue_server(signer, name, public, window, names)
    values = {
        "certificate_authority": {
            "certificate": certificates.pem(signer.certificate),
            "private_key": keys.pkcs1(signer.private_key),
        },
        "server": {
            "certificate": certificates.pem(served),
            "private_key": keys.pkcs1(key("server")),
        },
    }
    secret_keys = ("certificate_authority", "server")
    inputs = deployed(values, secret_keys=secret_keys).one(REGISTER).inputs
    assert inputs["others"] == sorted(map(certificates.serial_number, [signer.certificate, served]))
    assert "others" not in deployed().one(REGISTER).inputs
