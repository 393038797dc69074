"""VServer groups: servers with a port and weight each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.documents import VServerGroup
from localcloud.products import SLB
from tests.unit.localcloud.listener_site import ListenerSite


def members(*given: tuple[str, int, int]) -> str:
    """The provider's own notation."""
    listed = (
        f"{{'ServerId':'{a}','Port':'{b}','Weight':'{c}', 'Type': 'ecs'}}" for a, b, c in given
    )
    return f"[{','.join(listed)}]"


def make(site: ListenerSite, *given: tuple[str, int, int], **parameters: Any) -> str:
    return site.account.slb(
        "CreateVServerGroup",
        LoadBalancerId=site.balancer,
        BackendServers=members(*given),
        **parameters,
    )["VServerGroupId"]


def held(site: ListenerSite, key: str) -> list[tuple[str, int, int]]:
    found = site.account.slb("DescribeVServerGroupAttribute", VServerGroupId=key)
    servers = found["BackendServers"]["BackendServer"]
    return [(one["ServerId"], one["Port"], one["Weight"]) for one in servers]


def test_members_come_change_and_go(site: ListenerSite) -> None:
    here = site.instance
    key = make(site, (here, 8080, 50))
    of = {"VServerGroupId": key}
    site.account.slb(
        "AddVServerGroupBackendServers", **of, BackendServers=members((here, 9090, 10))
    )
    assert held(site, key) == [(here, 8080, 50), (here, 9090, 10)]
    site.account.slb(
        "SetVServerGroupAttribute",
        **of,
        VServerGroupName="web",
        BackendServers=members((here, 9090, 0)),
    )
    found = site.account.slb("DescribeVServerGroupAttribute", **of)
    assert (found["VServerGroupName"], found["LoadBalancerId"]) == ("web", site.balancer)
    assert held(site, key) == [(here, 8080, 50), (here, 9090, 0)]
    site.account.slb(
        "ModifyVServerGroupBackendServers",
        **of,
        OldBackendServers=members((here, 9090, 0)),
        NewBackendServers=members((here, 7070, 20)),
    )
    site.account.slb(
        "RemoveVServerGroupBackendServers", **of, BackendServers=members((here, 8080, 50))
    )
    assert held(site, key) == [(here, 7070, 20)]
    site.account.slb("DeleteVServerGroup", **of)
    error = site.account.refusal(SLB, "DescribeVServerGroupAttribute", **of)
    assert (error.status, error.code) == (404, "InvalidParameter")
    # The provider looks for this sentence to know that a group is gone.
    assert "The specified VServerGroupId does not exist" in error.message


def test_the_provider_s_empty_lists_change_nothing(site: ListenerSite) -> None:
    key = make(site, (site.instance, 8080, 50))
    for action in (
        "AddVServerGroupBackendServers",
        "RemoveVServerGroupBackendServers",
        "SetVServerGroupAttribute",
    ):
        site.account.slb(action, VServerGroupId=key, BackendServers="")
    assert held(site, key) == [(site.instance, 8080, 50)]


def test_a_listener_serves_a_group_s_ports_and_weights(site: ListenerSite) -> None:
    key = make(site, (site.instance, 8080, 50), (site.instance, 9090, 10))
    site.call(
        "CreateLoadBalancerHTTPSListener",
        ServerCertificateId=site.server_certificate,
        VServerGroupId=key,
    )
    site.call("StartLoadBalancerListener")
    assert site.describe()["VServerGroupId"] == key
    assert "BackendServerPort" not in site.describe()

    def served() -> list[tuple[int, int]]:
        return [(one.socket.port, one.weight) for one in site.served[0].backends]

    assert served() == [(8080, 50), (9090, 10)]
    health = site.account.slb("DescribeHealthStatus", LoadBalancerId=site.balancer)
    assert [
        (one["Port"], one["ServerHealthStatus"])
        for one in health["BackendServers"]["BackendServer"]
    ] == [(8080, "normal"), (9090, "normal")]
    site.account.slb(
        "SetVServerGroupAttribute",
        VServerGroupId=key,
        BackendServers=members((site.instance, 9090, 0)),
    )
    assert served() == [(8080, 50), (9090, 0)]


