"""ECS instances: real HTTP servers that run from their user data."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from localcloud.cloud import Cloud, choose_private_ip
from localcloud.dataplane.model import DataPlaneError
from localcloud.documents import (
    Instance,
    LoadBalancer,
    SecurityGroup,
    VServerGroup,
    VSwitch,
    new_id,
)
from localcloud.errors import ApiError, dry_run, invalid
from localcloud.products import ECS, Answer
from localcloud.requests import ActionRequest, TaggedRequest
from localcloud.services.catalogue import DISK_CATEGORIES, IMAGES, INSTANCE_TYPES
from localcloud.services.security_groups import find_security_group
from localcloud.services.vswitches import find_vswitch

USER_DATA_BYTES = 32 * 1024
"""Bytes of user data in base64, at most."""


class GivenDisk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    Category: str = "cloud_essd"
    Size: Annotated[int, Field(ge=20, le=2048)] = 40
    DiskName: str = ""
    Description: str = ""
    PerformanceLevel: str = "PL1"
    Encrypted: bool = False


class RunInstances(TaggedRequest):
    InstanceType: str
    ImageId: str
    VSwitchId: str
    SecurityGroupId: str = ""
    SecurityGroupIds: list[str] = []
    ZoneId: str = ""
    InstanceName: str = ""
    HostName: str = ""
    Description: str = ""
    SystemDisk: GivenDisk = GivenDisk()
    UserData: str = ""
    ResourceGroupId: str = ""
    Amount: int = 1
    IoOptimized: Literal["optimized", "none"] = "optimized"
    InstanceChargeType: Literal["PostPaid"] = "PostPaid"
    InternetChargeType: Literal["PayByTraffic", "PayByBandwidth"] = "PayByTraffic"
    InternetMaxBandwidthOut: int = 0
    SpotStrategy: Literal["NoSpot"] = "NoSpot"
    HttpTokens: Literal["optional", "required"] = "optional"
    HttpEndpoint: Literal["enabled", "disabled"] = "enabled"
    HttpPutResponseHopLimit: int = 1
    DeletionProtection: bool = False
    SecurityEnhancementStrategy: Literal["", "Active", "Deactive"] = ""
    DryRun: bool = False
    ClientToken: str = ""


class OfInstance(ActionRequest):
    InstanceId: str


class StopInstance(OfInstance):
    ForceStop: bool = False
    StoppedMode: Literal["", "StopCharging", "KeepCharging"] = ""


class DeleteInstance(OfInstance):
    Force: bool = False
    TerminateSubscription: bool = False


class ModifyInstanceAttribute(OfInstance):
    InstanceName: str | None = None
    HostName: str | None = None
    Description: str | None = None
    DeletionProtection: bool | None = None
    ClientToken: str = ""


class ModifyInstanceMetadataOptions(OfInstance):
    HttpTokens: Literal["optional", "required"] | None = None
    HttpEndpoint: Literal["enabled", "disabled"] | None = None
    HttpPutResponseHopLimit: int | None = None


class JoinSecurityGroup(OfInstance):
    SecurityGroupId: str


class LeaveSecurityGroup(OfInstance):
    SecurityGroupId: str


@ECS.action
def run_instances(cloud: Cloud, request: RunInstances) -> Answer:
    switch = find_vswitch(cloud, request.VSwitchId)
    groups = request.SecurityGroupIds or [request.SecurityGroupId]
    _require_usable(request, switch, [find_security_group(cloud, key) for key in groups])
    taken = (instance.private_ip for instance in cloud.store.all(Instance, vswitch_id=switch.id))
    private_ip = choose_private_ip(switch.cidr_block, taken)
    if private_ip is None:
        raise ApiError(403, "InvalidVSwitchId.IpNotEnough", "The vSwitch has no IP addresses left.")
    if request.DryRun:
        raise dry_run()
    key = new_id("i")
    instance = Instance(
        id=key,
        region=switch.region,
        name=request.InstanceName or key,
        host_name=request.HostName or f"iZ{key[2:]}Z",
        description=request.Description,
        resource_group_id=request.ResourceGroupId,
        image_id=request.ImageId,
        instance_type=request.InstanceType,
        zone_id=switch.zone_id,
        vpc_id=switch.vpc_id,
        vswitch_id=switch.id,
        private_ip=private_ip,
        host=cloud.choose_instance_address(),
        eni_id=new_id("eni"),
        disk_id=new_id("d"),
        disk_category=request.SystemDisk.Category,
        disk_size=request.SystemDisk.Size,
        disk_name=request.SystemDisk.DiskName,
        disk_description=request.SystemDisk.Description,
        disk_performance_level=request.SystemDisk.PerformanceLevel,
        disk_encrypted=request.SystemDisk.Encrypted,
        security_group_ids=groups,
        user_data=request.UserData,
        deletion_protection=request.DeletionProtection,
        http_tokens=request.HttpTokens,
        http_endpoint=request.HttpEndpoint,
        http_put_response_hop_limit=request.HttpPutResponseHopLimit,
        internet_max_bandwidth_out=request.InternetMaxBandwidthOut,
        tags=request.tags(),
    )
    cloud.store.put(instance)
    try:
        cloud.start(instance)
    except DataPlaneError as error:
        raise invalid("UserData", str(error)) from error
    return {"InstanceIdSets": {"InstanceIdSet": [instance.id]}}


@ECS.action_named("StartInstance")
def start_instance(cloud: Cloud, request: OfInstance) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    if not cloud.is_stopped(instance):
        raise _wrong_status()
    instance.stopped = False
    cloud.store.put(instance)
    cloud.start(instance)
    try:
        cloud.apply()
    except DataPlaneError:
        cloud.plane.stop_instance(instance.id)
        raise
    return {}


@ECS.action
def stop_instance(cloud: Cloud, request: StopInstance) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    if instance.stopped:
        raise _wrong_status()
    instance.stopped = True
    cloud.store.put(instance)
    cloud.plane.stop_instance(instance.id)
    return {}


@ECS.action
def delete_instance(cloud: Cloud, request: DeleteInstance) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    if instance.deletion_protection:
        raise ApiError(
            403, "InvalidOperation.DeletionProtection", "The instance is protected from deletion."
        )
    if not cloud.is_stopped(instance) and not request.Force:
        raise ApiError(
            403,
            "IncorrectInstanceStatus",
            "The current status of the resource does not support this operation.",
        )
    for load_balancer in cloud.store.all(LoadBalancer):
        kept = [backend for backend in load_balancer.backends if backend.server_id != instance.id]
        if len(kept) < len(load_balancer.backends):
            load_balancer.backends = kept
            cloud.store.put(load_balancer)
    for group in cloud.store.all(VServerGroup):
        stay = [member for member in group.members if member.server_id != instance.id]
        if len(stay) < len(group.members):
            group.members = stay
            cloud.store.put(group)
    cloud.store.delete(instance)
    cloud.apply()
    cloud.plane.stop_instance(instance.id)
    return {}


@ECS.action
def modify_instance_attribute(cloud: Cloud, request: ModifyInstanceAttribute) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    changes = {
        "name": request.InstanceName,
        "host_name": request.HostName,
        "description": request.Description,
        "deletion_protection": request.DeletionProtection,
    }
    changed = {name: value for name, value in changes.items() if value is not None}
    cloud.store.put(instance.model_copy(update=changed))
    return {}


@ECS.action
def modify_instance_metadata_options(
    cloud: Cloud, request: ModifyInstanceMetadataOptions
) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    instance.http_tokens = request.HttpTokens or instance.http_tokens
    instance.http_endpoint = request.HttpEndpoint or instance.http_endpoint
    instance.http_put_response_hop_limit = (
        request.HttpPutResponseHopLimit or instance.http_put_response_hop_limit
    )
    cloud.store.put(instance)
    return {}


@ECS.action
def join_security_group(cloud: Cloud, request: JoinSecurityGroup) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    group = find_security_group(cloud, request.SecurityGroupId)
    if group.id not in instance.security_group_ids:
        instance.security_group_ids.append(group.id)
    cloud.store.put(instance)
    return {}


@ECS.action
def leave_security_group(cloud: Cloud, request: LeaveSecurityGroup) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    left = [key for key in instance.security_group_ids if key != request.SecurityGroupId]
    if not left:
        raise ApiError(
            403, "InstanceLastSecurityGroup", "The instance is in no other security group."
        )
    instance.security_group_ids = left
    cloud.store.put(instance)
    return {}


def find_instance(cloud: Cloud, key: str) -> Instance:
    """Find the instance with an id.

    Raises:
        ApiError: The region has no instance with this id.
    """
    instance = cloud.store.get(Instance, key)
    if instance is None:
        raise ApiError(
            404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist."
        )
    return instance


def _require_usable(request: RunInstances, switch: VSwitch, groups: list[SecurityGroup]) -> None:
    if request.InstanceType not in INSTANCE_TYPES:
        raise ApiError(
            404,
            "InvalidInstanceType.NotFound",
            f"The specified InstanceType is not sold here; {', '.join(INSTANCE_TYPES)} are.",
        )
    if request.ImageId not in IMAGES:
        raise ApiError(404, "InvalidImageId.NotFound", "The specified ImageId does not exist.")
    if request.SystemDisk.Category not in DISK_CATEGORIES:
        raise invalid("SystemDisk.Category", f"It is one of {', '.join(DISK_CATEGORIES)}.")
    if request.ZoneId not in {"", switch.zone_id}:
        raise invalid("ZoneId", "It is the vSwitch's zone.")
    if any(group.vpc_id != switch.vpc_id for group in groups):
        raise ApiError(
            403, "InvalidParameter.Conflict", "Security group and vSwitch are in different VPCs."
        )
    if len(request.UserData) > USER_DATA_BYTES:
        raise invalid("UserData", f"It has {USER_DATA_BYTES} bytes at most, in base64.")
    try:
        base64.b64decode(request.UserData, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid("UserData", "It is text in base64.") from None


def _wrong_status() -> ApiError:
    return ApiError(
        403,
        "IncorrectInstanceStatus",
        "The current status of the resource does not support this operation.",
    )
