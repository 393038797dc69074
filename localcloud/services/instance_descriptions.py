"""Descriptions of instances, and of what belongs to them, as the API tells them."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Any

from localcloud.account import ACCOUNT_ID
from localcloud.cloud import Cloud
from localcloud.documents import Instance
from localcloud.errors import invalid
from localcloud.products import ECS, Answer
from localcloud.requests import DryRequest, PagedRequest, TaggedRequest
from localcloud.services.answers import creation_time, key_values
from localcloud.services.catalogue import INSTANCE_TYPES
from localcloud.services.instances import OfInstance, find_instance
from localcloud.services.tags import has_tags

PENDING_SECONDS, STARTING_SECONDS = 0.5, 1.0
"""Seconds for which a new instance is Pending, then Starting."""

DEVICE = "/dev/xvda"
"""Name of every system disk within its instance."""

NEVER = "2999-09-08T16:00Z"
"""Expiry time that the API gives for what is paid as it is used."""

ATTRIBUTES = (
    "InstanceId",
    "InstanceName",
    "HostName",
    "Description",
    "Status",
    "RegionId",
    "ZoneId",
    "ClusterId",
    "ImageId",
    "InstanceType",
    "InstanceNetworkType",
    "InstanceChargeType",
    "InternetChargeType",
    "InternetMaxBandwidthIn",
    "InternetMaxBandwidthOut",
    "Cpu",
    "Memory",
    "CreationTime",
    "ExpiredTime",
    "CreditSpecification",
    "StoppedMode",
    "SerialNumber",
    "VlanId",
    "EipAddress",
    "InnerIpAddress",
    "PublicIpAddress",
    "SecurityGroupIds",
    "VpcAttributes",
    "OperationLocks",
    "SecurityOptions",
)
"""Attributes of an instance that its own Describe shows as lists do."""


class DescribeInstances(PagedRequest, TaggedRequest, DryRequest):
    InstanceIds: str = ""
    VpcId: str = ""
    VSwitchId: str = ""
    ZoneId: str = ""
    InstanceName: str = ""
    ResourceGroupId: str = ""
    SecurityGroupId: str = ""
    Status: str = ""
    AdditionalAttributes: list[str] = []
    MaxResults: int = 0
    NextToken: str = ""


class DescribeDisks(PagedRequest, DryRequest):
    InstanceId: str = ""
    DiskType: str = "all"
    DiskIds: str = ""


class DescribeInstanceRamRole(PagedRequest):
    InstanceIds: str = ""
    RamRoleName: str = ""


class DescribeNetworkInterfaces(PagedRequest):
    NetworkInterfaceId: list[str] = []
    InstanceId: str = ""


class DescribeInstanceMaintenanceAttributes(PagedRequest):
    InstanceId: list[str] = []


class DescribeInstanceAttachmentAttributes(PagedRequest):
    InstanceIds: str = ""


@ECS.action
def describe_instances(cloud: Cloud, request: DescribeInstances) -> Answer:
    wanted = read_ids(request.InstanceIds)
    instances = [
        instance
        for instance in cloud.store.all(Instance)
        if (wanted is None or instance.id in wanted)
        and request.VpcId in {"", instance.vpc_id}
        and request.VSwitchId in {"", instance.vswitch_id}
        and request.ZoneId in {"", instance.zone_id}
        and _is_like(instance.name, request.InstanceName)
        and request.ResourceGroupId in {"", instance.resource_group_id}
        and request.SecurityGroupId in {"", *instance.security_group_ids}
        and has_tags(instance, request.Tag)
        and request.Status in {"", _status(cloud, instance)}
    ]
    return {
        "Instances": {
            "Instance": [_describe(cloud, instance) for instance in request.page(instances)]
        },
        **request.paging(instances),
    }


@ECS.action_named("DescribeUserData")
def describe_user_data(cloud: Cloud, request: OfInstance) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    return {"InstanceId": instance.id, "RegionId": instance.region, "UserData": instance.user_data}


@ECS.action_named("DescribeInstanceAttribute")
def describe_instance_attribute(cloud: Cloud, request: OfInstance) -> Answer:
    instance = find_instance(cloud, request.InstanceId)
    shown = _describe(cloud, instance)
    return {
        **{name: shown[name] for name in ATTRIBUTES},
        "DedicatedHostAttribute": {"DedicatedHostId": "", "DedicatedHostName": ""},
        "EnableJumboFrame": False,
        "EnableNetworkEncryption": False,
        # Text here, and no boolean as in a list.
        "IoOptimized": "optimized",
        "NetworkOptions": {
            "BandwidthWeighting": "",
            "EnableJumboFrame": False,
            "EnableNetworkEncryption": False,
        },
    }


@ECS.action
def describe_disks(cloud: Cloud, request: DescribeDisks) -> Answer:
    disks: list[dict[str, Any]] = [
        {
            "DiskId": instance.disk_id,
            "InstanceId": instance.id,
            "RegionId": instance.region,
            "ZoneId": instance.zone_id,
            "Type": "system",
            "Category": instance.disk_category,
            "Size": instance.disk_size,
            "DiskName": instance.disk_name,
            "Description": instance.disk_description,
            "Device": DEVICE,
            "Status": "In_use",
            "Encrypted": instance.disk_encrypted,
            "KMSKeyId": "",
            "PerformanceLevel": instance.disk_performance_level
            if instance.disk_category == "cloud_essd"
            else "",
            "MultiAttach": "Disabled",
            "DeleteWithInstance": True,
            "DeleteAutoSnapshot": False,
            "EnableAutoSnapshot": False,
            "EnableAutomatedSnapshotPolicy": False,
            "AutoSnapshotPolicyId": "",
            "DiskChargeType": "PostPaid",
            "ExpiredTime": NEVER,
            "Portable": False,
            "ImageId": instance.image_id,
            "ProductCode": "",
            "ResourceGroupId": instance.resource_group_id,
            "SerialNumber": instance.disk_id.removeprefix("d-"),
            "SourceDiskId": "",
            "SourceSnapshotId": "",
            "StorageClusterId": "",
            "StorageSetId": "",
            "StorageSetPartitionNumber": 0,
            "BdfId": "",
            "CreationTime": creation_time(instance),
            "AttachedTime": creation_time(instance),
            "DetachedTime": "",
            "Attachments": {"Attachment": [_describe_attachment(instance)]},
            "MountInstances": {"MountInstance": []},
            "MountInstanceNum": 0,
            "OperationLocks": {"OperationLock": []},
            "Placement": {"ZoneIds": ""},
            "Tags": {"Tag": []},
        }
        for instance in cloud.store.all(Instance)
        if request.InstanceId in {"", instance.id} and request.DiskType in {"all", "system"}
    ]
    return {
        "Disks": {"Disk": request.page(disks)},
        **request.paging(disks),
    }


@ECS.action
def describe_instance_ram_role(cloud: Cloud, request: DescribeInstanceRamRole) -> Answer:
    # Nobody has a role here; the provider's data source drops instances that are not listed.
    wanted = read_ids(request.InstanceIds)
    roles = [
        {"InstanceId": instance.id, "RamRoleName": ""}
        for instance in cloud.store.all(Instance)
        if (wanted is None or instance.id in wanted) and not request.RamRoleName
    ]
    return {
        "InstanceRamRoleSets": {"InstanceRamRoleSet": request.page(roles)},
        "RegionId": request.RegionId,
        "TotalCount": len(roles),
    }


@ECS.action
def describe_network_interfaces(cloud: Cloud, request: DescribeNetworkInterfaces) -> Answer:
    interfaces = [
        {
            "NetworkInterfaceId": instance.eni_id,
            "NetworkInterfaceName": "",
            "NetworkInterfaceTrafficMode": "Standard",
            "InstanceId": instance.id,
            "Type": "Primary",
            "Status": "InUse",
            "Description": "",
            "MacAddress": _mac_address(instance),
            "OwnerId": ACCOUNT_ID,
            "ResourceGroupId": instance.resource_group_id,
            "ServiceManaged": False,
            "DeleteOnRelease": True,
            "VpcId": instance.vpc_id,
            "VSwitchId": instance.vswitch_id,
            "ZoneId": instance.zone_id,
            "PrivateIpAddress": instance.private_ip,
            "QueueNumber": 2,
            "SourceDestCheck": False,
            "CreationTime": creation_time(instance),
            "SecurityGroupIds": {"SecurityGroupId": instance.security_group_ids},
            "Attachment": {
                "InstanceId": instance.id,
                "NetworkCardIndex": 0,
                "DeviceIndex": 0,
                "TrunkNetworkInterfaceId": "",
            },
            "PrivateIpSets": {
                "PrivateIpSet": [{"PrivateIpAddress": instance.private_ip, "Primary": True}]
            },
            "Ipv4PrefixSets": {"Ipv4PrefixSet": []},
            "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
            "Ipv6Sets": {"Ipv6Set": []},
            "Tags": {"Tag": []},
        }
        for instance in cloud.store.all(Instance)
        if (not request.NetworkInterfaceId or instance.eni_id in request.NetworkInterfaceId)
        and request.InstanceId in {"", instance.id}
    ]
    return {
        "NetworkInterfaceSets": {"NetworkInterfaceSet": request.page(interfaces)},
        **request.paging(interfaces),
    }


@ECS.action
def describe_instance_maintenance_attributes(
    cloud: Cloud, request: DescribeInstanceMaintenanceAttributes
) -> Answer:
    described = [
        {
            "InstanceId": instance.id,
            "MaintenanceWindows": {"MaintenanceWindow": []},
            "ActionOnMaintenance": {
                "Value": "AutoRecover",
                "DefaultValue": "AutoRecover",
                "SupportedValues": {"SupportedValue": ["Stop", "AutoRecover"]},
            },
            "NotifyOnMaintenance": False,
        }
        for instance in cloud.store.all(Instance)
        if not request.InstanceId or instance.id in request.InstanceId
    ]
    return {
        "MaintenanceAttributes": {"MaintenanceAttribute": request.page(described)},
        **request.paging(described),
    }


@ECS.action
def describe_instance_attachment_attributes(
    cloud: Cloud, request: DescribeInstanceAttachmentAttributes
) -> Answer:
    wanted = read_ids(request.InstanceIds)
    described = [
        {
            "InstanceId": instance.id,
            "PrivatePoolOptionsId": "",
            "PrivatePoolOptionsMatchCriteria": "None",
        }
        for instance in cloud.store.all(Instance)
        if wanted is None or instance.id in wanted
    ]
    return {
        "Instances": {"Instance": request.page(described)},
        **request.paging(described),
    }


def _describe_attachment(instance: Instance) -> dict[str, str]:
    return {
        "InstanceId": instance.id,
        "Device": DEVICE,
        "AttachedTime": creation_time(instance),
    }


def _mac_address(instance: Instance) -> str:
    """A network interface's address, of Alibaba Cloud's range; always the same."""
    own = hashlib.sha256(instance.eni_id.encode()).digest()[:3]
    return ":".join(f"{byte:02x}" for byte in (0x00, 0x16, 0x3E, *own))


def _is_like(name: str, pattern: str) -> bool:
    """Tell whether a name is as asked for; `*` stands for anything, as does no name at all."""
    return re.fullmatch(re.escape(pattern or "*").replace(r"\*", ".*"), name) is not None


def read_ids(text: str) -> set[str] | None:
    """Read the ids of a JSON list; None for no list: all of them.

    Raises:
        ApiError: The text is no such list.
    """
    if not text:
        return None
    try:
        return {str(key) for key in json.loads(text)}
    except (ValueError, TypeError):
        raise invalid("InstanceIds", "It is a JSON list.") from None


def _status(cloud: Cloud, instance: Instance) -> str:
    if cloud.is_stopped(instance):
        return "Stopped"
    if not instance.is_settled(PENDING_SECONDS, cloud.now()):
        return "Pending"
    settled = instance.is_settled(STARTING_SECONDS, cloud.now())
    return "Running" if settled and cloud.plane.is_instance_running(instance.id) else "Starting"


def _describe(cloud: Cloud, instance: Instance) -> dict[str, Any]:
    cores, memory, family = INSTANCE_TYPES[instance.instance_type]
    return {
        "InstanceId": instance.id,
        "InstanceName": instance.name,
        "HostName": instance.host_name,
        "Description": instance.description,
        "Status": _status(cloud, instance),
        "RegionId": instance.region,
        "ZoneId": instance.zone_id,
        "ImageId": instance.image_id,
        "InstanceType": instance.instance_type,
        "InstanceTypeFamily": family,
        "Cpu": cores,
        "Memory": int(memory * 1024),
        "OSName": "Alibaba Cloud Linux 3.2104 LTS 64 bit",
        "OSNameEn": "Alibaba Cloud Linux 3.2104 LTS 64 bit",
        "OSType": "linux",
        "InstanceChargeType": "PostPaid",
        "InstanceNetworkType": "vpc",
        "InternetChargeType": "PayByTraffic",
        "InternetMaxBandwidthIn": 0,
        "InternetMaxBandwidthOut": instance.internet_max_bandwidth_out,
        "SpotStrategy": "NoSpot",
        "SpotPriceLimit": 0.0,
        "SpotDuration": 0,
        "SpotInterruptionBehavior": "",
        "DeletionProtection": instance.deletion_protection,
        "CreditSpecification": "",
        "KeyPairName": "",
        "ResourceGroupId": instance.resource_group_id,
        "StoppedMode": "Not-applicable",
        "IoOptimized": True,
        "AutoReleaseTime": "",
        "HpcClusterId": "",
        "DeploymentSetId": "",
        "CreationTime": creation_time(instance),
        "StartTime": creation_time(instance),
        "ExpiredTime": "2099-12-31T15:59Z",
        "SaleCycle": "",
        "SerialNumber": str(uuid.uuid5(uuid.NAMESPACE_OID, instance.id)),
        "ClusterId": "",
        "VlanId": "",
        "ISP": "",
        "DeviceAvailable": True,
        "Recyclable": False,
        "EnableNVS": False,
        "GPUAmount": 0,
        "GPUSpec": "",
        "LocalStorageAmount": 0,
        "LocalStorageCapacity": 0,
        "PublicIpAddress": {"IpAddress": []},
        "InnerIpAddress": {"IpAddress": []},
        "RdmaIpAddress": {"IpAddress": []},
        "EipAddress": {
            "AllocationId": "",
            "IpAddress": "",
            "InternetChargeType": "",
        },
        "VpcAttributes": {
            "VpcId": instance.vpc_id,
            "VSwitchId": instance.vswitch_id,
            "NatIpAddress": "",
            "PrivateIpAddress": {"IpAddress": [instance.private_ip]},
        },
        "SecurityGroupIds": {"SecurityGroupId": instance.security_group_ids},
        "NetworkInterfaces": {
            "NetworkInterface": [
                {
                    "NetworkInterfaceId": instance.eni_id,
                    "Type": "Primary",
                    "PrimaryIpAddress": instance.private_ip,
                    "MacAddress": _mac_address(instance),
                    "PrivateIpSets": {
                        "PrivateIpSet": [{"PrivateIpAddress": instance.private_ip, "Primary": True}]
                    },
                    "Ipv4PrefixSets": {"Ipv4PrefixSet": []},
                    "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
                    "Ipv6Sets": {"Ipv6Set": []},
                }
            ]
        },
        "MetadataOptions": {
            "HttpEndpoint": instance.http_endpoint,
            "HttpTokens": instance.http_tokens,
            "HttpPutResponseHopLimit": instance.http_put_response_hop_limit,
            "InstanceMetadataTags": "disabled",
        },
        "DedicatedHostAttribute": {
            "DedicatedHostId": "",
            "DedicatedHostName": "",
            "DedicatedHostClusterId": "",
        },
        "DedicatedInstanceAttribute": {"Affinity": "", "Tenancy": "default"},
        "EcsCapacityReservationAttr": {
            "CapacityReservationId": "",
            "CapacityReservationPreference": "",
        },
        "CpuOptions": {"CoreCount": max(cores // 2, 1), "ThreadsPerCore": min(cores, 2)},
        "HibernationOptions": {"Configured": False},
        "SecurityOptions": {"EnableSecureBoot": False},
        "ImageOptions": {"LoginAsNonRoot": False, "CurrentOSNVMeSupported": True},
        "AdditionalInfo": {"EnableHighDensityMode": False},
        "OperationLocks": {"LockReason": []},
        "Tags": {
            "Tag": [{"TagKey": t["Key"], "TagValue": t["Value"]} for t in key_values(instance)]
        },
    }
