"""What an interrupted `up` left: only what is surely the stack's is found, and removed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from operations.clb import orphans
from operations.cloud_api import CloudApiError
from operations.errors import OperationError

NAME = "shop-dev"
SINCE = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = "2026-11-24T12:30Z"
LATER_MS = 1795523400000
BEFORE = "2026-11-24T11:00Z"
OURS = {"Tag": [{"TagKey": "project", "TagValue": "shop"}, {"Key": "stack", "Value": "dev"}]}


def site(**changed):
    given = {
        "name": NAME,
        "load_balancer_name": "front-door",
        "load_balancer_ids": ("lb-ours",),
        "tags": {"project": "shop", "stack": "dev"},
        "known": frozenset({"i-known", "lb-ours:https:443", "cert-known"}),
        "since": SINCE,
    }
    return orphans.Site(**{**given, **changed})


class Cloud:
    """Answers with lists, as they were set by action."""

    def __init__(self) -> None:
        self.answers = {}
        self.calls = []

    def __call__(self, product, action, **parameters):
        self.calls.append((product, action, parameters))
        if action == "DeleteVpc":
            raise CloudApiError("it is in use")
        return self.answers.get(action, {})

    def has(self, action, outer, inner, *items):
        self.answers[action] = {outer: {inner: list(items)}}

    def ids(self, where=None):
        return [orphan.id for orphan in orphans.find_orphans(where or site(), self)]


@pytest.fixture
def cloud():
    return Cloud()


def instance(identifier, name=f"{NAME}-0", created=LATER, **more):
    return {"InstanceId": identifier, "InstanceName": name, "CreationTime": created, **more}


def test_only_the_stack_s_own_of_this_time_are_left(cloud):
    other = {"Tag": [{"TagKey": "project", "TagValue": "shop"}, {"Key": "stack", "Value": "qa"}]}
    cloud.has(
        "DescribeInstances",
        "Instances",
        "Instance",
        instance("i-left"),
        instance("i-tagged", Tags=OURS),
        instance("i-known"),
        instance("i-old", created=BEFORE),
        instance("i-another-stack", name=f"{NAME}-2-0"),
        instance("i-another-s", Tags=other),
        instance("i-longer", name=f"{NAME}-0x"),
        {"InstanceId": "i-timeless", "InstanceName": f"{NAME}-0"},
    )
    assert cloud.ids() == ["i-left", "i-tagged"]


def test_the_cloud_s_clock_may_be_behind(cloud):
    cloud.has("DescribeInstances", "Instances", "Instance", instance("i", created=_minute(59, 11)))
    assert cloud.ids() == ["i"]
    cloud.has("DescribeInstances", "Instances", "Instance", instance("i", created=_minute(57, 11)))
    assert cloud.ids() == []


def _minute(minute, hour):
    return f"2026-11-24T{hour:02}:{minute:02}Z"


@pytest.mark.parametrize(
    ("action", "outer", "inner", "key", "of_name", "good", "bad"),
    [
        ("DescribeSecurityGroups", "SecurityGroups", "SecurityGroup", "SecurityGroupId",
         "SecurityGroupName", NAME, f"{NAME}-2"),
        ("DescribeVSwitches", "VSwitches", "VSwitch", "VSwitchId", "VSwitchName",
         f"{NAME}-1", NAME),
        ("DescribeVpcs", "Vpcs", "Vpc", "VpcId", "VpcName", NAME, f"{NAME}-2"),
        ("DescribeVServerGroups", "VServerGroups", "VServerGroup", "VServerGroupId",
         "VServerGroupName", f"{NAME}-80-0a1b2c3", f"{NAME}-80"),
        ("DescribeServerCertificates", "ServerCertificates", "ServerCertificate",
         "ServerCertificateId", "ServerCertificateName", f"{NAME}-0a1b2c3", NAME),
        ("DescribeCACertificates", "CACertificates", "CACertificate", "CACertificateId",
         "CACertificateName", f"{NAME}-0a1b2c3d", f"{NAME}-2-0a1b2c3d"),
        ("DescribeAccessControlLists", "Acls", "Acl", "AclId", "AclName",
         f"{NAME}-0a1b2c3", "shop-qa-0a1b2c3"),
        ("DescribeLoadBalancers", "LoadBalancers", "LoadBalancer", "LoadBalancerId",
         "LoadBalancerName", "front-door", NAME),
    ],
)  # fmt: skip
def test_each_kind_is_told_by_its_name(cloud, action, outer, inner, key, of_name, good, bad):
    times = {"CreationTime": LATER, "CreateTimeStamp": LATER_MS}
    items = [{key: name, of_name: name, **times} for name in (good, bad)]
    cloud.has(action, outer, inner, *items)
    assert cloud.ids() == [good]
    [orphan] = orphans.find_orphans(site(), cloud)
    assert orphan.parameters[key] == good
    assert good in str(orphan)


def test_a_load_balancer_that_somebody_uses_is_not_left(cloud):
    item = {"LoadBalancerId": "lb", "LoadBalancerName": "front-door", "CreateTimeStamp": LATER_MS}
    cloud.has("DescribeLoadBalancers", "LoadBalancers", "LoadBalancer", item)
    cloud.has("DescribeLoadBalancerAttribute", "BackendServers", "BackendServer", {"ServerId": "i"})
    assert cloud.ids() == []


def test_listeners_of_the_stack_s_load_balancer(cloud):
    def listener(protocol, port, description="", **more):
        return {
            "ListenerProtocol": protocol,
            "ListenerPort": port,
            "Description": description,
            **more,
        }

    cloud.answers["DescribeLoadBalancerListeners"] = {
        "Listeners": [
            listener("https", 443, f"{NAME}: HTTPS"),
            listener("https", 8443, f"{NAME}: HTTPS"),
            listener("https", 9443, f"{NAME}-2: HTTPS"),
            listener("http", 80, HTTPListenerConfig={"ListenerForward": "on", "ForwardPort": 443}),
            listener("http", 81, HTTPListenerConfig={"ListenerForward": "on", "ForwardPort": 8443}),
            listener("http", 82, HTTPListenerConfig={"ListenerForward": "off"}),
        ]
    }
    assert cloud.ids() == ["lb-ours:https:8443", "lb-ours:http:80"]


def test_a_listener_that_was_not_started_is_left_though_the_state_has_it(cloud):
    cloud.answers["DescribeLoadBalancerListeners"] = {
        "Listeners": [{"ListenerProtocol": "https", "ListenerPort": 443, "Status": "stopped"}]
    }
    [orphan] = orphans.find_orphans(site(), cloud)
    assert str(orphan) == "listener lb-ours:https:443 (not started)"
    orphans.remove_orphans([orphan], cloud)
    assert cloud.calls[-1] == (
        "SLB",
        "DeleteLoadBalancerListener",
        {"LoadBalancerId": "lb-ours", "ListenerPort": 443, "ListenerProtocol": "https"},
    )


def test_a_domain_with_the_stack_s_certificate(cloud):
    cloud.answers["DescribeLoadBalancerListeners"] = {
        "Listeners": [{"ListenerProtocol": "https", "ListenerPort": 443}]
    }
    cloud.has(
        "DescribeDomainExtensions",
        "DomainExtensions",
        "DomainExtension",
        {"DomainExtensionId": "de-1", "Domain": "a.test", "ServerCertificateId": "cert-known"},
        {"DomainExtensionId": "de-2", "Domain": "b.test", "ServerCertificateId": "cert-other"},
    )
    assert cloud.ids() == ["de-1"]


def test_lists_are_read_to_their_end(cloud):
    pages = {1: [instance(f"i-{n}") for n in range(orphans.PAGE)], 2: [instance("i-last")]}

    def call(product, action, **parameters):
        if action != "DescribeInstances":
            return {}
        return {"Instances": {"Instance": pages[parameters["PageNumber"]]}}

    found = [orphan.id for orphan in orphans.find_orphans(site(), call)]
    assert len(found) == orphans.PAGE + 1
    assert found[-1] == "i-last"


def test_what_cannot_be_removed_is_one_sentence_with_the_way_on(cloud):
    cloud.has(
        "DescribeVpcs", "Vpcs", "Vpc", {"VpcId": "vpc-1", "VpcName": NAME, "CreationTime": LATER}
    )
    with pytest.raises(OperationError, match=r"VPC vpc-1 \(shop-dev\).*it is in use.*console"):
        orphans.remove_orphans(orphans.find_orphans(site(), cloud), cloud)


def test_the_place_is_read_from_state_and_configuration():
    deployment = {
        "resources": [
            {"type": "pulumi:pulumi:Stack"},
            {"type": orphans.LOAD_BALANCER_TYPE, "id": "lb-1"},
        ]
    }
    tags = {"project": "shop"}
    found = orphans.gather_site(NAME, deployment, {}, tags, SINCE)
    assert found == orphans.Site(NAME, NAME, ("lb-1",), tags, frozenset({"lb-1"}), SINCE)
    used = orphans.gather_site(NAME, {}, {"id": "lb-2", "name": "n"}, tags, SINCE)
    assert (used.load_balancer_ids, used.load_balancer_name) == (("lb-2",), "n")
