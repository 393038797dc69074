"""Ids of things that the account already has."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from .model import matching


def _of(what: str, prefix: str) -> AfterValidator:
    return matching(
        rf"{prefix}-[a-z0-9]+",
        f"this is no {what}'s id: it is {prefix}- and small letters and digits, as the console "
        "shows it",
    )


InstanceId = Annotated[str, _of("ECS instance", "i")]
VpcId = Annotated[str, _of("VPC", "vpc")]
VSwitchId = Annotated[str, _of("vSwitch", "vsw")]
SecurityGroupId = Annotated[str, _of("security group", "sg")]
LoadBalancerId = Annotated[str, _of("load balancer", "lb")]
ServerGroupId = Annotated[str, _of("VServer group", "rsp")]
AclId = Annotated[str, _of("access control list", "acl")]
