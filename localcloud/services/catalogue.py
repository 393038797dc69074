"""Catalogue of a region: zones, instance types, images. Three zones and a few types will do."""

from __future__ import annotations

from typing import Any

from localcloud.cloud import Cloud
from localcloud.errors import ApiError
from localcloud.products import ECS, Answer
from localcloud.regions import REGIONS, local_name, zone_name
from localcloud.requests import ActionRequest, DryRequest, PagedRequest

ZONES = ("h", "i", "j")

DISK_CATEGORIES = ("cloud_essd", "cloud_ssd", "cloud_efficiency")

INSTANCE_TYPES: dict[str, tuple[int, float, str]] = {
    "ecs.t6-c1m1.large": (2, 2.0, "ecs.t6"),
    "ecs.c7.large": (2, 4.0, "ecs.c7"),
    "ecs.g7.large": (2, 8.0, "ecs.g7"),
    "ecs.c7.xlarge": (4, 8.0, "ecs.c7"),
    "ecs.g6.large": (2, 8.0, "ecs.g6"),
    "ecs.g8i.large": (2, 8.0, "ecs.g8i"),
    "ecs.n1.small": (1, 2.0, "ecs.n1"),
    "ecs.sn1ne.xlarge": (4, 8.0, "ecs.sn1ne"),
}
"""Instance types by name: cores, GiB of memory and family."""

_ALIYUN = ("Alibaba Cloud Linux 3.2104 LTS 64 bit", "Aliyun")

IMAGES: dict[str, tuple[str, str, str]] = {
    "aliyun_3_x64_20G_alibase_20260915.vhd": ("2026-09-15T00:00:00Z", *_ALIYUN),
    "aliyun_3_x64_20G_alibase_20260318.vhd": ("2026-03-18T00:00:00Z", *_ALIYUN),
    "ubuntu_18_04_x64_20G_alibase_20240223.vhd": (
        "2024-02-23T00:00:00Z",
        "Ubuntu 18.04 64 bit",
        "Ubuntu",
    ),
    "ubuntu_22_04_x64_20G_alibase_20260309.vhd": (
        "2026-03-09T00:00:00Z",
        "Ubuntu 22.04 64 bit",
        "Ubuntu",
    ),
}
"""System images, with their time of creation, operating system and platform."""


class DescribeAvailableResource(ActionRequest):
    DestinationResource: str
    IoOptimized: str = ""
    InstanceChargeType: str = ""
    SpotStrategy: str = ""
    NetworkCategory: str = ""
    SystemDiskCategory: str = ""
    InstanceType: str = ""
    ZoneId: str = ""
    Cores: int = 0
    Memory: float = 0


class DescribeInstanceTypes(ActionRequest):
    InstanceTypes: list[str] = []
    InstanceType: str = ""
    InstanceTypeFamily: str = ""
    SystemDiskCategory: str = ""
    MaxResults: int = 100
    NextToken: str = ""


class DescribeZones(ActionRequest):
    Verbose: bool = True
    InstanceChargeType: str = ""
    SpotStrategy: str = ""
    AcceptLanguage: str = ""


class DescribeRegions(ActionRequest):
    InstanceChargeType: str = ""
    ResourceType: str = ""
    AcceptLanguage: str = ""


class DescribeImages(PagedRequest, DryRequest):
    ImageId: str = ""
    ImageName: str = ""
    ImageOwnerAlias: str = ""
    InstanceType: str = ""
    Status: str = "Available"
    OSType: str = ""
    Architecture: str = ""


class DescribeImageSupportInstanceTypes(ActionRequest):
    ImageId: str


class DescribeTags(PagedRequest):
    ResourceType: str = ""
    ResourceId: str = ""


@ECS.action
def describe_available_resource(cloud: Cloud, request: DescribeAvailableResource) -> Answer:
    offered = [
        name
        for name, (cores, memory, _) in INSTANCE_TYPES.items()
        if request.Cores in {0, cores} and request.Memory in {0, memory}
    ]
    resource = {
        "Type": "InstanceType",
        "SupportedResources": {
            "SupportedResource": [
                {"Value": name, "Status": "Available", "StatusCategory": "WithStock"}
                for name in offered
            ]
        },
    }
    zones = [
        {
            "ZoneId": zone,
            "RegionId": request.RegionId,
            "Status": "Available",
            "StatusCategory": "WithStock",
            "AvailableResources": {"AvailableResource": [resource]},
        }
        for zone in list_zone_ids(request.RegionId)
        if request.ZoneId in {"", zone}
    ]
    return {"AvailableZones": {"AvailableZone": zones}}


@ECS.action
def describe_instance_types(cloud: Cloud, request: DescribeInstanceTypes) -> Answer:
    wanted = {*request.InstanceTypes, request.InstanceType} - {""}
    types = [
        {
            "InstanceTypeId": name,
            "InstanceTypeFamily": family,
            "CpuCoreCount": cores,
            "MemorySize": memory,
            "CpuArchitecture": "X86",
            "EniQuantity": 2,
            "EniPrivateIpAddressQuantity": 6,
            "EniIpv6AddressQuantity": 0,
            "EniTotalQuantity": 2,
            "EniTrunkSupported": False,
            "EriQuantity": 0,
            "NetworkCardQuantity": 1,
            "NetworkCards": {"NetworkCardInfo": [{"NetworkCardIndex": 0}]},
            "JumboFrameSupport": False,
            "NetworkEncryptionSupport": False,
            "InstanceFamilyLevel": "CreditEntryLevel"
            if family.startswith("ecs.t")
            else "EnterpriseLevel",
            "GPUAmount": 0,
            "GPUSpec": "",
            "GPUMemorySize": 0,
            "LocalStorageCapacity": 0,
            "LocalStorageAmount": 0,
            "LocalStorageCategory": "",
            "NvmeSupport": "supported",
        }
        for name, (cores, memory, family) in INSTANCE_TYPES.items()
        if (not wanted or name in wanted) and request.InstanceTypeFamily in {"", family}
    ]
    return {"InstanceTypes": {"InstanceType": types}}


