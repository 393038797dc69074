"""New backends are spread over zones, for the load balancer only; existing ones are found."""

from __future__ import annotations

import base64
import ipaddress
import re

import pulumi
import pytest
import yaml
from pulumi.output import Unknown

from components.backend_servers import BackendServers
from tests.unit.components.mock_cloud import deploy

INSTANCE, SWITCH = "ecs/instance:Instance", "vpc/switch:Switch"
GROUP, RULE = "ecs/securityGroup:SecurityGroup", "ecs/securityGroupRule:SecurityGroupRule"
VPC = "vpc/network:Network"
TAGS = {"team": "edge"}
TWO_ZONES = {"ecs.a.large": ["cn-hangzhou-h", "cn-hangzhou-g", "cn-hangzhou-b"]}
ONE_ZONE = {"ecs.a.large": ["cn-wulanchabu-a"]}


def deployed(cidr_block=None, *, backends=None, network=None, **options):
    def program():
        block = {} if cidr_block is None else {"cidr_block": cidr_block}
        servers = BackendServers(
            "test",
            {"backends": backends or {}, "network": {**block, **(network or {})}, "tags": TAGS},
        )
        pulumi.export("server_ids", [backend.server_id for backend in servers.backends])
        pulumi.export("weights", {backend.key: backend.weight for backend in servers.backends})
        pulumi.export("vswitch_id", servers.vswitch_id)

    return deploy(program, **{"types": TWO_ZONES, **options})


def test_new_instances_alternate_between_two_zones():
    deployment = deployed(backends={"count": 3})
    switches = deployment.all(SWITCH)
    assert [one.inputs["zoneId"] for one in switches] == ["cn-hangzhou-b", "cn-hangzhou-g"]
    assert [one.inputs["vswitchId"] for one in deployment.all(INSTANCE)] == [
        "Switch test-0",
        "Switch test-1",
        "Switch test-0",
    ]


def test_a_region_with_one_zone_gets_one_switch():
    deployment = deployed(types=ONE_ZONE)
    assert [one.inputs["zoneId"] for one in deployment.all(SWITCH)] == ["cn-wulanchabu-a"]
    assert [one.inputs["vswitchId"] for one in deployment.all(INSTANCE)] == ["Switch test-0"] * 2


OFFERS = {"ecs.a.large": ["z-a", "z-b"], "ecs.b.large": ["z-b", "z-c"], "ecs.c.large": ["z-d"]}


@pytest.mark.parametrize("standing", ["z-a", "z-b", "z-c", "z-d", "z-sold-out"])
def test_the_second_backend_is_in_another_zone_than_the_first_and_of_a_type_sold_there(standing):
    deployment = deployed(types=OFFERS, standing={"test-0": standing})
    _, second = deployment.all(SWITCH)
    zone = second.inputs["zoneId"]
    assert zone != standing
    first, other = deployment.all(INSTANCE)
    assert zone in OFFERS[other.inputs["instanceType"]]
    assert standing in [*OFFERS[first.inputs["instanceType"]], "z-sold-out"]


def test_the_number_of_switches_does_not_change_with_what_is_sold():
    # One zone sells the type today; the region has another, in which the second vSwitch stands.
    standing = {"test-0": "z-a", "test-1": "z-b"}
    deployment = deployed(types={"ecs.a.large": ["z-a"]}, zones=("z-a", "z-b"), standing=standing)
    assert len(deployment.all(SWITCH)) == 2
    found = [one.inputs["vswitchId"] for one in deployment.all(INSTANCE)]
    assert found == ["Switch test-0", "Switch test-1"]


def test_what_is_sold_nowhere_but_beside_the_first_is_taken_twice():
    deployment = deployed(types={"ecs.a.large": ["z-a"]}, zones=("z-a", "z-b"))
    assert [one.inputs["zoneId"] for one in deployment.all(SWITCH)] == ["z-a", "z-a"]


def test_one_instance_takes_one_zone():
    assert len(deployed(backends={"count": 1}).all(SWITCH)) == 1


