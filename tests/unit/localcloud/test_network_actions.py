"""VPCs, vSwitches and security groups: their lives, and what depends on what."""

from __future__ import annotations

import ipaddress

import pytest

from localcloud.products import ECS, VPC
from tests.unit.localcloud.fake_plane import REGION, ZONE, Account

RULE = {"IpProtocol": "tcp", "PortRange": "8080/8080", "SourceCidrIp": "100.64.0.0/10"}
PERMISSION = {f"Permissions__1__{name}": value for name, value in RULE.items()}


def test_a_vpc_is_pending_then_available_and_keeps_what_it_was_given(account: Account) -> None:
    made = account.vpc("CreateVpc", VpcName="net", Description="d", CidrBlock="192.168.0.0/16")
    described = account.vpc("DescribeVpcAttribute", VpcId=made["VpcId"])
    assert described["Status"] == "Pending"
    account.settle()
    described = account.vpc("DescribeVpcAttribute", VpcId=made["VpcId"])
    assert described["Status"] == "Available"
    assert described["CidrBlock"] == "192.168.0.0/16"
    assert (described["VpcName"], described["Description"]) == ("net", "d")
    assert described["RegionId"] == REGION
    tables = account.vpc("DescribeRouteTableList", VpcId=made["VpcId"])
    table = tables["RouterTableList"]["RouterTableListType"]
    assert [one["RouteTableType"] for one in table] == ["System"]
    assert table[0]["RouteTableId"] == made["RouteTableId"]
    assert table[0]["ResourceGroupId"] == described["ResourceGroupId"]


@pytest.mark.parametrize(
    "block",
    [
        "100.64.0.0/11",
        "100.0.0.0/8",
        "127.1.0.0/16",
        "169.254.1.0/24",
        "224.0.0.0/8",
        "10.0.0.0/7",
        "10.0.0.0/29",
        "10.0.0.1/8",
        "fd00::/64",
        "net",
    ],
)
def test_a_vpc_s_block_is_of_a_size_and_nobody_else_s(account: Account, block: str) -> None:
    error = account.refusal(VPC, "CreateVpc", CidrBlock=block)
    assert (error.status, error.code) == (400, "InvalidParameter")
    assert block not in error.message


def test_a_vpc_may_have_a_public_block(account: Account) -> None:
    key = account.vpc("CreateVpc", CidrBlock="8.8.0.0/16")["VpcId"]
    assert account.vpc("DescribeVpcAttribute", VpcId=key)["CidrBlock"] == "8.8.0.0/16"


def test_a_vpc_with_ipv6_has_a_block_and_its_vswitches_parts_of_it(account: Account) -> None:
    vpc = account.vpc("CreateVpc", EnableIpv6="true")["VpcId"]
    account.settle()
    described = account.vpc("DescribeVpcAttribute", VpcId=vpc)
    whole = ipaddress.ip_network(described["Ipv6CidrBlock"])
    assert (whole.prefixlen, described["EnabledIpv6"]) == (56, True)
    place = {"VpcId": vpc, "ZoneId": ZONE}
    first = account.vpc("CreateVSwitch", **place, CidrBlock="172.16.0.0/24", Ipv6CidrBlock=10)
    of = {"VSwitchId": first["VSwitchId"]}
    part = ipaddress.ip_network(account.vpc("DescribeVSwitchAttributes", **of)["Ipv6CidrBlock"])
    assert part == list(whole.subnets(new_prefix=64))[10]
    other = {**place, "CidrBlock": "172.16.1.0/24"}
    taken = account.refusal(VPC, "CreateVSwitch", **other, Ipv6CidrBlock=10)
    assert "Ipv6CidrBlock" in taken.message
    beyond = account.refusal(VPC, "CreateVSwitch", **other, Ipv6CidrBlock=256)
    assert beyond.code == "InvalidParameter"
    used = account.refusal(VPC, "ModifyVpcAttribute", VpcId=vpc, EnableIPv6="false")
    assert used.code == "DependencyViolation"
    account.vpc("ModifyVSwitchAttribute", **of, EnableIPv6="false")
    assert account.vpc("DescribeVSwitchAttributes", **of)["Ipv6CidrBlock"] == ""
    lacking = account.refusal(VPC, "ModifyVSwitchAttribute", **of, EnableIPv6="true")
    assert (lacking.code, "Ipv6CidrBlock" in lacking.message) == ("MissingParameter", True)
    account.vpc("ModifyVpcAttribute", VpcId=vpc, EnableIPv6="false")
    assert account.vpc("DescribeVpcAttribute", VpcId=vpc)["EnabledIpv6"] is False


