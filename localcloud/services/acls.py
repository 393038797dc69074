"""Access control lists: blocks of addresses that listeners admit or shut out.

Limits: https://www.alibabacloud.com/help/doc-detail/85979.htm and the pages of each action.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from localcloud.cloud import Cloud
from localcloud.dataplane import haproxy_syntax as syntax
from localcloud.dataplane.model import RefusedError
from localcloud.documents import AccessControlList, AclEntry, Listener, LoadBalancer, new_id
from localcloud.errors import ApiError, invalid
from localcloud.products import SLB, Answer
from localcloud.requests import ActionRequest, PagedRequest, TaggedRequest
from localcloud.services.answers import creation_time
from localcloud.services.tags import has_tags, tag_keys

PER_CALL = 50
"""Number of entries that one call takes."""

PER_LIST = 300
"""Number of entries that one list holds."""

PER_LISTENER = 3
"""Number of lists that one listener uses."""

ENTRIES_PER_LISTENER = 1000
"""Number of entries in all lists of one listener."""

MOST = 200
"""Number of lists in a region."""

Name = Annotated[str, Field(pattern=r"^[\w./-]{1,80}$")]


class CreateAccessControlList(TaggedRequest):
    AclName: Name
    AddressIPVersion: Literal["ipv4", "ipv6"] = "ipv4"
    ResourceGroupId: str = "rg-default"


class OfAcl(ActionRequest):
    AclId: str


class SetAccessControlListAttribute(OfAcl):
    AclName: Name


class AddAccessControlListEntry(OfAcl):
    AclEntrys: str = ""


class RemoveAccessControlListEntry(OfAcl):
    AclEntrys: str = ""


class DescribeAccessControlListAttribute(OfAcl):
    AclEntryComment: str = ""
    Page: int | None = None
    PageSize: int = 10


class DescribeAccessControlLists(PagedRequest, TaggedRequest):
    AclName: str = ""
    AddressIPVersion: Literal["", "ipv4", "ipv6"] = ""
    ResourceGroupId: str = ""


class GivenEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    entry: str
    comment: str = ""


ENTRIES = TypeAdapter(list[GivenEntry])


@SLB.action
def create_acl(cloud: Cloud, request: CreateAccessControlList) -> Answer:
    present = cloud.store.all(AccessControlList, region=request.RegionId)
    _require_free_name(present, request.AclName)
    if len(present) >= MOST:
        raise ApiError(400, "OverQuota", "The Total is over the quota.")
    acl = AccessControlList(
        id=new_id("acl"),
        region=request.RegionId,
        name=request.AclName,
        address_ip_version=request.AddressIPVersion,
        resource_group_id=request.ResourceGroupId,
        tags=request.tags(),
    )
    cloud.store.put(acl)
    return {"AclId": acl.id}


@SLB.action
def set_acl(cloud: Cloud, request: SetAccessControlListAttribute) -> Answer:
    acl = _find_requested_acl(cloud, request)
    others = [
        other
        for other in cloud.store.all(AccessControlList, region=acl.region)
        if other.id != acl.id
    ]
    _require_free_name(others, request.AclName)
    acl.name = request.AclName
    cloud.store.put(acl)
    return {}


@SLB.action
def add_entries(cloud: Cloud, request: AddAccessControlListEntry) -> Answer:
    acl = _find_requested_acl(cloud, request)
    present = {entry.entry for entry in acl.entries}
    for entry in _read_entries(request.AclEntrys):
        block = _block(entry.entry)
        if f"ipv{block.version}" != acl.address_ip_version:
            raise ApiError(400, "IllegalEntry", "Entry version is conflict to the acl version.")
        if entry.entry in present:
            raise ApiError(
                400,
                "InvalidParam.AclEntryExists",
                "The specified aclEntry already exists in the acl.",
            )
        acl.entries.append(AclEntry(entry=entry.entry, comment=entry.comment))
    if len(acl.entries) > PER_LIST:
        raise ApiError(400, "AclEntryOverLimit", f"A list holds {PER_LIST} entries at most.")
    cloud.store.put(acl)
    for listener in _find_users(cloud, acl):
        require_usable(cloud, _find_owner(cloud, listener), listener.acl_ids)
    cloud.apply()
    return {}


@SLB.action
def remove_entries(cloud: Cloud, request: RemoveAccessControlListEntry) -> Answer:
    acl = _find_requested_acl(cloud, request)
    gone = {entry.entry for entry in _read_entries(request.AclEntrys)}
    if gone - {entry.entry for entry in acl.entries}:
        # The provider takes this code for "is gone already".
        raise ApiError(400, "AclEntryEmpty", "The specified aclEntry is not in the acl.")
    acl.entries = [entry for entry in acl.entries if entry.entry not in gone]
    cloud.store.put(acl)
    cloud.apply()
    return {}


@SLB.action
def describe_acl(cloud: Cloud, request: DescribeAccessControlListAttribute) -> Answer:
    acl = _find_requested_acl(cloud, request)
    entries = [entry for entry in acl.entries if request.AclEntryComment in entry.comment]
    if request.Page is not None:
        first = (request.Page - 1) * request.PageSize
        entries = entries[first : first + request.PageSize]
    return {
        **_describe(acl),
        "AclEntrys": {
            "AclEntry": [
                {"AclEntryIP": entry.entry, "AclEntryComment": entry.comment} for entry in entries
            ]
        },
        "TotalAclEntry": len(acl.entries),
        "RelatedListeners": {
            "RelatedListener": [
                {
                    "LoadBalancerId": listener.load_balancer_id,
                    "ListenerPort": listener.port,
                    "Protocol": listener.protocol,
                    "AclType": listener.attributes["AclType"],
                }
                for listener in _find_users(cloud, acl)
            ]
        },
    }


@SLB.action
def describe_acls(cloud: Cloud, request: DescribeAccessControlLists) -> Answer:
    lists = [
        acl
        for acl in cloud.store.all(AccessControlList, region=request.RegionId)
        if request.AclName in acl.name
        and request.AddressIPVersion in {"", acl.address_ip_version}
        and request.ResourceGroupId in {"", acl.resource_group_id}
        and has_tags(acl, request.Tag)
    ]
    page = request.page(lists)
    return {
        "Acls": {"Acl": [_describe(acl) for acl in page]},
        "Count": len(page),
        **request.paging(lists),
    }


@SLB.action_named("DeleteAccessControlList")
def delete_acl(cloud: Cloud, request: OfAcl) -> Answer:
    acl = _find_requested_acl(cloud, request)
    if _find_users(cloud, acl):
        raise ApiError(400, "OperationFailed.AclBindedWithVip", "The ACL has binded with vip.")
    cloud.store.delete(acl)
    return {}


def require_usable(cloud: Cloud, owner: LoadBalancer, ids: Sequence[str]) -> None:
    """Check that a load balancer's listener can use these lists together.

    Raises:
        ApiError: A list is missing or of another IP version, or they hold too much or the same.
    """
    if len(ids) > PER_LISTENER:
        raise invalid("AclId", f"A listener uses {PER_LISTENER} lists at most.")
    if len(set(ids)) < len(ids):
        raise invalid("AclId", "It names a list twice.")
    lists = [_find_acl(cloud, key, owner.region) for key in ids]
    for acl in lists:
        if acl.address_ip_version != owner.address_ip_version:
            raise invalid(
                "AclId",
                f"{acl.id} is of {acl.address_ip_version}, the load balancer of "
                f"{owner.address_ip_version}.",
            )
    entries = [entry.entry for acl in lists for entry in acl.entries]
    if len(set(entries)) < len(entries):
        raise invalid("AclId", "The lists of a listener have no entry in common.")
    if len(entries) > ENTRIES_PER_LISTENER:
        raise invalid("AclId", f"The lists hold more than {ENTRIES_PER_LISTENER} entries.")


def _find_requested_acl(cloud: Cloud, request: OfAcl) -> AccessControlList:
    return _find_acl(cloud, request.AclId, request.RegionId)


def _find_acl(cloud: Cloud, key: str, region: str) -> AccessControlList:
    acl = cloud.store.get(AccessControlList, key)
    if acl is None or region not in {"", acl.region}:
        raise ApiError(404, "AclNotExist", "The specified acl does not exist.")
    return acl


def _find_users(cloud: Cloud, acl: AccessControlList) -> list[Listener]:
    return [listener for listener in cloud.store.all(Listener) if acl.id in listener.acl_ids]


def _find_owner(cloud: Cloud, listener: Listener) -> LoadBalancer:
    balancer = cloud.store.get(LoadBalancer, listener.load_balancer_id)
    if balancer is None:
        raise LookupError(f"{listener.id} has no load balancer")
    return balancer


def _require_free_name(others: Iterable[AccessControlList], name: str) -> None:
    if any(other.name == name for other in others):
        raise invalid("AclName", "Another list of the region has it.")


def _read_entries(text: str) -> list[GivenEntry]:
    """Read the entries of a call; entries that are there twice count once."""
    try:
        entries = ENTRIES.validate_json(text or "[]")
    except ValidationError as error:
        raise invalid("AclEntrys", error.errors()[0]["msg"] + ".") from None
    if not entries:
        raise ApiError(400, "MissingParameter", "AclEntrys holds no entry.")
    if len(entries) > PER_CALL:
        raise invalid("AclEntrys", f"A call takes {PER_CALL} entries at most.")
    return list({entry.entry: entry for entry in reversed(entries)}.values())[::-1]


def _block(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    error = ApiError(
        400, "InvalidEntry", "An entry is a CIDR block such as 10.0.0.0/8 or 192.0.2.7/32."
    )
    try:
        block = ipaddress.ip_network(syntax.check_cidr_block(text))
    except RefusedError:
        raise error from None
    if "/" not in text:
        raise error
    return block


def _describe(acl: AccessControlList) -> dict[str, Any]:
    return {
        "AclId": acl.id,
        "AclName": acl.name,
        "AddressIPVersion": acl.address_ip_version,
        "ResourceGroupId": acl.resource_group_id,
        "CreateTime": creation_time(acl),
        "Tags": {"Tag": tag_keys(acl)},
    }
