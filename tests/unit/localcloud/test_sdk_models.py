"""Requests and answers against the models of Alibaba Cloud's own Python SDK.

The provider panics at a null or at text for a number: answers are held to the models' types.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import alibabacloud_ecs20140526.models as ecs_models
import alibabacloud_slb20140515.models as slb_models
import alibabacloud_vpc20160428.models as vpc_models
import pytest
from darabonba.model import DaraModel
from pydantic import BaseModel

from localcloud import services
from localcloud.deviations import ADDED, EVERYWHERE
from localcloud.products import PRODUCTS, Action
from localcloud.store import Store
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.tour import tour

MODELS = {
    product: {model.__name__.lower(): model for model in models.__all__}
    for product, models in (("Slb", slb_models), ("Ecs", ecs_models), ("Vpc", vpc_models))
}

ONE_SHAPE = "one shape for rules of both directions"
ADDED_WITHIN: dict[str, dict[str, str]] = {
    "Ecs.AuthorizeSecurityGroup": {"Permissions.DestGroupId": ONE_SHAPE},
    "Ecs.AuthorizeSecurityGroupEgress": {"Permissions.SourceGroupId": ONE_SHAPE},
}
"""By action: parameters within others that the SDK's model lacks, and why they are taken."""

EXTRA_FIELDS: dict[str, dict[str, str]] = {
    "DescribeLoadBalancerHTTPSListenerAttribute": {
        "ListenerForward": "the provider reads it of listeners of every protocol"
    }
}
"""By action: fields that the SDK's model lacks, and why they are answered all the same."""


def of(owner: str, names: str) -> str:
    """Several fields of one object."""
    return " ".join(owner + name for name in names.split())


ORDERS = "appears on orders of subscriptions, which are no longer sold"
OTHER_PROTOCOLS = "UDP is not emulated"
DRAINING = "connection draining is not emulated"
UNDOCUMENTED = "in the model, and in no parameter of the action that would set it"
ONE_PAGE = "only where there is a further page, and lists here go by numbers or are short"
IPV6 = "IPv6 within VPCs is not emulated"
PUBLIC = "no instance has a public address here"
PRIVATE_DNS = "names within VPCs are not emulated"
HARDWARE = "instances are processes here: there is no such hardware to speak of"
SERVICES = "only of what a cloud service manages"
LOCKS = "nothing locks a resource here"
UNTAGGED = "is part of its instance here, or the system's: nobody can tag it"
NO_FEATURE = "made with a feature that is not emulated"

