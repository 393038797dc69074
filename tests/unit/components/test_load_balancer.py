"""The listener asks for client certificates of this CA, with the settings of the configuration."""

from __future__ import annotations

import pulumi
import pytest
from pulumi.output import Unknown

from components.load_balancer import MutualTlsLoadBalancer
from components.server_groups import Backend
from settings import AdditionalListener, Listener, LoadBalancer, Server
from tests.unit.components.mock_cloud import (
    ADDRESS,
    CA_FINGERPRINT,
    ISSUED,
    deploy,
    existing_authority,
)

CLB = "slb/applicationLoadBalancer:ApplicationLoadBalancer"
CA_UPLOAD, UPLOAD = (
    "slb/caCertificate:CaCertificate",
    "slb/serverCertificate:ServerCertificate",
)
ISSUE = "dynamic/pki:ServerCertificate"
LISTENER, ATTACHED = "slb/listener:Listener", "slb/backendServer:BackendServer"
TAGS = {"team": "edge"}
ACL, EXTENSION = "slb/acl:Acl", "slb/domainExtension:DomainExtension"
GROUP = "slb/serverGroup:ServerGroup"
MEMBER = "slb/serverGroupServerAttachment:ServerGroupServerAttachment"
EVERYTHING = {
    "redirect_port": 80,
    "scheduler": "wrr",
    "sticky_session": {"type": "insert", "cookie_timeout": 3600},
    "acl": {"type": "white", "entries": {"203.0.113.0/24": "office", "198.51.100.7": None}},
    "domain_extensions": {
        "api.example.com": {},
        "*.example.org": {"alicloud_certificate_id": "1-cn"},
    },
}


def deployed(*, load_balancer=None, listener=None, others=None, vswitch_id="vsw-backends", **on):
    main = Listener.model_validate(listener or {})
    additional = {k: AdditionalListener.model_validate(v) for k, v in (others or {}).items()}

    def program():
        balancer = MutualTlsLoadBalancer(
            "test",
            load_balancer=LoadBalancer.model_validate(load_balancer or {}),
            listener=main,
            server=Server(),
            authority=existing_authority(),
            backends=[Backend("0", "i-a"), Backend("1", "i-b", 20)],
            backend_port=8080,
            vswitch_id=vswitch_id,
            tags=TAGS,
            additional_listeners={k: one.completed(main) for k, one in additional.items()},
        )
        for name in ("load_balancer_id", "address", "listener_id"):
            pulumi.export(name, getattr(balancer, name))

    return deploy(program, **on)


def listener(**values):
    return deployed(listener=values).one(LISTENER).inputs


def clb(**values):
    return deployed(load_balancer=values).one(CLB).inputs


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


def test_all_backends_are_attached_with_their_weights_before_the_listener_starts():
    deployment = deployed()
    attached = deployment.one(ATTACHED)
    assert attached.inputs["loadBalancerId"] == "ApplicationLoadBalancer test"
    assert attached.inputs["backendServers"] == [
        {"serverId": server_id, "weight": weight, "type": "ecs"}
        for server_id, weight in (("i-a", 100), ("i-b", 20))
    ]
    assert attached.urn in deployment.one(LISTENER).request.dependencies


def test_a_renewed_ca_certificate_is_uploaded_beside_the_old_one():
    ca = deployed().one(CA_UPLOAD)
    assert ca.inputs["caCertificateName"] == f"test-{CA_FINGERPRINT[:8]}"
    assert not ca.request.deleteBeforeReplace


def test_nothing_is_deleted_before_its_successor_is_there_but_listeners():
    for one in deployed(listener=EVERYTHING, others={"partners": {"port": 8443}}).registrations:
        assert one.request.deleteBeforeReplace == (one.kind == LISTENER), one.urn
        # With a name of its own, the provider would do so whatever the program says.
        assert "name" not in one.inputs, one.urn


def test_an_internet_load_balancer_is_in_no_switch():
    asked = clb(vswitch_id="vsw-own")
    assert asked["addressType"] == "internet"
    assert "vswitchId" not in asked
    assert asked["internetChargeType"] == "PayByTraffic"


@pytest.mark.parametrize(
    ("configured", "used"), [(None, "vsw-backends"), ("vsw-own", "vsw-own")], ids=["made", "given"]
)
def test_an_intranet_load_balancer_is_in_a_switch(configured, used):
    asked = clb(address_type="intranet", vswitch_id=configured)
    assert asked["addressType"] == "intranet"
    assert asked["vswitchId"] == used
    assert "internetChargeType" not in asked


def test_the_load_balancer_is_paid_by_use_by_default():
    asked = clb()
    assert (asked["instanceChargeType"], asked["paymentType"]) == ("PayByCLCU", "PayAsYouGo")
    assert "loadBalancerSpec" not in asked
    assert "bandwidth" not in asked


