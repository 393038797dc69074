"""What the region offers: images, instance types and zones, chosen from the provider's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_alicloud as alicloud

CORES, MEMORY_GIB = 2, 2.0
"""Smallest size that every region sells in current families; enough for a web page."""


@dataclass(frozen=True)
class Placement:
    """An instance type and the zones to spread instances over, in order."""

    instance_type: str
    zones: tuple[str, ...]


def choose(offers: Sequence[tuple[str, Sequence[str]]], zones: int) -> Placement | None:
    """Take the first type offered in as many zones as wanted, else the one in most zones.

    Args:
        offers: Instance types with the zones that have them.
        zones: How many zones are wanted.
    """
    usable = [(name, sorted(found)) for name, found in offers if found]
    if not usable:
        return None
    name, found = max(usable, key=lambda offer: min(len(offer[1]), zones))
    return Placement(name, tuple(found[:zones]))


def placement(instance_type: str | None, zones: int, opts: pulumi.InvokeOptions) -> Placement:
    """Find where instances can run: of the type given, or of a small one that the region sells.

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
    offers = [(offer.id, offer.availability_zones) for offer in result.instance_types]
    chosen = choose(offers, zones)
    if chosen is None:
        raise pulumi.RunError(
            f"The region sells no {wanted}: set backends.instance_type to one that it sells."
        )
    return chosen


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
    # Without details: with them, the provider leaves out instances that have no RAM role.
    known = alicloud.ecs.get_instances(ids=list(ids), enable_details=False, opts=opts)
    found = {instance.id for instance in known.instances}
    missing = [instance for instance in ids if instance not in found]
    if missing:
        raise pulumi.RunError(
            f"backends.instance_ids names {', '.join(missing)}, which the account does not have in "
            "this region: give ids of existing instances, or leave the key out for new ones."
        )