ABSENT: dict[str, dict[str, str]] = {
    "Slb.CreateLoadBalancer": {ORDERS: "OrderId"},
    "Slb.ModifyLoadBalancerInstanceSpec": {ORDERS: "OrderId"},
    "Slb.ModifyLoadBalancerInternetSpec": {ORDERS: "OrderId"},
    "Slb.DescribeLoadBalancerAttribute": {
        "only of an instance that is to be released": "AutoReleaseTime",
        ORDERS: "RenewalCycUnit RenewalDuration RenewalStatus",
    },
    "Slb.DescribeLoadBalancers": {
        UNDOCUMENTED: "LoadBalancers.LoadBalancer[].InternetChargeTypeAlias"
    },
    "Slb.DescribeLoadBalancerListeners": {
        "only where there is a further page": "NextToken",
        OTHER_PROTOCOLS: "Listeners[].UDPListenerConfig",
        DRAINING: "Listeners[].TCPListenerConfig.ConnectionDrainTimeout",
        UNDOCUMENTED: of(
            "Listeners[].",
            "HTTPListenerConfig.HealthCheckHttpVersion HTTPListenerConfig.HealthCheckType "
            "HTTPSListenerConfig.HealthCheckHttpVersion HTTPSListenerConfig.HealthCheckType "
            "TCPListenerConfig.HealthCheckMethod",
        ),
    },
    "Slb.DescribeLoadBalancerTCPListenerAttribute": {
        DRAINING: "ConnectionDrainTimeout",
        UNDOCUMENTED: "HealthCheckMethod",
    },
    "Slb.ListTagResources": {ONE_PAGE: "NextToken"},
    "Slb.UploadCACertificate": {"not in the documentation's answer": "CreateTime CreateTimeStamp"},
    "Ecs.ListTagResources": {ONE_PAGE: "NextToken"},
    "Ecs.DescribeSecurityGroups": {
        ONE_PAGE: "NextToken",
        SERVICES: "SecurityGroups.SecurityGroup[].ServiceID",
    },
    "Ecs.DescribeSecurityGroupAttribute": {
        ONE_PAGE: "NextToken",
        NO_FEATURE: "SnapshotPolicyIds.SnapshotPolicyId[]",
    },
    "Ecs.DescribeAvailableResource": {
        "only of disks": " ".join(
            "AvailableZones.AvailableZone[].AvailableResources.AvailableResource[]"
            f".SupportedResources.SupportedResource[].{name}"
            for name in ("Max", "Min", "Unit")
        )
    },
    "Ecs.RunInstances": {ORDERS: "OrderId TradePrice"},
    "Ecs.DescribeInstances": {
        ONE_PAGE: "NextToken",
        HARDWARE: of(
            "Instances.Instance[].",
            "AdditionalInfo.ManagedHostId AdditionalInfo.NodeSerialNumber ClockOptions "
            "CpuOptions.EnableVISST CpuOptions.EnableVRDT CpuOptions.NestedVirtualization "
            "CpuOptions.Numa CpuOptions.TopologyType CpuOptions.TurboMode "
            "RdmaIpAddress.IpAddress[]",
        ),
        "only of an instance in such a group": "Instances.Instance[].DeploymentSetGroupNo",
        PUBLIC: of(
            "Instances.Instance[].",
            "EipAddress.Bandwidth EipAddress.IsSupportUnassociate InnerIpAddress.IpAddress[] "
            "PublicIpAddress.IpAddress[]",
        ),
        IPV6: of(
            "Instances.Instance[].NetworkInterfaces.NetworkInterface[].",
            "Ipv6PrefixSets.Ipv6PrefixSet[] Ipv6Sets.Ipv6Set[]",
        ),
        NO_FEATURE: "Instances.Instance[].NetworkInterfaces.NetworkInterface[]"
        ".Ipv4PrefixSets.Ipv4PrefixSet[]",
        PRIVATE_DNS: of(
            "Instances.Instance[].",
            "PrivateDnsNameOptions "
            "NetworkInterfaces.NetworkInterface[].PrivateIpSets.PrivateIpSet[].PrivateDnsName",
        ),
        LOCKS: "Instances.Instance[].OperationLocks.LockReason[]",
    },
    "Ecs.DescribeInstanceAttribute": {
        PUBLIC: "EipAddress.Bandwidth InnerIpAddress.IpAddress[] PublicIpAddress.IpAddress[]",
        LOCKS: "OperationLocks.LockReason[]",
    },
    "Ecs.DescribeDisks": {
        ONE_PAGE: "NextToken",
        "only of ESSD AutoPL disks, which are not offered": of(
            "Disks.Disk[].", "BurstingEnabled ProvisionedIops"
        ),
        HARDWARE: of(
            "Disks.Disk[].", "IOPS IOPSRead IOPSWrite Throughput ThroughputRead ThroughputWrite"
        ),
        "undocumented": "Disks.Disk[].DataSource",
        "only of disks that several instances share": "Disks.Disk[].MountInstances.MountInstance[]",
        LOCKS: "Disks.Disk[].OperationLocks.OperationLock[]",
        UNTAGGED: "Disks.Disk[].Tags.Tag[]",
    },
    "Ecs.DescribeNetworkInterfaces": {
        ONE_PAGE: "NextToken",
        IPV6: of(
            "NetworkInterfaceSets.NetworkInterfaceSet[].",
            "Ipv6PrefixSets.Ipv6PrefixSet[] Ipv6Sets.Ipv6Set[]",
        ),
        NO_FEATURE: "NetworkInterfaceSets.NetworkInterfaceSet[].Ipv4PrefixSets.Ipv4PrefixSet[]",
        PRIVATE_DNS: "NetworkInterfaceSets.NetworkInterfaceSet[]"
        ".PrivateIpSets.PrivateIpSet[].PrivateDnsName",
        "only of interfaces with RDMA": "NetworkInterfaceSets.NetworkInterfaceSet[]"
        ".QueuePairNumber",
        SERVICES: "NetworkInterfaceSets.NetworkInterfaceSet[].ServiceID",
        PUBLIC: of(
            "NetworkInterfaceSets.NetworkInterfaceSet[].",
            "AssociatedPublicIp PrivateIpSets.PrivateIpSet[].AssociatedPublicIp",
        ),
        UNTAGGED: "NetworkInterfaceSets.NetworkInterfaceSet[].Tags.Tag[]",
    },
    "Ecs.DescribeInstanceMaintenanceAttributes": {
        "nothing is maintained here": "MaintenanceAttributes.MaintenanceAttribute[]"
        ".MaintenanceWindows.MaintenanceWindow[]"
    },
    "Ecs.DescribeInstanceTypes": {
        ONE_PAGE: "NextToken",
        HARDWARE: of(
            "InstanceTypes.InstanceType[].",
            "Attributes BaselineCredit Clock CpuOptions CpuSpeedFrequency CpuTurboFrequency "
            "DiskQuantity EnhancedNetwork InitialCredit InstanceBandwidthRx InstanceBandwidthTx "
            "InstanceCategory InstancePpsRx InstancePpsTx MaximumQueueNumberPerEni NetworkInfo "
            "PhysicalProcessorModel PrimaryEniQueueNumber QueuePairNumber SecondaryEniQueueNumber "
            "SecurityOptions SupportedBootModes TotalEniQueueQuantity",
        ),
    },
    "Ecs.DescribeZones": {
        HARDWARE: of(
            "Zones.Zone[].",
            "AvailableDedicatedHostTypes.DedicatedHostType[] "
            "DedicatedHostGenerations.DedicatedHostGeneration[] "
            "AvailableVolumeCategories.VolumeCategories[] "
            "AvailableResources.ResourcesInfo[].InstanceGenerations.supportedInstanceGeneration[]",
        ),
        "instances have no further disks here": "Zones.Zone[].AvailableResources.ResourcesInfo[]"
        ".DataDiskCategories.supportedDataDiskCategory[]",
    },
    "Ecs.DescribeImages": {
        "only of images of one's own": of(
            "Images.Image[].",
            "DetectionOptions DiskDeviceMappings.DiskDeviceMapping[] ImageOwnerId IsPublic "
            "Tags.Tag[]",
        ),
        HARDWARE: of(
            "Images.Image[].",
            "SecureBootOptions Features.CpuOnlineDowngrade Features.CpuOnlineUpgrade "
            "Features.MemoryOnlineDowngrade Features.MemoryOnlineUpgrade",
        ),
    },
    "Ecs.DescribeTags": {"asked of each image, and images have none": "Tags.Tag[]"},
    "Vpc.ListTagResources": {ONE_PAGE: "NextToken"},
    "Vpc.DescribeVpcAttribute": {
        NO_FEATURE: "AssociatedCens.AssociatedCen[] "
        "AssociatedPropagationSources.AssociatedPropagationSources[] "
        "SecondaryCidrBlocks.SecondaryCidrBlock[] UserCidrs.UserCidr[]",
        IPV6: "Ipv6CidrBlocks.Ipv6CidrBlock[]",
    },
    "Vpc.DescribeVpcs": {
        NO_FEATURE: of(
            "Vpcs.Vpc[].",
            "NatGatewayIds.NatGatewayIds[] UserCidrs.UserCidr[]",
        ),
        IPV6: "Vpcs.Vpc[].Ipv6CidrBlocks.Ipv6CidrBlock[]",
    },
    "Vpc.DescribeRouteTableList": {
        NO_FEATURE: "RouterTableList.RouterTableListType[].GatewayIds.GatewayIds[]",
        "come with their VPC here, and have no tags": "RouterTableList.RouterTableListType[]"
        ".Tags.Tag[]",
    },
    "BssOpenApi.QueryAvailableInstances": {
        "nothing here is bought there": "Data.InstanceList[]",
        "only of refusals": "Message",
    },
    "Location.DescribeEndpoints": {
        "a client goes on asking where it asked": "Endpoints.Endpoint[]"
    },
    "ResourceManager.ListResourceGroups": {
        "groups have no tags here": "ResourceGroups.ResourceGroup[].Tags.Tag[]"
    },
    "Sts.GetCallerIdentity": {"only of those who act in a role": "RoleId"},
}
"""By action: fields that no answer has, lists that stay empty (`[]`), and why."""

