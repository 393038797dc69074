"""Choosing instance types, zones and images from what the region offers."""

from __future__ import annotations

import pulumi
import pytest

from components import catalogue
from components.catalogue import Placement, choose_placement
from tests.unit.components.mock_cloud import SMALL_TYPES, deploy


@pytest.mark.parametrize(
    ("offers", "zones", "chosen"),
    [
        ([("a", ["z1"]), ("b", ["z1", "z2"])], 2, Placement("b", ("z1", "z2"))),
        ([("a", ["z1"]), ("b", ["z1", "z2"])], 1, Placement("a", ("z1",))),
        ([("a", ["z1", "z2"]), ("b", ["z1", "z2", "z3"])], 2, Placement("a", ("z1", "z2"))),
        ([("a", ["z2", "z1", "z3"])], 2, Placement("a", ("z1", "z2"))),
        ([("a", []), ("b", ["z9"])], 2, Placement("b", ("z9",))),
        ([("a", [])], 1, None),
        ([], 2, None),
    ],
    ids=[
        "the type in enough zones",
        "the first where one zone is enough",
        "more zones than wanted are no better",
        "zones in order of name",
        "a sold-out type is passed over",
        "all sold out",
        "nothing offered",
    ],
)
def test_the_choice(offers, zones, chosen):
    assert choose_placement(offers, zones) == chosen


def test_the_choice_does_not_depend_on_the_order_of_zones():
    assert choose_placement([("a", ["z3", "z1", "z2"])], 2) == choose_placement(
        [("a", ["z2", "z3", "z1"])], 2
    )


def ran(call, **cloud):
    found = []
    deployment = deploy(lambda: found.append(call(pulumi.InvokeOptions())), **cloud)
    return found[0], deployment.invokes


def test_a_small_type_is_asked_for_by_its_size():
    placed, invokes = ran(lambda opts: catalogue.placement(None, 2, opts))
    assert placed == Placement("ecs.a.large", ("cn-hangzhou-g", "cn-hangzhou-h"))
    ((token, asked),) = invokes
    assert token == "alicloud:ecs/getInstanceTypes:getInstanceTypes"
    assert asked == {"cpuCoreCount": 2, "memorySize": 2}


def test_a_given_type_is_asked_for_by_its_name():
    placed, invokes = ran(lambda opts: catalogue.placement("ecs.z.large", 2, opts))
    assert placed == Placement("ecs.z.large", tuple(SMALL_TYPES["ecs.z.large"]))
    assert invokes[0][1] == {"instanceType": "ecs.z.large"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("ecs.x.large", "instance type ecs.x.large (backends.instance_type)"),
        (None, "instance type with 2 cores and 2 GiB"),
    ],
)
def test_a_type_that_is_not_sold_is_one_clear_error(given, wanted):
    with pytest.raises(pulumi.RunError) as caught:
        ran(lambda opts: catalogue.placement(given, 2, opts), types={})
    assert str(caught.value) == (
        f"The region sells no {wanted}: set backends.instance_type to one that it sells."
    )


def test_the_image_is_the_newest_system_image_with_python():
    image, invokes = ran(catalogue.system_image, images=("newest", "older"))
    assert image == "newest"
    assert invokes[0][1] == {
        "owners": "system",
        "osType": "linux",
        "nameRegex": "^aliyun_3_x64_",
        "mostRecent": True,
    }


def test_a_region_without_the_image_is_one_clear_error():
    with pytest.raises(pulumi.RunError, match=r"^The region has no Alibaba Cloud Linux 3 image: "):
        ran(catalogue.system_image, images=())


def test_missing_instances_are_named():
    with pytest.raises(pulumi.RunError) as caught:
        ran(
            lambda opts: catalogue.require_instances(["i-a", "i-b", "i-c"], opts),
            instances=("i-b",),
        )
    assert str(caught.value) == (
        "backends.instance_ids names i-a, i-c, which the account does not have in this region: "
        "give ids of existing instances, or leave the key out for new ones."
    )
