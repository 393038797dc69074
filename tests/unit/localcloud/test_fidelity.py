"""What others say of the API, and the local cloud's likeness to it.

Judges are Alibaba Cloud's SDKs (their lists of actions, and their models with what they say of each
parameter, generated from the API's metadata) and the provider's source.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re

import pytest

from localcloud import services
from localcloud.api.gateway import Call
from localcloud.errors import ApiError
from localcloud.known_actions import known_actions
from localcloud.products import ECS, PRODUCTS, SLB, VPC, Action, Product
from localcloud.requests import DryRequest
from tests.unit.localcloud.fake_plane import ZONE, Account
from tests.unit.localcloud.listener_site import ListenerSite
from tests.unit.localcloud.test_sdk_models import MODELS

services.load()
SDKS = {
    "Slb": "alibabacloud_slb20140515",
    "Ecs": "alibabacloud_ecs20140526",
    "Vpc": "alibabacloud_vpc20160428",
}
JUDGED = [
    action for product in PRODUCTS if product.name in SDKS for action in product.actions.values()
]


def name_of(action: Action) -> str:
    return f"{action.product}.{action.name}"


@pytest.mark.parametrize("product", SDKS)
def test_the_known_actions_are_the_sdk_s(product: str) -> None:
    client = importlib.import_module(f"{SDKS[product]}.client")
    found = set(re.findall(r"action = '(\w+)'", inspect.getsource(client)))
    assert known_actions()[product] == found
    assert len(found) > 90


def test_what_is_not_emulated_says_so_and_a_typo_is_a_typo(account: Account) -> None:
    for product in PRODUCTS:
        assert product.actions.keys() <= known_actions()[product.name]
        for name in known_actions()[product.name] - product.actions.keys():
            error = account.refusal(product, name)
            assert (error.status, error.code) == (400, "NotEmulated")
            assert name in error.message
            typo = account.refusal(product, name.swapcase())
            assert (typo.status, typo.code) == (404, "InvalidAction.NotFound")


def needs_region(action: Action) -> bool:
    """Whether the SDK's model calls the region required, in the text above its field."""
    model = MODELS[action.product][f"{action.name}Request".lower()]
    before, found, _ = inspect.getsource(model.__init__).partition(
        "        self.region_id = region_id\n"
    )
    *_, text = before.rsplit("\n        self.", 1)
    return bool(found) and "This parameter is required" in text


@pytest.mark.parametrize("action", JUDGED, ids=name_of)
def test_a_region_is_demanded_where_the_api_demands_it(action: Action) -> None:
    assert needs_region(action) == action.request.model_fields["RegionId"].is_required()


@pytest.mark.parametrize("product", [SLB, ECS, VPC], ids=lambda product: product.name)
def test_an_unknown_region_is_refused(account: Account, product: Product) -> None:
    action = "DescribeVpcs" if product is VPC else "DescribeZones"
    for region in ("", "cn-nowhere", "CN-HANGZHOU", "cn-hangzhou-h"):
        error = account.refusal(product, action, RegionId=region)
        expected = (404, "InvalidRegionId.NotFound") if region else (400, "MissingParameter")
        assert (error.status, error.code) == expected
    account.call(product, action, RegionId="eu-central-1")


def test_an_action_that_needs_no_region_does_without(site: ListenerSite) -> None:
    site.create()
    site.call("StartLoadBalancerListener", RegionId="")
    listed = site.account.slb("DescribeServerCertificates", RegionId="")
    shown = listed["ServerCertificates"]["ServerCertificate"]
    assert [one["ServerCertificateId"] for one in shown] == [site.server_certificate]


def test_regions_are_listed_and_zones_with_a_strategy_for_spot_instances(account: Account) -> None:
    # Our build of the provider offers getRegions and getZones, which ask this.
    for product in (SLB, ECS):
        regions = account.call(product, "DescribeRegions")["Regions"]["Region"]
        assert {"cn-hangzhou", "eu-central-1"} <= {one["RegionId"] for one in regions}
    zones = account.ecs("DescribeZones", SpotStrategy="NoSpot", InstanceChargeType="PostPaid")
    assert ZONE in {one["ZoneId"] for one in zones["Zones"]["Zone"]}