@ECS.action
def describe_zones(cloud: Cloud, request: DescribeZones) -> Answer:
    zones = [
        {
            "ZoneId": zone,
            "LocalName": zone_name(zone, request.AcceptLanguage),
            "AvailableInstanceTypes": {"InstanceTypes": list(INSTANCE_TYPES)},
            "AvailableDiskCategories": {"DiskCategories": list(DISK_CATEGORIES)},
            "AvailableResourceCreation": {"ResourceTypes": ["VSwitch", "Instance", "Disk"]},
            "ZoneType": "AvailabilityZone",
            "AvailableVolumeCategories": {"VolumeCategories": []},
            "AvailableDedicatedHostTypes": {"DedicatedHostType": []},
            "DedicatedHostGenerations": {"DedicatedHostGeneration": []},
            **(
                {"AvailableResources": {"ResourcesInfo": [_describe_offer()]}}
                if request.Verbose
                else {}
            ),
        }
        for zone in list_zone_ids(request.RegionId)
    ]
    return {"Zones": {"Zone": zones}}


@ECS.action
def describe_regions(cloud: Cloud, request: DescribeRegions) -> Answer:
    regions = [
        {
            "RegionId": region,
            "LocalName": local_name(region, request.AcceptLanguage),
            "RegionEndpoint": f"ecs.{region}.aliyuncs.com",
            "Status": "available",
        }
        for region in REGIONS
    ]
    return {"Regions": {"Region": regions}}


@ECS.action
def describe_images(cloud: Cloud, request: DescribeImages) -> Answer:
    images = [
        _image(name)
        for name in IMAGES
        if request.ImageId in {"", name}
        and request.ImageOwnerAlias in {"", "system"}
        and request.InstanceType in {"", *INSTANCE_TYPES}
        and request.OSType in {"", "linux"}
        and request.Architecture in {"", "x86_64"}
    ]
    return {
        "Images": {"Image": request.page(images)},
        "RegionId": request.RegionId,
        **request.paging(images),
    }


@ECS.action
def describe_image_support(cloud: Cloud, request: DescribeImageSupportInstanceTypes) -> Answer:
    if request.ImageId not in IMAGES:
        raise ApiError(404, "InvalidImageId.NotFound", "The specified ImageId does not exist.")
    types = [
        {
            "InstanceTypeId": name,
            "InstanceTypeFamily": family,
            "CpuCoreCount": cores,
            "MemorySize": memory,
        }
        for name, (cores, memory, family) in INSTANCE_TYPES.items()
    ]
    return {
        "ImageId": request.ImageId,
        "RegionId": request.RegionId,
        "InstanceTypes": {"InstanceType": types},
    }


@ECS.action
def describe_tags(cloud: Cloud, request: DescribeTags) -> Answer:
    # Asked once for each image; images have none.
    return {
        "Tags": {"Tag": []},
        **request.paging([]),
    }


def _describe_offer() -> dict[str, Any]:
    """Offer of every zone, in detail."""
    families = sorted({family for _, _, family in INSTANCE_TYPES.values()})
    return {
        "IoOptimized": True,
        "InstanceTypes": {"supportedInstanceType": list(INSTANCE_TYPES)},
        "InstanceTypeFamilies": {"supportedInstanceTypeFamily": families},
        "InstanceGenerations": {"supportedInstanceGeneration": []},
        "NetworkTypes": {"supportedNetworkCategory": ["vpc"]},
        "SystemDiskCategories": {"supportedSystemDiskCategory": list(DISK_CATEGORIES)},
        "DataDiskCategories": {"supportedDataDiskCategory": []},
    }


def list_zone_ids(region: str) -> list[str]:
    """List the zones of a region."""
    return [f"{region}-{letter}" for letter in ZONES]


def _image(name: str) -> dict[str, Any]:
    created, system, platform = IMAGES[name]
    return {
        "ImageId": name,
        "ImageName": name,
        "ImageOwnerAlias": "system",
        "ImageVersion": "",
        "ImageFamily": "",
        "ResourceGroupId": "",
        "SupplierName": "",
        "BootMode": "BIOS",
        "LicenseType": "Auto",
        "LoginAsNonRootSupported": True,
        "Usable": True,
        "Features": {"NvmeSupport": "supported", "ImdsSupport": "v2"},
        "Architecture": "x86_64",
        "CreationTime": created,
        "Description": "",
        "OSName": system,
        "OSNameEn": system,
        "OSType": "linux",
        "Platform": platform,
        "Status": "Available",
        "Size": 20,
        "Progress": "100%",
        "Usage": "none",
        "ProductCode": "",
        "IsCopied": False,
        "IsSelfShared": "",
        "IsSubscribed": False,
        "IsSupportCloudinit": True,
        "IsSupportIoOptimized": True,
        "DiskDeviceMappings": {"DiskDeviceMapping": []},
        "Tags": {"Tag": []},
    }
