"""A load balancer with an IPv6 address: listeners, certificate, ACL and checks are all of it."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack

import pytest

from operations.verification.probes import ProbeTarget, plain_http
from tests.homes import dump_of


def free_ports(count: int) -> list[int]:
    """Ports of `::1`, which all IPv6 load balancers of this machine share."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket(socket.AF_INET6)) for _ in range(count)]
        for probe in probes:
            probe.bind(("::1", 0))
        return [probe.getsockname()[1] for probe in probes]


def has_ipv6() -> bool:
    try:
        free_ports(1)
    except OSError:
        return False
    return True


pytestmark = [
    pytest.mark.in_order,
    pytest.mark.skipif(
        not has_ipv6(), reason="this machine has no ::1 (docs/localcloud-coverage.md)"
    ),
]


@pytest.fixture(scope="module")
def deployed(engine):
    port, redirect_port = free_ports(2)
    engine.configure(
        load_balancer={"address_ip_version": "ipv6"},
        listener={
            "port": port,
            "redirect_port": redirect_port,
            "acl": {"type": "white", "entries": {"::1": "this machine", "2001:db8::/32": None}},
        },
    )
    engine.up()
    return engine


def test_it_passes_the_verification_at_its_address(deployed):
    outputs = deployed.outputs()
    assert outputs.address == "::1"
    assert outputs.url == f"https://[::1]:{outputs.listener_port}/"
    assert outputs.server_names == ("::1",)
    report = deployed.verify()
    assert {check.status for check in report.checks} == {"passed"}, report.to_json()
    answer = plain_http(ProbeTarget("::1", outputs.redirect_port))
    assert answer.location == outputs.url


def test_its_acl_holds_both_blocks(deployed, local):
    (acl,) = json.loads(dump_of(local))["acl"]
    assert acl["address_ip_version"] == "ipv6"
    assert {entry["entry"] for entry in acl["entries"]} == {"::1/128", "2001:db8::/32"}


def test_a_second_up_changes_nothing(deployed):
    assert deployed.steps() == {}
    deployed.succeed("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_another_ip_version_is_another_load_balancer(deployed):
    port = deployed.values["config"]["slb-mutual-tls:listener"]["port"]
    deployed.configure(load_balancer={}, listener={"port": port})
    name = "ApplicationLoadBalancer::slb-mutual-tls-test"
    assert deployed.steps()[f"alicloud:slb/applicationLoadBalancer:{name}"] == "replace"
    deployed.up()
    outputs = deployed.outputs()
    assert outputs.address.startswith("127.")
    report = deployed.verify()
    assert {check.status for check in report.checks} == {"passed"}, report.to_json()
