"""System route tables of VPCs."""

from __future__ import annotations

from localcloud.account import ACCOUNT_ID
from localcloud.cloud import Cloud
from localcloud.documents import Vpc, VSwitch
from localcloud.errors import ApiError
from localcloud.products import VPC, Answer
from localcloud.requests import ActionRequest, PagedRequest
from localcloud.services.answers import creation_time


class DescribeRouteTableList(PagedRequest):
    VpcId: str = ""
    RouterId: str = ""
    RouterType: str = ""
    RouteTableId: str = ""
    RouteTableName: str = ""
    ResourceGroupId: str = ""


class ModifyRouteTableAttributes(ActionRequest):
    RouteTableId: str
    RouteTableName: str | None = None
    Description: str | None = None
    RoutePropagationEnable: bool | None = None


@VPC.action
def describe_route_table_list(cloud: Cloud, request: DescribeRouteTableList) -> Answer:
    tables = [
        {
            "RouteTableId": vpc.route_table_id,
            "RouteTableType": "System",
            "RouteTableName": vpc.route_table_name,
            "Description": vpc.route_table_description,
            "RouterId": vpc.router_id,
            "RouterType": "VRouter",
            "VpcId": vpc.id,
            "ResourceGroupId": vpc.resource_group_id,
            "Status": "Available",
            "OwnerId": int(ACCOUNT_ID),
            "RoutePropagationEnable": vpc.route_propagation,
            "GatewayIds": {"GatewayIds": []},
            "Tags": {"Tag": []},
            "AssociateType": "VSwitch",
            "CreationTime": creation_time(vpc),
            "VSwitchIds": {
                "VSwitchId": [switch.id for switch in cloud.store.all(VSwitch, vpc_id=vpc.id)]
            },
        }
        for vpc in cloud.store.all(Vpc)
        if request.VpcId in {"", vpc.id} and request.RouterId in {"", vpc.router_id}
        if request.RouteTableId in {"", vpc.route_table_id}
    ]
    return {
        "RouterTableList": {"RouterTableListType": request.page(tables)},
        **request.paging(tables),
    }


@VPC.action
def modify_route_table(cloud: Cloud, request: ModifyRouteTableAttributes) -> Answer:
    vpcs = [vpc for vpc in cloud.store.all(Vpc) if vpc.route_table_id == request.RouteTableId]
    if not vpcs:
        raise ApiError(
            404, "InvalidRouteTableId.NotFound", "The specified route table does not exist."
        )
    [vpc] = vpcs
    changes = {
        "route_table_name": request.RouteTableName,
        "route_table_description": request.Description,
        "route_propagation": request.RoutePropagationEnable,
    }
    changed = {name: value for name, value in changes.items() if value is not None}
    cloud.store.put(vpc.model_copy(update=changed))
    return {}
