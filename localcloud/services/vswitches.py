"""vSwitches."""

from __future__ import annotations

import ipaddress

from localcloud.account import ACCOUNT_ID
from localcloud.cloud import Cloud
from localcloud.documents import Instance, LoadBalancer, Vpc, VSwitch, new_id
from localcloud.errors import ApiError, invalid, missing
from localcloud.products import VPC, Answer
from localcloud.requests import ActionRequest, DryRequest, PagedRequest, TaggedRequest
from localcloud.services.answers import creation_time, key_values
from localcloud.services.tags import has_tags
from localcloud.services.vpc import (
    find_vpc,
    list_blocks,
    read_block,
    refuse_if_used,
    rename,
    tell_status,
)

IPV6_HOST_BITS = 64
"""Bits of an IPv6 address that are left within a vSwitch."""


class CreateVSwitch(TaggedRequest):
    VpcId: str
    ZoneId: str
    CidrBlock: str
    VSwitchName: str = ""
    Description: str = ""
    ClientToken: str = ""
    Ipv6CidrBlock: int | None = None
    VpcIpv6CidrBlock: str = ""


class DescribeVSwitchAttributes(DryRequest):
    VSwitchId: str


class DescribeVSwitches(PagedRequest, TaggedRequest, DryRequest):
    VSwitchId: str = ""
    VSwitchName: str = ""
    VSwitchOwnerId: int = 0
    VpcId: str = ""
    ZoneId: str = ""
    IsDefault: bool | None = None
    ResourceGroupId: str = ""
    RouteTableId: str = ""
    EnableIpv6: bool | None = None


class ModifyVSwitchAttribute(ActionRequest):
    VSwitchId: str
    VSwitchName: str | None = None
    Description: str | None = None
    EnableIPv6: bool | None = None
    Ipv6CidrBlock: int | None = None
    VpcIpv6CidrBlock: str = ""


class DeleteVSwitch(DryRequest):
    VSwitchId: str


@VPC.action
def create_v_switch(cloud: Cloud, request: CreateVSwitch) -> Answer:
    vpc = find_vpc(cloud, request.VpcId)
    if tell_status(cloud, vpc) != "Available":
        raise ApiError(400, "IncorrectVpcStatus", "Current VPC status does not support this.")
    block = read_block(request.CidrBlock)
    if not any(block.subnet_of(own) for own in list_blocks(vpc)) or block.prefixlen > 29:
        raise invalid("CidrBlock", "It lies within the VPC's block, and is /29 or larger.")
    if not request.ZoneId.startswith(f"{vpc.region}-"):
        raise ApiError(404, "InvalidZoneId.NotFound", "The specified zone does not exist.")
    if any(
        block.overlaps(read_block(other.cidr_block))
        for other in cloud.store.all(VSwitch, vpc_id=vpc.id)
    ):
        raise ApiError(
            400, "InvalidCidrBlock.Overlapped", "Specified CIDR block overlapped with other subnet."
        )
    switch = VSwitch(
        id=new_id("vsw"),
        region=vpc.region,
        name=request.VSwitchName,
        description=request.Description,
        vpc_id=vpc.id,
        zone_id=request.ZoneId,
        cidr_block=str(block),
        tags=request.tags(),
    )
    _set_ipv6(cloud, vpc, switch, request)
    cloud.store.put(switch)
    return {"VSwitchId": switch.id}


@VPC.action
def describe_v_switch_attributes(cloud: Cloud, request: DescribeVSwitchAttributes) -> Answer:
    return _describe_v_switch(cloud, find_vswitch(cloud, request.VSwitchId))


@VPC.action
def describe_v_switches(cloud: Cloud, request: DescribeVSwitches) -> Answer:
    described = []
    for switch in cloud.store.all(VSwitch, region=request.RegionId):
        vpc = find_vpc(cloud, switch.vpc_id)
        if (
            request.VSwitchId in {"", switch.id}
            and request.VSwitchName in {"", switch.name}
            and request.VSwitchOwnerId in {0, int(ACCOUNT_ID)}
            and request.VpcId in {"", switch.vpc_id}
            and request.ZoneId in {"", switch.zone_id}
            and request.IsDefault is not True
            and request.EnableIpv6 in {None, bool(switch.ipv6_cidr_block)}
            and request.ResourceGroupId in {"", vpc.resource_group_id}
            and request.RouteTableId in {"", vpc.route_table_id}
            and has_tags(switch, request.Tag)
        ):
            described.append(_describe_v_switch(cloud, switch))
    return {"VSwitches": {"VSwitch": request.page(described)}, **request.paging(described)}


