"""CLB instances and their default server group."""

from __future__ import annotations

import json

import pytest

from components.clb import arguments
from localcloud.documents import LoadBalancer
from localcloud.products import SLB
from tests.unit.localcloud.fake_plane import Account

SPEC = {"InstanceChargeType": "PayBySpec", "LoadBalancerSpec": "slb.s1.small"}


def described(account: Account, key: str) -> dict:
    return account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=key)


def backends(account: Account, key: str) -> list[tuple[str, int]]:
    found = described(account, key)["BackendServers"]["BackendServer"]
    return [(one["ServerId"], one["Weight"]) for one in found]


def servers(*keys: str, weight: int = 100) -> str:
    return json.dumps([{"ServerId": key, "Weight": weight, "Type": "ecs"} for key in keys])


def test_a_load_balancer_is_active_with_an_address_of_its_own(account: Account) -> None:
    keys = [account.make_load_balancer(LoadBalancerName=name) for name in ("one", "two")]
    found = [described(account, key) for key in keys]
    assert [one["LoadBalancerName"] for one in found] == ["one", "two"]
    assert [one["Address"] for one in found] == ["127.88.0.1", "127.88.0.2"]
    assert {one["LoadBalancerStatus"] for one in found} == {"active"}
    assert {one["LoadBalancerSpec"] for one in found} == {"slb.lcu.elastic"}
    assert found[0]["MasterZoneId"] != found[0]["SlaveZoneId"]
    assert found[0]["ListenerPortsAndProtocol"] == {"ListenerPortAndProtocol": []}


def test_one_within_a_vpc_says_so(account: Account) -> None:
    vpc = account.make_vpc()
    switch = account.make_vswitch(vpc)
    key = account.make_load_balancer(AddressType="intranet", VSwitchId=switch)
    found = described(account, key)
    assert (found["NetworkType"], found["VpcId"], found["VSwitchId"]) == ("vpc", vpc, switch)


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({}, 400, "ShareSlbHaltSales"),
        ({"InstanceChargeType": "PayBySpec"}, 400, "ShareSlbHaltSales"),
        ({"LoadBalancerSpec": "slb.none"}, 400, "InvalidParameter"),
        (
            {"InstanceChargeType": "PayByCLCU", "LoadBalancerSpec": "slb.s1.small"},
            400,
            "InvalidParameter",
        ),
        (
            {"InstanceChargeType": "PayByCLCU", "InternetChargeType": "paybybandwidth"},
            400,
            "InvalidParameter",
        ),
        ({**SPEC, "InternetChargeType": "PayByBandwidth"}, 400, "MissingParameter"),
        ({**SPEC, "Bandwidth": 0}, 400, "InvalidParameter"),
        ({**SPEC, "AddressType": "intranet"}, 400, "MissingParameter"),
        (
            {**SPEC, "AddressType": "intranet", "VSwitchId": "vsw-none"},
            404,
            "InvalidVSwitchId.NotFound",
        ),
        ({**SPEC, "MasterZoneId": "cn-beijing-h"}, 400, "InvalidParameter"),
        ({**SPEC, "LoadBalancerName": "a b"}, 400, "InvalidParameter"),
        ({**SPEC, "PayType": "PrePay"}, 400, "InvalidParameter"),
        ({**SPEC, "AddressIPVersion": "ipv5"}, 400, "InvalidParameter"),
        ({**SPEC, "Address": "10.0.0.1"}, 400, "NotEmulated"),
        ({**SPEC, "ModificationProtectionReason": "1"}, 400, "InvalidParameter"),
    ],
)
def test_load_balancers_that_cannot_be(account: Account, parameters, status, code) -> None:
    error = account.refusal(SLB, "CreateLoadBalancer", **parameters)
    assert (error.status, error.code) == (status, code)
    assert account.store.all(LoadBalancer) == []