@pytest.mark.parametrize(
    "cidr_block", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "10.1.2.0/24", "10.1.2.0/23"]
)
def test_switches_share_the_networks_block_without_overlap(cidr_block):
    deployment = deployed(cidr_block)
    block = ipaddress.ip_network(deployment.one(VPC).inputs["cidrBlock"])
    first, second = (
        ipaddress.ip_network(one.inputs["cidrBlock"]) for one in deployment.all(SWITCH)
    )
    assert block == ipaddress.ip_network(cidr_block)
    assert first.subnet_of(block)
    assert second.subnet_of(block)
    assert not first.overlaps(second)
    assert min(first.num_addresses, second.num_addresses) >= 128


def test_switches_and_group_are_in_the_new_network():
    deployment = deployed()
    inside = [*deployment.all(SWITCH), *deployment.all(GROUP)]
    assert [one.inputs["vpcId"] for one in inside] == ["Network test"] * 3


def test_the_group_admits_the_load_balancer_to_the_backend_port_only():
    deployment = deployed(backends={"port": 8080})
    rule = deployment.one(RULE).inputs
    assert rule["securityGroupId"] == "SecurityGroup test"
    assert (rule["type"], rule["policy"]) == ("ingress", "accept")
    assert (rule["ipProtocol"], rule["portRange"]) == ("tcp", "8080/8080")
    assert rule["cidrIp"] == "100.64.0.0/10"
    assert deployment.one(GROUP).inputs["innerAccessPolicy"] == "Drop"
    assert {tuple(one.inputs["securityGroups"]) for one in deployment.all(INSTANCE)} == {
        ("SecurityGroup test",)
    }


def test_instances_have_no_public_address_and_no_metadata_without_a_token():
    for instance in deployed().all(INSTANCE):
        assert instance.inputs["httpTokens"] == "required"
        assert instance.inputs.get("internetMaxBandwidthOut", 0) == 0


def test_instances_serve_the_page_on_the_backend_port():
    for instance in deployed(backends={"port": 8080}).all(INSTANCE):
        text = base64.b64decode(instance.inputs["userData"]).decode()
        assert text.startswith("#cloud-config\n")
        files = {one["path"]: one["content"] for one in yaml.safe_load(text)["write_files"]}
        assert "--port 8080" in files["/etc/systemd/system/instance-page.service"]


def test_another_page_port_image_type_or_network_needs_another_instance():
    for instance in deployed().all(INSTANCE):
        assert list(instance.request.replaceOnChanges) == [
            "userData",
            "imageId",
            "instanceType",
            "vswitchId",
        ]
        assert not instance.request.deleteBeforeReplace


def test_what_the_catalogue_chose_stays_when_it_offers_something_else():
    deployment = deployed()
    for instance in deployment.all(INSTANCE):
        assert instance.inputs["instanceType"] == "ecs.a.large"
        assert instance.inputs["imageId"] == "aliyun_3_x64_20G_alibase.vhd"
        assert set(instance.request.ignoreChanges) == {"instanceType", "imageId"}
    for switch in deployment.all(SWITCH):
        assert list(switch.request.ignoreChanges) == ["zoneId"]


@pytest.mark.parametrize(
    ("configured", "chosen"),
    [({"instance_type": "ecs.a.large"}, "imageId"), ({"image_id": "m-1"}, "instanceType")],
)
def test_only_what_the_catalogue_chose_is_held_fast(configured, chosen):
    for instance in deployed(backends=configured).all(INSTANCE):
        assert list(instance.request.ignoreChanges) == [chosen]


def test_what_is_configured_can_be_changed():
    backends = {"instance_type": "ecs.a.large", "image_id": "m-1", "system_disk_category": "cloud"}
    deployment = deployed(backends=backends, images=())
    for instance in deployment.all(INSTANCE):
        assert instance.inputs["imageId"] == "m-1"
        assert instance.inputs["systemDiskCategory"] == "cloud"
        assert not instance.request.ignoreChanges
    assert [token for token, _ in deployment.invokes] == [
        "alicloud:ecs/getInstanceTypes:getInstanceTypes"
    ]


def test_new_instances_come_out_in_order_with_a_switch_for_an_intranet_address():
    outputs = deployed(backends={"count": 3}).outputs
    assert outputs["server_ids"] == ["Instance test-0", "Instance test-1", "Instance test-2"]
    assert outputs["vswitch_id"] == "Switch test-0"


def test_children_belong_to_the_component_and_have_the_tags():
    deployment = deployed()
    component = deployment.one("index:BackendServers")
    children = [one for one in deployment.registrations if one is not component]
    assert len(children) == 7
    assert {one.parent for one in children} == {component.urn}
    assert all(one.inputs["tags"] == TAGS for one in children if one.kind != RULE)


