"""Listeners ask for client certificates of this CA, with the settings of the configuration."""

from __future__ import annotations

import pytest

from tests.unit.components.balancers import (
    ACL,
    ATTACHED,
    CA_UPLOAD,
    EVERYTHING,
    EXTENSION,
    ISSUE,
    LISTENER,
    TAGS,
    UPLOAD,
    deployed,
    listener,
    named,
)
from tests.unit.components.mock_cloud import ISSUED


def test_the_listener_demands_a_certificate_of_this_ca():
    deployment = deployed()
    asked = deployment.one(LISTENER).inputs
    assert asked["protocol"] == "https"
    assert asked["caCertificateId"] == "CaCertificate test"
    assert asked["serverCertificateId"] == "ServerCertificate test"
    ca = deployment.one(CA_UPLOAD).inputs
    assert ca["caCertificate"] == ISSUED["CertificateAuthority"]["certificate"]


def test_the_listener_is_safe_by_default():
    asked = listener()
    assert asked["loadBalancerId"] == "ApplicationLoadBalancer test"
    assert (asked["frontendPort"], asked["backendPort"]) == (443, 8080)
    assert asked["tlsCipherPolicy"] == "tls_cipher_policy_1_2_strict_with_1_3"
    assert (asked["enableHttp2"], asked["gzip"]) == ("on", True)
    assert (asked["scheduler"], asked["stickySession"]) == ("rr", "off")
    assert (asked["bandwidth"], asked["idleTimeout"], asked["requestTimeout"]) == (-1, 15, 60)
    assert asked["xForwardedFor"] == {
        "retriveSlbProto": True,
        "retriveSlbId": False,
        "retriveSlbIp": False,
    }


def test_health_checks_ask_the_backend_port_for_an_explicit_path():
    asked = listener()
    assert asked["healthCheck"] == "on"
    assert asked["healthCheckUri"] == "/healthz"
    assert (asked["healthCheckMethod"], asked["healthCheckHttpCode"]) == ("head", "http_2xx")
    assert asked["healthCheckConnectPort"] == 8080
    assert (asked["healthCheckInterval"], asked["healthCheckTimeout"]) == (2, 5)
    assert (asked["healthyThreshold"], asked["unhealthyThreshold"]) == (3, 3)


def test_the_listener_has_what_is_configured():
    asked = listener(
        port=8443,
        tls_cipher_policy="tls_cipher_policy_1_2",
        http2=False,
        gzip=False,
        scheduler="wrr",
        bandwidth=100,
        idle_timeout=30,
        request_timeout=90,
    )
    assert asked["frontendPort"] == 8443
    assert asked["tlsCipherPolicy"] == "tls_cipher_policy_1_2"
    assert (asked["enableHttp2"], asked["gzip"]) == ("off", False)
    assert (asked["scheduler"], asked["bandwidth"]) == ("wrr", 100)
    assert (asked["idleTimeout"], asked["requestTimeout"]) == (30, 90)


@pytest.mark.parametrize("header", ["proto", "slb_id", "slb_ip"])
def test_each_forwarded_header_is_switched_by_itself(header):
    names = {"proto": "retriveSlbProto", "slb_id": "retriveSlbId", "slb_ip": "retriveSlbIp"}
    asked = listener(forwarded_headers={name: name == header for name in names})
    assert asked["xForwardedFor"] == {key: name == header for name, key in names.items()}


def test_health_checks_have_what_is_configured():
    asked = listener(
        health_check={
            "uri": "/ready?full=1",
            "method": "get",
            "http_codes": ["http_2xx", "http_3xx"],
            "interval": 3,
            "timeout": 4,
            "healthy_threshold": 5,
            "unhealthy_threshold": 6,
        }
    )
    assert asked["healthCheckUri"] == "/ready?full=1"
    assert asked["healthCheckMethod"] == "get"
    assert asked["healthCheckHttpCode"] == "http_2xx,http_3xx"
    assert (asked["healthCheckInterval"], asked["healthCheckTimeout"]) == (3, 4)
    assert (asked["healthyThreshold"], asked["unhealthyThreshold"]) == (5, 6)


def test_health_checks_can_be_off_and_ask_elsewhere():
    asked = listener(health_check={"enabled": False})
    assert asked["healthCheck"] == "off"
    asked = listener(health_check={"domain": "health.example.com", "port": 9000})
    assert asked["healthCheckDomain"] == "health.example.com"
    assert (asked["healthCheckConnectPort"], asked["backendPort"]) == (9000, 8080)


@pytest.mark.parametrize(
    ("given", "asked_for"),
    [
        (
            {"type": "insert", "cookie_timeout": 3600},
            {"stickySessionType": "insert", "cookieTimeout": 3600},
        ),
        (
            {"type": "server", "cookie": "JSESSIONID"},
            {"stickySessionType": "server", "cookie": "JSESSIONID"},
        ),
    ],
)
def test_sticky_sessions_have_what_their_type_takes_and_no_more(given, asked_for):
    asked = listener(sticky_session=given)
    assert asked["stickySession"] == "on"
    of_sessions = {key: value for key, value in asked.items() if "ookie" in key or "ionType" in key}
    assert of_sessions == asked_for