def test_the_load_balancer_is_paid_by_specification_and_bandwidth():
    asked = clb(
        instance_charge_type="PayBySpec",
        specification="slb.s2.small",
        internet_charge_type="PayByBandwidth",
        bandwidth=200,
    )
    assert (asked["instanceChargeType"], asked["loadBalancerSpec"]) == ("PayBySpec", "slb.s2.small")
    assert (asked["internetChargeType"], asked["bandwidth"]) == ("PayByBandwidth", 200)


@pytest.mark.parametrize(("protected", "value"), [(True, "on"), (False, "off")])
def test_the_load_balancer_is_protected_if_that_is_configured(protected, value):
    assert clb(deletion_protection=protected)["deleteProtection"] == value


def test_the_load_balancer_has_the_configured_name_and_group():
    assert clb()["loadBalancerName"] == "test"
    asked = clb(name="edge", resource_group_id="rg-1")
    assert (asked["loadBalancerName"], asked["resourceGroupId"]) == ("edge", "rg-1")


def test_children_belong_to_the_component_and_have_the_tags():
    deployment = deployed()
    component = deployment.one("index:MutualTlsLoadBalancer")
    children = (CLB, CA_UPLOAD, LISTENER, ATTACHED, "index:ServerCertificate")
    assert {deployment.one(kind).parent for kind in children} == {component.urn}
    assert all(deployment.one(kind).inputs["tags"] == TAGS for kind in (CLB, CA_UPLOAD, UPLOAD))


def test_ids_and_address_come_out():
    assert deployed().outputs == {
        "load_balancer_id": "ApplicationLoadBalancer test",
        "address": ADDRESS,
        "listener_id": "Listener test",
    }


def test_a_preview_shows_the_listener_before_its_certificates_are_known():
    deployment = deployed(preview=True)
    asked = deployment.one(LISTENER).inputs
    assert isinstance(asked["caCertificateId"], Unknown)
    assert isinstance(asked["serverCertificateId"], Unknown)
    assert asked["frontendPort"] == 443
    assert isinstance(deployment.outputs["address"], Unknown)


def named(deployment, kind, name):
    (found,) = [one for one in deployment.all(kind) if one.name == name]
    return found


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


def test_a_vserver_group_has_ports_of_its_own():
    deployment = deployed(others={"scaled": {"port": 8443, "server_group_id": "rsp-1"}})
    asked = named(deployment, LISTENER, "test-listener-scaled")
    assert asked.inputs["serverGroupId"] == "rsp-1"
    assert "backendPort" not in asked.inputs
    assert "healthCheckConnectPort" not in asked.inputs
    assert list(asked.request.ignoreChanges) == ["backendPort"]


def test_health_checks_can_be_off_and_ask_elsewhere():
    asked = listener(health_check={"enabled": False})
    assert asked["healthCheck"] == "off"
    asked = listener(health_check={"domain": "health.example.com", "port": 9000})
    assert asked["healthCheckDomain"] == "health.example.com"
    assert (asked["healthCheckConnectPort"], asked["backendPort"]) == (9000, 8080)


def test_an_existing_load_balancer_is_used_and_not_changed():
    deployment = deployed(load_balancer={"id": "lb-1"}, balancers={"lb-1": {}})
    assert not deployment.all(CLB)
    assert deployment.outputs["load_balancer_id"] == "lb-1"
    assert deployment.outputs["address"] == "203.0.113.20"
    assert deployment.one(LISTENER).inputs["loadBalancerId"] == "lb-1"


def test_an_existing_load_balancers_default_server_group_is_left_alone():
    deployment = deployed(
        load_balancer={"id": "lb-1"},
        others={"same": {"port": 8443}, "else": {"port": 9443, "backend_port": 9090}},
        balancers={"lb-1": {}},
    )
    # It may hold others' servers, all of which the resource would take for its own.
    assert not deployment.all(ATTACHED)
    groups = {one.name: one.inputs for one in deployment.all(GROUP)}
    assert groups == {
        f"test-{port}": {"loadBalancerId": "lb-1", "tags": TAGS} for port in (8080, 9090)
    }
    members = [
        (
            one.inputs["serverGroupId"],
            one.inputs["serverId"],
            one.inputs["port"],
            one.inputs["weight"],
        )
        for one in deployment.all(MEMBER)
    ]
    assert members == [
        (f"ServerGroup test-{port}", server_id, port, weight)
        for port in (8080, 9090)
        for server_id, weight in (("i-a", 100), ("i-b", 20))
    ]
    used = {one.name: one.inputs["serverGroupId"] for one in deployment.all(LISTENER)}
    assert used == {
        "test": "ServerGroup test-8080",
        "test-listener-same": "ServerGroup test-8080",
        "test-listener-else": "ServerGroup test-9090",
    }
    assert {one.inputs["healthCheckConnectPort"] for one in deployment.all(LISTENER)} == {
        8080,
        9090,
    }


