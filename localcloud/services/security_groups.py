"""Security groups and their rules.

The data plane does not enforce them: it is all loopback, and CLB's own traffic passes them anyway.
"""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import BaseModel, ConfigDict

from localcloud.cloud import Cloud
from localcloud.documents import Instance, SecurityGroup, Vpc, new_id
from localcloud.errors import ApiError, invalid, missing
from localcloud.products import ECS, Answer
from localcloud.requests import ActionRequest, DryRequest, PagedRequest, TaggedRequest
from localcloud.services.answers import creation_time, write_time
from localcloud.services.tags import has_tags, tag_keys

MOST_INSTANCES = 6000
"""Number of private addresses in a security group, at most."""

ONLY_OF_OTHER_RULES = dict.fromkeys(
    (
        "Ipv6SourceCidrIp",
        "Ipv6DestCidrIp",
        "SourcePrefixListId",
        "SourcePrefixListName",
        "DestPrefixListId",
        "DestPrefixListName",
        "PortRangeListId",
        "PortRangeListName",
        "SourcePortRange",
        "SourceGroupOwnerAccount",
        "DestGroupOwnerAccount",
    ),
    "",
)
"""Parameters that rules here cannot have: IPv6, lists of prefixes and ports, other accounts."""


class Permission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    IpProtocol: str
    PortRange: str
    Policy: str = "accept"
    Priority: str = "1"
    SourceCidrIp: str = ""
    DestCidrIp: str = ""
    Ipv6SourceCidrIp: str = ""
    Ipv6DestCidrIp: str = ""
    SourceGroupId: str = ""
    DestGroupId: str = ""
    Description: str = ""
    NicType: str = ""


class CreateSecurityGroup(TaggedRequest):
    VpcId: str
    SecurityGroupName: str = ""
    Description: str = ""
    SecurityGroupType: Literal["normal", "enterprise"] = "normal"
    ResourceGroupId: str = ""
    ClientToken: str = ""


class DescribeSecurityGroups(PagedRequest, TaggedRequest, DryRequest):
    SecurityGroupId: str = ""
    SecurityGroupName: str = ""
    VpcId: str = ""
    ResourceGroupId: str = ""


class DescribeSecurityGroupAttribute(ActionRequest):
    SecurityGroupId: str
    Direction: str = "all"
    NicType: str = ""


class ModifySecurityGroupAttribute(ActionRequest):
    SecurityGroupId: str
    SecurityGroupName: str | None = None
    Description: str | None = None


class ModifySecurityGroupPolicy(ActionRequest):
    SecurityGroupId: str
    InnerAccessPolicy: Literal["Accept", "Drop", "accept", "drop"]
    ClientToken: str = ""


class DeleteSecurityGroup(ActionRequest):
    SecurityGroupId: str


class AuthorizeSecurityGroup(ActionRequest):
    SecurityGroupId: str
    Permissions: list[Permission] = []
    ClientToken: str = ""


class RevokeSecurityGroup(ActionRequest):
    SecurityGroupId: str
    IpProtocol: str = ""
    PortRange: str = ""
    Policy: str = "accept"
    Priority: str = "1"
    SourceCidrIp: str = ""
    DestCidrIp: str = ""
    Ipv6SourceCidrIp: str = ""
    Ipv6DestCidrIp: str = ""
    SourceGroupId: str = ""
    DestGroupId: str = ""
    SourceGroupOwnerAccount: str = ""
    Description: str = ""
    NicType: str = ""


class ModifySecurityGroupRule(RevokeSecurityGroup):
    ClientToken: str = ""


@ECS.action
def create_security_group(cloud: Cloud, request: CreateSecurityGroup) -> Answer:
    if cloud.store.get(Vpc, request.VpcId) is None:
        raise ApiError(404, "InvalidVpcId.NotFound", "The specified VPC does not exist.")
    group = SecurityGroup(
        id=new_id("sg"),
        region=request.RegionId,
        name=request.SecurityGroupName,
        description=request.Description,
        vpc_id=request.VpcId,
        type=request.SecurityGroupType,
        resource_group_id=request.ResourceGroupId,
        tags=request.tags(),
    )
    cloud.store.put(group)
    return {"SecurityGroupId": group.id}