services.load()
ACTIONS = [action for product in PRODUCTS for action in product.actions.values()]
MODELLED = [action for action in ACTIONS if action.product in MODELS]


def name_of(action: Action) -> str:
    return f"{action.product}.{action.name}"


class Asked(dict[str, Any]):
    """Notes which keys a model asks it for; as a value it is an object, and a list of one."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def get(self, key: str, default: Any = None) -> Any:
        self.names[key] = None

    def __iter__(self) -> Iterator[Any]:
        return iter([{}])

    def __bool__(self) -> bool:
        return True


@cache
def attributes(model: type[DaraModel]) -> dict[str, str]:
    """A model's attributes by the names that they have on the wire."""
    asked = Asked()
    empty = vars(model().from_map(asked))
    found = {}
    for name in asked.names:
        filled = vars(model().from_map({name: Asked()}))
        [found[name]] = [
            key
            for key in filled
            if type(filled[key]) is not type(empty[key]) or filled[key] != empty[key]
        ]
    return found


@cache
def fields(model: type[DaraModel]) -> dict[str, Any]:
    """A model's fields as they are on the wire, with their types."""
    types = typing.get_type_hints(model.__init__)
    return {name: types[attribute] for name, attribute in attributes(model).items()}


OTHER_ANSWERS: dict[str, dict[str, Any]] = {
    "Sts.GetCallerIdentity": {
        **dict.fromkeys(
            ("AccountId", "Arn", "IdentityType", "PrincipalId", "RoleId", "UserId"), str
        ),
    },
    "Location.DescribeEndpoints": {
        "Success": bool,
        "Endpoints": {"Endpoint": [{"Endpoint": str, "Id": str, "Type": str}]},
    },
    "BssOpenApi.QueryAvailableInstances": {
        "Code": str,
        "Message": str,
        "Success": bool,
        "Data": {
            "PageNum": int,
            "PageSize": int,
            "TotalCount": int,
            "InstanceList": [{"InstanceID": str, "ProductCode": str, "Region": str}],
        },
    },
    "ResourceManager.ListResourceGroups": {
        "PageNumber": int,
        "PageSize": int,
        "TotalCount": int,
        "ResourceGroups": {
            "ResourceGroup": [
                {
                    **dict.fromkeys(
                        ("AccountId", "CreateDate", "DisplayName", "Id", "Name", "Status"), str
                    ),
                    "Tags": {"Tag": [{"TagKey": str, "TagValue": str}]},
                }
            ]
        },
    },
}
"""Answers of the products whose SDK is not installed, as alibabacloud-sts20150401 1.2.0,
-location20150612 1.0.0, -bssopenapi20171214 5.1.2 and -resourcemanager20200331 2.6.2 model them;
of items of lists that stay empty, not everything."""


