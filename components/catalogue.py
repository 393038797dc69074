"""Choices from what the region offers: images, instance types and zones."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_alicloud as alicloud

CORES, MEMORY_GIB = 2, 2.0
"""Smallest size that every region sells in current families; enough for a web page."""


Offers = Sequence[tuple[str, Sequence[str]]]
"""Instance types with the zones that have them."""


@dataclass(frozen=True)
class Placement:
    """An instance type and the zones to spread instances over, in order.

    Attributes:
        instance_type: For zones in which nothing stands yet.
        zones: One or more.
        offers: All that could be taken: what stands may be in other zones than these.
    """

    instance_type: str
    zones: tuple[str, ...]
    offers: Offers = field(default=(), compare=False, repr=False)

    def zone_beside(self, first: str) -> str:
        """A zone for the second vSwitch, where the first one is; the same if there is no other."""
        others = (zone for zone in self._sold() if zone != first)
        return next(others, first)

    def type_in(self, zone: str) -> str:
        """An instance type that a zone sells: the one that was chosen if it does."""
        here = [name for name, zones in self.offers if zone in zones]
        # What nobody sells there any more is that of an instance that stands, and does not count.
        return self.instance_type if self.instance_type in here or not here else here[0]

    def several_zones(self) -> bool:
        """Whether two zones or more sell any of the types."""
        return len(set(self._sold())) > 1

    def _sold(self) -> Sequence[str]:
        """Zones to take, the best first."""
        return [*self.zones, *sorted(zone for _, zones in self.offers for zone in zones)]


@dataclass(frozen=True)
class ExistingSwitches:
    """vSwitches of an account.

    Attributes:
        vpc_id: VPC that all of them are in.
        zones: Zone of each, in order.
    """

    vpc_id: str
    zones: tuple[str, ...]


def choose_placement(offers: Offers, zones: int) -> Placement | None:
    """Take the first type offered in as many zones as wanted, else the one in most zones.

    Args:
        offers: Instance types with the zones that have them.
        zones: How many zones are wanted.
    """
    usable = [(name, sorted(found)) for name, found in offers if found]
    if not usable:
        return None
    name, found = max(usable, key=lambda offer: min(len(offer[1]), zones))
    return Placement(name, tuple(found[:zones]), usable)


def placement(
    instance_type: str | None,
    zones: int,
    opts: pulumi.InvokeOptions,
    among: Collection[str] | None = None,
) -> Placement:
    """Find where instances can run: of the type given, or of a small one that the region sells.

    Args:
        instance_type: The type wanted, if any.
        zones: How many zones are wanted.
        opts: Options of the provider's data sources.
        among: Zones to take; None for all of the region.

    Raises:
        pulumi.RunError: The region sells no such type.
    """
    if instance_type is not None:
        result = alicloud.ecs.get_instance_types(instance_type=instance_type, opts=opts)
        wanted = f"instance type {instance_type} (backends.instance_type)"
    else:
        result = alicloud.ecs.get_instance_types(
            cpu_core_count=CORES, memory_size=MEMORY_GIB, opts=opts
        )
        wanted = f"instance type with {CORES} cores and {MEMORY_GIB:g} GiB"
    offers = [
        (offer.id, [zone for zone in offer.availability_zones if among is None or zone in among])
        for offer in result.instance_types
    ]
    chosen = choose_placement(offers, zones)
    if chosen is None:
        where = "The region sells" if among is None else f"{', '.join(sorted(among))} sells"
        raise pulumi.RunError(
            f"{where} no {wanted}: set backends.instance_type to one that it sells."
        )
    return chosen


def has_two_zones(placed: Placement, opts: pulumi.InvokeOptions) -> bool:
    """Whether the region has two zones or more, even if only one sells the type at the moment."""
    return placed.several_zones() or len(set(alicloud.get_zones(opts=opts).ids)) > 1


def instance_type_in(
    zones: Sequence[str], instance_type: str | None, opts: pulumi.InvokeOptions
) -> str:
    """Return the instance type given, or a small one, if it is sold in all of these zones.

    Raises:
        pulumi.RunError: It is not.
    """
    chosen = placement(instance_type, len(set(zones)), opts, among=set(zones))
    missing = sorted(set(zones) - set(chosen.zones))
    if missing:
        raise pulumi.RunError(
            f"Instance type {chosen.instance_type} is not sold in {', '.join(missing)}, where "
            "network.vswitch_ids has vSwitches: set backends.instance_type to one that is, or name "
            "vSwitches of other zones."
        )
    return chosen.instance_type


def system_image(opts: pulumi.InvokeOptions) -> str:
    """Return the id of the newest Alibaba Cloud Linux 3 image: it has systemd and Python 3.

    Raises:
        pulumi.RunError: The region has none.
    """
    result = alicloud.ecs.get_images(
        owners="system",
        os_type="linux",
        name_regex="^aliyun_3_x64_",
        most_recent=True,
        opts=opts,
    )
    if not result.images:
        raise pulumi.RunError(
            "The region has no Alibaba Cloud Linux 3 image: set backends.image_id to a Linux image "
            "with systemd and Python 3."
        )
    return result.images[0].id


def require_instances(ids: Sequence[str], opts: pulumi.InvokeOptions) -> None:
    """Check that instances exist.

    Raises:
        pulumi.RunError: One does not; it names which.
    """
    if not ids:
        return
    # Without details: with them, the provider leaves out instances that have no RAM role.
    known = alicloud.ecs.get_instances(ids=list(ids), enable_details=False, opts=opts)
    known_ids = {instance.id for instance in known.instances}
    missing = [instance for instance in ids if instance not in known_ids]
    if missing:
        raise no_such("backends.instance_ids", missing, "instances")


def existing_switches(
    ids: Sequence[str], vpc_id: str | None, opts: pulumi.InvokeOptions
) -> ExistingSwitches:
    """Look vSwitches up.

    Args:
        ids: One or more.
        vpc_id: VPC that they have to be in; None for any, as long as it is the same one.
        opts: Options of the provider's data source.

    Raises:
        pulumi.RunError: One does not exist, or they are not in one VPC; it names which.
    """
    switches = {
        switch_id.id: switch_id
        for switch_id in alicloud.vpc.get_switches(ids=list(ids), opts=opts).vswitches
    }
    missing = [switch_id for switch_id in ids if switch_id not in switches]
    if missing:
        raise no_such("network.vswitch_ids", missing, "vSwitches")
    wanted = vpc_id or switches[ids[0]].vpc_id
    elsewhere = [
        f"{switch_id} in {switches[switch_id].vpc_id}"
        for switch_id in ids
        if switches[switch_id].vpc_id != wanted
    ]
    if elsewhere:
        raise pulumi.RunError(
            f"network.vswitch_ids names {', '.join(elsewhere)}, and the backends are in {wanted}: "
            "name vSwitches of one VPC."
        )
    return ExistingSwitches(wanted, tuple(switches[switch_id].zone_id for switch_id in ids))


def with_room(
    vpc_id: str, blocks: Mapping[str, ipaddress.IPv4Network], opts: pulumi.InvokeOptions
) -> str:
    """Return a VPC's id if vSwitches can be had in it: the API says so when much is made already.

    Args:
        vpc_id: The VPC.
        blocks: The vSwitches' blocks by name; one that is there by its name and block is theirs.
        opts: Options of the provider's data sources.

    Raises:
        pulumi.RunError: There is no such VPC, a block is not in it, or another vSwitch has it.
    """
    networks = alicloud.vpc.get_networks(ids=[vpc_id], opts=opts).vpcs
    if not networks:
        raise no_such("network.vpc_id", [vpc_id], "VPCs")
    of_vpc = [networks[0].cidr_block, *networks[0].secondary_cidr_blocks]
    there = alicloud.vpc.get_switches(vpc_id=vpc_id, opts=opts).vswitches
    for name, block in blocks.items():
        if not any(block.subnet_of(ipaddress.IPv4Network(one)) for one in of_vpc):
            raise pulumi.RunError(
                f"network.cidr_block gives a vSwitch {block}, and {vpc_id} has "
                f"{', '.join(of_vpc)}: name a free block of it."
            )
        for one in there:
            taken = ipaddress.IPv4Network(one.cidr_block)
            theirs = (one.vswitch_name, taken) == (name, block)
            if block.overlaps(taken) and not theirs:
                raise pulumi.RunError(
                    f"network.cidr_block gives a vSwitch {block}, and {one.id} in {vpc_id} has "
                    f"{taken}: name a block that no vSwitch has a part of. Even the stack's own "
                    "go only when there are new ones."
                )
    return vpc_id


def security_group_in(group_id: str, vpc_id: str, opts: pulumi.InvokeOptions) -> str:
    """Return a security group's id if it exists in a VPC.

    Raises:
        pulumi.RunError: It does not.
    """
    groups = alicloud.ecs.get_security_groups(ids=[group_id], opts=opts).groups
    if not groups:
        raise no_such("backends.security_group_id", [group_id], "security groups")
    if groups[0].vpc_id != vpc_id:
        raise pulumi.RunError(
            f"backends.security_group_id names {group_id}, which is in {groups[0].vpc_id}, and the "
            f"backends are in {vpc_id}: name a group of theirs, or leave the key out for a new one."
        )
    return group_id


def no_such(key: str, ids: Sequence[str], what: str) -> pulumi.RunError:
    """Error about ids of a key that the account has nothing of."""
    return pulumi.RunError(
        f"{key} names {', '.join(ids)}, which the account does not have in this region: give ids "
        f"of existing {what}, or leave the key out for new ones."
    )