def test_a_vpc_may_use_public_blocks_for_itself(account: Account) -> None:
    vpc = account.vpc("CreateVpc", UserCidr="106.11.62.0/24,106.11.63.0/24")["VpcId"]
    shown = account.vpc("DescribeVpcAttribute", VpcId=vpc)["UserCidrs"]["UserCidr"]
    assert shown == ["106.11.62.0/24", "106.11.63.0/24"]
    for wrong in ("net", ",".join(["106.11.62.0/24"] * 4)):
        assert "UserCidr" in account.refusal(VPC, "CreateVpc", UserCidr=wrong).message


def test_a_vswitch_has_no_part_of_an_ipv6_block_that_its_vpc_lacks(account: Account) -> None:
    place = {"VpcId": account.make_vpc(), "ZoneId": ZONE, "CidrBlock": "10.0.0.0/24"}
    error = account.refusal(VPC, "CreateVSwitch", **place, Ipv6CidrBlock=1)
    assert "EnableIpv6" in error.message


def test_a_rule_is_described_anew_and_found_by_all_else(account: Account) -> None:
    group = account.make_group(account.make_vpc())
    of = {"SecurityGroupId": group}
    for suffix, direction in (("", "ingress"), ("Egress", "egress")):
        account.ecs(f"AuthorizeSecurityGroup{suffix}", **of, **PERMISSION)
        account.ecs(f"ModifySecurityGroup{suffix}Rule", **of, **RULE, Description="new")
        shown = account.ecs("DescribeSecurityGroupAttribute", **of, Direction=direction)
        [rule] = shown["Permissions"]["Permission"]
        assert rule["Description"] == "new"
        other = {**RULE, "PortRange": "1/1"}
        error = account.refusal(ECS, f"ModifySecurityGroup{suffix}Rule", **of, **other)
        assert error.code == "InvalidSecurityGroupRule.RuleNotExist"


def test_a_rule_may_be_of_ipv6(account: Account) -> None:
    of = {"SecurityGroupId": account.make_group(account.make_vpc())}
    rule = {"IpProtocol": "tcp", "PortRange": "1/2", "Ipv6SourceCidrIp": "2001:0db8:0::/64"}
    given = {f"Permissions__1__{name}": value for name, value in rule.items()}
    account.ecs("AuthorizeSecurityGroup", **of, **given)
    [shown] = account.ecs("DescribeSecurityGroupAttribute", **of)["Permissions"]["Permission"]
    assert shown["Ipv6SourceCidrIp"] == "2001:db8::/64"
    account.ecs("RevokeSecurityGroup", **of, **rule)
    left = account.ecs("DescribeSecurityGroupAttribute", **of)
    assert left["Permissions"]["Permission"] == []


def test_a_vpc_takes_the_default_block(account: Account) -> None:
    key = account.vpc("CreateVpc")["VpcId"]
    assert account.vpc("DescribeVpcAttribute", VpcId=key)["CidrBlock"] == "172.16.0.0/12"


def test_renaming_keeps_what_is_not_given(account: Account) -> None:
    vpc = account.make_vpc()
    switch = account.make_vswitch(vpc)
    account.vpc("ModifyVpcAttribute", VpcId=vpc, VpcName="a", Description="b")
    account.vpc("ModifyVpcAttribute", VpcId=vpc, Description="")
    described = account.vpc("DescribeVpcAttribute", VpcId=vpc)
    assert (described["VpcName"], described["Description"]) == ("a", "")
    account.vpc("ModifyVSwitchAttribute", VSwitchId=switch, VSwitchName="c")
    described = account.vpc("DescribeVSwitchAttributes", VSwitchId=switch)
    assert (described["VSwitchName"], described["Description"]) == ("c", "")


