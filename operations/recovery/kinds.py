"""The kinds of resources that `up` makes: how the cloud lists, tells and removes each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

AUTO_NAME = r"(-.+)?-[0-9a-f]{{7}}"
"""Suffix that Pulumi appends to a resource's name unless the program sets one; for `str.format`."""


@dataclass(frozen=True)
class Kind:
    """A kind of resource: how it is listed, told and removed.

    Attributes:
        pattern: Of names that the program gives.
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
    Kind(
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
    Kind(
        "security group",
        "ECS",
        "DescribeSecurityGroups",
        ("SecurityGroups", "SecurityGroup"),
        "SecurityGroupId",
        "SecurityGroupName",
        r"{name}",
        "DeleteSecurityGroup",
    ),
    Kind(
        "vSwitch",
        "VPC",
        "DescribeVSwitches",
        ("VSwitches", "VSwitch"),
        "VSwitchId",
        "VSwitchName",
        r"{name}-\d+",
        "DeleteVSwitch",
    ),
    Kind(
        "VPC",
        "VPC",
        "DescribeVpcs",
        ("Vpcs", "Vpc"),
        "VpcId",
        "VpcName",
        r"{name}",
        "DeleteVpc",
    ),
    Kind(
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
    Kind(
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
    Kind(
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
    Kind(
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
    Kind(
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
