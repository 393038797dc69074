"""Forwarding rules of listeners."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.documents import ForwardingRule
from localcloud.products import SLB
from tests.unit.localcloud.listener_site import ListenerSite
from tests.unit.localcloud.tour import RULE_OF_ITS_OWN


@pytest.fixture
def listening(site: ListenerSite) -> ListenerSite:
    site.create(HealthCheckURI="/listener")
    site.call("StartLoadBalancerListener")
    return site


@pytest.fixture
def group(site: ListenerSite) -> str:
    member = [{"ServerId": site.instance, "Port": 8080}]
    made = site.account.slb(
        "CreateVServerGroup", LoadBalancerId=site.balancer, BackendServers=json.dumps(member)
    )
    return str(made["VServerGroupId"])


def make(site: ListenerSite, group: str, **rule: str) -> str:
    given = {"RuleName": "a", "VServerGroupId": group, **rule}
    [made] = site.call("CreateRules", RuleList=json.dumps([given]))["Rules"]["Rule"]
    return str(made["RuleId"])


def attribute(site: ListenerSite, key: str) -> dict[str, Any]:
    return site.account.slb("DescribeRuleAttribute", RuleId=key)


def test_a_rule_comes_changes_and_goes(listening: ListenerSite, group: str) -> None:
    key = make(listening, group, Domain="*.example.com", Url="/image")
    [served] = listening.served[0].rules
    assert (served.domain, served.url) == ("*.example.com", "/image")
    assert [one.server_id for one in served.backends] == [listening.instance]
    # Its listener's settings hold until it has its own.
    assert served.health_check.uri == "/listener"
    assert attribute(listening, key)["HealthCheckURI"] == "/listener"
    of = {"RuleId": key}
    listening.account.slb("SetRule", **of, RuleName="b", **RULE_OF_ITS_OWN)
    [served] = listening.served[0].rules
    assert (served.health_check.uri, served.sticky_session.timeout) == ("/a", 60)
    assert listening.served[0].health_check.uri == "/listener"
    shown = attribute(listening, key)
    assert RULE_OF_ITS_OWN.items() <= shown.items()
    # A port is text here: the SDK's models say so.
    assert (shown["RuleName"], shown["ListenerPort"]) == ("b", "443")
    listening.account.slb("SetRule", **of, HealthCheck="off", StickySession="off")
    shown = attribute(listening, key)
    assert "HealthCheckURI" not in shown
    assert "CookieTimeout" not in shown
    assert listening.served[0].rules[0].health_check is None
    listening.account.slb("SetRule", **of, ListenerSync="on")
    assert attribute(listening, key)["HealthCheckURI"] == "/listener"
    listening.account.slb("DeleteRules", RuleIds=f"['{key}']")
    assert listening.served[0].rules == ()
    error = listening.account.refusal(SLB, "DescribeRuleAttribute", **of)
    # The provider takes this code for "is gone".
    assert (error.status, error.code) == (404, "InvalidRuleId.NotFound")


def test_a_rule_shows_at_its_listener_and_its_group(listening: ListenerSite, group: str) -> None:
    key = make(listening, group, Url="/image")
    [shown] = listening.describe()["Rules"]["Rule"]
    [listed] = listening.call("DescribeRules")["Rules"]["Rule"]
    assert shown.items() <= listed.items()
    assert shown["RuleId"] == key
    groups = listening.account.slb(
        "DescribeVServerGroups", LoadBalancerId=listening.balancer, IncludeRule="true"
    )["VServerGroups"]["VServerGroup"]
    [of_group] = groups[0]["AssociatedObjects"]["Rules"]["Rule"]
    assert of_group["RuleId"] == key
    error = listening.account.refusal(SLB, "DeleteVServerGroup", VServerGroupId=group)
    assert error.code == "RspoolVipExist"


@pytest.mark.parametrize("way", ["DeleteLoadBalancerListener", "DeleteLoadBalancer"])
def test_a_rule_goes_with_its_listener(listening: ListenerSite, group: str, way: str) -> None:
    make(listening, group, Url="/image")
    given = {} if way == "DeleteLoadBalancer" else {"ListenerPort": 443}
    listening.account.slb(way, LoadBalancerId=listening.balancer, **given)
    assert listening.account.store.all(ForwardingRule) == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "a Domain, a Url, or both"),
        ({"Url": "/"}, "RuleList"),
        ({"Url": "image"}, "RuleList"),
        ({"Url": "/a b"}, "RuleList"),
        ({"Url": "/a'"}, "RuleList"),
        ({"Url": "/" + "a" * 80}, "RuleList"),
        ({"Domain": "a b"}, "RuleList"),
        ({"Domain": "a.*.com"}, "RuleList"),
        ({"Domain": "a.com", "RuleName": "a" * 41}, "RuleList"),
        ({"Domain": "a.com", "RuleName": ""}, "RuleList"),
        ({"Domain": "a.com", "VServerGroupId": "rsp-other"}, "VServerGroupId does not exist"),
        ({"Domain": "A.example.com"}, "same Domain and Url"),
        ({"Domain": "b.example.com", "RuleName": "taken"}, "same name"),
        ({"Domain": "b.example.com", "Bogus": "1"}, "RuleList"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    listening: ListenerSite, group: str, rule: dict[str, str], said: str
) -> None:
    make(listening, group, Domain="a.example.com", RuleName="taken")
    given = json.dumps([{"RuleName": "a", "VServerGroupId": group, **rule}])
    of = {"LoadBalancerId": listening.balancer, "ListenerPort": 443}
    error = listening.account.refusal(SLB, "CreateRules", **of, RuleList=given)
    assert error.status in {400, 404}
    assert said in error.message
    assert len(listening.served[0].rules) == 1


def test_rules_of_a_call_come_all_or_not_at_all(listening: ListenerSite, group: str) -> None:
    given = [{"RuleName": "a", "VServerGroupId": group, "Url": "/a"}] * 2
    assert listening.refusal("CreateRules", RuleList=json.dumps(given))[0] == 400
    assert listening.account.store.all(ForwardingRule) == []


@pytest.mark.parametrize("name", ["Scheduler", "StickySession", "HealthCheck", "HealthCheckURI"])
def test_a_rule_of_its_own_says_all_that_it_must(
    listening: ListenerSite, group: str, name: str
) -> None:
    key = make(listening, group, Url="/image")
    given = {one: value for one, value in RULE_OF_ITS_OWN.items() if one != name}
    error = listening.account.refusal(SLB, "SetRule", RuleId=key, **given)
    assert error.code == "MissingParameter"
    assert f'"{name}"' in error.message


def test_a_redirecting_listener_has_no_rules(listening: ListenerSite, group: str) -> None:
    listening.account.slb(
        "CreateLoadBalancerHTTPListener",
        LoadBalancerId=listening.balancer,
        ListenerPort=80,
        ListenerForward="on",
        ForwardPort=443,
        HealthCheck="off",
    )
    given = json.dumps([{"RuleName": "a", "VServerGroupId": group, "Url": "/a"}])
    assert listening.refusal("CreateRules", ListenerPort=80, RuleList=given) == (
        400,
        "Operation.NotAllowed",
    )


def test_a_call_has_so_many_rules(listening: ListenerSite, group: str) -> None:
    rules = [{"RuleName": f"r{n}", "Url": f"/{n}", "VServerGroupId": group} for n in range(11)]
    for wrong in ([], rules):
        given = json.dumps(wrong)
        assert listening.refusal("CreateRules", RuleList=given) == (400, "InvalidParameter")
        refused = listening.account.refusal(
            SLB, "DeleteRules", RuleIds=json.dumps(wrong and ["rule-a"] * 11)
        )
        assert (refused.status, refused.code) == (400, "InvalidParameter")
    assert listening.served[0].rules == ()
