"""The ECS instances behind the load balancer."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_alicloud as alicloud

from . import catalogue
from .args import BackendServersArgs
from .arguments.cloud import DEFAULT_WEIGHT, BackendsArguments, NetworkArguments
from .arguments.late import is_known
from .arguments.service import BackendServersArguments
from .inputs import read_arguments, when_all_known, when_known
from .instance_page import cloud_config
from .names import LONGEST, bound_name

HEALTH_CHECK_SOURCE = "100.64.0.0/10"
"""Source of the load balancer's requests and health checks (CLB health check overview)."""


@dataclass(frozen=True)
class Backend:
    """An ECS instance behind the load balancer.

    Attributes:
        key: Stays the same for as long as it is the same backend; known in preview.
        server_id: `i-…`.
        weight: 0 to 100; 0 drains it.
    """

    key: str
    server_id: pulumi.Input[str]
    weight: int = DEFAULT_WEIGHT


@dataclass(frozen=True)
class _Site:
    """Places of new instances: vSwitches with a type for each, and their security group."""

    instance_types: Sequence[pulumi.Input[str]]
    vswitch_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]


class BackendServers(pulumi.ComponentResource):
    """New instances, in a VPC of their own or an existing one; or existing instances by id.

    ```python
    servers = BackendServers("shop", {"backends": {"count": 2, "port": 8080}})
    ```

    Attributes:
        backends: The instances with their weights, in a stable order.
        vswitch_id: First vSwitch of new instances; None for existing ones.
    """

    backends: Sequence[Backend]
    vswitch_id: pulumi.Input[str] | None

    def __init__(
        self,
        name: str,
        args: BackendServersArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the instances and their network, or look existing ones up.

        Args:
            name: Name of the component and of most of its children.
            args: Arguments that differ from the defaults.
            opts: The component's options.

        Raises:
            pulumi.RunError: Something in `args` is wrong; one sentence for each mistake.
        """
        settings = read_arguments(BackendServersArguments, args or {}, name)
        backends, network = settings.backends, settings.network
        super().__init__("slb-mutual-tls:index:BackendServers", name, None, opts)
        self._name = name
        self._tags = dict(settings.tags)
        invoke = pulumi.InvokeOptions(parent=self)
        keys: Sequence[str]
        server_ids: Sequence[pulumi.Input[str]]
        if backends.instance_ids:
            server_ids = _existing_instances(backends.instance_ids, invoke)
            self.vswitch_id = None
            keys = [
                one if is_known(one) else str(index)
                for index, one in enumerate(backends.instance_ids)
            ]
        else:
            site = self._site(backends, network, invoke)
            self.vswitch_id = site.vswitch_ids[0]
            server_ids = self._instances(backends, site, invoke)
            keys = [str(index) for index in range(backends.count)]
        weights = backends.weights or (DEFAULT_WEIGHT,) * len(keys)
        self.backends = [
            Backend(key, server_id, weight)
            for key, server_id, weight in zip(keys, server_ids, weights, strict=True)
        ]
        self.register_outputs({"server_ids": server_ids})

    def _site(
        self, backends: BackendsArguments, network: NetworkArguments, invoke: pulumi.InvokeOptions
    ) -> _Site:
        """Find or make the places where new instances run."""
        if network.vswitch_ids:
            return self._existing_site(backends, network, invoke)
        placed = catalogue.placement(backends.instance_type, min(backends.count, 2), invoke)
        # Not as many as zones sell the type today: what stands would move with the catalogue.
        switches = min(backends.count, 2) if catalogue.has_two_zones(placed, invoke) else 1
        blocks = self._blocks(network, switches)
        if network.vpc_id is not None:
            vpc_id = when_known(
                network.vpc_id, lambda known: catalogue.with_room(known, blocks, invoke)
            )
            group_id = self._group_id(backends, vpc_id, invoke)
            return self._placed(vpc_id, blocks, placed, group_id)
        vpc = alicloud.vpc.Network(
            self._name,
            vpc_name=bound_name(self._name, LONGEST),
            cidr_block=str(network.cidr_block),
            tags=self._tags,
            # The provider would update it, and the API takes no block elsewhere (ModifyVpcAttribute
            # grows or shrinks the one that is there), while vSwitches move with it in any case.
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["cidrBlock"]),
        )
        return self._placed(vpc.id, blocks, placed, self._security_group(vpc.id, backends.port).id)

    def _existing_site(
        self, backends: BackendsArguments, network: NetworkArguments, invoke: pulumi.InvokeOptions
    ) -> _Site:
        """Existing vSwitches, and a type that is sold in the zones of all of them."""

        def look_up(known: tuple[str | None, *tuple[str, ...]]) -> catalogue.ExistingSwitches:
            vpc_id, *ids = known
            return catalogue.existing_switches([one for one in ids if one], vpc_id, invoke)

        found = when_all_known((network.vpc_id, *network.vswitch_ids), look_up)
        instance_type = when_known(
            found,
            lambda known: catalogue.instance_type_in(known.zones, backends.instance_type, invoke),
        )
        group_id = self._group_id(backends, when_known(found, lambda known: known.vpc_id), invoke)
        types = [instance_type] * len(network.vswitch_ids)
        return _Site(types, network.vswitch_ids, group_id)

    def _placed(
        self,
        vpc_id: pulumi.Input[str],
        blocks: Mapping[str, ipaddress.IPv4Network],
        placed: catalogue.Placement,
        security_group_id: pulumi.Input[str],
    ) -> _Site:
        """New vSwitches, the second in another zone than the first really is in."""
        switches: list[alicloud.vpc.Switch] = []
        for index, (name, block) in enumerate(blocks.items()):
            zone: pulumi.Input[str] = (
                switches[0].zone_id.apply(placed.zone_beside) if switches else placed.zones[0]
            )
            switches.append(self._switch(f"{self._name}-{index}", name, vpc_id, block, zone))
        return _Site(
            [switch.zone_id.apply(placed.type_in) for switch in switches],
            [switch.id for switch in switches],
            security_group_id,
        )

    def _blocks(self, network: NetworkArguments, count: int) -> Mapping[str, ipaddress.IPv4Network]:
        """The new vSwitches' names, and their parts of the block."""
        parts = ipaddress.IPv4Network(network.cidr_block).subnets(
            new_prefix=max(24, network.cidr_block.prefixlen + 1)
        )
        return {bound_name(self._name, LONGEST, f"-{index}"): next(parts) for index in range(count)}

    def _switch(
        self,
        resource: str,
        name: str,
        vpc_id: pulumi.Input[str],
        block: ipaddress.IPv4Network,
        zone: pulumi.Input[str],
    ) -> alicloud.vpc.Switch:
        return alicloud.vpc.Switch(
            resource,
            vswitch_name=name,
            vpc_id=vpc_id,
            zone_id=zone,
            cidr_block=str(block),
            tags=self._tags,
            # The catalogue may offer other zones tomorrow; what stands must not move with it.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["zoneId"]),
        )

    def _instances(
        self, backends: BackendsArguments, site: _Site, invoke: pulumi.InvokeOptions
    ) -> Sequence[pulumi.Output[str]]:
        image_id = backends.image_id or catalogue.system_image(invoke)
        chosen_here = [
            *([] if backends.instance_type else ["instanceType"]),
            *([] if backends.image_id else ["imageId"]),
        ]
        return [
            alicloud.ecs.Instance(
                f"{self._name}-{index}",
                instance_name=bound_name(self._name, LONGEST, f"-{index}"),
                instance_type=site.instance_types[index % len(site.vswitch_ids)],
                image_id=image_id,
                system_disk_category=backends.system_disk_category,
                vswitch_id=site.vswitch_ids[index % len(site.vswitch_ids)],
                security_groups=[site.security_group_id],
                http_tokens="required",
                http_endpoint="enabled",
                user_data=base64.b64encode(cloud_config.render(backends.port).encode()).decode(),
                tags=self._tags,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    ignore_changes=chosen_here,
                    # cloud-init reads it at the first boot alone: another page or port takes
                    # another instance, which is there before the one that it replaces goes. So do
                    # another image, type or network: the provider would stop all instances at once
                    # to change them, and cannot move them to another VPC at all.
                    replace_on_changes=["userData", "imageId", "instanceType", "vswitchId"],
                ),
            ).id
            for index in range(backends.count)
        ]

    def _group_id(
        self, backends: BackendsArguments, vpc_id: pulumi.Input[str], invoke: pulumi.InvokeOptions
    ) -> pulumi.Input[str]:
        """Id of the existing security group that is configured, else of a new one."""
        if backends.security_group_id is None:
            return self._security_group(vpc_id, backends.port).id
        return when_all_known(
            (backends.security_group_id, vpc_id),
            lambda known: catalogue.security_group_in(known[0], known[1], invoke),
        )

    def _security_group(self, vpc_id: pulumi.Input[str], port: int) -> alicloud.ecs.SecurityGroup:
        group = alicloud.ecs.SecurityGroup(
            self._name,
            security_group_name=bound_name(self._name, LONGEST),
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


def _existing_instances(
    ids: Sequence[pulumi.Input[str]], invoke: pulumi.InvokeOptions
) -> Sequence[pulumi.Input[str]]:
    """Check that instances exist: those whose ids are known together, others one at a time."""
    catalogue.require_instances([one for one in ids if is_known(one)], invoke)

    def check(known: str) -> str:
        catalogue.require_instances([known], invoke)
        return known

    return [one if is_known(one) else when_known(one, check) for one in ids]
