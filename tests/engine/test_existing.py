"""A stack that uses what another one made: load balancer, vSwitches, security group, instances.

The tests of this file share two stacks on one local cloud and run in order.
"""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from operations.verification import probes
from operations.verification.identity import bundle_identity
from tests.engine.conftest import Engine
from tests.homes import dump_of

pytestmark = pytest.mark.in_order

NAME = "slb-mutual-tls-guest"
LISTENER = f"alicloud:slb/listener:Listener::{NAME}"
SWITCH = f"alicloud:vpc/switch:Switch::{NAME}"
MEMBER = f"alicloud:slb/serverGroupServerAttachment:ServerGroupServerAttachment::{NAME}"


@pytest.fixture(scope="module")
def host(deployed):
    """Whose load balancer and network it is."""
    return deployed


@pytest.fixture(scope="module")
def guest(host, local, toolchain):
    """A stack that uses them."""
    engine = Engine(local, toolchain, "guest")
    found = json.loads(dump_of(local))
    engine.configure(
        network={"vswitch_ids": [one["id"] for one in found["vswitch"]]},
        backends={
            "port": 8080,
            "weights": [100, 25],
            "security_group_id": found["security_group"][0]["id"],
        },
        load_balancer={"id": found["load_balancer"][0]["id"]},
        listener={
            "port": 8443,
            "scheduler": "wrr",
            "redirect_port": 8081,
            "domain_extensions": {"api.example.com": {}},
        },
    )
    return engine


def statuses(report):
    return {check.status for check in report.checks}


def seen(engine, requests):
    outputs = engine.outputs()
    client = bundle_identity(outputs.client_bundles[outputs.clients_in_force()[0]])
    target = probes.target_of(outputs)
    return Counter(
        probes.probe(target, probes.stack_context(outputs), client).instance
        for _ in range(requests)
    )


def test_nothing_that_is_there_already_is_made(guest):
    made = {urn.split("::")[0] for urn, op in guest.steps().items() if op == "create"}
    for kind in (
        "slb/applicationLoadBalancer:ApplicationLoadBalancer",
        "slb/backendServer:BackendServer",
        "vpc/network:Network",
        "vpc/switch:Switch",
        "ecs/securityGroup:SecurityGroup",
        "ecs/securityGroupRule:SecurityGroupRule",
    ):
        assert f"alicloud:{kind}" not in made
    assert "alicloud:ecs/instance:Instance" in made
    assert "alicloud:slb/serverGroup:ServerGroup" in made


def test_both_services_are_served_by_one_load_balancer(host, guest):
    guest.up()
    assert statuses(guest.verify()) == {"passed"}, guest.verify().to_json()
    assert statuses(host.verify()) == {"passed"}, host.verify().to_json()
    of_host, of_guest = (
        {backend.server_id for backend in one.outputs().backends} for one in (host, guest)
    )
    assert not of_host & of_guest
    assert set(seen(guest, 20)) == of_guest
    assert set(seen(host, 4)) == of_host


def test_neither_stack_sees_the_other_as_a_change(host, guest):
    assert guest.steps() == {}
    assert host.steps() == {}
    for engine in (host, guest):
        engine.succeed("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_another_weight_takes_each_backend_out_and_in_again(guest):
    config = guest.values["config"]["slb-mutual-tls:backends"]
    guest.configure(backends={**config, "weights": [25, 100]})
    assert guest.steps() == {f"{MEMBER}-8080-{index}": "replace" for index in (0, 1)}
    guest.up()
    assert guest.steps() == {}
    # It waits until both answer the health checks.
    assert statuses(guest.verify()) == {"passed"}, guest.verify().to_json()
    light, heavy = (backend.server_id for backend in guest.outputs().backends)
    counts = seen(guest, 50)
    assert 36 <= counts[heavy] <= 44
    assert counts[light] + counts[heavy] == 50


def test_another_backend_port_is_another_group_and_the_listener_stays(guest):
    config = guest.values["config"]["slb-mutual-tls:backends"]
    guest.configure(backends={**config, "port": 9090})
    steps = guest.steps()
    assert steps[LISTENER] == "update"
    assert steps[f"alicloud:slb/serverGroup:ServerGroup::{NAME}-9090"] == "create"
    assert steps[f"alicloud:slb/serverGroup:ServerGroup::{NAME}-8080"] == "delete"
    guest.up()
    assert statuses(guest.verify()) == {"passed"}, guest.verify().to_json()
    assert guest.steps() == {}


def test_new_vswitches_in_an_existing_vpc_move_to_another_block(host, guest):
    (vpc,) = json.loads(dump_of(guest.local))["vpc"]
    guest.configure(network={"vpc_id": vpc["id"], "cidr_block": "192.168.64.0/24"})
    guest.up()
    assert statuses(guest.verify()) == {"passed"}, guest.verify().to_json()
    guest.configure(network={"vpc_id": vpc["id"], "cidr_block": "192.168.66.0/24"})
    switches = {urn: op for urn, op in guest.steps().items() if "vpc/switch" in urn}
    assert switches == {f"{SWITCH}-{index}": "replace" for index in (0, 1)}
    guest.up()
    assert statuses(guest.verify()) == {"passed"}, guest.verify().to_json()
    assert guest.steps() == {}
    for taken in ("192.168.66.0/23", "192.168.1.0/24"):  # its own, and the host's
        guest.configure(network={"vpc_id": vpc["id"], "cidr_block": taken})
        text = guest.fail("preview")
        assert "name a block that no vSwitch has a part of" in text
        assert "Traceback" not in text


def test_existing_instances_answer_too(host, guest):
    ids = [backend.server_id for backend in host.outputs().backends]
    guest.configure(network={}, backends={"instance_ids": ids, "port": 80})
    guest.up()
    assert statuses(guest.verify()) == {"passed"}, guest.verify().to_json()
    assert set(seen(guest, 4)) == set(ids)
    assert guest.steps() == {}
    assert host.steps() == {}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"load_balancer": {"id": "lb-gone"}}, "load_balancer.id names lb-gone, which the account"),
        (
            {"network": {"vswitch_ids": ["vsw-gone"]}, "backends": {}},
            "network.vswitch_ids names vsw-gone, which the account",
        ),
        (
            {"network": {"vpc_id": "vpc-gone", "cidr_block": "192.168.9.0/24"}, "backends": {}},
            "network.vpc_id names vpc-gone, which the account",
        ),
    ],
    ids=["load balancer", "vSwitch", "VPC"],
)
def test_what_is_not_there_is_one_sentence_before_anything_happens(guest, settings, sentence):
    text = guest.refused(**settings)
    assert sentence in text
    assert "Traceback" not in text
    assert not re.search(r" (created|deleted|replaced|updated)$", text, re.MULTILINE)


def test_the_guest_leaves_and_the_host_notices_nothing(host, guest):
    guest.succeed("destroy", "--yes", "--skip-preview")
    assert host.steps() == {}
    host.succeed("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert statuses(host.verify()) == {"passed"}, host.verify().to_json()
