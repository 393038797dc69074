"""The listener asks for client certificates of this CA, with the settings of the configuration."""

from __future__ import annotations

import pulumi
import pytest
from pulumi.output import Unknown

from components.load_balancer import MutualTlsLoadBalancer
from settings import Listener, LoadBalancer, Server
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
LISTENER, ATTACHED = "slb/listener:Listener", "slb/backendServer:BackendServer"
TAGS = {"team": "edge"}


def deployed(
    *, load_balancer=None, listener=None, vswitch_id="vsw-backends", server_ids=("i-a", "i-b"), **on
):
    def program():
        balancer = MutualTlsLoadBalancer(
            "test",
            load_balancer=LoadBalancer.model_validate(load_balancer or {}),
            listener=Listener.model_validate(listener or {}),
            server=Server(),
            authority=existing_authority(),
            server_ids=server_ids,
            backend_port=8080,
            vswitch_id=vswitch_id,
            tags=TAGS,
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


def test_all_backends_are_attached_with_the_same_weight_before_the_listener_starts():
    deployment = deployed()
    attached = deployment.one(ATTACHED)
    assert attached.inputs["loadBalancerId"] == "ApplicationLoadBalancer test"
    assert attached.inputs["backendServers"] == [
        {"serverId": server_id, "weight": 100, "type": "ecs"} for server_id in ("i-a", "i-b")
    ]
    assert attached.urn in deployment.one(LISTENER).request.dependencies


def test_a_renewed_ca_certificate_is_uploaded_beside_the_old_one():
    ca = deployed().one(CA_UPLOAD)
    assert ca.inputs["caCertificateName"] == f"test-{CA_FINGERPRINT[:8]}"
    assert not ca.request.deleteBeforeReplace


def test_nothing_is_deleted_before_its_successor_is_there():
    for one in deployed().registrations:
        assert not one.request.deleteBeforeReplace
        assert not one.request.deleteBeforeReplaceDefined


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