def test_a_listener_moves_between_a_group_and_the_default_one(site: ListenerSite) -> None:
    key = make(site, (site.instance, 9090, 10))
    site.create()
    site.call("StartLoadBalancerListener")
    site.set(VServerGroup="on", VServerGroupId=key)
    assert [one.socket.port for one in site.served[0].backends] == [9090]
    site.set(VServerGroup="off")
    assert [one.socket.port for one in site.served[0].backends] == [8080]
    refused = site.refusal("SetLoadBalancerHTTPSListenerAttribute", VServerGroup="on")
    assert refused == (400, "MissingParameter")


def test_without_a_group_a_listener_needs_a_backend_port(site: ListenerSite) -> None:
    key = make(site, (site.instance, 9090, 10))
    site.call(
        "CreateLoadBalancerHTTPSListener",
        ServerCertificateId=site.server_certificate,
        VServerGroupId=key,
    )
    refused = site.refusal("SetLoadBalancerHTTPSListenerAttribute", VServerGroup="off")
    assert refused == (400, "MissingParameter")


def test_a_group_in_use_stays(site: ListenerSite) -> None:
    key = make(site, (site.instance, 9090, 10))
    site.create(VServerGroupId=key)
    found = site.account.slb(
        "DescribeVServerGroups", LoadBalancerId=site.balancer, IncludeListener="true"
    )["VServerGroups"]["VServerGroup"]
    assert found[0]["AssociatedObjects"]["Listeners"]["Listener"] == [
        {"Port": 443, "Protocol": "https"}
    ]
    error = site.account.refusal(SLB, "DeleteVServerGroup", VServerGroupId=key)
    # The provider tries again at this one.
    assert (error.status, error.code) == (400, "RspoolVipExist")
    site.call("DeleteLoadBalancerListener")
    site.account.slb("DeleteVServerGroup", VServerGroupId=key)


def test_a_group_of_another_load_balancer_is_not_found(site: ListenerSite) -> None:
    other = ListenerSite(
        site.account,
        site.account.make_load_balancer(),
        site.instance,
        site.server_certificate,
        site.ca_certificate,
    )
    key = make(other, (site.instance, 9090, 10))
    given = {"ServerCertificateId": site.server_certificate, "VServerGroupId": key}
    assert site.refusal("CreateLoadBalancerHTTPSListener", **given) == (404, "InvalidParameter")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([{"ServerId": "i-none", "Port": 80}], "ObtainIpFail"),
        ([{"ServerId": "i-none"}], "InvalidParameter"),
        ([{"ServerId": "i-none", "Port": 0}], "InvalidParameter"),
        ([{"ServerId": "i-none", "Port": 80, "Weight": 101}], "InvalidParameter"),
        ([{"ServerId": f"i-{n}", "Port": 80} for n in range(21)], "TooManyBackendServers"),
    ],
)
def test_members_that_cannot_be(site: ListenerSite, given: list[dict[str, Any]], code: str) -> None:
    error = site.account.refusal(
        SLB,
        "CreateVServerGroup",
        LoadBalancerId=site.balancer,
        BackendServers=json.dumps(given),
    )
    assert (error.status, error.code) == (400, code)
    assert site.account.store.all(VServerGroup) == []


def test_a_deleted_instance_is_no_member_any_more(site: ListenerSite) -> None:
    key = make(site, (site.instance, 8080, 50))
    site.account.ecs("DeleteInstance", InstanceId=site.instance, Force="true")
    assert held(site, key) == []


def test_a_deleted_load_balancer_takes_its_groups_along(site: ListenerSite) -> None:
    make(site, (site.instance, 8080, 50))
    site.account.slb("DeleteLoadBalancer", LoadBalancerId=site.balancer)
    assert site.account.store.all(VServerGroup) == []


def test_groups_are_listed_by_name_and_tag(site: ListenerSite) -> None:
    first = make(site, VServerGroupName="first", Tag__1__Key="a", Tag__1__Value="b")
    second = make(site, VServerGroupName="second")

    def found(**parameters: Any) -> list[str]:
        answer = site.account.slb(
            "DescribeVServerGroups", LoadBalancerId=site.balancer, **parameters
        )
        return [one["VServerGroupId"] for one in answer["VServerGroups"]["VServerGroup"]]

    assert found() == [first, second]
    assert found(Description="second") == [second]
    assert found(Tag__1__Key="a") == [first]
