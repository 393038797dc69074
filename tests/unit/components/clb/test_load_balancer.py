"""The load balancer itself, new or existing, and what belongs to it as a whole."""

from __future__ import annotations

import pulumi
import pytest
from pulumi.output import Unknown

from components.clb import load_balancer
from components.clb.listener_arguments import AdditionalListenerArguments
from tests.unit.components.balancers import (
    ACL,
    ATTACHED,
    CA_UPLOAD,
    CLB,
    EVERYTHING,
    EXTENSION,
    LISTENER,
    TAGS,
    UPLOAD,
    clb,
    deployed,
    named,
)
from tests.unit.components.mock_cloud import ADDRESS, CA_FINGERPRINT


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


def test_an_existing_load_balancer_is_used_and_not_changed():
    deployment = deployed(load_balancer={"id": "lb-1"}, balancers={"lb-1": {}})
    assert not deployment.all(CLB)
    assert deployment.outputs["load_balancer_id"] == "lb-1"
    assert deployment.outputs["address"] == "203.0.113.20"
    assert deployment.one(LISTENER).inputs["loadBalancerId"] == "lb-1"


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


def test_server_groups_are_refused_for_a_load_balancer_that_is_about_to_be_made():
    place = "additional_listeners.scaled.server_group_id"
    others = {"scaled": AdditionalListenerArguments(port=8443, server_group_id="rsp-1")}
    groups = load_balancer.groups_of(others)
    with pytest.raises(ValueError, match=rf"{place} is rsp-1, and the load balancer .* about to"):
        load_balancer.refusing_groups_of_others(groups)(None)
    assert load_balancer.groups_of({"plain": AdditionalListenerArguments(port=8443)}) == {}
    load_balancer.refusing_groups_of_others({})(None)
    made = deployed(others={"scaled": {"port": 8443, "server_group_id": "rsp-1"}}).one(CLB)
    assert list(made.request.hooks.before_create) == ["test-server-groups"]