def test_existing_instances_are_taken_as_they_are_and_nothing_is_made():
    ids = ["i-b", "i-a"]
    deployment = deployed(backends={"instance_ids": ids}, instances=("i-a", "i-b"))
    assert deployment.outputs == {"server_ids": ids, "weights": {"i-b": 100, "i-a": 100}}
    assert [one.kind for one in deployment.registrations] == ["index:BackendServers"]
    ((token, asked),) = deployment.invokes
    assert token == "alicloud:ecs/getInstances:getInstances"
    assert asked["ids"] == ids


def test_an_existing_instance_that_is_missing_is_one_clear_error():
    with pytest.raises(pulumi.RunError, match=r"^backends\.instance_ids names i-b, which the "):
        deployed(backends={"instance_ids": ["i-a", "i-b"]}, instances=("i-a",))


def test_a_preview_shows_all_instances_before_their_ids_are_known():
    deployment = deployed(preview=True)
    assert len(deployment.all(INSTANCE)) == 2
    assert isinstance(deployment.all(INSTANCE)[0].inputs["vswitchId"], Unknown)
    assert all(isinstance(one, Unknown) for one in deployment.outputs["server_ids"])


def test_each_backend_has_the_weight_of_its_place():
    outputs = deployed(backends={"count": 3, "weights": [100, 0, 5]}).outputs
    assert outputs["weights"] == {"0": 100, "1": 0, "2": 5}
    backends = {"instance_ids": ["i-b", "i-a"], "weights": [1, 2]}
    outputs = deployed(backends=backends, instances=("i-a", "i-b")).outputs
    assert outputs["weights"] == {"i-b": 1, "i-a": 2}


def test_new_instances_go_round_the_existing_switches():
    deployment = deployed(
        backends={"count": 3},
        network={"vswitch_ids": ["vsw-b", "vsw-a"]},
        switches={"vsw-a": ("vpc-1", "cn-hangzhou-g"), "vsw-b": ("vpc-1", "cn-hangzhou-h")},
    )
    assert [one.inputs["vswitchId"] for one in deployment.all(INSTANCE)] == [
        "vsw-b",
        "vsw-a",
        "vsw-b",
    ]
    assert not deployment.all(VPC)
    assert not deployment.all(SWITCH)
    assert deployment.one(GROUP).inputs["vpcId"] == "vpc-1"
    assert deployment.outputs["vswitch_id"] == "vsw-b"


def test_new_instances_are_of_a_type_that_the_existing_switches_zones_sell():
    types = {"ecs.a.large": ["cn-hangzhou-b"], "ecs.b.large": ["cn-hangzhou-h", "cn-hangzhou-g"]}
    deployment = deployed(
        network={"vswitch_ids": ["vsw-a"]},
        switches={"vsw-a": ("vpc-1", "cn-hangzhou-g")},
        types=types,
    )
    assert {one.inputs["instanceType"] for one in deployment.all(INSTANCE)} == {"ecs.b.large"}


def test_new_switches_are_made_in_an_existing_vpc():
    deployment = deployed("10.1.2.0/24", network={"vpc_id": "vpc-1"}, vpcs=("vpc-1",))
    assert not deployment.all(VPC)
    switches = deployment.all(SWITCH)
    assert [one.inputs["cidrBlock"] for one in switches] == ["10.1.2.0/25", "10.1.2.128/25"]
    assert {one.inputs["vpcId"] for one in [*switches, deployment.one(GROUP)]} == {"vpc-1"}


