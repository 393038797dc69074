"""Each rule lets pass what obeys it, and says what breaks it: what, where, what would be right."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from configuration.regions import REGIONS
from operations.project import POLICY_PACK, PROJECT
from rules import RULES
from rules.model import Marker, Resource

CONFIGURATION = json.loads((POLICY_PACK / "configuration.json").read_text(encoding="utf-8"))

LISTENER = "alicloud:slb/listener:Listener"
SECURITY_GROUP_RULE = "alicloud:ecs/securityGroupRule:SecurityGroupRule"
LOAD_BALANCER = "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer"
DYNAMIC = "pulumi-python:dynamic/pki:"


def broken(kind, properties, *, stack="dev", name="", **configuration):
    """The violations by rule."""
    resource = Resource(kind, properties, stack, name)
    found = {
        rule.name: rule.find_violations(
            resource, {**CONFIGURATION.get(rule.name, {}), **configuration.get(rule.name, {})}
        )
        for rule in RULES
    }
    return {name: violations for name, violations in found.items() if violations}


def listener(**changes):
    properties = {
        "protocol": "https",
        "frontendPort": 443.0,
        "caCertificateId": "1_ca",
        "serverCertificateId": "1_server",
        "tlsCipherPolicy": "tls_cipher_policy_1_2_strict",
        "healthCheck": "on",
        **changes,
    }
    return {name: value for name, value in properties.items() if value is not None}


def test_rules_have_names_of_their_own():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tlsCipherPolicy": "tls_cipher_policy_1_2_strict_with_1_3"},
        {"caCertificateId": Marker.UNKNOWN, "serverCertificateId": Marker.UNKNOWN},
    ],
    ids=["strict", "newer", "first preview"],
)
def test_a_listener_that_demands_certificates_obeys(changes):
    assert broken(LISTENER, listener(**changes)) == {}


@pytest.mark.parametrize("missing", [None, ""])
def test_a_listener_without_ca_certificate_is_one_way_tls(missing):
    assert broken(LISTENER, listener(caCertificateId=missing)) == {
        "mutual-tls": [
            "The listener on port 443 has no CA certificate, so that it lets in whoever comes: set "
            "ca_certificate_id to the clients' CA"
        ]
    }


def test_a_listener_without_server_certificate():
    (sentence,) = broken(LISTENER, listener(serverCertificateId=None))["mutual-tls"]
    assert sentence.startswith("The listener on port 443 has no server certificate: set server_c")


@pytest.mark.parametrize("protocol", ["http", "tcp", "udp"])
def test_a_listener_of_another_protocol(protocol):
    (sentence,) = broken(LISTENER, {"protocol": protocol, "frontendPort": 80.0})["mutual-tls"]
    assert f"on port 80 has the protocol {protocol}, which asks nobody" in sentence


def test_a_listener_that_only_redirects_obeys():
    redirect = {"protocol": "http", "frontendPort": 80.0, "listenerForward": "on"}
    assert broken(LISTENER, redirect) == {}


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ("tls_cipher_policy_1_0", "the TLS policy tls_cipher_policy_1_0"),
        ("tls_cipher_policy_1_1", "the TLS policy tls_cipher_policy_1_1"),
        ("tls_cipher_policy_1_2", "the TLS policy tls_cipher_policy_1_2:"),
        (None, "no TLS policy, which means TLS 1.0"),
    ],
)
def test_an_older_tls_policy(chosen, named):
    (sentence,) = broken(LISTENER, listener(tlsCipherPolicy=chosen))["tls-policy"]
    assert named in sentence
    assert "set tls_cipher_policy to tls_cipher_policy_1_2_strict or" in sentence


@pytest.mark.parametrize("given", ["off", None])
def test_a_listener_without_health_check(given):
    assert list(broken(LISTENER, listener(healthCheck=given))) == ["health-check"]


def admitting(**changes):
    return {"type": "ingress", "policy": "accept", "portRange": "80/80", **changes}


@pytest.mark.parametrize(
    "source",
    [
        {"cidrIp": "100.64.0.0/10"},
        {"cidrIp": "100.64.1.0/24"},
        {"cidrIp": "10.0.0.0/8"},
        {"cidrIp": "203.0.113.0/24"},
        {"cidrIp": "8.8.8.8"},
        {"ipv6CidrIp": "fd00::/8"},
        {"ipv6CidrIp": "2400:3200::/64"},
        {"sourceSecurityGroupId": "sg-1"},
        {"cidrIp": Marker.UNKNOWN},
    ],
    ids=str,
)
def test_a_port_that_few_reach_obeys(source):
    assert broken(SECURITY_GROUP_RULE, admitting(**source)) == {}


@pytest.mark.parametrize(
    "source",
    [
        {"cidrIp": "0.0.0.0/0"},
        {"cidrIp": "128.0.0.0/1"},
        {"cidrIp": "47.0.0.0/8"},
        {"cidrIp": "100.0.0.0/8"},
        {"ipv6CidrIp": "::/0"},
        {"ipv6CidrIp": "2000::/3"},
    ],
    ids=str,
)
def test_a_port_that_is_open_to_the_world(source):
    (sentence,) = broken(SECURITY_GROUP_RULE, admitting(**source))["backend-ports"]
    assert re.match(
        rf"Port range 80/80 of the security group is open to {re.escape(*source.values())}: only "
        r"the load balancer \(100\.64\.0\.0/10\) has to reach a backend; give",
        sentence,
    )


@pytest.mark.parametrize("changes", [{"type": "egress"}, {"policy": "drop"}])
def test_what_admits_nobody_may_name_the_world(changes):
    assert broken(SECURITY_GROUP_RULE, admitting(cidrIp="0.0.0.0/0", **changes)) == {}


def valid(first, last, prefix=""):
    return {f"{prefix}not_before": first, f"{prefix}not_after": last}


ONE_YEAR = valid("2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z")
TWO_YEARS = valid("2026-01-01T00:00:00Z", "2027-12-31T23:59:59Z")
TEN_YEARS = valid("2026-01-01T00:00:00Z", "2035-12-31T23:59:59Z")
TWENTY_YEARS = valid("2026-01-01T00:00:00Z", "2045-12-31T23:59:59Z")
A_DAY_MORE = valid("2025-12-31T00:00:00Z", "2027-02-02T23:59:59Z")
BROUGHT_ALONG = {"adopted_certificate": "PEM", "issued_because": "brought along"}
RENEWED = {"adopted_certificate": "PEM", "issued_because": "renewal due since 2026-01-01T00:00:00Z"}
ONE_HOUR = valid("2026-01-01T00:00:00Z", "2026-01-01T00:59:59Z")


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("CertificateAuthority", TEN_YEARS),
        ("CertificateAuthority", {}),
        ("ServerCertificate", ONE_YEAR),
        ("ServerCertificate", dict.fromkeys(ONE_YEAR, Marker.UNKNOWN)),
        ("CertificateRegister", {"clients": {"browser": ONE_YEAR}}),
        ("CertificateRegister", {"clients": Marker.UNKNOWN}),
        # What was brought along has the dates that it has.
        ("CertificateAuthority", {**TWENTY_YEARS, "adopted_certificate": "PEM"}),
        ("CertificateAuthority", {**TWENTY_YEARS, **BROUGHT_ALONG}),
        ("CertificateRegister", {"clients": {"old": {**TWO_YEARS, "certificate": "PEM"}}}),
        # Issued within bounds; the CA's end cut it, or it began before midnight.
        ("ServerCertificate", {**ONE_HOUR, "validity": "365d"}),
        ("CertificateRegister", {"clients": {"old": {**A_DAY_MORE, "validity": "398d"}}}),
    ],
)
def test_usual_lifetimes_obey(kind, properties):
    assert broken(DYNAMIC + kind, properties) == {}


@pytest.mark.parametrize(
    ("kind", "properties", "sentence"),
    [
        (
            "CertificateAuthority",
            ONE_HOUR,
            "of certificate_authority is valid from 2026-01-01T00:00:00Z to 2026-01-01T00:59:59Z, "
            "0.04167 days: set certificate_authority.validity to 365d to 3653d, or have "
            "certificate_authority_days changed in policy/configuration.json",
        ),
        (
            "CertificateAuthority",
            {**TEN_YEARS, **valid("2030-01-01T00:00:00Z", "2050-01-01T00:00:00Z", "next_")},
            "of certificate_authority is valid from 2030-01-01T00:00:00Z",
        ),
        ("ServerCertificate", TWO_YEARS, "730 days: set server.validity to 1d to 398d, or"),
        ("ServerCertificate", ONE_HOUR, "set server.validity to 1d to 398d"),
        ("ServerCertificate", {**TWO_YEARS, "validity": "730d"}, "set server.validity to 1d to"),
        (
            "CertificateRegister",
            {"clients": {"alice.smith": {**TWO_YEARS, "validity": "730d"}}},
            'set clients["alice.smith"].validity to 1d to 398d',
        ),
        (
            "CertificateAuthority",
            {**TWENTY_YEARS, **RENEWED, "validity": "7300d"},
            "set certificate_authority.validity to 365d to 3653d",
        ),
        (
            "CertificateAuthority",
            {
                **TWENTY_YEARS,
                **BROUGHT_ALONG,
                **valid("2030-01-01T00:00:00Z", "2050-01-01T00:00:00Z", "next_"),
            },
            "of certificate_authority is valid from 2030-01-01T00:00:00Z",
        ),
        (
            "CertificateRegister",
            {"clients": {"browser": ONE_YEAR, "partner": TWO_YEARS}},
            "of clients.partner is valid from 2026-01-01T00:00:00Z to 2027-12-31T23:59:59Z, 730 "
            "days: set clients.partner.validity to 1d to 398d, or have client_days changed in",
        ),
    ],
)
def test_a_lifetime_out_of_bounds(kind, properties, sentence):
    (found,) = broken(DYNAMIC + kind, properties)["certificate-validity"]
    assert sentence in found


@pytest.mark.parametrize(
    ("domain", "name", "place"),
    [
        ("api.example.com", "tls-dev-api.example.com", '["api.example.com"]'),
        ("*.example.com", "tls-dev-_.example.com", '["*.example.com"]'),
        ("gateway", "tls-dev-gateway", ".gateway"),
    ],
)
def test_an_additional_domains_lifetime_is_configured_at_the_domain(domain, name, place):
    properties = {**TWO_YEARS, "dns_names": [domain]}
    (found,) = broken(DYNAMIC + "ServerCertificate", properties, name=name)["certificate-validity"]
    assert f"set listener.domain_extensions{place}.validity to 1d to 398d" in found
    (found,) = broken(DYNAMIC + "ServerCertificate", properties, name="tls-dev")[
        "certificate-validity"
    ]
    assert "set server.validity to 1d to 398d" in found


def test_bounds_are_configurable_and_belong_to_them():
    bounds = {"server_days": {"minimum": 365, "maximum": 365}}
    assert broken(DYNAMIC + "ServerCertificate", ONE_YEAR, **{"certificate-validity": bounds}) == {}
    bounds = {"server_days": {"minimum": 1, "maximum": 364}}
    assert broken(DYNAMIC + "ServerCertificate", ONE_YEAR, **{"certificate-validity": bounds})


@pytest.mark.parametrize("stack", ["prod", "staging"])
@pytest.mark.parametrize("properties", [{}, {"deleteProtection": "off"}])
def test_a_production_load_balancer_that_can_be_deleted(stack, properties):
    assert broken(LOAD_BALANCER, properties, stack=stack) == {
        "deletion-protection": [
            f"The load balancer of stack {stack} can be deleted by mistake: set "
            "load_balancer.deletion_protection to true"
        ]
    }


def test_protection_obeys_and_other_stacks_need_none():
    assert broken(LOAD_BALANCER, {"deleteProtection": "on"}, stack="prod") == {}
    assert broken(LOAD_BALANCER, {"deleteProtection": "off"}, stack="dev") == {}


def test_what_is_production_is_configurable():
    stacks = {"deletion-protection": {"stacks": ["live-*"]}}
    assert broken(LOAD_BALANCER, {}, stack="live-eu", **stacks)
    assert not broken(LOAD_BALANCER, {}, stack="prod", **stacks)


PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("properties", "place"),
    [
        ({"privateKey": "x"}, "privateKey"),
        ({"ca_private_key": "x"}, "ca_private_key"),
        ({"clients": {"browser": {"pass_phrase": "x"}}}, "clients.browser.pass_phrase"),
        ({"bundles": [{"pkcs12": "x"}]}, "bundles[0].pkcs12"),
        ({"password": "x"}, "password"),
        ({"secretKey": "x"}, "secretKey"),
        ({"userData": PEM}, "userData"),
        ({"files": [PEM]}, "files[0]"),
    ],
)
def test_a_secret_in_the_clear(properties, place):
    (sentence,) = broken("any:thing:At", properties)["secret-inputs"]
    assert sentence.startswith(f"{place} is a secret in the clear, and would be so in state: wrap")
    assert "MIIB" not in sentence


@pytest.mark.parametrize(
    "properties",
    [
        {"privateKey": Marker.SECRET, "clients": Marker.SECRET},
        {"privateKey": Marker.UNKNOWN},
        {"privateKey": "", "password": None},
        {"certificate": "-----BEGIN CERTIFICATE-----", "public_key": "x", "key_id": "x"},
    ],
)
def test_what_is_secret_unknown_or_public_obeys(properties):
    assert broken("any:thing:At", properties) == {}


PROVIDER = "pulumi:providers:alicloud"


def test_a_region_that_is_not_allowed():
    allowed = {"region": {"allowed": ["cn-hangzhou", "cn-shanghai"]}}
    assert broken(PROVIDER, {"region": "cn-hangzhou"}, **allowed) == {}
    assert broken(PROVIDER, {"region": Marker.UNKNOWN}, **allowed) == {}
    assert broken(PROVIDER, {"region": "eu-west-1"}, **allowed) == {
        "region": [
            "The region eu-west-1 is not allowed: set alicloud:region to one that is (cn-hangzhou, "
            "cn-shanghai), or have it added in policy/configuration.json"
        ]
    }


def test_no_list_allows_every_region():
    assert broken(PROVIDER, {"region": "eu-west-1"}, region={"allowed": []}) == {}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_lists_every_rule_and_no_other(language):
    text = (PROJECT / "docs" / language / "policy.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE) == [rule.name for rule in RULES]


def test_the_tracked_stacks_are_in_regions_that_are_allowed_and_exist():
    allowed = set(CONFIGURATION["region"]["allowed"])
    assert allowed <= REGIONS
    for file in PROJECT.glob("Pulumi.*.yaml"):
        assert yaml.safe_load(file.read_text())["config"]["alicloud:region"] in allowed


def test_the_configuration_is_what_the_rules_declare():
    declared = {rule.name: rule.options for rule in RULES if rule.options}
    assert set(CONFIGURATION) == set(declared)
    for name, values in CONFIGURATION.items():
        assert set(values) == set(declared[name])


def clients(**found):
    return {"clients": found}


RSA, P_256 = {"key_bits": 2048.0}, {"key_algorithm": "ECDSA", "key_curve": "P-256"}
STRONGER = {"client-keys": {"rsa_bits": 3072, "curve": "P-384"}}


@pytest.mark.parametrize(
    "client",
    [RSA, P_256, {"key_bits": 4096.0}, {**P_256, "key_curve": "P-521"}, {}, Marker.UNKNOWN],
)
def test_keys_of_usual_strength_are_let_pass(client):
    assert broken(DYNAMIC + "CertificateRegister", clients(a=client)) == {}


@pytest.mark.parametrize("unknown", [Marker.UNKNOWN, Marker.SECRET])
def test_clients_that_cannot_be_seen_are_let_pass(unknown):
    assert broken(DYNAMIC + "CertificateRegister", {"clients": unknown}, **STRONGER) == {}


@pytest.mark.parametrize(
    ("client", "sentence"),
    [
        (RSA, "is RSA 2048: set clients.a.key_bits 3072 or more, or have rsa_bits changed in"),
        (P_256, "is ECDSA P-256: set clients.a.key_curve P-384 or more, or have curve changed in"),
        (
            {**RSA, "signing_request": "PEM"},
            "is RSA 2048: have the client send a signing_request with a key of key_bits 3072 or",
        ),
        (
            {**P_256, "certificate": "PEM"},
            "have the client send a signing_request with a key of key_curve P-384 or more",
        ),
    ],
)
def test_a_key_that_is_weaker_than_demanded_is_named(client, sentence):
    strong = {"key_algorithm": "ECDSA", "key_curve": "P-384"}
    properties = clients(a=client, b=strong, c={"key_bits": 3072.0})
    (found,) = broken(DYNAMIC + "CertificateRegister", properties, **STRONGER)["client-keys"]
    assert found.startswith("The key of clients.a ")
    assert sentence in found
