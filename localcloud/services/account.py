"""Actions of STS, Location and BssOpenApi by which the provider asks about the account."""

from __future__ import annotations

from localcloud.account import ACCOUNT_ID
from localcloud.cloud import Cloud
from localcloud.products import BSS, LOCATION, STS, Answer
from localcloud.requests import ActionRequest


class DescribeEndpoints(ActionRequest):
    Id: str = ""
    ServiceCode: str
    Type: str = ""


class QueryAvailableInstances(ActionRequest):
    PageNum: int = 1
    PageSize: int = 20
    ProductCode: str = ""
    ProductType: str = ""
    SubscriptionType: str = ""
    Region: str = ""


@STS.action_named("GetCallerIdentity")
def get_caller_identity(cloud: Cloud, request: ActionRequest) -> Answer:
    return {
        "AccountId": ACCOUNT_ID,
        "UserId": ACCOUNT_ID,
        "PrincipalId": ACCOUNT_ID,
        "IdentityType": "Account",
        "Arn": f"acs:ram::{ACCOUNT_ID}:root",
    }


@LOCATION.action
def describe_endpoints(cloud: Cloud, request: DescribeEndpoints) -> Answer:
    # Every product is here; a client that asks is told the place that it has just asked.
    return {"Endpoints": {"Endpoint": []}, "Success": True}


@BSS.action
def query_available_instances(cloud: Cloud, request: QueryAvailableInstances) -> Answer:
    return {
        "Success": True,
        "Code": "Success",
        "Data": {
            "TotalCount": 0,
            "PageNum": request.PageNum,
            "PageSize": request.PageSize,
            "InstanceList": [],
        },
    }
