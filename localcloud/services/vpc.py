"""VPCs."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from typing import Literal

from localcloud.account import ACCOUNT_ID
from localcloud.cloud import Cloud
from localcloud.documents import (
    Document,
    SecurityGroup,
    Vpc,
    VSwitch,
    new_id,
)
from localcloud.errors import ApiError, invalid, missing, not_emulated
from localcloud.products import VPC, Answer
from localcloud.requests import ActionRequest, DryRequest, PagedRequest, TaggedRequest
from localcloud.services.answers import creation_time, key_values
from localcloud.services.tags import has_tags

SETTLE_SECONDS = 0.5
"""Seconds for which a new VPC or vSwitch is Pending."""

IPV6_BITS = 56
"""Bits of the IPv6 prefix that a VPC gets."""

SECONDARY_BLOCKS = 5
"""Number of blocks that a VPC may have beside its own."""

USER_BLOCKS = 3
"""Number of public blocks that a VPC may use for itself."""

RESERVED = tuple(
    ipaddress.IPv4Network(block)
    for block in ("100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")
)
"""Blocks that no VPC can have; any other may be had, a public one too."""


class CreateVpc(TaggedRequest, DryRequest):
    CidrBlock: str = "172.16.0.0/12"
    VpcName: str = ""
    Description: str = ""
    ClientToken: str = ""
    EnableIpv6: bool = False
    Ipv6Isp: Literal["BGP"] = "BGP"
    UserCidr: str = ""
    EnableDnsHostname: bool = False
    ResourceGroupId: str = "rg-default"


class DescribeVpcAttribute(DryRequest):
    VpcId: str


class DescribeVpcs(PagedRequest, TaggedRequest, DryRequest):
    VpcId: str = ""
    VpcName: str = ""
    VpcOwnerId: int = 0
    IsDefault: bool | None = None
    ResourceGroupId: str = ""
    DhcpOptionsSetId: str = ""
    EnableIpv6: bool | None = None


class ModifyVpcAttribute(ActionRequest):
    VpcId: str
    VpcName: str | None = None
    Description: str | None = None
    CidrBlock: str | None = None
    EnableDnsHostname: bool | None = None
    EnableIPv6: bool | None = None
    Ipv6Isp: Literal["BGP"] = "BGP"


class AssociateVpcCidrBlock(ActionRequest):
    VpcId: str
    IpVersion: Literal["IPV4"] = "IPV4"
    SecondaryCidrBlock: str = ""


class UnassociateVpcCidrBlock(ActionRequest):
    VpcId: str
    SecondaryCidrBlock: str = ""


class MoveResourceGroup(ActionRequest):
    ResourceType: str
    ResourceId: str
    NewResourceGroupId: str


class DeleteVpc(DryRequest):
    VpcId: str
    ForceDelete: bool = False
    ClientToken: str = ""


@VPC.action
def create_vpc(cloud: Cloud, request: CreateVpc) -> Answer:
    block = _read_vpc_block(request.CidrBlock, "CidrBlock")
    user_blocks = [read_block(text, "UserCidr") for text in request.UserCidr.split(",") if text]
    if len(user_blocks) > USER_BLOCKS:
        raise invalid("UserCidr", f"It has {USER_BLOCKS} blocks at most.")
    vpc = Vpc(
        id=new_id("vpc"),
        region=request.RegionId,
        name=request.VpcName,
        description=request.Description,
        cidr_block=str(block),
        router_id=new_id("vrt"),
        route_table_id=new_id("vtb"),
        resource_group_id=request.ResourceGroupId,
        user_cidrs=[str(user_block) for user_block in user_blocks],
        dns_hostname=request.EnableDnsHostname,
        ipv6_cidr_block=_new_ipv6_block() if request.EnableIpv6 else "",
        tags=request.tags(),
    )
    cloud.store.put(vpc)
    return {
        "VpcId": vpc.id,
        "VRouterId": vpc.router_id,
        "RouteTableId": vpc.route_table_id,
        "ResourceGroupId": vpc.resource_group_id,
    }


@VPC.action
def describe_vpc_attribute(cloud: Cloud, request: DescribeVpcAttribute) -> Answer:
    vpc = find_vpc(cloud, request.VpcId)
    resources = {
        "VRouter": 1,
        "RouteTable": 1,
        "VSwitch": len(cloud.store.all(VSwitch, vpc_id=vpc.id)),
    }
    return {
        **_describe_vpc(cloud, vpc),
        "ClassicLinkEnabled": False,
        "SupportIpv4Gateway": False,
        "Ipv4GatewayId": "",
        "AssociatedCens": {"AssociatedCen": []},
        "AssociatedPropagationSources": {"AssociatedPropagationSources": []},
        "CloudResources": {
            "CloudResourceSetType": [
                {"ResourceType": kind, "ResourceCount": count}
                for kind, count in resources.items()
                if count
            ]
        },
    }


@VPC.action
def describe_vpcs(cloud: Cloud, request: DescribeVpcs) -> Answer:
    vpcs = [
        {
            **_describe_vpc(cloud, vpc),
            "CenStatus": "",
            "NatGatewayIds": {"NatGatewayIds": []},
            "RouterTableIds": {"RouterTableIds": [vpc.route_table_id]},
        }
        for vpc in cloud.store.all(Vpc, region=request.RegionId)
        if (not request.VpcId or vpc.id in request.VpcId.split(","))
        and request.VpcName in {"", vpc.name}
        and request.VpcOwnerId in {0, int(ACCOUNT_ID)}
        and request.IsDefault is not True
        and request.EnableIpv6 in {None, bool(vpc.ipv6_cidr_block)}
        and request.ResourceGroupId in {"", vpc.resource_group_id}
        and not request.DhcpOptionsSetId
        and has_tags(vpc, request.Tag)
    ]
    return {"Vpcs": {"Vpc": request.page(vpcs)}, **request.paging(vpcs)}


@VPC.action
def modify_vpc_attribute(cloud: Cloud, request: ModifyVpcAttribute) -> Answer:
    vpc = find_vpc(cloud, request.VpcId)
    rename(vpc, request.VpcName, request.Description)
    if request.EnableIPv6 is False and vpc.ipv6_cidr_block:
        users = cloud.store.all(VSwitch, vpc_id=vpc.id)
        refuse_if_used(
            [switch for switch in users if switch.ipv6_cidr_block], "DependencyViolation"
        )
        vpc.ipv6_cidr_block = ""
    elif request.EnableIPv6 and not vpc.ipv6_cidr_block:
        vpc.ipv6_cidr_block = _new_ipv6_block()
    if request.EnableDnsHostname is not None:
        vpc.dns_hostname = request.EnableDnsHostname
    if request.CidrBlock is not None:
        vpc.cidr_block = str(_read_vpc_block(request.CidrBlock, "CidrBlock"))
        _require_room(cloud, vpc, "CidrBlock")
    cloud.store.put(vpc)
    return {}


@VPC.action
def associate_cidr_block(cloud: Cloud, request: AssociateVpcCidrBlock) -> Answer:
    vpc = find_vpc(cloud, request.VpcId)
    if not request.SecondaryCidrBlock:
        raise missing("SecondaryCidrBlock")
    block = _read_vpc_block(request.SecondaryCidrBlock, "SecondaryCidrBlock")
    if len(vpc.secondary_cidr_blocks) >= SECONDARY_BLOCKS:
        raise ApiError(400, "QuotaExceeded.SecondaryCidrBlock", "The VPC has enough blocks.")
    if any(block.overlaps(present) for present in list_blocks(vpc)):
        raise invalid("SecondaryCidrBlock", "It overlaps another block of the VPC.")
    vpc.secondary_cidr_blocks.append(str(block))
    cloud.store.put(vpc)
    return {"CidrBlock": str(block), "IpVersion": request.IpVersion}


@VPC.action
def unassociate_cidr_block(cloud: Cloud, request: UnassociateVpcCidrBlock) -> Answer:
    vpc = find_vpc(cloud, request.VpcId)
    if request.SecondaryCidrBlock not in vpc.secondary_cidr_blocks:
        raise invalid("SecondaryCidrBlock", "It is not one of the VPC's.")
    vpc.secondary_cidr_blocks.remove(request.SecondaryCidrBlock)
    _require_room(cloud, vpc, "SecondaryCidrBlock")
    cloud.store.put(vpc)
    return {}


@VPC.action
def move_to_resource_group(cloud: Cloud, request: MoveResourceGroup) -> Answer:
    if request.ResourceType.lower() != "vpc":
        raise not_emulated("resource groups of other resources than VPCs")
    vpc = find_vpc(cloud, request.ResourceId)
    cloud.store.put(vpc.model_copy(update={"resource_group_id": request.NewResourceGroupId}))
    return {}


@VPC.action
def delete_vpc(cloud: Cloud, request: DeleteVpc) -> Answer:
    vpc = find_vpc(cloud, request.VpcId)
    refuse_if_used(cloud.store.all(VSwitch, vpc_id=vpc.id), "DependencyViolation.VSwitch")
    groups = cloud.store.all(SecurityGroup, vpc_id=vpc.id)
    refuse_if_used(groups, "DependencyViolation.SecurityGroup")
    cloud.store.delete(vpc)
    return {}


def find_vpc(cloud: Cloud, key: str) -> Vpc:
    """Find the VPC with an id.

    Raises:
        ApiError: The region has no VPC with this id.
    """
    vpc = cloud.store.get(Vpc, key)
    if vpc is None:
        raise ApiError(404, "InvalidVpcID.NotFound", "The specified VPC does not exist.")
    return vpc


def _describe_vpc(cloud: Cloud, vpc: Vpc) -> Answer:
    switches = [switch.id for switch in cloud.store.all(VSwitch, vpc_id=vpc.id)]
    blocks = (
        [{"Ipv6CidrBlock": vpc.ipv6_cidr_block, "Ipv6Isp": "BGP"}] if vpc.ipv6_cidr_block else []
    )
    return {
        "VpcId": vpc.id,
        "VpcName": vpc.name,
        "Description": vpc.description,
        "CidrBlock": vpc.cidr_block,
        "RegionId": vpc.region,
        "Status": tell_status(cloud, vpc),
        "OwnerId": int(ACCOUNT_ID),
        "DhcpOptionsSetId": "",
        "DhcpOptionsSetStatus": "",
        "DnsHostnameStatus": "ENABLED" if vpc.dns_hostname else "DISABLED",
        "VRouterId": vpc.router_id,
        "ResourceGroupId": vpc.resource_group_id,
        "CreationTime": creation_time(vpc),
        "IsDefault": False,
        "EnabledIpv6": bool(vpc.ipv6_cidr_block),
        "Ipv6CidrBlock": vpc.ipv6_cidr_block,
        "Ipv6CidrBlocks": {"Ipv6CidrBlock": blocks},
        "SecondaryCidrBlocks": {"SecondaryCidrBlock": vpc.secondary_cidr_blocks},
        "UserCidrs": {"UserCidr": vpc.user_cidrs},
        "VSwitchIds": {"VSwitchId": switches},
        "Tags": {"Tag": key_values(vpc)},
    }


def tell_status(cloud: Cloud, document: Document) -> str:
    """Tell the status of a VPC or vSwitch: one that was just made is Pending."""
    return "Available" if document.is_settled(SETTLE_SECONDS, cloud.now()) else "Pending"


def rename(document: Vpc | VSwitch, name: str | None, description: str | None) -> None:
    """Give a VPC or vSwitch the name and the description that are given."""
    document.name = document.name if name is None else name
    document.description = document.description if description is None else description


def _read_vpc_block(text: str, parameter: str) -> ipaddress.IPv4Network:
    block = read_block(text, parameter)
    if not 8 <= block.prefixlen <= 28 or any(block.overlaps(taken) for taken in RESERVED):
        reserved = ", ".join(map(str, RESERVED))
        raise invalid(parameter, f"It is an IPv4 block between /8 and /28, outside of {reserved}.")
    return block


def list_blocks(vpc: Vpc) -> list[ipaddress.IPv4Network]:
    """List the IPv4 blocks of a VPC, its own first."""
    return [read_block(text) for text in (vpc.cidr_block, *vpc.secondary_cidr_blocks)]


def _require_room(cloud: Cloud, vpc: Vpc, parameter: str) -> None:
    """Check that every vSwitch of a VPC lies within its blocks.

    Raises:
        ApiError: A vSwitch lies outside the blocks.
    """
    blocks = list_blocks(vpc)
    for switch in cloud.store.all(VSwitch, vpc_id=vpc.id):
        if not any(read_block(switch.cidr_block).subnet_of(block) for block in blocks):
            raise invalid(parameter, f"{switch.id} needs the block that it has.")


def _new_ipv6_block() -> str:
    """Choose an IPv6 block of the prefix for documentation: nothing here is reached by it."""
    block = ipaddress.IPv6Address("2001:db8::").packed[:4] + secrets.token_bytes(3)
    return str(ipaddress.IPv6Network((block.ljust(16, b"\0"), IPV6_BITS)))


def read_block(text: str, parameter: str = "CidrBlock") -> ipaddress.IPv4Network:
    """Read an IPv4 block.

    Raises:
        ApiError: The text is none; the message names the parameter.
    """
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        raise invalid(parameter, "It is an IPv4 block such as 192.168.0.0/16.") from None


def refuse_if_used(users: Sequence[Document], code: str) -> None:
    """Check that nothing uses what a request removes.

    Raises:
        ApiError: Something does; the code is `code`, and the message names the first.
    """
    if users:
        raise ApiError(400, code, f"Specified object has dependent resources: {users[0].id}.")
