"""Resource groups: named by what belongs to them, and not resources here."""

from __future__ import annotations

from localcloud.account import ACCOUNT_ID
from localcloud.cloud import Cloud
from localcloud.products import RESOURCE_MANAGER, Answer
from localcloud.requests import PagedRequest, TaggedRequest

GROUPS = {"rg-default": "default", "rg-project": "project"}
"""Names of resource groups by id: the one that every account has, and another."""


class ListResourceGroups(PagedRequest, TaggedRequest):
    ResourceGroupId: str = ""
    ResourceGroupIds: list[str] = []
    Name: str = ""
    DisplayName: str = ""
    Status: str = ""
    IncludeTags: bool = False


@RESOURCE_MANAGER.action
def list_resource_groups(cloud: Cloud, request: ListResourceGroups) -> Answer:
    wanted = request.ResourceGroupIds or [request.ResourceGroupId or key for key in GROUPS]
    groups = [
        {
            "Id": key,
            "Name": name,
            "DisplayName": f"{name} resource group",
            "AccountId": ACCOUNT_ID,
            "Status": "OK",
            "CreateDate": "2026-01-01T00:00:00+08:00",
            "Tags": {"Tag": []},
        }
        for key, name in GROUPS.items()
        if key in wanted
        and request.Name in name
        and request.DisplayName in f"{name} resource group"
        and request.Status in {"", "OK"}
        and not request.Tag
    ]
    return {"ResourceGroups": {"ResourceGroup": request.page(groups)}, **request.paging(groups)}