def test_members_are_replaced_one_at_a_time_and_each_before_its_successor():
    first, second = deployed(load_balancer={"id": "lb-1"}, balancers={"lb-1": {}}).all(MEMBER)
    assert first.request.deleteBeforeReplace
    assert second.request.deleteBeforeReplace
    assert first.urn in second.request.dependencies


@pytest.mark.parametrize(
    ("balancer", "listener", "sentence"),
    [
        (
            None,
            {},
            "load_balancer.id names lb-1, which the account does not have in this region: give ids "
            "of existing load balancers, or leave the key out for new ones.",
        ),
        (
            {"loadBalancerSpec": ""},
            {},
            "load_balancer.id names lb-1, a shared-performance instance: it takes neither a TLS "
            "policy nor domain extensions. Name a guaranteed-performance or pay-by-LCU one, or "
            "leave the key out for a new one.",
        ),
        (
            {"addressIpVersion": "ipv6"},
            {"acl": {"type": "white", "entries": {"203.0.113.0/24": None}}},
            "listener.acl.entries has blocks of another IP version than the load balancer's "
            "(ipv6), which takes none of them: give blocks of ipv6",
        ),
    ],
    ids=["missing", "shared", "other version"],
)
def test_an_existing_load_balancer_that_does_not_fit_is_one_clear_error(
    balancer, listener, sentence
):
    with pytest.raises(pulumi.RunError) as caught:
        deployed(
            load_balancer={"id": "lb-1"},
            listener=listener,
            balancers={} if balancer is None else {"lb-1": balancer},
        )
    assert str(caught.value) == sentence


ZONES = (("cn-hangzhou-g", "cn-hangzhou-h"), ("cn-hangzhou-h", "cn-hangzhou-g"))


def test_an_ipv6_load_balancer_has_acls_of_its_kind():
    entries = {"2001:db8::/32": "office"}
    deployment = deployed(
        load_balancer={"address_ip_version": "ipv6"},
        listener={"acl": {"type": "white", "entries": entries}},
        slb_zones=ZONES,
    )
    assert deployment.one(CLB).inputs["addressIpVersion"] == "ipv6"
    assert deployment.one(ACL).inputs["ipVersion"] == "ipv6"
    assert deployment.one(ACL).inputs["entryLists"] == [
        {"entry": "2001:db8::/32", "comment": "office"}
    ]


def test_the_load_balancer_is_in_the_configured_zones():
    deployment = deployed(
        load_balancer={"master_zone_id": "cn-hangzhou-h", "slave_zone_id": "cn-hangzhou-g"},
        slb_zones=ZONES,
    )
    asked = deployment.one(CLB).inputs
    assert (asked["masterZoneId"], asked["slaveZoneId"]) == ("cn-hangzhou-h", "cn-hangzhou-g")


def test_nothing_is_asked_of_zones_that_nobody_chose():
    assert deployed().invokes == []


@pytest.mark.parametrize(
    ("given", "zones", "sentence"),
    [
        (
            {"address_ip_version": "ipv6"},
            (),
            "The region sells no load balancer with an address of ipv6: leave "
            "load_balancer.address_ip_version out, or take another region.",
        ),
        (
            {"master_zone_id": "cn-hangzhou-z"},
            ZONES,
            "The region sells no load balancer in load_balancer.master_zone_id cn-hangzhou-z: it "
            "sells them in cn-hangzhou-g with cn-hangzhou-h, cn-hangzhou-h with cn-hangzhou-g.",
        ),
        (
            {"master_zone_id": "cn-hangzhou-g", "slave_zone_id": "cn-hangzhou-z"},
            ZONES,
            "The region sells no load balancer in load_balancer.master_zone_id cn-hangzhou-g with "
            "slave_zone_id cn-hangzhou-z: it sells them in cn-hangzhou-g with cn-hangzhou-h, "
            "cn-hangzhou-h with cn-hangzhou-g.",
        ),
    ],
)
def test_zones_that_the_region_does_not_sell_are_one_clear_error(given, zones, sentence):
    with pytest.raises(pulumi.RunError) as caught:
        deployed(load_balancer=given, slb_zones=zones)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("given", "status", "reason"),
    [(True, "ConsoleProtection", "test"), (False, "NonProtection", None), (None, None, None)],
)
def test_the_console_is_kept_out_if_that_is_configured(given, status, reason):
    # Left out, the provider keeps whatever there is: it takes more than that to take it off.
    asked = clb(modification_protection=given)
    assert asked.get("modificationProtectionStatus") == status
    assert asked.get("modificationProtectionReason") == reason


def test_a_preview_shows_everything_before_the_load_balancer_is_known():
    deployment = deployed(
        preview=True, listener=EVERYTHING, others={"partners": {"port": 8443, "backend_port": 90}}
    )
    assert len(deployment.all(LISTENER)) == 3
    assert named(deployment, LISTENER, "test-redirect").inputs["forwardPort"] == 443
    assert {one.inputs["frontendPort"] for one in deployment.all(EXTENSION)} == {443, 8443}