def test_a_vswitch_lies_in_a_vpc(account: Account) -> None:
    vpc = account.make_vpc()
    switch = account.make_vswitch(vpc, "10.1.0.0/24")
    account.clock.ahead = 0
    described = account.vpc("DescribeVSwitchAttributes", VSwitchId=switch)
    assert (described["VpcId"], described["ZoneId"]) == (vpc, ZONE)
    assert described["AvailableIpAddressCount"] == 252
    assert described["Status"] == "Pending"
    account.settle()
    assert account.vpc("DescribeVSwitchAttributes", VSwitchId=switch)["Status"] == "Available"
    assert account.vpc("DescribeVpcAttribute", VpcId=vpc)["VSwitchIds"]["VSwitchId"] == [switch]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"CidrBlock": "10.1.0.128/25"}, 400, "InvalidCidrBlock.Overlapped"),
        ({"CidrBlock": "10.0.0.0/8"}, 400, "InvalidCidrBlock.Overlapped"),
        ({"CidrBlock": "192.168.0.0/24"}, 400, "InvalidParameter"),
        ({"CidrBlock": "10.2.0.0/30"}, 400, "InvalidParameter"),
        ({"ZoneId": "cn-beijing-h"}, 404, "InvalidZoneId.NotFound"),
        ({"VpcId": "vpc-none"}, 404, "InvalidVpcID.NotFound"),
    ],
)
def test_vswitches_that_cannot_be(account: Account, changes, status, code) -> None:
    vpc = account.make_vpc()
    account.make_vswitch(vpc, "10.1.0.0/24")
    given = {"VpcId": vpc, "ZoneId": ZONE, "CidrBlock": "10.2.0.0/24", **changes}
    error = account.refusal(VPC, "CreateVSwitch", **given)
    assert (error.status, error.code) == (status, code)


