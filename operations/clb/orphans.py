"""Resources that an `up` that did not end well left in the cloud: the kinds, found, and removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from operations.clb.api import LOAD_BALANCER_TYPE
from operations.cloud_api import VERSIONS, CloudApi, CloudApiError
from operations.errors import OperationError
from operations.stacks.stack import parse_time

AUTO_NAME = r"(-.+)?-[0-9a-f]{{7}}"
"""Suffix that Pulumi appends to a resource's name unless the program sets one; for `str.format`."""

SKEW = timedelta(minutes=2)
"""Tolerance for the cloud's times, which may be whole minutes and of another clock."""

PAGE = 50

CloudItem = Mapping[str, Any]
Call = Callable[..., Mapping[str, Any]]
"""Function that asks the cloud, as `call(product, action, **parameters)`, for the answer's body."""


@dataclass(frozen=True)
class ResourceKind:
    """A kind of resource: how it is listed, told and removed.

    Attributes:
        pattern: Regular expression of the names that the program gives.
        of_load_balancer: Whether it is listed for a load balancer.
        created: The item's time of creation, if it has one.
    """

    title: str
    product: str
    listing: str
    items: tuple[str, str]
    id: str
    name: str
    pattern: str
    removal: str
    options: Mapping[str, str] = field(default_factory=dict)
    of_load_balancer: bool = False
    created: str = "CreationTime"


KINDS = (
    ResourceKind(
        "ECS instance",
        "ECS",
        "DescribeInstances",
        ("Instances", "Instance"),
        "InstanceId",
        "InstanceName",
        r"{name}-\d+",
        "DeleteInstance",
        {"Force": "true"},
    ),
    ResourceKind(
        "security group",
        "ECS",
        "DescribeSecurityGroups",
        ("SecurityGroups", "SecurityGroup"),
        "SecurityGroupId",
        "SecurityGroupName",
        r"{name}",
        "DeleteSecurityGroup",
    ),
    ResourceKind(
        "vSwitch",
        "VPC",
        "DescribeVSwitches",
        ("VSwitches", "VSwitch"),
        "VSwitchId",
        "VSwitchName",
        r"{name}-\d+",
        "DeleteVSwitch",
    ),
    ResourceKind(
        "VPC",
        "VPC",
        "DescribeVpcs",
        ("Vpcs", "Vpc"),
        "VpcId",
        "VpcName",
        r"{name}",
        "DeleteVpc",
    ),
    ResourceKind(
        "VServer group",
        "SLB",
        "DescribeVServerGroups",
        ("VServerGroups", "VServerGroup"),
        "VServerGroupId",
        "VServerGroupName",
        r"{name}" + AUTO_NAME,
        "DeleteVServerGroup",
        of_load_balancer=True,
        created="",
    ),
    ResourceKind(
        "load balancer",
        "SLB",
        "DescribeLoadBalancers",
        ("LoadBalancers", "LoadBalancer"),
        "LoadBalancerId",
        "LoadBalancerName",
        r"{load_balancer_name}",
        "DeleteLoadBalancer",
        created="CreateTimeStamp",
    ),
    ResourceKind(
        "server certificate",
        "SLB",
        "DescribeServerCertificates",
        ("ServerCertificates", "ServerCertificate"),
        "ServerCertificateId",
        "ServerCertificateName",
        r"{name}" + AUTO_NAME,
        "DeleteServerCertificate",
        created="CreateTimeStamp",
    ),
    ResourceKind(
        "CA certificate",
        "SLB",
        "DescribeCACertificates",
        ("CACertificates", "CACertificate"),
        "CACertificateId",
        "CACertificateName",
        r"{name}-[0-9a-f]{{8}}",
        "DeleteCACertificate",
        created="CreateTimeStamp",
    ),
    ResourceKind(
        "access control list",
        "SLB",
        "DescribeAccessControlLists",
        ("Acls", "Acl"),
        "AclId",
        "AclName",
        r"{name}" + AUTO_NAME,
        "DeleteAccessControlList",
        created="",
    ),
)
"""Kinds of resources that are told by their names, in an order in which they can be removed."""