@cache
def shape(kind: Any) -> Any:
    """A model's fields as plain dictionaries, all the way down; a list is a list of one."""
    if typing.get_origin(kind) is list:
        return [shape(typing.get_args(kind)[0])]
    if issubclass(kind, DaraModel):
        return {name: shape(inner) for name, inner in fields(kind).items()}
    return kind


def answer_of(action: Action) -> dict[str, Any]:
    """What an answer of an action consists of."""
    if name_of(action) in OTHER_ANSWERS:
        return OTHER_ANSWERS[name_of(action)]
    found = shape(MODELS[action.product][f"{action.name}ResponseBody".lower()])
    return {name: inner for name, inner in found.items() if name != "RequestId"}


def problems(value: Any, kind: Any, path: str) -> Iterator[str]:
    """What of an answer is not as its model says."""
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        for name, item in value.items():
            if name in kind:
                yield from problems(item, kind[name], f"{path}.{name}")
            else:
                yield f"{path}.{name} is unknown"
    elif isinstance(kind, list):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for item in value:
            yield from problems(item, kind[0], f"{path}[]")
    elif kind is float:
        if type(value) not in {int, float}:
            yield f"{path} is {type(value).__name__} and no number"
    elif type(value) is not kind:
        yield f"{path} is {type(value).__name__} and not {kind.__name__}"


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Every answer of a tour through all actions, by action."""
    store = Store(tmp_path_factory.mktemp("tour") / "cloud.sqlite")
    account = Account(store)
    tour(account)
    found: dict[str, list[dict[str, Any]]] = {}
    for product, action, answer in account.answers:
        found.setdefault(f"{product}.{action}", []).append(answer)
    yield found
    store.close()


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_no_answer_holds_a_null_or_what_json_lacks(answers, action: Action) -> None:
    def values(value: Any) -> Iterator[Any]:
        match value:
            case dict():
                for item in value.values():
                    yield from values(item)
            case list():
                for item in value:
                    yield from values(item)
            case _:
                yield value

    kinds = {type(value) for answer in answers[name_of(action)] for value in values(answer)}
    assert kinds <= {str, int, float, bool}


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_answers_are_as_the_sdk_s_models_say(answers, action: Action) -> None:
    found = {
        problem
        for answer in answers[name_of(action)]
        for problem in problems(answer, answer_of(action), action.name)
    }
    excused = {f"{action.name}.{name} is unknown" for name in EXTRA_FIELDS.get(action.name, {})}
    assert found == excused


def filled(value: Any, path: str = "") -> Iterator[str]:
    """The fields that an answer has, and items of lists as `[]`."""
    if isinstance(value, dict):
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            yield inner
            yield from filled(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield f"{path}[]"
            yield from filled(item, f"{path}[]")


def lacking(present: set[str], kind: Any, path: str = "") -> Iterator[str]:
    """The fields of a model that are not present, where what they belong to is."""
    if isinstance(kind, list):
        kind, path = kind[0], f"{path}[]"
        if path not in present:
            yield path
            return
    for name, inner in kind.items() if isinstance(kind, dict) else ():
        full = f"{path}.{name}" if path else name
        if full in present:
            yield from lacking(present, inner, full)
        else:
            yield full


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_answers_have_what_the_sdk_s_models_have(answers, action: Action) -> None:
    present = {name for answer in answers[name_of(action)] for name in filled(answer)}
    absent = {name for names in ABSENT.get(name_of(action), {}).values() for name in names.split()}
    assert set(lacking(present, answer_of(action))) == absent


@pytest.mark.parametrize("action", MODELLED, ids=name_of)
def test_parameters_are_those_of_the_sdk_s_models(action: Action) -> None:
    model = MODELS[action.product][f"{action.name}Request".lower()]
    unknown = set(unknown_parameters(action.request, model))
    added = {*ADDED.get(name_of(action), {}), *ADDED_WITHIN.get(name_of(action), {})}
    assert unknown - EVERYWHERE.keys() == added


def unknown_parameters(request: type[BaseModel], model: type[DaraModel]) -> Iterator[str]:
    known = fields(model)
    for name, field in request.model_fields.items():
        if name not in known:
            yield name
            continue
        ours, theirs = member(field.annotation, BaseModel), member(known[name], DaraModel)
        if ours is not None and theirs is not None:
            yield from (f"{name}.{one}" for one in unknown_parameters(ours, theirs))


def member(kind: Any, base: type) -> type | None:
    """The model within a type, such as a list of it."""
    if isinstance(kind, type) and issubclass(kind, base):
        return kind
    found = (member(inner, base) for inner in typing.get_args(kind))
    return next((one for one in found if one is not None), None)


def test_lists_of_what_differs_are_of_actions_that_are_there() -> None:
    names = {name_of(action) for action in ACTIONS}
    assert ABSENT.keys() | OTHER_ANSWERS.keys() | ADDED_WITHIN.keys() <= names
    assert EXTRA_FIELDS.keys() <= {action.name for action in ACTIONS}
    assert {name_of(action) for action in ACTIONS if action not in MODELLED} == OTHER_ANSWERS.keys()
