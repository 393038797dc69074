"""Zones that CLB offers: each zone of a region as primary, each other one as secondary."""

from __future__ import annotations

from localcloud.cloud import Cloud
from localcloud.products import SLB, Answer
from localcloud.regions import REGIONS, local_name, zone_name
from localcloud.requests import ActionRequest
from localcloud.services.catalogue import list_zone_ids

KINDS = (("vpc", "ipv4"), ("classic_internet", "ipv4"), ("classic_internet", "ipv6"))
"""Address types and IP versions that every zone has."""


class DescribeZones(ActionRequest):
    AcceptLanguage: str = ""


class DescribeRegions(ActionRequest):
    AcceptLanguage: str = ""


class DescribeAvailableResource(ActionRequest):
    AddressType: str = ""
    AddressIPVersion: str = ""


@SLB.action
def describe_zones(cloud: Cloud, request: DescribeZones) -> Answer:
    zones = list_zone_ids(request.RegionId)
    return {
        "Zones": {
            "Zone": [
                {
                    "ZoneId": zone,
                    "LocalName": zone_name(zone, request.AcceptLanguage),
                    "SlaveZones": {
                        "SlaveZone": [
                            {
                                "ZoneId": other,
                                "LocalName": zone_name(other, request.AcceptLanguage),
                            }
                            for other in zones
                            if other != zone
                        ]
                    },
                }
                for zone in zones
            ]
        }
    }


@SLB.action
def describe_regions(cloud: Cloud, request: DescribeRegions) -> Answer:
    regions = [
        {
            "RegionId": region,
            "LocalName": local_name(region, request.AcceptLanguage),
            "RegionEndpoint": f"slb.{region}.aliyuncs.com",
        }
        for region in REGIONS
    ]
    return {"Regions": {"Region": regions}}


@SLB.action
def describe_available_resource(cloud: Cloud, request: DescribeAvailableResource) -> Answer:
    wanted = request.AddressType.replace("-", "_")
    offered = [
        {"AddressType": kind, "AddressIPVersion": version}
        for kind, version in KINDS
        if wanted in {"", kind} and request.AddressIPVersion in {"", version}
    ]
    zones = list_zone_ids(request.RegionId)
    pairs = [(zone, other) for zone in zones for other in zones if zone != other and offered]
    return {
        "AvailableResources": {
            "AvailableResource": [
                {
                    "MasterZoneId": zone,
                    "SlaveZoneId": other,
                    "SupportResources": {"SupportResource": offered},
                }
                for zone, other in pairs
            ]
        }
    }