def test_new_switches_have_room_beside_others_and_in_a_secondary_block():
    taken = {"vsw-a": ("other", "10.1.1.0/24"), "vsw-b": ("test-0", "10.1.2.0/25")}
    for block in ("10.1.2.0/24", "172.16.4.0/24"):
        deployment = deployed(block, network={"vpc_id": "vpc-1"}, vpcs=("vpc-1",), taken=taken)
        assert len(deployment.all(SWITCH)) == 2


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        (
            "192.168.4.0/24",
            "network.cidr_block gives a vSwitch 192.168.4.0/25, and vpc-1 has 10.0.0.0/8, "
            "172.16.0.0/16: name a free block of it.",
        ),
        (
            "10.1.1.0/24",
            "network.cidr_block gives a vSwitch 10.1.1.0/25, and vsw-a in vpc-1 has 10.1.1.0/24: "
            "name a block that no vSwitch has a part of. Even the stack's own go only when there "
            "are new ones.",
        ),
        (
            "10.1.2.0/24",
            "network.cidr_block gives a vSwitch 10.1.2.0/25, and vsw-b in vpc-1 has 10.1.2.0/24: "
            "name a block that no vSwitch has a part of. Even the stack's own go only when there "
            "are new ones.",
        ),
    ],
)
def test_new_switches_without_room_are_refused(block, sentence):
    taken = {"vsw-a": ("other", "10.1.1.0/24"), "vsw-b": ("test-0", "10.1.2.0/24")}
    with pytest.raises(pulumi.RunError, match=re.escape(sentence)):
        deployed(block, network={"vpc_id": "vpc-1"}, vpcs=("vpc-1",), taken=taken)


def test_an_existing_security_group_is_left_as_it_is():
    deployment = deployed(
        backends={"security_group_id": "sg-1"},
        network={"vswitch_ids": ["vsw-a"]},
        switches={"vsw-a": ("vpc-1", "cn-hangzhou-g")},
        groups={"sg-1": "vpc-1"},
    )
    assert not deployment.all(GROUP)
    assert not deployment.all(RULE)
    assert {tuple(one.inputs["securityGroups"]) for one in deployment.all(INSTANCE)} == {("sg-1",)}


@pytest.mark.parametrize(
    ("network", "backends", "sentence"),
    [
        (
            {"vswitch_ids": ["vsw-a", "vsw-gone"]},
            {},
            "network.vswitch_ids names vsw-gone, which the account does not have in this region: "
            "give ids of existing vSwitches, or leave the key out for new ones.",
        ),
        (
            {"vswitch_ids": ["vsw-a", "vsw-elsewhere"]},
            {},
            "network.vswitch_ids names vsw-elsewhere in vpc-2, and the backends are in vpc-1: name "
            "vSwitches of one VPC.",
        ),
        (
            {"vpc_id": "vpc-2", "vswitch_ids": ["vsw-a"]},
            {},
            "network.vswitch_ids names vsw-a in vpc-1, and the backends are in vpc-2: name "
            "vSwitches of one VPC.",
        ),
        (
            {"vpc_id": "vpc-gone", "cidr_block": "10.0.0.0/24"},
            {},
            "network.vpc_id names vpc-gone, which the account does not have in this region: give "
            "ids of existing VPCs, or leave the key out for new ones.",
        ),
        (
            {"vswitch_ids": ["vsw-a"]},
            {"security_group_id": "sg-gone"},
            "backends.security_group_id names sg-gone, which the account does not have in this "
            "region: give ids of existing security groups, or leave the key out for new ones.",
        ),
        (
            {"vswitch_ids": ["vsw-a"]},
            {"security_group_id": "sg-2"},
            "backends.security_group_id names sg-2, which is in vpc-2, and the backends are in "
            "vpc-1: name a group of theirs, or leave the key out for a new one.",
        ),
        (
            {"vswitch_ids": ["vsw-a", "vsw-far"]},
            {"instance_type": "ecs.a.large"},
            "Instance type ecs.a.large is not sold in cn-hangzhou-z, where network.vswitch_ids has "
            "vSwitches: set backends.instance_type to one that is, or name vSwitches of other "
            "zones.",
        ),
        (
            {"vswitch_ids": ["vsw-far"]},
            {},
            "cn-hangzhou-z sells no instance type with 2 cores and 2 GiB: set "
            "backends.instance_type to one that it sells.",
        ),
    ],
)
def test_what_does_not_exist_or_fit_is_one_clear_error(network, backends, sentence):
    with pytest.raises(pulumi.RunError) as caught:
        deployed(
            network=network,
            backends=backends,
            switches={
                "vsw-a": ("vpc-1", "cn-hangzhou-g"),
                "vsw-far": ("vpc-1", "cn-hangzhou-z"),
                "vsw-elsewhere": ("vpc-2", "cn-hangzhou-g"),
            },
            vpcs=("vpc-1", "vpc-2"),
            groups={"sg-1": "vpc-1", "sg-2": "vpc-2"},
        )
    assert str(caught.value) == sentence
