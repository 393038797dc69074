"""TCP listeners."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.localcloud.listener_site import ListenerSite


@pytest.fixture
def listening(site: ListenerSite) -> ListenerSite:
    site.call("CreateLoadBalancerTCPListener", BackendServerPort=8080, Bandwidth=-1)
    site.call("StartLoadBalancerListener", ListenerProtocol="tcp")
    return site


def describe(site: ListenerSite) -> dict[str, Any]:
    return site.call("DescribeLoadBalancerTCPListenerAttribute")


def test_a_listener_comes_changes_and_goes(listening: ListenerSite) -> None:
    [served] = listening.served
    assert (served.protocol, served.health_check.kind) == ("tcp", "tcp")
    assert [one.server_id for one in served.backends] == [listening.instance]
    shown = describe(listening)
    assert (shown["Status"], shown["EstablishedTimeout"], shown["HealthCheck"]) == (
        "running",
        900,
        "on",
    )
    assert shown["HealthCheckURI"] == ""
    listening.call(
        "SetLoadBalancerTCPListenerAttribute",
        HealthCheckType="http",
        HealthCheckURI="/a",
        HealthCheckInterval=7,
        PersistenceTimeout=60,
        EstablishedTimeout=10,
    )
    [served] = listening.served
    assert (served.health_check.kind, served.health_check.uri) == ("http", "/a")
    assert (served.persistence_timeout, served.established_timeout) == (60, 10)
    assert describe(listening)["HealthCheckHttpCode"] == "http_2xx"
    listening.call("SetLoadBalancerTCPListenerAttribute", HealthCheckType="tcp")
    assert describe(listening)["HealthCheckHttpCode"] == ""
    listening.call("DeleteLoadBalancerListener")
    assert listening.served == []


def test_the_interval_has_another_spelling_when_it_is_made(site: ListenerSite) -> None:
    site.call("CreateLoadBalancerTCPListener", BackendServerPort=80, healthCheckInterval=9)
    assert describe(site)["HealthCheckInterval"] == 9


def test_it_shows_among_its_load_balancer_s_listeners(listening: ListenerSite) -> None:
    account = listening.account
    shown = account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=listening.balancer)
    [port] = shown["ListenerPortsAndProtocol"]["ListenerPortAndProtocol"]
    assert (port["ListenerPort"], port["ListenerProtocol"]) == (443, "tcp")
    [listed] = account.slb("DescribeLoadBalancerListeners", ListenerProtocol="tcp")["Listeners"]
    assert listed["TCPListenerConfig"]["PersistenceTimeout"] == 0


def test_what_the_provider_sends_for_every_protocol_is_taken_and_means_nothing(
    listening: ListenerSite,
) -> None:
    before = describe(listening)
    listening.call(
        "SetLoadBalancerTCPListenerAttribute",
        Gzip="on",
        StickySession="off",
        HealthCheck="",
        HealthCheckTimeout=5,
        IdleTimeout=15,
        RequestTimeout=60,
    )
    assert describe(listening) == before


@pytest.mark.parametrize(
    "given",
    [
        {"Scheduler": "sch"},
        {"MasterSlaveServerGroupId": "rsp-a"},
        {"ConnectionDrain": "on"},
    ],
)
def test_what_is_not_emulated_says_so(site: ListenerSite, given: dict[str, Any]) -> None:
    found = site.refusal("CreateLoadBalancerTCPListener", BackendServerPort=80, **given)
    assert found == (400, "NotEmulated")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"MasterSlaveServerGroup": "on"}, "NotEmulated"),
        ({"SynProxy": "enable"}, "NotEmulated"),
        ({"VServerGroup": "on"}, "MissingParameter"),
    ],
)
def test_a_change_that_cannot_be_made_leaves_the_listener(
    listening: ListenerSite, given: dict[str, Any], code: str
) -> None:
    before = describe(listening)
    assert listening.refusal("SetLoadBalancerTCPListenerAttribute", **given) == (400, code)
    assert describe(listening) == before


def test_a_group_of_servers_is_put_in_and_taken_off(listening: ListenerSite) -> None:
    member = [{"ServerId": listening.instance, "Port": 9090}]
    made = listening.account.slb(
        "CreateVServerGroup", LoadBalancerId=listening.balancer, BackendServers=json.dumps(member)
    )
    group = made["VServerGroupId"]
    listening.call("SetLoadBalancerTCPListenerAttribute", VServerGroup="on", VServerGroupId=group)
    assert describe(listening)["VServerGroupId"] == group
    listening.call("SetLoadBalancerTCPListenerAttribute", VServerGroup="off")
    assert not describe(listening).get("VServerGroupId")


@pytest.mark.parametrize(
    "given",
    [
        {"Bandwidth": 0},
        {"EstablishedTimeout": 9},
        {"PersistenceTimeout": 3601},
        {"HealthCheckURI": "a"},
        {"HealthCheckType": "https"},
    ],
)
def test_values_out_of_range_are_refused(site: ListenerSite, given: dict[str, Any]) -> None:
    found = site.refusal("CreateLoadBalancerTCPListener", BackendServerPort=80, **given)
    assert found == (400, "InvalidParameter")


def test_backends_may_be_told_the_client_by_the_proxy_protocol(site: ListenerSite) -> None:
    site.call("CreateLoadBalancerTCPListener", BackendServerPort=80, ProxyProtocolV2Enabled="true")
    site.call("StartLoadBalancerListener")
    assert site.served[0].proxy_protocol
    assert describe(site)["ProxyProtocolV2Enabled"] is True
    [listed] = site.account.slb("DescribeLoadBalancerListeners")["Listeners"]
    assert listed["TCPListenerConfig"]["ProxyProtocolV2Enabled"] == "true"


def test_it_has_no_forwarding_rules(listening: ListenerSite) -> None:
    rules = json.dumps([{"RuleName": "a", "VServerGroupId": "rsp-a", "Url": "/a"}])
    assert listening.refusal("CreateRules", RuleList=rules) == (400, "Operation.NotAllowed")