def test_each_attribute_changes_by_its_own_action(account: Account) -> None:
    key = account.make_load_balancer(**SPEC, InternetChargeType="paybytraffic")
    of = {"LoadBalancerId": key}
    account.slb("SetLoadBalancerName", **of, LoadBalancerName="renamed")
    account.slb("SetLoadBalancerStatus", **of, LoadBalancerStatus="inactive")
    account.slb("SetLoadBalancerDeleteProtection", **of, DeleteProtection="on")
    account.slb(
        "SetLoadBalancerModificationProtection",
        **of,
        ModificationProtectionStatus="ConsoleProtection",
        ModificationProtectionReason="why",
    )
    account.slb(
        "ModifyLoadBalancerInternetSpec", **of, InternetChargeType="PayByBandwidth", Bandwidth=7
    )
    account.slb("ModifyLoadBalancerInstanceSpec", **of, LoadBalancerSpec="slb.s2.small")
    found = described(account, key)
    changed = {
        "LoadBalancerName": "renamed",
        "LoadBalancerStatus": "inactive",
        "DeleteProtection": "on",
        "ModificationProtectionStatus": "ConsoleProtection",
        "ModificationProtectionReason": "why",
        "InternetChargeType": "paybybandwidth",
        "Bandwidth": 7,
        "LoadBalancerSpec": "slb.s2.small",
    }
    assert {name: found[name] for name in changed} == changed


@pytest.mark.parametrize("specification", arguments.SPECIFICATIONS)
def test_it_sells_what_the_configuration_takes(account: Account, specification: str) -> None:
    key = account.make_load_balancer(**{**SPEC, "LoadBalancerSpec": specification})
    assert described(account, key)["LoadBalancerSpec"] == specification


def test_payment_goes_to_lcu_and_never_back(account: Account) -> None:
    key = account.make_load_balancer(**SPEC)
    of = {"LoadBalancerId": key}
    account.slb("ModifyLoadBalancerInstanceChargeType", **of, InstanceChargeType="PayByCLCU")
    found = described(account, key)
    assert (found["InstanceChargeType"], found["LoadBalancerSpec"]) == (
        "PayByCLCU",
        "slb.lcu.elastic",
    )
    back = account.refusal(
        SLB, "ModifyLoadBalancerInstanceChargeType", **of, InstanceChargeType="PayBySpec"
    )
    assert (back.status, back.code) == (400, "OperationDenied.ChargeType")
    assert (
        account.refusal(
            SLB, "ModifyLoadBalancerInternetSpec", **of, InternetChargeType="paybybandwidth"
        ).code
        == "InvalidParameter"
    )
    assert (
        account.refusal(
            SLB, "ModifyLoadBalancerInstanceSpec", **of, LoadBalancerSpec="slb.s1.small"
        ).code
        == "InvalidParameter"
    )


def test_a_protected_load_balancer_stays_until_the_protection_goes(account: Account) -> None:
    key = account.make_load_balancer(DeleteProtection="on")
    error = account.refusal(SLB, "DeleteLoadBalancer", LoadBalancerId=key)
    assert (error.status, error.code) == (400, "OperationDenied.DeleteProtectionIsOn")
    account.slb("SetLoadBalancerDeleteProtection", LoadBalancerId=key, DeleteProtection="off")
    account.slb("DeleteLoadBalancer", LoadBalancerId=key)
    error = account.refusal(SLB, "DescribeLoadBalancerAttribute", LoadBalancerId=key)
    assert (error.status, error.code) == (404, "InvalidLoadBalancerId.NotFound")


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("DescribeLoadBalancerAttribute", {}),
        ("DeleteLoadBalancer", {}),
        ("SetLoadBalancerName", {"LoadBalancerName": "b"}),
        ("SetLoadBalancerStatus", {"LoadBalancerStatus": "active"}),
        ("SetLoadBalancerDeleteProtection", {"DeleteProtection": "on"}),
        ("AddBackendServers", {"BackendServers": "[]"}),
        ("SetBackendServers", {"BackendServers": "[]"}),
        ("RemoveBackendServers", {"BackendServers": "[]"}),
        ("DescribeHealthStatus", {}),
        ("StartLoadBalancerListener", {"ListenerPort": 443}),
        ("DescribeLoadBalancerHTTPSListenerAttribute", {"ListenerPort": 443}),
    ],
)
@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_load_balancer_is_found_in_its_region_only(
    account: Account, action: str, parameters, elsewhere: bool
) -> None:
    key = account.make_load_balancer() if elsewhere else "lb-none"
    error = account.refusal(SLB, action, LoadBalancerId=key, RegionId="cn-beijing", **parameters)
    assert (error.status, error.code) == (404, "InvalidLoadBalancerId.NotFound")
    assert key not in error.message