@pytest.mark.parametrize("product", [SLB, ECS], ids=lambda product: product.name)
def test_zones_have_names_in_the_language_asked_for(account: Account, product: Product) -> None:
    for language, region, name in (
        ("en-US", "cn-hangzhou", "Hangzhou Zone H"),
        ("zh-CN", "cn-hangzhou", "杭州 可用区H"),
        ("", "cn-hongkong", "中国香港 可用区H"),
        ("en-US", "ap-southeast-1", "Singapore Zone H"),
    ):
        found = account.call(product, "DescribeZones", RegionId=region, AcceptLanguage=language)
        names = {one["ZoneId"]: one["LocalName"] for one in found["Zones"]["Zone"]}
        assert names[f"{region}-h"] == name


def test_zones_in_detail_say_what_they_sell(account: Account) -> None:
    sold = account.ecs("DescribeInstanceTypes")["InstanceTypes"]["InstanceType"]
    for zone in account.ecs("DescribeZones")["Zones"]["Zone"]:
        [details] = zone["AvailableResources"]["ResourcesInfo"]
        kinds = details["InstanceTypes"]["supportedInstanceType"]
        families = details["InstanceTypeFamilies"]["supportedInstanceTypeFamily"]
        assert set(kinds) == {one["InstanceTypeId"] for one in sold}
        assert set(families) == {one["InstanceTypeFamily"] for one in sold}
    for zone in account.ecs("DescribeZones", Verbose="false")["Zones"]["Zone"]:
        assert "AvailableResources" not in zone


@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS"])
def test_a_listener_says_whether_it_checks(site: ListenerSite, protocol: str) -> None:
    given = {
        "RegionId": "cn-hangzhou",
        "LoadBalancerId": site.balancer,
        "ListenerPort": "443",
        "BackendServerPort": "80",
        "ServerCertificateId": site.server_certificate,
    }
    if protocol == "HTTP":
        del given["ServerCertificateId"]
    with pytest.raises(ApiError, match="HealthCheck") as caught:
        site.account.api.act(Call(SLB.version, f"CreateLoadBalancer{protocol}Listener", given))
    assert caught.value.code == "MissingParameter"


def test_a_load_balancer_in_a_vswitch_is_internal_unless_it_says_otherwise(
    account: Account,
) -> None:
    switch = account.make_vswitch(account.make_vpc())
    for given, expected in (({}, "intranet"), ({"AddressType": "internet"}, "internet")):
        key = account.make_load_balancer(VSwitchId=switch, **given)
        found = account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=key)
        assert found["AddressType"] == expected


def test_bandwidth_of_a_load_balancer(account: Account) -> None:
    key = account.make_load_balancer(Bandwidth=5120)
    of = {"LoadBalancerId": key}
    assert account.slb("DescribeLoadBalancerAttribute", **of)["Bandwidth"] == 5120
    for action, bandwidth in (
        ("CreateLoadBalancer", 5121),
        ("ModifyLoadBalancerInternetSpec", 5001),
    ):
        assert account.refusal(SLB, action, **of, Bandwidth=bandwidth).code in {
            "InvalidParameter",
            "UnsupportedParameter",
        }


@pytest.mark.parametrize("name", ["1lb", "/lb", "-lb", "", "a" * 81])
def test_a_load_balancer_s_name_begins_with_a_letter(account: Account, name: str) -> None:
    given = {"InstanceChargeType": "PayByCLCU", "LoadBalancerName": name}
    assert account.refusal(SLB, "CreateLoadBalancer", **given).code == "InvalidParameter"
    key = account.make_load_balancer(LoadBalancerName="负载均衡/1")
    renamed = {"LoadBalancerId": key, "LoadBalancerName": name}
    assert account.refusal(SLB, "SetLoadBalancerName", **renamed).code == "InvalidParameter"


