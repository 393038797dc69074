"""Access control lists: what they hold, and what listeners make of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.dataplane.model import AccessControl
from localcloud.products import SLB
from localcloud.services import acls
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.listener_site import ListenerSite


def make(account: Account, *blocks: str, **parameters: Any) -> str:
    number = len(account.store.everything()["acl"])
    given = {"AclName": f"list-{number}", **parameters}
    key: str = account.slb("CreateAccessControlList", **given)["AclId"]
    if blocks:
        add(account, key, *blocks)
    return key


def entries(*blocks: str) -> str:
    return json.dumps([{"entry": block, "comment": f"about {block}"} for block in blocks])


def add(account: Account, key: str, *blocks: str) -> None:
    account.slb("AddAccessControlListEntry", AclId=key, AclEntrys=entries(*blocks))


def held(account: Account, key: str) -> list[str]:
    found = account.slb("DescribeAccessControlListAttribute", AclId=key)
    return [one["AclEntryIP"] for one in found["AclEntrys"]["AclEntry"]]


def test_entries_come_and_go(account: Account) -> None:
    key = make(account, "10.0.0.0/8", "192.0.2.7/32")
    assert held(account, key) == ["10.0.0.0/8", "192.0.2.7/32"]
    found = account.slb("DescribeAccessControlListAttribute", AclId=key)
    assert found["TotalAclEntry"] == 2
    assert found["AclEntrys"]["AclEntry"][0]["AclEntryComment"] == "about 10.0.0.0/8"
    gone = entries("10.0.0.0/8")
    account.slb("RemoveAccessControlListEntry", AclId=key, AclEntrys=gone)
    assert held(account, key) == ["192.0.2.7/32"]
    error = account.refusal(SLB, "RemoveAccessControlListEntry", AclId=key, AclEntrys=gone)
    assert (error.status, error.code) == (400, "AclEntryEmpty")


def test_an_entry_named_twice_in_a_call_comes_once(account: Account) -> None:
    key = make(account, "10.0.0.0/8", "10.0.0.0/8")
    assert held(account, key) == ["10.0.0.0/8"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (entries("10.0.0.0/8"), "InvalidParam.AclEntryExists"),
        (entries("2001:db8::/32"), "IllegalEntry"),
        (entries("192.0.2.7"), "InvalidEntry"),
        (entries("10.0.0.1/8"), "InvalidEntry"),
        (entries("10.0.0.0/33"), "InvalidEntry"),
        (entries("::1%lo/128"), "InvalidEntry"),
        (entries("10.0.0.0/8\n"), "InvalidEntry"),
        (entries("app.example.com"), "InvalidEntry"),
        ("10.0.0.0/8", "InvalidParameter"),
        ('[{"cidr": "10.0.0.0/8"}]', "InvalidParameter"),
        ("[]", "MissingParameter"),
        (entries(*(f"10.0.{n}.0/24" for n in range(51))), "InvalidParameter"),
    ],
)
def test_entries_that_cannot_be(account: Account, text: str, code: str) -> None:
    key = make(account, "10.0.0.0/8")
    error = account.refusal(SLB, "AddAccessControlListEntry", AclId=key, AclEntrys=text)
    assert (error.status, error.code) == (400, code)
    assert held(account, key) == ["10.0.0.0/8"]


def test_a_list_holds_three_hundred_entries(account: Account) -> None:
    key = make(account)
    for part in range(acls.PER_LIST // acls.PER_CALL):
        add(account, key, *(f"10.{part}.{n}.0/24" for n in range(acls.PER_CALL)))
    error = account.refusal(
        SLB, "AddAccessControlListEntry", AclId=key, AclEntrys=entries("192.0.2.0/24")
    )
    assert error.code == "AclEntryOverLimit"
    assert len(held(account, key)) == acls.PER_LIST


def test_an_ipv6_list_takes_ipv6(account: Account) -> None:
    key = make(account, "2001:db8::/32", AddressIPVersion="ipv6")
    error = account.refusal(
        SLB, "AddAccessControlListEntry", AclId=key, AclEntrys=entries("10.0.0.0/8")
    )
    assert error.code == "IllegalEntry"


def test_names_are_of_one_list_in_a_region(account: Account) -> None:
    first = make(account, AclName="office")
    assert account.refusal(SLB, "CreateAccessControlList", AclName="office").code == (
        "InvalidParameter"
    )
    make(account, AclName="office", RegionId="cn-beijing")
    second = make(account, AclName="home")
    of = {"AclId": second}
    assert account.refusal(SLB, "SetAccessControlListAttribute", **of, AclName="office").code == (
        "InvalidParameter"
    )
    account.slb("SetAccessControlListAttribute", **of, AclName="other")
    account.slb("SetAccessControlListAttribute", AclId=first, AclName="office")
    assert account.refusal(SLB, "CreateAccessControlList", AclName="a b").code == (
        "InvalidParameter"
    )


@pytest.mark.parametrize(
    "action",
    [
        "DescribeAccessControlListAttribute",
        "AddAccessControlListEntry",
        "RemoveAccessControlListEntry",
        "DeleteAccessControlList",
    ],
)
def test_a_list_that_is_not_there(account: Account, action: str) -> None:
    error = account.refusal(SLB, action, AclId="acl-none")
    # The provider takes this code for "is gone".
    assert (error.status, error.code) == (404, "AclNotExist")


def test_lists_are_found_by_what_they_are(account: Account) -> None:
    office = make(account, AclName="office", Tag__1__Key="a", Tag__1__Value="b")
    home = make(account, AclName="home-office", AddressIPVersion="ipv6", ResourceGroupId="rg-1")
    make(account, RegionId="cn-beijing")

    def found(**parameters: Any) -> list[str]:
        answer = account.slb("DescribeAccessControlLists", **parameters)
        return [one["AclId"] for one in answer["Acls"]["Acl"]]

    assert found() == found(AclName="office") == [office, home]
    assert found(AddressIPVersion="ipv6") == found(ResourceGroupId="rg-1") == [home]
    assert found(Tag__1__Key="a", Tag__1__Value="b") == found(Tag__1__Key="a") == [office]
    assert found(Tag__1__Key="a", Tag__1__Value="c") == []
    assert found(PageSize=1, PageNumber=2) == [home]


def test_a_listener_admits_or_shuts_out_what_its_lists_hold(site: ListenerSite) -> None:
    first = make(site.account, "10.0.0.0/8")
    second = make(site.account, "192.0.2.0/24")
    site.create(AclStatus="on", AclType="white", AclId=f"{first},{second}")
    site.call("StartLoadBalancerListener")
    [served] = site.served
    assert served.access_control == AccessControl("white", ("10.0.0.0/8", "192.0.2.0/24"))
    described = site.describe()
    assert described["AclIds"] == {"AclId": [first, second]}
    add(site.account, second, "198.51.100.0/24")
    site.set(AclType="black")
    assert site.served[0].access_control == AccessControl(
        "black", ("10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24")
    )
    gone = entries("10.0.0.0/8")
    site.account.slb("RemoveAccessControlListEntry", AclId=first, AclEntrys=gone)
    assert "10.0.0.0/8" not in site.served[0].access_control.entries
    site.set(AclStatus="off")
    assert site.served[0].access_control is None
    shown = site.describe()
    assert shown["AclStatus"] == "off"
    assert not {"AclType", "AclId", "AclIds"} & shown.keys()
    [listed] = site.account.slb("DescribeLoadBalancerListeners")["Listeners"]
    assert not {"AclType", "AclId", "AclIds"} & listed.keys()
    # Kept, however: the provider sends what changes and no more.
    site.set(AclStatus="on")
    assert site.served[0].access_control.type == "black"
    site.set(AclStatus="off")
    site.account.slb("DeleteAccessControlList", AclId=first)
    assert site.refusal("SetLoadBalancerHTTPSListenerAttribute", AclStatus="on") == (
        404,
        "AclNotExist",
    )


def test_a_list_in_use_stays(site: ListenerSite) -> None:
    key = make(site.account, "10.0.0.0/8")
    site.create(AclStatus="on", AclType="black", AclId=key)
    found = site.account.slb("DescribeAccessControlListAttribute", AclId=key)
    assert found["RelatedListeners"]["RelatedListener"] == [
        {
            "LoadBalancerId": site.balancer,
            "ListenerPort": 443,
            "Protocol": "https",
            "AclType": "black",
        }
    ]
    error = site.account.refusal(SLB, "DeleteAccessControlList", AclId=key)
    assert (error.status, error.code) == (400, "OperationFailed.AclBindedWithVip")
    site.set(AclStatus="off")
    site.account.slb("DeleteAccessControlList", AclId=key)


def test_lists_that_a_listener_cannot_use(site: ListenerSite) -> None:
    one, same = make(site.account, "10.0.0.0/8"), make(site.account, "10.0.0.0/8")
    sixth = make(site.account, "2001:db8::/32", AddressIPVersion="ipv6")
    others = [make(site.account) for _ in range(3)]
    site.create()
    on = {"AclStatus": "on", "AclType": "white"}
    for ids in ([one, same], [sixth], [one, *others], [one, one]):
        assert site.refusal("SetLoadBalancerHTTPSListenerAttribute", **on, AclId=",".join(ids)) == (
            400,
            "InvalidParameter",
        )
    site.set(**on, AclId=",".join([one, *others[:2]]))
    error = site.account.refusal(
        SLB, "AddAccessControlListEntry", AclId=others[0], AclEntrys=entries("10.0.0.0/8")
    )
    assert error.code == "InvalidParameter"
    assert held(site.account, others[0]) == []


def test_entries_are_told_page_by_page(account: Account) -> None:
    key = make(account, "10.0.0.0/8", "192.0.2.7/32", "198.51.100.0/24")
    shown = account.slb("DescribeAccessControlListAttribute", AclId=key, Page=2, PageSize=2)
    assert [one["AclEntryIP"] for one in shown["AclEntrys"]["AclEntry"]] == ["198.51.100.0/24"]
