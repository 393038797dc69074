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
from localcloud.services.catalogue import INSTANCE_TYPES
from localcloud.services.instances import OfInstance, find_instance
from localcloud.services.tags import has_tags
from localcloud.services.vpc import creation_time, key_values

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
    found = [
        one
        for one in cloud.store.all(Instance)
        if (wanted is None or one.id in wanted)
        and request.VpcId in {"", one.vpc_id}
        and request.VSwitchId in {"", one.vswitch_id}
        and request.ZoneId in {"", one.zone_id}
        and _like(one.name, request.InstanceName)
        and request.ResourceGroupId in {"", one.resource_group_id}
        and request.SecurityGroupId in {"", *one.security_group_ids}
        and has_tags(one, request.Tag)
        and request.Status in {"", _status(cloud, one)}
    ]
    return {
        "Instances": {"Instance": [_described(cloud, one) for one in request.page(found)]},
        **request.paging(found),
    }


@ECS.action_named("DescribeUserData")
def describe_user_data(cloud: Cloud, request: OfInstance) -> Answer:
    found = find_instance(cloud, request.InstanceId)
    return {"InstanceId": found.id, "RegionId": found.region, "UserData": found.user_data}


@ECS.action_named("DescribeInstanceAttribute")
def describe_instance_attribute(cloud: Cloud, request: OfInstance) -> Answer:
    found = find_instance(cloud, request.InstanceId)
    shown = _described(cloud, found)
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
            "DiskId": one.disk_id,
            "InstanceId": one.id,
            "RegionId": one.region,
            "ZoneId": one.zone_id,
            "Type": "system",
            "Category": one.disk_category,
            "Size": one.disk_size,
            "DiskName": one.disk_name,
            "Description": one.disk_description,
            "Device": DEVICE,
            "Status": "In_use",
            "Encrypted": one.disk_encrypted,
            "KMSKeyId": "",
            "PerformanceLevel": one.disk_performance_level
            if one.disk_category == "cloud_essd"
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
            "ImageId": one.image_id,
            "ProductCode": "",
            "ResourceGroupId": one.resource_group_id,
            "SerialNumber": one.disk_id.removeprefix("d-"),
            "SourceDiskId": "",
            "SourceSnapshotId": "",
            "StorageClusterId": "",
            "StorageSetId": "",
            "StorageSetPartitionNumber": 0,
            "BdfId": "",
            "CreationTime": creation_time(one),
            "AttachedTime": creation_time(one),
            "DetachedTime": "",
            "Attachments": {"Attachment": [_attachment(one)]},
            "MountInstances": {"MountInstance": []},
            "MountInstanceNum": 0,
            "OperationLocks": {"OperationLock": []},
            "Placement": {"ZoneIds": ""},
            "Tags": {"Tag": []},
        }
        for one in cloud.store.all(Instance)
        if request.InstanceId in {"", one.id} and request.DiskType in {"all", "system"}
    ]
    return {
        "Disks": {"Disk": request.page(disks)},
        **request.paging(disks),
    }


@ECS.action
def describe_instance_ram_role(cloud: Cloud, request: DescribeInstanceRamRole) -> Answer:
    # Nobody has a role here; the provider's data source drops instances that are not listed.
    wanted = read_ids(request.InstanceIds)
    found = [
        {"InstanceId": one.id, "RamRoleName": ""}
        for one in cloud.store.all(Instance)
        if (wanted is None or one.id in wanted) and not request.RamRoleName
    ]
    return {
        "InstanceRamRoleSets": {"InstanceRamRoleSet": request.page(found)},
        "RegionId": request.RegionId,
        "TotalCount": len(found),
    }


@ECS.action
def describe_network_interfaces(cloud: Cloud, request: DescribeNetworkInterfaces) -> Answer:
    interfaces = [
        {
            "NetworkInterfaceId": one.eni_id,
            "NetworkInterfaceName": "",
            "NetworkInterfaceTrafficMode": "Standard",
            "InstanceId": one.id,
            "Type": "Primary",
            "Status": "InUse",
            "Description": "",
            "MacAddress": _mac_address(one),
            "OwnerId": ACCOUNT_ID,
            "ResourceGroupId": one.resource_group_id,
            "ServiceManaged": False,
            "DeleteOnRelease": True,
            "VpcId": one.vpc_id,
            "VSwitchId": one.vswitch_id,
            "ZoneId": one.zone_id,
            "PrivateIpAddress": one.private_ip,
            "QueueNumber": 2,
            "SourceDestCheck": False,
            "CreationTime": creation_time(one),
            "SecurityGroupIds": {"SecurityGroupId": one.security_group_ids},
            "Attachment": {
                "InstanceId": one.id,
                "NetworkCardIndex": 0,
                "DeviceIndex": 0,
                "TrunkNetworkInterfaceId": "",
            },
            "PrivateIpSets": {
                "PrivateIpSet": [{"PrivateIpAddress": one.private_ip, "Primary": True}]
            },
            "Ipv4PrefixSets": {"Ipv4PrefixSet": []},
            "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
            "Ipv6Sets": {"Ipv6Set": []},
            "Tags": {"Tag": []},
        }
        for one in cloud.store.all(Instance)
        if (not request.NetworkInterfaceId or one.eni_id in request.NetworkInterfaceId)
        and request.InstanceId in {"", one.id}
    ]
    return {
        "NetworkInterfaceSets": {"NetworkInterfaceSet": request.page(interfaces)},
        **request.paging(interfaces),
    }