def test_a_pending_vpc_takes_no_vswitch(account: Account) -> None:
    vpc = account.vpc("CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
    error = account.refusal(VPC, "CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="10.1.0.0/24")
    assert (error.status, error.code) == (400, "IncorrectVpcStatus")


def test_a_network_goes_only_from_the_inside_out(account: Account) -> None:
    vpc = account.make_vpc()
    switch, group = account.make_vswitch(vpc), account.make_group(vpc)
    instance = account.make_instance(VSwitchId=switch, SecurityGroupId=group)
    balancer = account.make_load_balancer(AddressType="intranet", VSwitchId=switch)

    def refused(product, action, **parameters):
        error = account.refusal(product, action, **parameters)
        return error.status, error.code

    assert refused(VPC, "DeleteVpc", VpcId=vpc) == (400, "DependencyViolation.VSwitch")
    assert refused(VPC, "DeleteVSwitch", VSwitchId=switch) == (400, "DependencyViolation")
    gone = refused(ECS, "DeleteSecurityGroup", SecurityGroupId=group)
    assert gone == (403, "DependencyViolation")
    account.ecs("DeleteInstance", InstanceId=instance, Force="true")
    assert refused(VPC, "DeleteVSwitch", VSwitchId=switch) == (400, "DependencyViolation")
    account.slb("DeleteLoadBalancer", LoadBalancerId=balancer)
    account.vpc("DeleteVSwitch", VSwitchId=switch)
    assert refused(VPC, "DeleteVpc", VpcId=vpc) == (400, "DependencyViolation.SecurityGroup")
    account.ecs("DeleteSecurityGroup", SecurityGroupId=group)
    account.vpc("DeleteVpc", VpcId=vpc)
    assert refused(VPC, "DescribeVpcAttribute", VpcId=vpc) == (404, "InvalidVpcID.NotFound")


@pytest.mark.parametrize(
    ("product", "action", "parameter", "code"),
    [
        (VPC, "DescribeVpcAttribute", "VpcId", "InvalidVpcID.NotFound"),
        (VPC, "ModifyVpcAttribute", "VpcId", "InvalidVpcID.NotFound"),
        (VPC, "DeleteVpc", "VpcId", "InvalidVpcID.NotFound"),
        (VPC, "DescribeVSwitchAttributes", "VSwitchId", "InvalidVSwitchId.NotFound"),
        (VPC, "ModifyVSwitchAttribute", "VSwitchId", "InvalidVSwitchId.NotFound"),
        (VPC, "DeleteVSwitch", "VSwitchId", "InvalidVSwitchId.NotFound"),
        (ECS, "CreateSecurityGroup", "VpcId", "InvalidVpcId.NotFound"),
        (
            ECS,
            "DescribeSecurityGroupAttribute",
            "SecurityGroupId",
            "InvalidSecurityGroupId.NotFound",
        ),
        (ECS, "ModifySecurityGroupAttribute", "SecurityGroupId", "InvalidSecurityGroupId.NotFound"),
        (ECS, "DeleteSecurityGroup", "SecurityGroupId", "InvalidSecurityGroupId.NotFound"),
        (ECS, "AuthorizeSecurityGroup", "SecurityGroupId", "InvalidSecurityGroupId.NotFound"),
        (ECS, "RevokeSecurityGroup", "SecurityGroupId", "InvalidSecurityGroupId.NotFound"),
    ],
)
def test_what_is_not_there_is_not_found(account, product, action, parameter, code) -> None:
    error = account.refusal(product, action, **{parameter: "x-none"})
    assert (error.status, error.code) == (404, code)
    assert "x-none" not in error.message


def test_a_security_group_is_listed_and_changed(account: Account) -> None:
    vpc = account.make_vpc()
    group = account.make_group(vpc)
    account.make_group(vpc)
    account.ecs("ModifySecurityGroupAttribute", SecurityGroupId=group, SecurityGroupName="web")
    account.ecs("ModifySecurityGroupPolicy", SecurityGroupId=group, InnerAccessPolicy="drop")
    listed = account.ecs("DescribeSecurityGroups", SecurityGroupId=group)["SecurityGroups"]
    assert [(one["SecurityGroupId"], one["VpcId"]) for one in listed["SecurityGroup"]] == [
        (group, vpc)
    ]
    described = account.ecs("DescribeSecurityGroupAttribute", SecurityGroupId=group)
    assert described["SecurityGroupName"] == "web"
    assert described["InnerAccessPolicy"] == "Drop"


def permissions(account: Account, group: str, **parameters: str) -> list[dict[str, str]]:
    found = account.ecs("DescribeSecurityGroupAttribute", SecurityGroupId=group, **parameters)
    return found["Permissions"]["Permission"]


def test_a_rule_is_there_once_until_it_is_revoked(account: Account) -> None:
    group = account.make_group(account.make_vpc())
    account.ecs("AuthorizeSecurityGroup", SecurityGroupId=group, **PERMISSION)
    account.ecs(
        "AuthorizeSecurityGroup",
        SecurityGroupId=group,
        Permissions__1__Description="the same",
        **PERMISSION,
    )
    [rule] = permissions(account, group)
    assert rule["Direction"] == "ingress"
    assert (rule["IpProtocol"], rule["Policy"], rule["Priority"]) == ("TCP", "Accept", "1")
    assert rule["SecurityGroupRuleId"].startswith("sgr-")
    other = {**RULE, "PortRange": "443/443"}
    account.ecs("RevokeSecurityGroup", SecurityGroupId=group, **other)
    assert permissions(account, group) == [rule]
    account.ecs("RevokeSecurityGroup", SecurityGroupId=group, NicType="<nil>", **RULE)
    assert permissions(account, group) == []


def test_rules_have_a_direction(account: Account) -> None:
    group = account.make_group(account.make_vpc())
    account.ecs("AuthorizeSecurityGroup", SecurityGroupId=group, **PERMISSION)
    account.ecs("AuthorizeSecurityGroupEgress", SecurityGroupId=group, **PERMISSION)
    assert len(permissions(account, group)) == 2
    [egress] = permissions(account, group, Direction="egress")
    assert egress["Direction"] == "egress"
    account.ecs("RevokeSecurityGroupEgress", SecurityGroupId=group, **RULE)
    [ingress] = permissions(account, group)
    assert ingress["Direction"] == "ingress"


def test_rules_that_cannot_be(account: Account) -> None:
    group = account.make_group(account.make_vpc())
    none = account.refusal(ECS, "AuthorizeSecurityGroup", SecurityGroupId=group)
    assert none.code == "MissingParameter"
    every_port = account.refusal(
        ECS,
        "AuthorizeSecurityGroup",
        SecurityGroupId=group,
        **{**PERMISSION, "Permissions__1__PortRange": "-1/-1"},
    )
    assert every_port.code == "InvalidParameter"
    assert permissions(account, group) == []


def test_a_vpc_gets_another_block_and_further_ones_that_hold_its_vswitches(
    account: Account,
) -> None:
    vpc = account.vpc("CreateVpc", CidrBlock="172.16.0.0/16")["VpcId"]
    account.settle()
    more = {"VpcId": vpc, "SecondaryCidrBlock": "192.168.0.0/16"}
    place = {"VpcId": vpc, "ZoneId": ZONE}
    outside = {**place, "CidrBlock": "192.168.1.0/24"}
    assert account.refusal(VPC, "CreateVSwitch", **outside).code == "InvalidParameter"
    account.vpc("AssociateVpcCidrBlock", **more)
    assert account.refusal(VPC, "AssociateVpcCidrBlock", **more).code == "InvalidParameter"
    described = account.vpc("DescribeVpcAttribute", VpcId=vpc)
    assert described["SecondaryCidrBlocks"]["SecondaryCidrBlock"] == ["192.168.0.0/16"]
    switch = account.vpc("CreateVSwitch", **outside)["VSwitchId"]
    assert switch in account.refusal(VPC, "UnassociateVpcCidrBlock", **more).message
    account.vpc("DeleteVSwitch", VSwitchId=switch)
    account.vpc("UnassociateVpcCidrBlock", **more)
    inside = account.vpc("CreateVSwitch", **place, CidrBlock="172.16.0.0/24")["VSwitchId"]
    of = {"VpcId": vpc, "CidrBlock": "172.17.0.0/16"}
    assert inside in account.refusal(VPC, "ModifyVpcAttribute", **of).message
    account.vpc("ModifyVpcAttribute", VpcId=vpc, CidrBlock="172.16.0.0/12")
    assert account.vpc("DescribeVpcAttribute", VpcId=vpc)["CidrBlock"] == "172.16.0.0/12"


def test_a_route_table_a_resource_group_and_names_of_hosts_are_kept(account: Account) -> None:
    made = account.vpc("CreateVpc", EnableDnsHostname="true")
    vpc = made["VpcId"]
    assert account.vpc("DescribeVpcAttribute", VpcId=vpc)["DnsHostnameStatus"] == "ENABLED"
    account.vpc("ModifyVpcAttribute", VpcId=vpc, EnableDnsHostname="false")
    assert account.vpc("DescribeVpcAttribute", VpcId=vpc)["DnsHostnameStatus"] == "DISABLED"
    given = {"RouteTableName": "a", "Description": "b", "RoutePropagationEnable": "false"}
    account.vpc("ModifyRouteTableAttributes", RouteTableId=made["RouteTableId"], **given)
    tables = account.vpc("DescribeRouteTableList", VpcId=vpc)["RouterTableList"]
    [table] = tables["RouterTableListType"]
    assert (table["RouteTableName"], table["Description"]) == ("a", "b")
    assert table["RoutePropagationEnable"] is False
    move = {"ResourceId": vpc, "NewResourceGroupId": "rg-b"}
    account.vpc("MoveResourceGroup", ResourceType="VPC", **move)
    assert account.vpc("DescribeVpcAttribute", VpcId=vpc)["ResourceGroupId"] == "rg-b"
    other = account.refusal(VPC, "MoveResourceGroup", ResourceType="EIP", **move)
    assert other.code == "NotEmulated"


def test_a_vpc_has_so_many_further_blocks_and_gives_up_its_own_alone(account: Account) -> None:
    vpc = {"VpcId": account.make_vpc()}
    refusals = [
        account.refusal(VPC, "AssociateVpcCidrBlock", **vpc),
        account.refusal(VPC, "UnassociateVpcCidrBlock", **vpc, SecondaryCidrBlock="10.0.0.0/8"),
    ]
    for number in range(5):
        block = f"192.168.{number}.0/24"
        account.vpc("AssociateVpcCidrBlock", **vpc, SecondaryCidrBlock=block)
    sixth = {**vpc, "SecondaryCidrBlock": "192.168.5.0/24"}
    refusals.append(account.refusal(VPC, "AssociateVpcCidrBlock", **sixth))
    assert [one.code for one in refusals] == [
        "MissingParameter",
        "InvalidParameter",
        "QuotaExceeded.SecondaryCidrBlock",
    ]
