"""Documents that the local cloud remembers, one a resource."""

from __future__ import annotations

import secrets
import string
import time
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

_ALPHABET = string.ascii_lowercase + string.digits


def new_id(prefix: str, length: int = 20) -> str:
    """A resource id of Alibaba Cloud's form, such as `lb-…`."""
    return f"{prefix}-" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


class Document(BaseModel):
    """Base of all documents.

    Attributes:
        id: Id of the resource.
        region: Id of the region in which it is.
        created: Time of creation, in seconds since the epoch.
        tags: Values of tags by key.
    """

    # An error's text goes to the log, and a document may hold a private key.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    kind: ClassVar[str]

    id: str
    region: str
    created: float = Field(default_factory=time.time)
    tags: dict[str, str] = {}

    def is_settled(self, seconds: float, now: float) -> bool:
        """Tell whether the resource has been there long enough to have left its first state."""
        return now >= self.created + seconds


class Vpc(Document):
    """A VPC with its system route table."""

    kind = "vpc"
    name: str = ""
    description: str = ""
    cidr_block: str
    router_id: str
    route_table_id: str
    resource_group_id: str = "rg-default"
    ipv6_cidr_block: str = ""
    user_cidrs: list[str] = []
    secondary_cidr_blocks: list[str] = []
    dns_hostname: bool = False
    route_table_name: str = ""
    route_table_description: str = ""
    route_propagation: bool = True


class VSwitch(Document):
    """A subnet in one zone of a VPC."""

    kind = "vswitch"
    name: str = ""
    description: str = ""
    vpc_id: str
    zone_id: str
    cidr_block: str
    ipv6_cidr_block: str = ""


class SecurityGroup(Document):
    """A security group and its rules, as API permissions."""

    kind = "security_group"
    name: str = ""
    description: str = ""
    vpc_id: str
    type: str = "normal"
    resource_group_id: str = ""
    inner_access_policy: Literal["Accept", "Drop"] = "Accept"
    permissions: list[dict[str, str]] = []


class Instance(Document):
    """An ECS instance.

    Attributes:
        host: Loopback address that stands for `private_ip`.
        user_data: User data as the request had it, in base64.
    """

    kind = "instance"
    name: str
    host_name: str
    description: str = ""
    image_id: str
    instance_type: str
    zone_id: str
    vpc_id: str
    vswitch_id: str
    private_ip: str
    host: str
    eni_id: str
    disk_id: str
    disk_category: str
    disk_size: int
    disk_name: str = ""
    disk_description: str = ""
    disk_performance_level: str = "PL1"
    disk_encrypted: bool = False
    security_group_ids: list[str]
    user_data: str = ""
    stopped: bool = False
    deletion_protection: bool = False
    resource_group_id: str = ""
    http_tokens: str = "optional"
    http_endpoint: str = "enabled"
    http_put_response_hop_limit: int = 1
    internet_max_bandwidth_out: int = 0


class UploadedServerCertificate(Document):
    """A server certificate with its key, PEM."""

    kind = "server_certificate"
    name: str
    certificate: str
    private_key: str = Field(repr=False)
    resource_group_id: str = "rg-default"


class CaCertificate(Document):
    """A CA certificate for client authentication, PEM."""

    kind = "ca_certificate"
    name: str
    certificate: str
    resource_group_id: str = "rg-default"


class BackendServer(BaseModel):
    """A member of a load balancer's default server group."""

    server_id: str
    weight: int = 100
    description: str = ""


class GroupMember(BackendServer):
    """A member of a VServer group: a server on one port."""

    port: int


class VServerGroup(Document):
    """A group of servers that listeners of its load balancer can use."""

    kind = "vserver_group"
    name: str
    load_balancer_id: str
    members: list[GroupMember] = []


class AclEntry(BaseModel):
    """A block of addresses in an access control list."""

    entry: str
    comment: str = ""


class AccessControlList(Document):
    """Addresses that listeners admit or shut out."""

    kind = "acl"
    name: str
    address_ip_version: Literal["ipv4", "ipv6"] = "ipv4"
    resource_group_id: str = "rg-default"
    entries: list[AclEntry] = []


class DomainExtension(Document):
    """A further domain of an HTTPS listener, with a certificate of its own."""

    kind = "domain_extension"
    load_balancer_id: str
    port: int
    domain: str
    server_certificate_id: str


class ForwardingRule(Document):
    """A forwarding rule of a listener: requests for a domain or a path go to a group of their own.

    Attributes:
        url: Beginning of the path; empty for all of the domain.
        listener_sync: Whether the listener's scheduler, health check and session persistence hold.
        attributes: Attributes of its own where the listener's do not hold, as SetRule names them.
    """

    kind = "rule"
    load_balancer_id: str
    port: int
    name: str
    domain: str = ""
    url: str = ""
    vserver_group_id: str
    listener_sync: Literal["on", "off"] = "on"
    attributes: dict[str, Any] = {}


class LoadBalancer(Document):
    """A CLB instance; `address` is a loopback address."""

    kind = "load_balancer"
    name: str
    address: str
    address_type: Literal["internet", "intranet"]
    address_ip_version: Literal["ipv4", "ipv6"] = "ipv4"
    vpc_id: str = ""
    vswitch_id: str = ""
    master_zone_id: str
    slave_zone_id: str
    bandwidth: int
    internet_charge_type: str
    instance_charge_type: Literal["PayByCLCU", "PayBySpec"]
    specification: str
    pay_type: str = "PayOnDemand"
    status: Literal["active", "inactive"] = "active"
    emptied: bool = False
    """Whether the status is inactive because the last listener was deleted."""
    delete_protection: Literal["on", "off"] = "off"
    modification_protection: str = "NonProtection"
    modification_protection_reason: str = ""
    resource_group_id: str = "rg-default"
    backends: list[BackendServer] = []


class Listener(Document):
    """A listener; its id is `<load balancer>:<protocol>:<port>`.

    Attributes:
        attributes: Attributes as DescribeLoadBalancerHTTPSListenerAttribute and the like name them.
    """

    kind = "listener"
    load_balancer_id: str
    protocol: Literal["http", "https", "tcp"] = "https"
    port: int
    running: bool = False
    attributes: dict[str, Any]

    @property
    def acl_ids(self) -> list[str]:
        """Access control lists in use; a listener whose access control is off uses none."""
        if self.attributes.get("AclStatus") != "on":
            return []
        return [key for key in self.attributes.get("AclId", "").split(",") if key]


KINDS: tuple[type[Document], ...] = (
    Vpc,
    VSwitch,
    SecurityGroup,
    Instance,
    UploadedServerCertificate,
    CaCertificate,
    LoadBalancer,
    VServerGroup,
    AccessControlList,
    Listener,
    DomainExtension,
    ForwardingRule,
)

SECRET_FIELDS = frozenset({"private_key", "user_data"})
"""Fields with secrets, which no listing shows."""
