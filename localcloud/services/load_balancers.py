"""CLB instances."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from localcloud.cloud import Cloud
from localcloud.documents import (
    DomainExtension,
    ForwardingRule,
    Listener,
    LoadBalancer,
    VServerGroup,
    new_id,
)
from localcloud.errors import (
    ApiError,
    invalid,
    load_balancer_not_found,
    missing,
    not_emulated,
)
from localcloud.products import SLB, Answer
from localcloud.requests import ActionRequest, OnOff, TaggedRequest
from localcloud.services.catalogue import list_zone_ids
from localcloud.services.tags import tag_keys
from localcloud.services.vswitches import find_vswitch

LCU_SPECIFICATION = "slb.lcu.elastic"
"""Specification that the API reports for an instance that is paid by LCU."""

SPECIFICATIONS = (
    "slb.s1.small",
    "slb.s2.small",
    "slb.s2.medium",
    "slb.s3.small",
    "slb.s3.medium",
    "slb.s3.large",
    "slb.s4.large",
)

UNLIMITED = 5120
"""Bandwidth in Mbit/s that the API reports where nothing else is set."""

Name = Annotated[str, Field(pattern=r"^\p{L}[\w./-]{0,79}$")]
ChargeType = Literal["paybytraffic", "paybybandwidth", "PayByTraffic", "PayByBandwidth"]


class Protection(ActionRequest):
    ModificationProtectionStatus: Literal["NonProtection", "ConsoleProtection"] = "NonProtection"
    ModificationProtectionReason: Annotated[
        str, Field(pattern=r"^([A-Za-z][A-Za-z0-9._-]{0,79})?$")
    ] = ""


class CreateLoadBalancer(TaggedRequest, Protection):
    LoadBalancerName: Name | None = None
    AddressType: Literal["internet", "intranet"] | None = None
    AddressIPVersion: Literal["ipv4", "ipv6"] = "ipv4"
    Address: str = ""
    VpcId: str = ""
    VSwitchId: str = ""
    MasterZoneId: str = ""
    SlaveZoneId: str = ""
    Bandwidth: int | None = None
    InternetChargeType: ChargeType = "paybytraffic"
    InstanceChargeType: Literal["PayBySpec", "PayByCLCU"] = "PayBySpec"
    LoadBalancerSpec: str = ""
    PayType: Literal["PayOnDemand"] = "PayOnDemand"
    DeleteProtection: OnOff = "off"
    ResourceGroupId: str = "rg-default"
    ClientToken: str = ""


class OfLoadBalancer(ActionRequest):
    LoadBalancerId: str


class SetLoadBalancerName(OfLoadBalancer):
    LoadBalancerName: Name


class SetLoadBalancerStatus(OfLoadBalancer):
    LoadBalancerStatus: Literal["active", "inactive"]


class SetLoadBalancerDeleteProtection(OfLoadBalancer):
    DeleteProtection: OnOff


class SetLoadBalancerModificationProtection(OfLoadBalancer, Protection):
    ModificationProtectionStatus: Literal["NonProtection", "ConsoleProtection"]


class ModifyLoadBalancerInternetSpec(OfLoadBalancer):
    InternetChargeType: ChargeType | None = None
    Bandwidth: int | None = None
    AutoPay: bool = False


class ModifyLoadBalancerInstanceSpec(OfLoadBalancer):
    LoadBalancerSpec: str
    AutoPay: bool = False


class ModifyLoadBalancerInstanceChargeType(OfLoadBalancer):
    InstanceChargeType: Literal["PayBySpec", "PayByCLCU"]
    InternetChargeType: ChargeType | None = None
    LoadBalancerSpec: str = ""
    Bandwidth: int | None = None


@SLB.action
def create_load_balancer(cloud: Cloud, request: CreateLoadBalancer) -> Answer:
    specification = _specification(request.InstanceChargeType, request.LoadBalancerSpec)
    by_bandwidth = request.InternetChargeType.lower() == "paybybandwidth"
    if by_bandwidth and request.InstanceChargeType == "PayByCLCU":
        raise invalid("InternetChargeType", "A PayByCLCU instance is charged PayByTraffic.")
    if by_bandwidth and request.Bandwidth is None:
        raise missing("Bandwidth")
    if request.Address:
        raise not_emulated("load balancers with an address of one's own choice")
    address_type = request.AddressType or ("intranet" if request.VSwitchId else "internet")
    if address_type == "intranet":
        if not request.VSwitchId:
            raise missing("VSwitchId")
        if request.AddressIPVersion == "ipv6":
            raise invalid("AddressIPVersion", "An intranet address is an IPv4 one.")
    vpc_id = find_vswitch(cloud, request.VSwitchId).vpc_id if request.VSwitchId else ""
    zones = list_zone_ids(request.RegionId)
    for name in ("MasterZoneId", "SlaveZoneId"):
        if getattr(request, name) not in {"", *zones}:
            raise invalid(name, f"The zones are {', '.join(zones)}.")
    master = request.MasterZoneId or next(zone for zone in zones if zone != request.SlaveZoneId)
    slave = request.SlaveZoneId or next(zone for zone in zones if zone != master)
    key = new_id("lb", 21)
    load_balancer = LoadBalancer(
        id=key,
        region=request.RegionId,
        name=request.LoadBalancerName or f"auto_named_{key}",
        address=cloud.choose_load_balancer_address(request.AddressIPVersion),
        address_type=address_type,
        address_ip_version=request.AddressIPVersion,
        vpc_id=vpc_id,
        vswitch_id=request.VSwitchId,
        master_zone_id=master,
        slave_zone_id=slave,
        bandwidth=request.Bandwidth or UNLIMITED,
        internet_charge_type=request.InternetChargeType.lower(),
        instance_charge_type=request.InstanceChargeType,
        specification=specification,
        delete_protection=request.DeleteProtection,
        modification_protection=request.ModificationProtectionStatus,
        modification_protection_reason=_reason(request),
        resource_group_id=request.ResourceGroupId,
        tags=request.tags(),
    )
    cloud.store.put(load_balancer)
    return {
        "LoadBalancerId": key,
        "LoadBalancerName": load_balancer.name,
        "Address": load_balancer.address,
        "AddressIPVersion": load_balancer.address_ip_version,
        "NetworkType": _network_type(load_balancer),
        "VpcId": vpc_id,
        "VSwitchId": request.VSwitchId,
        "ResourceGroupId": load_balancer.resource_group_id,
    }


@SLB.action_named("DescribeLoadBalancerAttribute")
def describe_load_balancer_attribute(cloud: Cloud, request: OfLoadBalancer) -> Answer:
    balancer = find_load_balancer(cloud, request)
    listeners = cloud.store.all(Listener, load_balancer_id=balancer.id)
    ports = [
        {
            "ListenerPort": listener.port,
            "ListenerProtocol": listener.protocol,
            "ListenerForward": listener.attributes.get("ListenerForward", "off"),
            "ForwardPort": listener.attributes.get("ForwardPort", 0),
            "Description": listener.attributes.get("Description", ""),
        }
        for listener in listeners
    ]
    # The provider's data source reads these misspelt names too, and fails without them.
    misspelt = [
        {"ListenerPort": listener.port, "ListenerProtocal": listener.protocol}
        for listener in listeners
    ]
    return {
        **describe_balancer(balancer),
        "ListenerPorts": {"ListenerPort": [listener.port for listener in listeners]},
        "ListenerPortsAndProtocol": {"ListenerPortAndProtocol": ports},
        "ListenerPortsAndProtocal": {"ListenerPortAndProtocal": misspelt},
        "BackendServers": {
            "BackendServer": [
                {
                    "ServerId": backend.server_id,
                    "ServerIp": "",
                    "Weight": backend.weight,
                    "Type": "ecs",
                    "Description": backend.description,
                }
                for backend in balancer.backends
            ]
        },
    }


@SLB.action_named("DeleteLoadBalancer")
def delete_load_balancer(cloud: Cloud, request: OfLoadBalancer) -> Answer:
    balancer = find_load_balancer(cloud, request)
    if balancer.delete_protection == "on":
        raise ApiError(
            400,
            "OperationDenied.DeleteProtectionIsOn",
            "The load balancer is protected from deletion.",
        )
    for kind in (Listener, DomainExtension, ForwardingRule, VServerGroup):
        for document in cloud.store.all(kind, load_balancer_id=balancer.id):
            cloud.store.delete(document)
    cloud.store.delete(balancer)
    cloud.apply()
    return {}


@SLB.action
def set_load_balancer_name(cloud: Cloud, request: SetLoadBalancerName) -> Answer:
    return _change(cloud, request, name=request.LoadBalancerName)


@SLB.action
def set_load_balancer_status(cloud: Cloud, request: SetLoadBalancerStatus) -> Answer:
    # Its listeners keep a status of their own: an inactive load balancer forwards nothing.
    answer = _change(cloud, request, status=request.LoadBalancerStatus, emptied=False)
    cloud.apply()
    return answer


@SLB.action
def set_load_balancer_delete_protection(
    cloud: Cloud, request: SetLoadBalancerDeleteProtection
) -> Answer:
    return _change(cloud, request, delete_protection=request.DeleteProtection)


@SLB.action
def set_load_balancer_modification_protection(
    cloud: Cloud, request: SetLoadBalancerModificationProtection
) -> Answer:
    return _change(
        cloud,
        request,
        modification_protection=request.ModificationProtectionStatus,
        modification_protection_reason=_reason(request),
    )


@SLB.action
def modify_load_balancer_internet_spec(
    cloud: Cloud, request: ModifyLoadBalancerInternetSpec
) -> Answer:
    balancer = find_load_balancer(cloud, request)
    charge = (request.InternetChargeType or balancer.internet_charge_type).lower()
    if charge == "paybybandwidth" and balancer.instance_charge_type == "PayByCLCU":
        raise invalid("InternetChargeType", "A PayByCLCU instance is charged PayByTraffic.")
    return _change(
        cloud,
        request,
        internet_charge_type=charge,
        bandwidth=request.Bandwidth or balancer.bandwidth,
    )


@SLB.action
def modify_load_balancer_instance_spec(
    cloud: Cloud, request: ModifyLoadBalancerInstanceSpec
) -> Answer:
    balancer = find_load_balancer(cloud, request)
    specification = _specification(balancer.instance_charge_type, request.LoadBalancerSpec)
    return _change(cloud, request, specification=specification)


@SLB.action
def modify_load_balancer_instance_charge_type(
    cloud: Cloud, request: ModifyLoadBalancerInstanceChargeType
) -> Answer:
    balancer = find_load_balancer(cloud, request)
    if balancer.instance_charge_type == "PayByCLCU" and request.InstanceChargeType == "PayBySpec":
        raise ApiError(
            400, "OperationDenied.ChargeType", "A PayByCLCU instance cannot go back to PayBySpec."
        )
    return _change(
        cloud,
        request,
        instance_charge_type=request.InstanceChargeType,
        specification=_specification(request.InstanceChargeType, request.LoadBalancerSpec),
        internet_charge_type="paybytraffic",
        bandwidth=UNLIMITED,
    )


def find_load_balancer(cloud: Cloud, request: OfLoadBalancer) -> LoadBalancer:
    """Find the load balancer that a request is about.

    Raises:
        ApiError: The region has no load balancer with this id.
    """
    balancer = cloud.store.get(LoadBalancer, request.LoadBalancerId)
    if balancer is None or request.RegionId not in {"", balancer.region}:
        raise load_balancer_not_found()
    return balancer


def _change(cloud: Cloud, request: OfLoadBalancer, **fields: Any) -> Answer:
    cloud.store.put(find_load_balancer(cloud, request).model_copy(update=fields))
    return {}


def _reason(request: Protection) -> str:
    """Reason for which a load balancer is protected; without protection, there is none."""
    protected = request.ModificationProtectionStatus == "ConsoleProtection"
    return request.ModificationProtectionReason if protected else ""


def _specification(charge_type: str, specification: str) -> str:
    if charge_type == "PayByCLCU":
        if specification not in {"", LCU_SPECIFICATION}:
            raise invalid("LoadBalancerSpec", "A PayByCLCU instance has none.")
        return LCU_SPECIFICATION
    if not specification:
        raise ApiError(
            400,
            "ShareSlbHaltSales",
            "The share instance has been discontinued. Specify LoadBalancerSpec.",
        )
    if specification not in SPECIFICATIONS:
        raise invalid("LoadBalancerSpec", f"It is one of {', '.join(SPECIFICATIONS)}.")
    return specification


def _network_type(balancer: LoadBalancer) -> str:
    return "vpc" if balancer.address_type == "intranet" else "classic"


def describe_balancer(balancer: LoadBalancer) -> dict[str, Any]:
    """Describe a load balancer as both its own Describe and lists show it."""
    created = datetime.fromtimestamp(balancer.created, UTC)
    return {
        "LoadBalancerId": balancer.id,
        "LoadBalancerName": balancer.name,
        "LoadBalancerStatus": balancer.status,
        "RegionId": balancer.region,
        "RegionIdAlias": balancer.region,
        "MasterZoneId": balancer.master_zone_id,
        "SlaveZoneId": balancer.slave_zone_id,
        "Address": balancer.address,
        "AddressType": balancer.address_type,
        "AddressIPVersion": balancer.address_ip_version,
        "NetworkType": _network_type(balancer),
        "VpcId": balancer.vpc_id,
        "VSwitchId": balancer.vswitch_id,
        "Bandwidth": balancer.bandwidth,
        "InternetChargeType": balancer.internet_charge_type,
        "InstanceChargeType": balancer.instance_charge_type,
        "LoadBalancerSpec": balancer.specification,
        "PayType": balancer.pay_type,
        "DeleteProtection": balancer.delete_protection,
        "ModificationProtectionStatus": balancer.modification_protection,
        "ModificationProtectionReason": balancer.modification_protection_reason,
        "ResourceGroupId": balancer.resource_group_id,
        "CreateTime": created.strftime("%Y-%m-%dT%H:%MZ"),
        "CreateTimeStamp": int(balancer.created * 1000),
        "EndTime": "2999-09-08T16:00Z",
        "EndTimeStamp": 32493801600000,
        "Tags": {"Tag": tag_keys(balancer)},
    }