@ECS.action
def describe_security_groups(cloud: Cloud, request: DescribeSecurityGroups) -> Answer:
    used = [key for instance in cloud.store.all(Instance) for key in instance.security_group_ids]
    groups = [
        {
            "SecurityGroupId": group.id,
            "SecurityGroupName": group.name,
            "Description": group.description,
            "SecurityGroupType": group.type,
            "VpcId": group.vpc_id,
            "ResourceGroupId": group.resource_group_id,
            "AvailableInstanceAmount": MOST_INSTANCES - used.count(group.id),
            "EcsCount": used.count(group.id),
            "RuleCount": len(group.permissions),
            "GroupToGroupRuleCount": sum(
                bool(permission["SourceGroupId"] or permission["DestGroupId"])
                for permission in group.permissions
            ),
            "ServiceManaged": False,
            "CreationTime": creation_time(group),
            "Tags": {"Tag": tag_keys(group)},
        }
        for group in cloud.store.all(SecurityGroup)
        if request.SecurityGroupId in {"", group.id}
        and request.SecurityGroupName in {"", group.name}
        and request.VpcId in {"", group.vpc_id}
        and request.ResourceGroupId in {"", group.resource_group_id}
        and has_tags(group, request.Tag)
    ]
    return {
        "SecurityGroups": {"SecurityGroup": request.page(groups)},
        "RegionId": request.RegionId,
        **request.paging(groups),
    }


@ECS.action
def describe_security_group_attribute(
    cloud: Cloud, request: DescribeSecurityGroupAttribute
) -> Answer:
    group = find_security_group(cloud, request.SecurityGroupId)
    return {
        "SecurityGroupId": group.id,
        "SecurityGroupName": group.name,
        "Description": group.description,
        "VpcId": group.vpc_id,
        "RegionId": group.region,
        "InnerAccessPolicy": group.inner_access_policy,
        "Permissions": {
            "Permission": [
                {
                    **ONLY_OF_OTHER_RULES,
                    "CreateTime": creation_time(group),
                    **permission,
                    "SourceGroupName": _name(cloud, permission["SourceGroupId"]),
                    "DestGroupName": _name(cloud, permission["DestGroupId"]),
                }
                for permission in group.permissions
                if request.Direction in {"all", "", permission["Direction"]}
            ]
        },
        "SnapshotPolicyIds": {"SnapshotPolicyId": []},
    }


@ECS.action
def modify_security_group_attribute(cloud: Cloud, request: ModifySecurityGroupAttribute) -> Answer:
    group = find_security_group(cloud, request.SecurityGroupId)
    group.name = request.SecurityGroupName or group.name
    group.description = request.Description or group.description
    cloud.store.put(group)
    return {}


@ECS.action
def modify_security_group_policy(cloud: Cloud, request: ModifySecurityGroupPolicy) -> Answer:
    group = find_security_group(cloud, request.SecurityGroupId)
    group.inner_access_policy = "Drop" if request.InnerAccessPolicy.lower() == "drop" else "Accept"
    cloud.store.put(group)
    return {}


@ECS.action
def delete_security_group(cloud: Cloud, request: DeleteSecurityGroup) -> Answer:
    group = find_security_group(cloud, request.SecurityGroupId)
    if any(group.id in instance.security_group_ids for instance in cloud.store.all(Instance)):
        raise ApiError(
            403,
            "DependencyViolation",
            "There is still instance(s) in the specified security group.",
        )
    cloud.store.delete(group)
    return {}


@ECS.action
def authorize_security_group(cloud: Cloud, request: AuthorizeSecurityGroup) -> Answer:
    return _authorize(cloud, request, "ingress")


@ECS.action_named("AuthorizeSecurityGroupEgress")
def authorize_security_group_egress(cloud: Cloud, request: AuthorizeSecurityGroup) -> Answer:
    return _authorize(cloud, request, "egress")


@ECS.action
def revoke_security_group(cloud: Cloud, request: RevokeSecurityGroup) -> Answer:
    return _revoke(cloud, request, "ingress")