def test_entries_make_an_acl_that_is_complete_before_the_listener_takes_it():
    deployment = deployed(listener=EVERYTHING)
    made = deployment.one(ACL)
    assert made.inputs == {
        "ipVersion": "ipv4",
        "entryLists": [
            {"entry": "203.0.113.0/24", "comment": "office"},
            {"entry": "198.51.100.7/32", "comment": ""},
        ],
        "tags": TAGS,
    }
    asked = named(deployment, LISTENER, "test")
    assert (asked.inputs["aclStatus"], asked.inputs["aclType"]) == ("on", "white")
    assert asked.inputs["aclIds"] == ["Acl test"]
    assert made.urn in asked.request.dependencies


def test_other_entries_make_another_acl_so_that_no_list_is_empty_in_between():
    assert list(deployed(listener=EVERYTHING).one(ACL).request.replaceOnChanges) == ["entryLists"]


def test_existing_acls_are_used():
    deployment = deployed(listener={"acl": {"type": "black", "ids": ["acl-a", "acl-b"]}})
    assert not deployment.all(ACL)
    asked = deployment.one(LISTENER).inputs
    assert (asked["aclStatus"], asked["aclType"]) == ("on", "black")
    assert asked["aclIds"] == ["acl-a", "acl-b"]


def test_the_redirect_has_its_port_and_target_and_nothing_else():
    deployment = deployed(listener={"port": 8443, "redirect_port": 80})
    redirect = named(deployment, LISTENER, "test-redirect")
    # The provider cannot change a redirecting listener, and garbles a backend port.
    assert redirect.inputs == {
        "loadBalancerId": "ApplicationLoadBalancer test",
        "protocol": "http",
        "frontendPort": 80,
        "listenerForward": "on",
        "forwardPort": 8443,
    }
    assert named(deployment, LISTENER, "test").urn in redirect.request.dependencies
    assert list(redirect.request.ignoreChanges) == ["backendPort"]


def test_each_additional_domain_has_a_certificate_of_its_own_on_each_listener():
    deployment = deployed(listener=EVERYTHING, others={"partners": {"port": 8443}})
    extensions = {
        one.name: (
            one.inputs["domain"],
            one.inputs["frontendPort"],
            one.inputs["serverCertificateId"],
        )
        for one in deployment.all(EXTENSION)
    }
    api, wild = "ServerCertificate test-api.example.com", "ServerCertificate test-_.example.org"
    assert extensions == {
        "test-api.example.com": ("api.example.com", 443, api),
        "test-_.example.org": ("*.example.org", 443, wild),
        "test-listener-partners-api.example.com": ("api.example.com", 8443, api),
        "test-listener-partners-_.example.org": ("*.example.org", 8443, wild),
    }
    issued = named(deployment, ISSUE, "test-api.example.com").inputs
    assert (issued["common_name"], issued["dns_names"]) == ("api.example.com", ["api.example.com"])
    assert issued["ip_addresses"] == []
    assert named(deployment, UPLOAD, "test-_.example.org").inputs == {
        "alicloudCertificateId": "1-cn",
        "tags": TAGS,
    }


def test_an_extension_is_replaced_with_its_listener():
    (one, _) = deployed(listener=EVERYTHING).all(EXTENSION)
    listened = {urn.rsplit("::", 2)[1:][1] for urn in one.request.dependencies}
    assert "test" in listened
    for value in ("loadBalancerId", "frontendPort"):
        (urn,) = [
            urn
            for urn in one.request.propertyDependencies[value].urns
            if "slb/listener:Listener" in urn
        ]
        assert urn.endswith("::test")


def test_a_long_domain_leaves_room_for_what_the_provider_adds_to_names():
    domain = ".".join(["a" * 30, "b" * 30, "cn"])
    deployment = deployed(listener={"domain_extensions": {domain: {}, f"x{domain[1:]}": {}}})
    names = {one.name for one in deployment.all(UPLOAD)}
    assert len(names) == 3
    assert all(len(name) <= 72 for name in names)


def test_additional_listeners_share_certificates_backends_and_what_they_do_not_set():
    deployment = deployed(
        listener={**EVERYTHING, "tls_cipher_policy": "tls_cipher_policy_1_2_strict"},
        others={
            "partners": {"port": 8443, "backend_port": 9090, "idle_timeout": 60, "acl": None},
            "other": {"port": 9443, "health_check": {"uri": "/ready", "port": 9000}},
        },
    )
    main = named(deployment, LISTENER, "test").inputs
    partners = named(deployment, LISTENER, "test-listener-partners").inputs
    assert partners == {
        **{key: value for key, value in main.items() if not key.startswith("acl")},
        "frontendPort": 8443,
        "backendPort": 9090,
        "healthCheckConnectPort": 9090,
        "idleTimeout": 60,
    }
    assert partners["caCertificateId"] == "CaCertificate test"
    other = named(deployment, LISTENER, "test-listener-other").inputs
    assert other["backendPort"] == 8080
    assert (other["healthCheckUri"], other["healthCheckConnectPort"]) == ("/ready", 9000)
    assert other["aclIds"] == main["aclIds"]
    assert len(deployment.all(ACL)) == len(deployment.all(ATTACHED)) == 1


def test_an_additional_listener_has_an_acl_of_its_own():
    entries = {"192.0.2.0/24": "partner"}
    deployment = deployed(
        listener=EVERYTHING,
        others={"partners": {"port": 8443, "acl": {"type": "white", "entries": entries}}},
    )
    partners = named(deployment, LISTENER, "test-listener-partners").inputs
    assert partners["aclIds"] == ["Acl test-listener-partners"]