@dataclass(frozen=True)
class Site:
    """Names and ids by which the stack's lost resources are known.

    Attributes:
        name: Name of the program's resources: project and stack.
        load_balancer_name: Configured name of the load balancer, else the same.
        load_balancer_ids: Load balancers that the stack has or uses.
        tags: Tags of the stack's resources, as far as they have any.
        known: Ids that the state has.
        since: Time at which the stack was last in order. Older things are not this stack's.
    """

    name: str
    load_balancer_name: str
    load_balancer_ids: tuple[str, ...]
    tags: Mapping[str, str]
    known: frozenset[str]
    since: datetime


@dataclass(frozen=True)
class Orphan:
    """Resource in the cloud that no state has, or that no `up` will complete.

    Attributes:
        title: Words for the kind of resource.
        id: Id in the cloud.
        name: Name in the cloud, or what else tells the resource from others.
        product: Product whose API removes it.
        action: Action of that API that removes it.
        parameters: Parameters of that action.
    """

    title: str
    id: str
    name: str
    product: str
    action: str
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        """Describe the resource for a person."""
        return f"{self.title} {self.id} ({self.name})"


def make_caller(region: str, environ: Mapping[str, str]) -> Call:
    """Make the function that asks a region's APIs by the environment's keys and endpoints."""
    apis = {product: CloudApi(product, region, environ) for product in VERSIONS}

    def call(product: str, action: str, **parameters: Any) -> Mapping[str, Any]:
        return apis[product].call(action, **parameters)

    return call


def gather_site(
    name: str,
    deployment: Mapping[str, Any],
    load_balancer: Mapping[str, Any],
    tags: Mapping[str, str],
    since: datetime,
) -> Site:
    """Gather the names and ids by which a stack's lost resources are known.

    Args:
        name: Name of the program's resources.
        deployment: Answer of `pulumi stack export`.
        load_balancer: The configuration's section of that name.
        tags: Tags of the stack's resources.
        since: Time at which the stack was last in order.
    """
    resources = deployment.get("resources") or []
    created = [
        resource["id"]
        for resource in resources
        if resource["type"] == LOAD_BALANCER_TYPE and "id" in resource
    ]
    used = [load_balancer["id"]] if "id" in load_balancer else []
    return Site(
        name=name,
        load_balancer_name=load_balancer.get("name") or name,
        load_balancer_ids=(*created, *used),
        tags=tags,
        known=frozenset(resource["id"] for resource in resources if "id" in resource),
        since=since,
    )


def find_orphans(site: Site, call: Call) -> Iterator[Orphan]:
    """Find the resources that an `up` left, in an order in which they can be removed.

    Raises:
        OperationError: The cloud cannot be asked.
    """
    for load_balancer_id in site.load_balancer_ids:
        yield from _listeners(site, call, load_balancer_id)
    for kind in KINDS:
        places = (
            [{"LoadBalancerId": load_balancer_id} for load_balancer_id in site.load_balancer_ids]
            if kind.of_load_balancer
            else [{}]
        )
        for place in places:
            for item in _items(kind, place, call):
                if _is_left(kind, item, site) and _is_empty(kind, item, call):
                    identifier = str(item[kind.id])
                    yield Orphan(
                        kind.title,
                        identifier,
                        str(item[kind.name]),
                        kind.product,
                        kind.removal,
                        {kind.id: identifier, **kind.options},
                    )


def remove_orphans(orphans: Iterable[Orphan], call: Call) -> None:
    """Remove the resources that were found.

    Raises:
        OperationError: The cloud refuses; what was not removed yet stays.
    """
    for orphan in orphans:
        try:
            call(orphan.product, orphan.action, **orphan.parameters)
        except CloudApiError as error:
            raise OperationError(
                f"{orphan} is left from an interrupted run and cannot be removed ({error}). "
                "Remove it in the console, then run `make up` again."
            ) from None