def test_backends_come_get_weights_and_go(account: Account) -> None:
    one, two = account.make_instance(), account.make_instance()
    key = account.make_load_balancer()
    answer = account.slb("AddBackendServers", LoadBalancerId=key, BackendServers=servers(one, two))
    assert answer["LoadBalancerId"] == key
    assert backends(account, key) == [(one, 100), (two, 100)]
    account.slb("SetBackendServers", LoadBalancerId=key, BackendServers=servers(two, weight=0))
    assert backends(account, key) == [(one, 100), (two, 0)]
    account.slb("AddBackendServers", LoadBalancerId=key, BackendServers=servers(one, weight=5))
    assert backends(account, key) == [(one, 100), (two, 0)]
    account.slb("RemoveBackendServers", LoadBalancerId=key, BackendServers=servers(one, "i-gone"))
    assert backends(account, key) == [(two, 0)]


def test_the_provider_s_own_notation_is_read(account: Account) -> None:
    one = account.make_instance()
    key = account.make_load_balancer()
    text = f"[{{'ServerId':'{one}','Weight':'30', 'Type': 'ecs'}}]"
    account.slb("AddBackendServers", LoadBalancerId=key, BackendServers=text)
    assert backends(account, key) == [(one, 30)]
    account.slb("AddBackendServers", LoadBalancerId=key, BackendServers="")
    assert backends(account, key) == [(one, 30)]
    account.slb("RemoveBackendServers", LoadBalancerId=key, BackendServers=text)
    assert backends(account, key) == []


def test_a_server_named_twice_comes_once(account: Account) -> None:
    one = account.make_instance()
    key = account.make_load_balancer()
    account.slb("AddBackendServers", LoadBalancerId=key, BackendServers=servers(one, one))
    assert backends(account, key) == [(one, 100)]


@pytest.mark.parametrize(
    "text",
    [
        "i-1",
        "{'ServerId':'i-1'}",
        "['i-1']",
        '[{"ServerId": "i-1", "Weight": 101}]',
        '[{"ServerId": "i-1", "Weight": -1}]',
        '[{"ServerId": "i-1", "Weight": "much"}]',
        '[{"ServerId": "i-1", "Type": "eni"}]',
        '[{"ServerId": "i-1", "Port": 80}]',
        '[{"Weight": 1}]',
        "[{[]: 1}]",
        "[" * 5000,
        "[" * 100_000 + '"',
        "__import__('os').system('id')",
    ],
    ids=lambda text: text[:40],
)
def test_lists_of_servers_that_cannot_be_read(account: Account, text: str) -> None:
    key = account.make_load_balancer()
    error = account.refusal(SLB, "AddBackendServers", LoadBalancerId=key, BackendServers=text)
    assert (error.status, error.code) == (400, "InvalidParameter")
    assert "i-1" not in error.message


def test_a_call_takes_twenty_servers(account: Account) -> None:
    key = account.make_load_balancer()
    keys = [f"i-{number}" for number in range(21)]
    for action in ("AddBackendServers", "SetBackendServers", "RemoveBackendServers"):
        error = account.refusal(SLB, action, LoadBalancerId=key, BackendServers=servers(*keys))
        assert (error.status, error.code) == (400, "TooManyBackendServers")
    account.slb("RemoveBackendServers", LoadBalancerId=key, BackendServers=servers(*keys[:20]))


def test_only_running_instances_become_backends(account: Account) -> None:
    one, stopped = account.make_instance(), account.make_instance()
    account.ecs("StopInstance", InstanceId=stopped)
    key = account.make_load_balancer()
    for absent in (stopped, "i-none"):
        error = account.refusal(
            SLB, "AddBackendServers", LoadBalancerId=key, BackendServers=servers(one, absent)
        )
        assert (error.status, error.code) == (400, "ObtainIpFail")
        assert absent not in error.message
    assert backends(account, key) == []


def test_a_deleted_instance_is_no_backend_any_more(account: Account) -> None:
    one, two = account.make_instance(), account.make_instance()
    key = account.make_load_balancer()
    account.slb("AddBackendServers", LoadBalancerId=key, BackendServers=servers(one, two))
    account.ecs("DeleteInstance", InstanceId=one, Force="true")
    assert backends(account, key) == [(two, 100)]
