"""What data sources ask for: resources that were there before."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud import cloud as clouds
from localcloud.dataplane import ports
from localcloud.products import SLB
from tests.unit.localcloud.fake_plane import ZONE, Account
from tests.unit.localcloud.listener_site import ListenerSite

TAG = {"Tag__1__Key": "a", "Tag__1__Value": "b"}


def test_load_balancers_are_found_by_what_they_are(site: ListenerSite) -> None:
    account = site.account
    vpc = account.make_vpc()
    switch = account.make_vswitch(vpc, "10.9.0.0/24")
    inner = account.make_load_balancer(
        LoadBalancerName="inner", AddressType="intranet", VSwitchId=switch, **TAG
    )
    account.make_load_balancer(RegionId="cn-beijing")

    def found(**parameters: Any) -> list[str]:
        answer = account.slb("DescribeLoadBalancers", **parameters)
        return [one["LoadBalancerId"] for one in answer["LoadBalancers"]["LoadBalancer"]]

    assert found() == [site.balancer, inner]
    for given in (
        {"LoadBalancerName": "inner"},
        {"LoadBalancerName": "other,inner"},
        {"LoadBalancerId": inner},
        {"AddressType": "intranet"},
        {"VpcId": vpc},
        {"VSwitchId": switch},
        {"NetworkType": "vpc"},
        {"Address": "127.88.0.2"},
        TAG,
        {"PageSize": 1, "PageNumber": 2},
    ):
        assert found(**given) == [inner], given
    assert found(ServerId=site.instance) == [site.balancer]
    assert found(ServerIntranetAddress="10.1.0.1") == [site.balancer]
    assert found(ServerId="i-none") == []
    assert found(LoadBalancerStatus="inactive") == []


def test_listeners_are_found_across_load_balancers(site: ListenerSite) -> None:
    site.create(Description="front")
    forward = {"ListenerForward": "on", "ForwardPort": 443}
    site.call("CreateLoadBalancerHTTPListener", ListenerPort=80, **forward)

    def found(**parameters: Any) -> list[int]:
        answer = site.account.slb("DescribeLoadBalancerListeners", **parameters)
        return [one["ListenerPort"] for one in answer["Listeners"]]

    assert found() == found(LoadBalancerId__1=site.balancer) == [443, 80]
    assert found(LoadBalancerId__1="lb-none") == []
    assert found(ListenerProtocol="http") == found(ListenerPort=80) == [80]
    assert found(Description="front") == [443]
    first = site.account.slb("DescribeLoadBalancerListeners", MaxResults=1)
    assert first["Listeners"][0]["HTTPSListenerConfig"]["ServerCertificateId"]
    assert found(MaxResults=1, NextToken=first["NextToken"]) == [80]
    error = site.account.refusal(SLB, "DescribeLoadBalancerListeners", NextToken="x")
    assert error.code == "InvalidParameter"


def test_the_misspelt_list_of_ports_is_there_for_the_provider(site: ListenerSite) -> None:
    site.create()
    found = site.account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=site.balancer)
    assert found["ListenerPortsAndProtocal"]["ListenerPortAndProtocal"] == [
        {"ListenerPort": 443, "ListenerProtocal": "https"}
    ]


def test_networks_are_found_by_what_they_are(account: Account) -> None:
    first = account.vpc("CreateVpc", VpcName="one", CidrBlock="10.0.0.0/8", **TAG)["VpcId"]
    second = account.vpc("CreateVpc", ResourceGroupId="rg-1", CidrBlock="10.0.0.0/8")["VpcId"]
    account.settle()
    switch = account.make_vswitch(first)

    def found(**parameters: Any) -> list[str]:
        answer = account.vpc("DescribeVpcs", **parameters)
        return [one["VpcId"] for one in answer["Vpcs"]["Vpc"]]

    assert found() == [first, second]
    assert found(VpcName="one") == found(**TAG) == found(VpcId=first) == [first]
    assert found(ResourceGroupId="rg-1") == [second]
    assert found(IsDefault="true") == []
    assert found(RegionId="cn-beijing") == []
    shown = account.vpc("DescribeVpcs", VpcId=first)["Vpcs"]["Vpc"][0]
    assert shown["VSwitchIds"] == {"VSwitchId": [switch]}


def test_vswitches_are_found_by_what_they_are(account: Account) -> None:
    vpc = account.make_vpc()
    first = account.make_vswitch(vpc)
    given = {"VSwitchName": "two", "ZoneId": ZONE[:-1] + "i", "CidrBlock": "10.2.0.0/24"}
    second = account.vpc("CreateVSwitch", VpcId=vpc, **given, **TAG)["VSwitchId"]

    def found(**parameters: Any) -> list[str]:
        answer = account.vpc("DescribeVSwitches", **parameters)
        return [one["VSwitchId"] for one in answer["VSwitches"]["VSwitch"]]

    assert found() == found(VpcId=vpc) == [first, second]
    assert found(ZoneId=ZONE) == [first]
    assert found(VSwitchName="two") == found(**TAG) == found(VSwitchId=second) == [second]
    assert found(VpcId="vpc-none") == []
    table = account.vpc("DescribeVSwitches")["VSwitches"]["VSwitch"][0]["RouteTable"]
    assert table["RouteTableId"].startswith("vtb-")


def test_security_groups_and_instances_are_found_by_what_they_are(account: Account) -> None:
    vpc = account.make_vpc()
    switch, group = account.make_vswitch(vpc), account.make_group(vpc)
    other = account.ecs("CreateSecurityGroup", VpcId=vpc, SecurityGroupName="web", **TAG)
    in_network = {"VSwitchId": switch, "SecurityGroupIds__1": group}
    first = account.make_instance(**in_network, InstanceName="web-1", **TAG)
    second = account.make_instance(**in_network, InstanceName="db-1", ResourceGroupId="rg-1")

    def groups(**parameters: Any) -> list[str]:
        answer = account.ecs("DescribeSecurityGroups", **parameters)
        return [one["SecurityGroupId"] for one in answer["SecurityGroups"]["SecurityGroup"]]

    assert groups(VpcId=vpc) == [group, other["SecurityGroupId"]]
    assert groups(SecurityGroupName="web") == groups(**TAG) == [other["SecurityGroupId"]]

    def instances(**parameters: Any) -> list[str]:
        answer = account.ecs("DescribeInstances", **parameters)
        return [one["InstanceId"] for one in answer["Instances"]["Instance"]]

    assert instances() == instances(SecurityGroupId=group) == instances(VSwitchId=switch)
    assert instances(InstanceName="web-*") == instances(**TAG) == [first]
    assert instances(ResourceGroupId="rg-1") == instances(InstanceName="db-1") == [second]
    assert instances(InstanceName="web-") == []


@pytest.mark.parametrize("kind", ["Server", "CA"])
def test_certificates_are_found_by_tag_and_resource_group(site: ListenerSite, kind: str) -> None:
    key = site.server_certificate if kind == "Server" else site.ca_certificate
    site.account.slb("TagResources", ResourceType="certificate", ResourceId__1=key, **TAG)

    def found(**parameters: Any) -> list[str]:
        listed = f"{kind}Certificates"
        answer = site.account.slb(f"Describe{listed}", **parameters)
        return [one[f"{kind}CertificateId"] for one in answer[listed][f"{kind}Certificate"]]

    assert found() == found(**TAG) == found(ResourceGroupId="rg-default") == [key]
    assert found(ResourceGroupId="rg-1") == found(Tag__1__Key="z") == []


def test_zones_are_offered_in_pairs(account: Account) -> None:
    zones = account.slb("DescribeZones")["Zones"]["Zone"]
    assert zones[0]["ZoneId"] == ZONE
    assert ZONE not in {one["ZoneId"] for one in zones[0]["SlaveZones"]["SlaveZone"]}

    def offered(**parameters: str) -> set[tuple[str, str]]:
        answer = account.slb("DescribeAvailableResource", **parameters)
        return {
            (one["AddressType"], one["AddressIPVersion"])
            for pair in answer["AvailableResources"]["AvailableResource"]
            for one in pair["SupportResources"]["SupportResource"]
        }

    assert offered(AddressType="vpc") == {("vpc", "ipv4")}
    assert offered(AddressIPVersion="ipv6") == {("classic_internet", "ipv6")}
    assert offered(AddressType="vpc", AddressIPVersion="ipv6") == set()


def test_an_ipv6_load_balancer_is_at_the_only_loopback_address(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "is_usable", lambda host: host == clouds.IPV6_ADDRESS)
    key = account.make_load_balancer(AddressIPVersion="ipv6")
    shown = account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=key)
    assert (shown["AddressIPVersion"], shown["Address"]) == ("ipv6", "::1")


def test_ipv6_needs_a_machine_that_has_it(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "is_usable", lambda _host: False)
    given = {"InstanceChargeType": "PayByCLCU", "AddressIPVersion": "ipv6"}
    assert account.refusal(SLB, "CreateLoadBalancer", **given).code == "NotEmulated"


def test_an_intranet_address_is_ipv4(account: Account) -> None:
    switch = account.make_vswitch(account.make_vpc())
    given = {
        "InstanceChargeType": "PayByCLCU",
        "AddressType": "intranet",
        "VSwitchId": switch,
        "AddressIPVersion": "ipv6",
    }
    assert account.refusal(SLB, "CreateLoadBalancer", **given).code == "InvalidParameter"


def test_the_secondary_zone_is_another_one(account: Account) -> None:
    key = account.make_load_balancer(SlaveZoneId=ZONE)
    shown = account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=key)
    assert shown["SlaveZoneId"] == ZONE
    assert shown["MasterZoneId"] != ZONE


def test_without_protection_there_is_no_reason_for_it(account: Account) -> None:
    key = account.make_load_balancer(
        ModificationProtectionStatus="ConsoleProtection", ModificationProtectionReason="By-program"
    )
    of = {"LoadBalancerId": key}
    shown = account.slb("DescribeLoadBalancerAttribute", **of)
    assert shown["ModificationProtectionReason"] == "By-program"
    account.slb(
        "SetLoadBalancerModificationProtection",
        **of,
        ModificationProtectionStatus="NonProtection",
        ModificationProtectionReason="By-program",
    )
    shown = account.slb("DescribeLoadBalancerAttribute", **of)
    assert shown["ModificationProtectionReason"] == ""