def _items(kind: ResourceKind, place: Mapping[str, str], call: Call) -> Iterator[CloudItem]:
    outer, inner = kind.items
    # Certificates and VServer groups come all at once, and their actions know no pages.
    paged = not (kind.of_load_balancer or "Certificate" in kind.listing)
    number = 1
    while True:
        pages = {"PageNumber": number, "PageSize": PAGE} if paged else {}
        items = call(kind.product, kind.listing, **place, **pages).get(outer, {}).get(inner, [])
        yield from items
        if not paged or len(items) < PAGE:
            return
        number += 1


def _is_left(kind: ResourceKind, item: CloudItem, site: Site) -> bool:
    pattern = kind.pattern.format(
        name=re.escape(site.name), load_balancer_name=re.escape(site.load_balancer_name)
    )
    if item[kind.id] in site.known or not re.fullmatch(pattern, str(item[kind.name])):
        return False
    if any(site.tags.get(key, value) != value for key, value in _tags(item).items()):
        return False
    if not kind.created:
        return True
    return kind.created in item and parse_time(item[kind.created]) >= site.since - SKEW


def _is_empty(kind: ResourceKind, item: CloudItem, call: Call) -> bool:
    """Tell whether a load balancer is unused; other kinds in use are kept by the cloud itself."""
    if kind.removal != "DeleteLoadBalancer":
        return True
    answer = call("SLB", "DescribeLoadBalancerAttribute", LoadBalancerId=item[kind.id])
    parts = (("ListenerPorts", "ListenerPort"), ("BackendServers", "BackendServer"))
    return not any(answer.get(outer, {}).get(inner) for outer, inner in parts)


def _tags(item: CloudItem) -> dict[str, str]:
    tags = (item.get("Tags") or {}).get("Tag") or []
    return {
        tag.get("TagKey") or tag.get("Key", ""): tag.get("TagValue") or tag.get("Value", "")
        for tag in tags
    }


def _listeners(site: Site, call: Call, load_balancer_id: str) -> Iterator[Orphan]:
    """Listeners of the stack's load balancer that say they are its own, and domains on them."""
    answer = call("SLB", "DescribeLoadBalancerListeners", **{"LoadBalancerId.1": load_balancer_id})
    for item in answer.get("Listeners", []):
        protocol, port = item["ListenerProtocol"], item["ListenerPort"]
        identifier = f"{load_balancer_id}:{protocol}:{port}"
        where = {"LoadBalancerId": load_balancer_id, "ListenerPort": port}
        known = identifier in site.known
        # The provider starts what it makes, and nothing that was made before.
        unstarted = known and item.get("Status") == "stopped"
        if known and not unstarted:
            yield from _domains(site, call, where)
        elif unstarted or _is_own(item, site, load_balancer_id):
            yield Orphan(
                "listener",
                identifier,
                "not started" if unstarted else item.get("Description") or "redirects",
                "SLB",
                "DeleteLoadBalancerListener",
                {**where, "ListenerProtocol": protocol},
            )


def _is_own(listener: CloudItem, site: Site, load_balancer_id: str) -> bool:
    """Tell whether the program made a listener, by its description or its redirect's target."""
    forward = listener.get("HTTPListenerConfig") or {}
    if forward.get("ListenerForward") == "on":
        return f"{load_balancer_id}:https:{forward.get('ForwardPort')}" in site.known
    return str(listener.get("Description") or "").startswith(f"{site.name}:")


def _domains(site: Site, call: Call, where: Mapping[str, Any]) -> Iterator[Orphan]:
    """Find the domains that show a certificate of the stack's."""
    answer = call("SLB", "DescribeDomainExtensions", **where)
    for item in answer.get("DomainExtensions", {}).get("DomainExtension", []):
        identifier = item["DomainExtensionId"]
        if identifier not in site.known and item["ServerCertificateId"] in site.known:
            yield Orphan(
                "domain extension",
                identifier,
                item["Domain"],
                "SLB",
                "DeleteDomainExtension",
                {"DomainExtensionId": identifier},
            )