@VPC.action
def modify_v_switch_attribute(cloud: Cloud, request: ModifyVSwitchAttribute) -> Answer:
    switch = find_vswitch(cloud, request.VSwitchId)
    rename(switch, request.VSwitchName, request.Description)
    if request.EnableIPv6 is False:
        switch.ipv6_cidr_block = ""
    else:
        if request.EnableIPv6 and request.Ipv6CidrBlock is None:
            raise missing("Ipv6CidrBlock")
        _set_ipv6(cloud, find_vpc(cloud, switch.vpc_id), switch, request)
    cloud.store.put(switch)
    return {}


@VPC.action
def delete_v_switch(cloud: Cloud, request: DeleteVSwitch) -> Answer:
    switch = find_vswitch(cloud, request.VSwitchId)
    refuse_if_used(cloud.store.all(Instance, vswitch_id=switch.id), "DependencyViolation")
    refuse_if_used(cloud.store.all(LoadBalancer, vswitch_id=switch.id), "DependencyViolation")
    cloud.store.delete(switch)
    return {}


def find_vswitch(cloud: Cloud, key: str) -> VSwitch:
    """Find the vSwitch with an id.

    Raises:
        ApiError: The region has no vSwitch with this id.
    """
    switch = cloud.store.get(VSwitch, key)
    if switch is None:
        raise ApiError(404, "InvalidVSwitchId.NotFound", "The specified vSwitch does not exist.")
    return switch


def _describe_v_switch(cloud: Cloud, switch: VSwitch) -> Answer:
    used = len(cloud.store.all(Instance, vswitch_id=switch.id))
    vpc = find_vpc(cloud, switch.vpc_id)
    return {
        "VSwitchId": switch.id,
        "VSwitchName": switch.name,
        "Description": switch.description,
        "VpcId": switch.vpc_id,
        "ZoneId": switch.zone_id,
        "CidrBlock": switch.cidr_block,
        "Ipv6CidrBlock": switch.ipv6_cidr_block,
        "EnabledIpv6": bool(switch.ipv6_cidr_block),
        "NetworkAclId": "",
        "OwnerId": int(ACCOUNT_ID),
        "ShareType": "",
        "Status": tell_status(cloud, switch),
        "IsDefault": False,
        "AvailableIpAddressCount": read_block(switch.cidr_block).num_addresses - 4 - used,
        "CreationTime": creation_time(switch),
        "ResourceGroupId": vpc.resource_group_id,
        "RouteTable": {"RouteTableId": vpc.route_table_id, "RouteTableType": "System"},
        "Tags": {"Tag": key_values(switch)},
    }


def _set_ipv6(
    cloud: Cloud, vpc: Vpc, switch: VSwitch, request: CreateVSwitch | ModifyVSwitchAttribute
) -> None:
    """Give a vSwitch the part of its VPC's IPv6 block that a request asks for, if it asks.

    Raises:
        ApiError: The VPC has no IPv6 block, or not this part of it to give.
    """
    if request.Ipv6CidrBlock is None:
        return
    if not vpc.ipv6_cidr_block or request.VpcIpv6CidrBlock not in {"", vpc.ipv6_cidr_block}:
        raise invalid("Ipv6CidrBlock", "The VPC has no such IPv6 block: EnableIpv6 gives it one.")
    whole = ipaddress.IPv6Network(vpc.ipv6_cidr_block)
    part = int(whole.network_address) + (request.Ipv6CidrBlock << IPV6_HOST_BITS)
    block = str(ipaddress.IPv6Network((part, 128 - IPV6_HOST_BITS)))
    others = cloud.store.all(VSwitch, vpc_id=vpc.id)
    if any(other.ipv6_cidr_block == block and other.id != switch.id for other in others):
        raise invalid("Ipv6CidrBlock", "Another vSwitch of the VPC has this part of its block.")
    switch.ipv6_cidr_block = block
