"""Tags, in the three dialects that SLB, VPC and ECS speak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.cloud import Cloud
from localcloud.documents import (
    AccessControlList,
    CaCertificate,
    Document,
    Instance,
    Listener,
    LoadBalancer,
    SecurityGroup,
    UploadedServerCertificate,
    Vpc,
    VServerGroup,
    VSwitch,
)
from localcloud.errors import invalid
from localcloud.products import ECS, SLB, VPC, Answer, Product
from localcloud.requests import ActionRequest, KeyValue, TaggedRequest

LONGEST = 20
"""Number of tags that one resource can have."""

Kinds = Mapping[str, tuple[type[Document], ...]]

SLB_KINDS: Kinds = {
    "instance": (LoadBalancer,),
    "certificate": (UploadedServerCertificate, CaCertificate),
    "acl": (AccessControlList,),
    "listener": (Listener,),
    "vservergroup": (VServerGroup,),
}
VPC_KINDS: Kinds = {"VPC": (Vpc,), "VSWITCH": (VSwitch,)}
# Disks are part of their instance here, so that nobody can tag one.
ECS_KINDS: Kinds = {"instance": (Instance,), "securitygroup": (SecurityGroup,)}


class TagResources(TaggedRequest):
    ResourceType: str
    ResourceId: list[str]


class UntagResources(ActionRequest):
    ResourceType: str
    ResourceId: list[str]
    TagKey: list[str] = []
    All: bool = False


class ListTagResources(TaggedRequest):
    ResourceType: str
    ResourceId: list[str] = []
    NextToken: str = ""


def tag_keys(document: Document) -> list[dict[str, str]]:
    """Write tags as `TagKey` and `TagValue`."""
    return [{"TagKey": key, "TagValue": value} for key, value in sorted(document.tags.items())]


def has_tags(document: Document, wanted: Iterable[KeyValue]) -> bool:
    """Tell whether a document has all of these tags; one without a value stands for any."""
    return all(
        tag.Key in document.tags and tag.Value in {"", document.tags[tag.Key]} for tag in wanted
    )


def _register(product: Product, kinds: Kinds, untag: str, longest_key: int) -> None:
    def tag_resources(cloud: Cloud, request: TagResources) -> Answer:
        if any(len(tag.Key) > longest_key for tag in request.Tag):
            raise invalid("Tag", f"A key has {longest_key} characters at most.")
        for document in _find_documents(cloud, kinds, request.ResourceType, request.ResourceId):
            document.tags |= request.tags()
            if len(document.tags) > LONGEST:
                raise invalid("Tag", f"A resource has {LONGEST} tags at most.")
            cloud.store.put(document)
        return {}

    def untag_resources(cloud: Cloud, request: UntagResources) -> Answer:
        for document in _find_documents(cloud, kinds, request.ResourceType, request.ResourceId):
            gone = set(document.tags) if request.All else set(request.TagKey)
            document.tags = {k: v for k, v in document.tags.items() if k not in gone}
            cloud.store.put(document)
        return {}

    def list_tag_resources(cloud: Cloud, request: ListTagResources) -> Answer:
        ids = request.ResourceId or [
            _key(document)
            for kind in kinds.get(request.ResourceType, ())
            for document in cloud.store.all(kind, region=request.RegionId)
        ]
        described: list[dict[str, Any]] = [
            {
                "ResourceType": request.ResourceType,
                "ResourceId": _key(document),
                "TagKey": key,
                "TagValue": value,
            }
            for document in _find_documents(cloud, kinds, request.ResourceType, ids)
            if has_tags(document, request.Tag)
            for key, value in sorted(document.tags.items())
        ]
        return {"TagResources": {"TagResource": described}}

    product.action(tag_resources)
    product.action_named(untag)(untag_resources)
    product.action(list_tag_resources)


def _find_documents(
    cloud: Cloud, kinds: Kinds, resource_type: str, ids: Iterable[str]
) -> list[Document]:
    """Find the resources among those asked for: one that is gone is no error."""
    if resource_type not in kinds:
        raise invalid("ResourceType", f"Those with tags here are {', '.join(kinds)}.")
    documents = (
        cloud.store.get(kind, key.replace("_", ":") if kind is Listener else key)
        for key in ids
        for kind in kinds[resource_type]
    )
    return [document for document in documents if document is not None]


def _key(document: Document) -> str:
    """Id of a resource where tags are concerned: a listener's is `<load balancer>_http_80`."""
    return document.id.replace(":", "_") if isinstance(document, Listener) else document.id


_register(SLB, SLB_KINDS, "UntagResources", 64)
_register(VPC, VPC_KINDS, "UnTagResources", 128)
_register(ECS, ECS_KINDS, "UntagResources", 128)