@pytest.mark.parametrize(
    ("product", "action", "most"),
    [
        (SLB, "DescribeLoadBalancers", 100),
        (ECS, "DescribeInstances", 100),
        (ECS, "DescribeInstanceRamRole", 50),
        (VPC, "DescribeVpcs", 50),
        (VPC, "DescribeVSwitches", 50),
    ],
)
def test_pages_are_of_a_size(account: Account, product: Product, action: str, most: int) -> None:
    account.call(product, action, PageSize=most)
    for size in (0, most + 1):
        assert account.refusal(product, action, PageSize=size).code == "InvalidParameter"


def test_tags_to_add_are_given_and_slb_s_keys_are_short(account: Account) -> None:
    of = {"ResourceType": "instance", "ResourceId__1": account.make_load_balancer()}
    assert account.refusal(SLB, "TagResources", **of).code == "MissingParameter"
    account.slb("TagResources", **of, Tag__1__Key="k" * 64)
    long = account.refusal(SLB, "TagResources", **of, Tag__1__Key="k" * 65)
    assert long.code == "InvalidParameter"
    instance = {"ResourceType": "instance", "ResourceId__1": account.make_instance()}
    account.ecs("TagResources", **instance, Tag__1__Key="k" * 128)


@pytest.mark.parametrize(
    ("domain", "served"),
    [("a.example", "a.example"), (".example.com", ".example.com"), ("$_ip", None), ("", None)],
)
def test_a_domain_of_health_checks_is_what_both_take(
    site: ListenerSite, domain: str, served
) -> None:
    site.create(HealthCheckDomain=domain)
    site.call("StartLoadBalancerListener")
    assert site.served[0].health_check.domain == served
    assert site.describe()["HealthCheckDomain"] == domain


@pytest.mark.parametrize("domain", ["a_b.example", "exämple", "a" * 81, "$_IP", "a b", "%[src]"])
def test_a_domain_of_health_checks_that_cannot_be(site: ListenerSite, domain: str) -> None:
    site.create()
    for action in ("CreateLoadBalancerHTTPSListener", "SetLoadBalancerHTTPSListenerAttribute"):
        given = {
            "ListenerPort": 443 if action.startswith("Set") else 444,
            "LoadBalancerId": site.balancer,
            "BackendServerPort": 8080,
            "ServerCertificateId": site.server_certificate,
            "HealthCheckDomain": domain,
        }
        error = site.account.refusal(SLB, action, **given)
        assert (error.status, error.code) == (400, "InvalidParameter")
        assert "HealthCheckDomain" in error.message
        assert domain not in error.message


@pytest.mark.parametrize("uri", ["/é", "/名", "/a b", "/'", "/a\\", "/" + "a" * 80, "//\x7f"])
def test_a_path_of_health_checks_that_the_data_plane_has_no_word_for(
    site: ListenerSite, uri: str
) -> None:
    site.create()
    code = site.refusal("SetLoadBalancerHTTPSListenerAttribute", HealthCheckURI=uri)
    assert code == (400, "InvalidParameter")


@pytest.mark.parametrize("block", ["10.0.0.0/0008", "10.0.0.0", "10.0.0.0/8%lo", "::1/128\n"])
def test_a_block_of_addresses_that_the_data_plane_has_no_word_for(
    account: Account, block: str
) -> None:
    acl = account.slb("CreateAccessControlList", AclName="a")["AclId"]
    given = {"AclId": acl, "AclEntrys": json.dumps([{"entry": block}])}
    assert account.refusal(SLB, "AddAccessControlListEntry", **given).code == "InvalidEntry"


def test_a_further_domain_that_is_too_long_for_any_name_is_refused(site: ListenerSite) -> None:
    site.create()
    domain = ".".join(["a" * 60] * 5) + ".example"
    given = {"Domain": domain, "ServerCertificateId": site.server_certificate}
    assert site.refusal("CreateDomainExtension", **given) == (400, "InvalidParameter")


def test_the_scheduler_by_connections_is_served(site: ListenerSite) -> None:
    site.create(Scheduler="wlc")
    site.call("StartLoadBalancerListener")
    assert site.served[0].scheduler == site.describe()["Scheduler"] == "wlc"