@ECS.action_named("RevokeSecurityGroupEgress")
def revoke_security_group_egress(cloud: Cloud, request: RevokeSecurityGroup) -> Answer:
    return _revoke(cloud, request, "egress")


@ECS.action
def modify_rule(cloud: Cloud, request: ModifySecurityGroupRule) -> Answer:
    return _describe_anew(cloud, request, "ingress")


@ECS.action_named("ModifySecurityGroupEgressRule")
def modify_egress_rule(cloud: Cloud, request: ModifySecurityGroupRule) -> Answer:
    return _describe_anew(cloud, request, "egress")


def find_security_group(cloud: Cloud, key: str) -> SecurityGroup:
    """Find the security group with an id.

    Raises:
        ApiError: The region has no security group with this id.
    """
    group = cloud.store.get(SecurityGroup, key)
    if group is None:
        raise ApiError(
            404, "InvalidSecurityGroupId.NotFound", "The specified SecurityGroupId does not exist."
        )
    return group


def _name(cloud: Cloud, key: str) -> str:
    group = cloud.store.get(SecurityGroup, key) if key else None
    return group.name if group else ""


def _authorize(cloud: Cloud, request: AuthorizeSecurityGroup, direction: str) -> Answer:
    group = find_security_group(cloud, request.SecurityGroupId)
    if not request.Permissions:
        raise missing("Permissions")
    for permission in request.Permissions:
        if permission.IpProtocol.lower() in {"tcp", "udp"} and permission.PortRange == "-1/-1":
            raise invalid("PortRange")
        added = _describe(permission, direction)
        if not any(_are_same(added, present) for present in group.permissions):
            added["SecurityGroupRuleId"] = new_id("sgr")
            added["CreateTime"] = write_time(cloud.now())
            group.permissions.append(added)
    cloud.store.put(group)
    return {}


def _revoke(cloud: Cloud, request: RevokeSecurityGroup, direction: str) -> Answer:
    group = find_security_group(cloud, request.SecurityGroupId)
    gone = _read_rule(request, direction)
    group.permissions = [
        permission for permission in group.permissions if not _are_same(gone, permission)
    ]
    cloud.store.put(group)
    return {}


def _describe_anew(cloud: Cloud, request: ModifySecurityGroupRule, direction: str) -> Answer:
    """Change the description of a rule; its other parts are those by which it is found."""
    group = find_security_group(cloud, request.SecurityGroupId)
    wanted = _read_rule(request, direction)
    permissions = [permission for permission in group.permissions if _are_same(wanted, permission)]
    if not permissions:
        raise ApiError(
            404,
            "InvalidSecurityGroupRule.RuleNotExist",
            "The specified rule does not exist in the specified security group.",
        )
    for permission in permissions:
        permission["Description"] = request.Description
    cloud.store.put(group)
    return {}


def _read_rule(request: RevokeSecurityGroup, direction: str) -> dict[str, str]:
    """The rule that a request describes by its parts."""
    values = {name: getattr(request, name) for name in Permission.model_fields}
    return _describe(Permission(**values), direction)


def _describe(permission: Permission, direction: str) -> dict[str, str]:
    values = permission.model_dump()
    for name in ("Ipv6SourceCidrIp", "Ipv6DestCidrIp"):
        values[name] = _shorten(name, values[name])
    protocol = permission.IpProtocol.upper()
    policy = permission.Policy.capitalize()
    return {
        **values,
        "IpProtocol": protocol,
        "Policy": policy,
        "Direction": direction,
        "NicType": "intranet",
    }


def _shorten(name: str, block: str) -> str:
    """Shorten an IPv6 block's address as RFC 5952 writes it: so the provider looks for it."""
    try:
        return str(ipaddress.IPv6Interface(block)) if block else ""
    except ValueError:
        raise invalid(name, "It is an IPv6 block such as 2001:db8::/64.") from None


def _are_same(rule: dict[str, str], other: dict[str, str]) -> bool:
    """Tell whether two rules are one: description, id and time do not count."""
    apart = {"Description", "SecurityGroupRuleId", "CreateTime"}
    return {k: v for k, v in rule.items() if k not in apart} == {
        k: v for k, v in other.items() if k not in apart
    }
