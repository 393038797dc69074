"""The ECS instances behind the load balancer."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_alicloud as alicloud

from components import catalogue
from components.instance_page import cloud_config
from settings import Backends, Network

HEALTH_CHECK_SOURCE = "100.64.0.0/10"
"""Where the load balancer's requests and health checks come from (CLB health check overview)."""


class BackendServers(pulumi.ComponentResource):
    """New instances in a VPC of their own, spread over zones; or existing instances by id.

    Attributes:
        server_ids: Instance ids, in a stable order.
        vswitch_id: A vSwitch of the new VPC; None for existing instances.
    """

    server_ids: Sequence[pulumi.Input[str]]
    vswitch_id: pulumi.Output[str] | None

    def __init__(
        self,
        name: str,
        *,
        backends: Backends,
        network: Network,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slb-mutual-tls:index:BackendServers", name, None, opts)
        self._name = name
        self._tags = dict(tags)
        invoke = pulumi.InvokeOptions(parent=self)
        if backends.instance_ids:
            catalogue.require_instances(backends.instance_ids, invoke)
            self.server_ids = backends.instance_ids
            self.vswitch_id = None
        else:
            self._create(backends, network, invoke)
        self.register_outputs({"server_ids": self.server_ids})

    def _create(self, backends: Backends, network: Network, invoke: pulumi.InvokeOptions) -> None:
        placed = catalogue.placement(backends.instance_type, min(backends.count, 2), invoke)
        image_id = backends.image_id or catalogue.system_image(invoke)
        vpc = alicloud.vpc.Network(
            self._name,
            vpc_name=self._name,
            cidr_block=str(network.cidr_block),
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        blocks = ipaddress.ip_network(network.cidr_block).subnets(
            new_prefix=max(24, network.cidr_block.prefixlen + 1)
        )
        switches = [
            alicloud.vpc.Switch(
                f"{self._name}-{index}",
                vswitch_name=f"{self._name}-{index}",
                vpc_id=vpc.id,
                zone_id=zone,
                cidr_block=str(next(blocks)),
                tags=self._tags,
                # The catalogue may offer other zones tomorrow; what stands must not move with it.
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["zoneId"]),
            )
            for index, zone in enumerate(placed.zones)
        ]
        group = self._security_group(vpc.id, backends.port)
        chosen_here = [
            *([] if backends.instance_type else ["instanceType"]),
            *([] if backends.image_id else ["imageId"]),
        ]
        instances = [
            alicloud.ecs.Instance(
                f"{self._name}-{index}",
                instance_name=f"{self._name}-{index}",
                instance_type=placed.instance_type,
                image_id=image_id,
                system_disk_category=backends.system_disk_category,
                vswitch_id=switches[index % len(switches)].id,
                security_groups=[group.id],
                http_tokens="required",
                http_endpoint="enabled",
                user_data=base64.b64encode(cloud_config.render(backends.port).encode()).decode(),
                tags=self._tags,
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=chosen_here),
            )
            for index in range(backends.count)
        ]
        self.server_ids = [instance.id for instance in instances]
        self.vswitch_id = switches[0].id

    def _security_group(self, vpc_id: pulumi.Input[str], port: int) -> alicloud.ecs.SecurityGroup:
        group = alicloud.ecs.SecurityGroup(
            self._name,
            security_group_name=self._name,
            description="Admits the load balancer to the backend port and nothing else",
            vpc_id=vpc_id,
            inner_access_policy="Drop",
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        alicloud.ecs.SecurityGroupRule(
            f"{self._name}-load-balancer",
            security_group_id=group.id,
            type="ingress",
            policy="accept",
            ip_protocol="tcp",
            port_range=f"{port}/{port}",
            cidr_ip=HEALTH_CHECK_SOURCE,
            nic_type="intranet",
            priority=1,
            description="Load balancer to backend port",
            opts=pulumi.ResourceOptions(parent=self),
        )
        return group
