"""Tags, in the dialects of three products."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from localcloud.products import ECS, SLB, VPC, Product
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.fake_plane import Account

UNTAG = {SLB.name: "UntagResources", ECS.name: "UntagResources", VPC.name: "UnTagResources"}


def make(account: Account, product: Product, kind: str) -> str:
    text = certificate(rsa_key())
    makers: dict[tuple[str, str], Callable[[], str]] = {
        ("Slb", "instance"): account.make_load_balancer,
        ("Slb", "certificate"): lambda: account.slb(
            "UploadServerCertificate", ServerCertificate=text, PrivateKey=private_key(rsa_key())
        )["ServerCertificateId"],
        ("Slb", "CA certificate"): lambda: account.slb("UploadCACertificate", CACertificate=text)[
            "CACertificateId"
        ],
        ("Slb", "listener"): lambda: make_listener(account),
        ("Vpc", "VPC"): account.make_vpc,
        ("Vpc", "VSWITCH"): lambda: account.make_vswitch(account.make_vpc()),
        ("Ecs", "securitygroup"): lambda: account.make_group(account.make_vpc()),
        ("Ecs", "instance"): account.make_instance,
    }
    return makers[product.name, kind]()


def make_listener(account: Account, **tags: str) -> str:
    """A listener's id where tags are concerned."""
    balancer = account.make_load_balancer()
    of = {"LoadBalancerId": balancer, "ListenerPort": 80}
    account.slb("CreateLoadBalancerHTTPListener", **of, BackendServerPort=8080, **tags)
    return f"{balancer}_http_80"


def tags(account: Account, product: Product, kind: str, key: str) -> dict[str, str]:
    found = account.call(product, "ListTagResources", ResourceType=kind, ResourceId__1=key)
    listed = found["TagResources"]["TagResource"]
    assert {(one["ResourceId"], one["ResourceType"]) for one in listed} <= {(key, kind)}
    return {one["TagKey"]: one["TagValue"] for one in listed}


@pytest.mark.parametrize(
    ("product", "kind"),
    [
        (SLB, "instance"),
        (SLB, "certificate"),
        (SLB, "CA certificate"),
        (SLB, "listener"),
        (VPC, "VPC"),
        (VPC, "VSWITCH"),
        (ECS, "instance"),
        (ECS, "securitygroup"),
    ],
    ids=lambda value: value.name if isinstance(value, Product) else value,
)
def test_tags_come_change_and_go(account: Account, product: Product, kind: str) -> None:
    key = make(account, product, kind)
    of = {"ResourceType": kind.removeprefix("CA "), "ResourceId__1": key}
    account.call(product, "TagResources", **of, Tag__1__Key="a", Tag__1__Value="1", Tag__2__Key="b")
    assert tags(account, product, of["ResourceType"], key) == {"a": "1", "b": ""}
    account.call(product, "TagResources", **of, Tag__1__Key="a", Tag__1__Value="2")
    account.call(product, UNTAG[product.name], **of, TagKey__1="b", TagKey__2="never")
    assert tags(account, product, of["ResourceType"], key) == {"a": "2"}
    account.call(product, UNTAG[product.name], **of, All="true")
    assert tags(account, product, of["ResourceType"], key) == {}


def test_tags_given_at_creation_are_there(account: Account) -> None:
    key = account.vpc("CreateVpc", Tag__1__Key="a", Tag__1__Value="1")["VpcId"]
    assert tags(account, VPC, "VPC", key) == {"a": "1"}
    assert account.vpc("DescribeVpcAttribute", VpcId=key)["Tags"]["Tag"] == [
        {"Key": "a", "Value": "1"}
    ]


@pytest.mark.parametrize("product", [SLB, VPC, ECS], ids=lambda product: product.name)
def test_what_is_gone_has_no_tags_and_that_is_no_error(account: Account, product) -> None:
    kind = "VPC" if product is VPC else "instance"
    assert tags(account, product, kind, "gone") == {}


@pytest.mark.parametrize("product", [SLB, VPC, ECS], ids=lambda product: product.name)
def test_other_types_of_resources_have_no_tags(account: Account, product: Product) -> None:
    error = account.refusal(product, "ListTagResources", ResourceType="disk", ResourceId__1="d-1")
    assert (error.status, error.code) == (400, "InvalidParameter")


def test_a_resource_has_twenty_tags_at_most(account: Account) -> None:
    key = account.make_vpc()
    of = {"ResourceType": "VPC", "ResourceId__1": key}
    given = {f"Tag__{number}__Key": f"k{number}" for number in range(1, 22)}
    assert account.refusal(VPC, "TagResources", **of, **given).code == "InvalidParameter"
    assert tags(account, VPC, "VPC", key) == {}
    del given["Tag__21__Key"]
    account.vpc("TagResources", **of, **given)
    assert len(tags(account, VPC, "VPC", key)) == 20


@pytest.mark.parametrize("text", ["aliyun", "Acs:x", "a http://b", "https://b"])
def test_tags_that_are_the_cloud_s_own_or_have_links_are_refused(
    account: Account, text: str
) -> None:
    of = {"ResourceType": "VPC", "ResourceId__1": account.make_vpc()}
    for tag in ({"Tag__1__Key": text}, {"Tag__1__Key": "a", "Tag__1__Value": text}):
        assert account.refusal(VPC, "TagResources", **of, **tag).code == "InvalidParameter"


def test_actions_without_tags_refuse_them(account: Account) -> None:
    error = account.refusal(VPC, "DeleteVpc", VpcId=account.make_vpc(), Tag__1__Key="a")
    assert error.code == "UnsupportedParameter"


def test_tags_of_a_listener_are_described_and_found(account: Account) -> None:
    key = make_listener(account, Tag__1__Key="a", Tag__1__Value="1")
    make_listener(account)
    assert tags(account, SLB, "listener", key) == {"a": "1"}
    balancer, _, _ = key.partition("_")
    shown = account.slb(
        "DescribeLoadBalancerHTTPListenerAttribute", LoadBalancerId=balancer, ListenerPort=80
    )
    [listed] = account.slb("DescribeLoadBalancerListeners", Tag__1__Key="a")["Listeners"]
    assert shown["Tags"]["Tag"] == listed["Tags"] == [{"TagKey": "a", "TagValue": "1"}]
    assert listed["LoadBalancerId"] == balancer
    assert account.slb("DescribeLoadBalancerListeners", Tag__1__Key="b")["Listeners"] == []


@pytest.mark.parametrize(
    ("product", "kind"), [(SLB, "instance"), (SLB, "listener"), (VPC, "VPC"), (ECS, "instance")]
)
def test_tags_are_found_without_their_resources_ids(
    account: Account, product: Product, kind: str
) -> None:
    tagged, other = make(account, product, kind), make(account, product, kind)
    of = {"ResourceType": kind}
    account.call(product, "TagResources", **of, ResourceId__1=tagged, Tag__1__Key="a")
    account.call(product, "TagResources", **of, ResourceId__1=other, Tag__1__Key="b")
    for wanted, keys in (({}, {tagged, other}), ({"Tag__1__Key": "a"}, {tagged})):
        found = account.call(product, "ListTagResources", **of, **wanted)
        assert {one["ResourceId"] for one in found["TagResources"]["TagResource"]} == keys
    elsewhere = account.call(product, "ListTagResources", **{**of, "RegionId": "cn-shanghai"})
    assert elsewhere["TagResources"]["TagResource"] == []