@ECS.action
def describe_instance_maintenance_attributes(
    cloud: Cloud, request: DescribeInstanceMaintenanceAttributes
) -> Answer:
    found = [
        {
            "InstanceId": one.id,
            "MaintenanceWindows": {"MaintenanceWindow": []},
            "ActionOnMaintenance": {
                "Value": "AutoRecover",
                "DefaultValue": "AutoRecover",
                "SupportedValues": {"SupportedValue": ["Stop", "AutoRecover"]},
            },
            "NotifyOnMaintenance": False,
        }
        for one in cloud.store.all(Instance)
        if not request.InstanceId or one.id in request.InstanceId
    ]
    return {
        "MaintenanceAttributes": {"MaintenanceAttribute": request.page(found)},
        **request.paging(found),
    }


@ECS.action
def describe_instance_attachment_attributes(
    cloud: Cloud, request: DescribeInstanceAttachmentAttributes
) -> Answer:
    wanted = read_ids(request.InstanceIds)
    found = [
        {
            "InstanceId": one.id,
            "PrivatePoolOptionsId": "",
            "PrivatePoolOptionsMatchCriteria": "None",
        }
        for one in cloud.store.all(Instance)
        if wanted is None or one.id in wanted
    ]
    return {
        "Instances": {"Instance": request.page(found)},
        **request.paging(found),
    }


def _attachment(found: Instance) -> dict[str, str]:
    return {
        "InstanceId": found.id,
        "Device": DEVICE,
        "AttachedTime": creation_time(found),
    }


def _mac_address(found: Instance) -> str:
    """A network interface's address, of Alibaba Cloud's range; always the same."""
    own = hashlib.sha256(found.eni_id.encode()).digest()[:3]
    return ":".join(f"{byte:02x}" for byte in (0x00, 0x16, 0x3E, *own))


def _like(name: str, pattern: str) -> bool:
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


def _status(cloud: Cloud, found: Instance) -> str:
    if cloud.is_stopped(found):
        return "Stopped"
    if not found.is_settled(PENDING_SECONDS, cloud.now()):
        return "Pending"
    settled = found.is_settled(STARTING_SECONDS, cloud.now())
    return "Running" if settled and cloud.plane.is_instance_running(found.id) else "Starting"


def _described(cloud: Cloud, found: Instance) -> dict[str, Any]:
    cores, memory, family = INSTANCE_TYPES[found.instance_type]
    return {
        "InstanceId": found.id,
        "InstanceName": found.name,
        "HostName": found.host_name,
        "Description": found.description,
        "Status": _status(cloud, found),
        "RegionId": found.region,
        "ZoneId": found.zone_id,
        "ImageId": found.image_id,
        "InstanceType": found.instance_type,
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
        "InternetMaxBandwidthOut": found.internet_max_bandwidth_out,
        "SpotStrategy": "NoSpot",
        "SpotPriceLimit": 0.0,
        "SpotDuration": 0,
        "SpotInterruptionBehavior": "",
        "DeletionProtection": found.deletion_protection,
        "CreditSpecification": "",
        "KeyPairName": "",
        "ResourceGroupId": found.resource_group_id,
        "StoppedMode": "Not-applicable",
        "IoOptimized": True,
        "AutoReleaseTime": "",
        "HpcClusterId": "",
        "DeploymentSetId": "",
        "CreationTime": creation_time(found),
        "StartTime": creation_time(found),
        "ExpiredTime": "2099-12-31T15:59Z",
        "SaleCycle": "",
        "SerialNumber": str(uuid.uuid5(uuid.NAMESPACE_OID, found.id)),
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
            "VpcId": found.vpc_id,
            "VSwitchId": found.vswitch_id,
            "NatIpAddress": "",
            "PrivateIpAddress": {"IpAddress": [found.private_ip]},
        },
        "SecurityGroupIds": {"SecurityGroupId": found.security_group_ids},
        "NetworkInterfaces": {
            "NetworkInterface": [
                {
                    "NetworkInterfaceId": found.eni_id,
                    "Type": "Primary",
                    "PrimaryIpAddress": found.private_ip,
                    "MacAddress": _mac_address(found),
                    "PrivateIpSets": {
                        "PrivateIpSet": [{"PrivateIpAddress": found.private_ip, "Primary": True}]
                    },
                    "Ipv4PrefixSets": {"Ipv4PrefixSet": []},
                    "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
                    "Ipv6Sets": {"Ipv6Set": []},
                }
            ]
        },
        "MetadataOptions": {
            "HttpEndpoint": found.http_endpoint,
            "HttpTokens": found.http_tokens,
            "HttpPutResponseHopLimit": found.http_put_response_hop_limit,
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
        "Tags": {"Tag": [{"TagKey": t["Key"], "TagValue": t["Value"]} for t in key_values(found)]},
    }