class Balance:
    """A load balancer with a listener of HTTP on port 80, looked at from both sides."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.key = account.make_load_balancer()
        self.create(80)

    def create(self, port: int) -> None:
        self.call("CreateLoadBalancerHTTPListener", port, BackendServerPort=8080)

    def call(self, action: str, port: int, **parameters: object) -> dict:
        of = {"LoadBalancerId": self.key, "ListenerPort": port}
        return self.account.slb(action, **of, **parameters)

    def set(self, status: str) -> None:
        self.account.slb(
            "SetLoadBalancerStatus", LoadBalancerId=self.key, LoadBalancerStatus=status
        )

    @property
    def status(self) -> str:
        found = self.account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=self.key)
        return found["LoadBalancerStatus"]

    def listener_status(self, port: int) -> str:
        return self.call("DescribeLoadBalancerHTTPListenerAttribute", port)["Status"]

    @property
    def ports(self) -> set[int]:
        return {port for _, _, port in self.account.plane.served}


@pytest.fixture
def balance(account: Account) -> Balance:
    return Balance(account)


def test_a_listener_has_a_status_of_its_own(balance: Balance) -> None:
    balance.create(81)
    balance.call("StartLoadBalancerListener", 80)
    assert balance.ports == {80}
    balance.set("inactive")
    assert balance.ports == set()
    # What was never started is not started, what was goes on, and can be changed meanwhile.
    assert [balance.listener_status(port) for port in (80, 81)] == ["running", "stopped"]
    balance.create(82)
    balance.call("StartLoadBalancerListener", 82)
    assert (balance.ports, balance.status) == (set(), "inactive")
    balance.set("active")
    assert balance.ports == {80, 82}
    balance.set("inactive")
    balance.call("StopLoadBalancerListener", 80)
    balance.set("active")
    assert balance.ports == {82}


def test_a_load_balancer_without_a_listener_is_inactive_until_one_starts(balance: Balance) -> None:
    balance.create(81)
    balance.call("DeleteLoadBalancerListener", 81)
    assert balance.status == "active"
    balance.call("DeleteLoadBalancerListener", 80)
    assert balance.status == "inactive"
    balance.create(80)
    assert balance.status == "inactive"
    balance.call("StartLoadBalancerListener", 80)
    assert (balance.status, balance.ports) == ("active", {80})


def test_what_somebody_made_inactive_stays_so(balance: Balance) -> None:
    balance.set("inactive")
    balance.call("DeleteLoadBalancerListener", 80)
    balance.create(80)
    balance.call("StartLoadBalancerListener", 80)
    assert (balance.status, balance.ports) == ("inactive", set())


def test_a_dry_run_says_that_it_would_be_done_and_does_nothing(account: Account) -> None:
    vpc = account.make_vpc()
    switch = account.make_vswitch(vpc)
    of = {"VpcId": vpc, "VSwitchId": switch, "CidrBlock": "10.0.0.0/8"}
    before = account.store.everything()
    tried = 0
    for product in (ECS, VPC):
        for action in product.actions.values():
            if not issubclass(action.request, DryRequest) or action.name == "RunInstances":
                continue
            given = {name: of[name] for name in of if name in action.request.model_fields}
            if action.name == "DeleteVpc":
                given["VpcId"] = unused = account.make_vpc()
                before = account.store.everything()
            error = account.refusal(product, action.name, **given, DryRun="true")
            assert (error.status, error.code) == (400, "DryRunOperation"), action.name
            wrong = account.refusal(
                product, action.name, **{**given, "RegionId": "no"}, DryRun="true"
            )
            assert wrong.code == "InvalidRegionId.NotFound"
            assert account.store.everything() == before
            tried += 1
    assert tried > 8
    assert account.vpc("DeleteVpc", VpcId=unused, DryRun="false") == {}
    error = account.refusal(VPC, "DeleteVpc", VpcId=vpc, DryRun="true")
    assert error.code.startswith("DependencyViolation")
