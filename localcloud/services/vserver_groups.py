"""VServer groups: servers with a port and weight each, which listeners of a load balancer share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from localcloud.cloud import Cloud
from localcloud.documents import (
    ForwardingRule,
    GroupMember,
    Instance,
    Listener,
    VServerGroup,
    new_id,
)
from localcloud.errors import ApiError
from localcloud.products import SLB, Answer
from localcloud.requests import ActionRequest, TaggedRequest
from localcloud.services.answers import creation_time
from localcloud.services.load_balancers import OfLoadBalancer, find_load_balancer
from localcloud.services.server_lists import GivenMember, read_servers, require_running
from localcloud.services.tags import has_tags, tag_keys

Name = Annotated[str, Field(pattern=r"^[\w./-]{1,80}$")]


class CreateVServerGroup(OfLoadBalancer, TaggedRequest):
    VServerGroupName: Name | None = None
    BackendServers: str = ""


class OfVServerGroup(ActionRequest):
    VServerGroupId: str


class SetVServerGroupAttribute(OfVServerGroup):
    VServerGroupName: Name | None = None
    BackendServers: str = ""


class AddVServerGroupBackendServers(OfVServerGroup):
    BackendServers: str = ""


class RemoveVServerGroupBackendServers(OfVServerGroup):
    BackendServers: str = ""


class ModifyVServerGroupBackendServers(OfVServerGroup):
    OldBackendServers: str = ""
    NewBackendServers: str = ""


class DescribeVServerGroups(OfLoadBalancer, TaggedRequest):
    Description: str = ""
    IncludeListener: bool = False
    IncludeRule: bool = False


@SLB.action
def create_group(cloud: Cloud, request: CreateVServerGroup) -> Answer:
    balancer = find_load_balancer(cloud, request)
    key = new_id("rsp")
    group = VServerGroup(
        id=key,
        region=balancer.region,
        name=request.VServerGroupName or key,
        load_balancer_id=balancer.id,
        tags=request.tags(),
    )
    _add(cloud, group, read_servers(GivenMember, request.BackendServers))
    return _save(cloud, group)


@SLB.action
def set_group(cloud: Cloud, request: SetVServerGroupAttribute) -> Answer:
    group = _find_group(cloud, request)
    group.name = request.VServerGroupName or group.name
    for server in read_servers(GivenMember, request.BackendServers):
        for member in group.members:
            if (member.server_id, member.port) == (server.ServerId, server.Port):
                member.weight = server.Weight
                member.description = server.Description or member.description
    return {**_save(cloud, group), "VServerGroupName": group.name}


@SLB.action
def add_members(cloud: Cloud, request: AddVServerGroupBackendServers) -> Answer:
    group = _find_group(cloud, request)
    _add(cloud, group, read_servers(GivenMember, request.BackendServers))
    return _save(cloud, group)


@SLB.action
def remove_members(cloud: Cloud, request: RemoveVServerGroupBackendServers) -> Answer:
    group = _find_group(cloud, request)
    _remove(group, read_servers(GivenMember, request.BackendServers))
    answer = _save(cloud, group)
    for member in answer["BackendServers"]["BackendServer"]:
        del member["Description"]
    return answer


@SLB.action
def modify_members(cloud: Cloud, request: ModifyVServerGroupBackendServers) -> Answer:
    group = _find_group(cloud, request)
    _remove(group, read_servers(GivenMember, request.OldBackendServers, "OldBackendServers"))
    _add(cloud, group, read_servers(GivenMember, request.NewBackendServers, "NewBackendServers"))
    return _save(cloud, group)


@SLB.action_named("DescribeVServerGroupAttribute")
def describe_group(cloud: Cloud, request: OfVServerGroup) -> Answer:
    group = _find_group(cloud, request)
    members = []
    for member in group.members:
        instance = cloud.store.get(Instance, member.server_id)
        members.append(
            {**_describe_member(member), "ServerIp": instance.private_ip if instance else ""}
        )
    return {
        "VServerGroupId": group.id,
        "VServerGroupName": group.name,
        "LoadBalancerId": group.load_balancer_id,
        "CreateTime": creation_time(group),
        "BackendServers": {"BackendServer": members},
        "Tags": {"Tag": tag_keys(group)},
    }


@SLB.action
def describe_groups(cloud: Cloud, request: DescribeVServerGroups) -> Answer:
    balancer = find_load_balancer(cloud, request)
    groups = [
        group
        for group in cloud.store.all(VServerGroup, load_balancer_id=balancer.id)
        if request.Description in {"", group.name} and has_tags(group, request.Tag)
    ]
    answers: list[dict[str, Any]] = []
    for group in groups:
        listeners = [
            {"Port": listener.port, "Protocol": listener.protocol}
            for listener in (_find_users(cloud, group) if request.IncludeListener else [])
        ]
        rules = [
            {"RuleId": rule.id, "RuleName": rule.name, "Domain": rule.domain, "Url": rule.url}
            for rule in (_find_rules(cloud, group) if request.IncludeRule else [])
        ]
        answers.append(
            {
                "VServerGroupId": group.id,
                "VServerGroupName": group.name,
                "ServerCount": len(group.members),
                "CreateTime": creation_time(group),
                "AssociatedObjects": {
                    "Listeners": {"Listener": listeners},
                    "Rules": {"Rule": rules},
                },
                "Tags": {"Tag": tag_keys(group)},
            }
        )
    return {"VServerGroups": {"VServerGroup": answers}}


@SLB.action_named("DeleteVServerGroup")
def delete_group(cloud: Cloud, request: OfVServerGroup) -> Answer:
    group = _find_group(cloud, request)
    if _find_users(cloud, group) or _find_rules(cloud, group):
        raise ApiError(400, "RspoolVipExist", "there are vips associating with this vServer group.")
    cloud.store.delete(group)
    return {}


def _find_group(cloud: Cloud, request: OfVServerGroup) -> VServerGroup:
    group = cloud.store.get(VServerGroup, request.VServerGroupId)
    if group is None or request.RegionId not in {"", group.region}:
        # The provider looks for these words.
        raise ApiError(404, "InvalidParameter", "The specified VServerGroupId does not exist.")
    return group


def _find_users(cloud: Cloud, group: VServerGroup) -> list[Listener]:
    listeners = cloud.store.all(Listener, load_balancer_id=group.load_balancer_id)
    return [
        listener for listener in listeners if listener.attributes.get("VServerGroupId") == group.id
    ]


def _find_rules(cloud: Cloud, group: VServerGroup) -> list[ForwardingRule]:
    return cloud.store.all(
        ForwardingRule, load_balancer_id=group.load_balancer_id, vserver_group_id=group.id
    )


def _add(cloud: Cloud, group: VServerGroup, servers: list[GivenMember]) -> None:
    present = {(member.server_id, member.port) for member in group.members}
    for server in servers:
        require_running(cloud, server.ServerId, group.region)
        if (server.ServerId, server.Port) not in present:
            present.add((server.ServerId, server.Port))
            group.members.append(
                GroupMember(
                    server_id=server.ServerId,
                    port=server.Port,
                    weight=server.Weight,
                    description=server.Description,
                )
            )


def _remove(group: VServerGroup, servers: list[GivenMember]) -> None:
    gone = {(server.ServerId, server.Port) for server in servers}
    group.members = [
        member for member in group.members if (member.server_id, member.port) not in gone
    ]


def _save(cloud: Cloud, group: VServerGroup) -> Answer:
    cloud.store.put(group)
    cloud.apply()
    return {
        "VServerGroupId": group.id,
        "BackendServers": {"BackendServer": [_describe_member(member) for member in group.members]},
    }


def _describe_member(member: GroupMember) -> dict[str, Any]:
    return {
        "ServerId": member.server_id,
        "Port": member.port,
        "Weight": member.weight,
        "Type": "ecs",
        "Description": member.description,
    }
