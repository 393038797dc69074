"""Ids of things that the account already has."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def _of(what: str, prefix: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(rf"{prefix}-[a-z0-9]+", value):
            raise ValueError(
                f"this is no {what}'s id: it is {prefix}- and small letters and digits, as the "
                "console shows it"
            )
        return value

    return AfterValidator(check)


InstanceId = Annotated[str, _of("ECS instance", "i")]
VpcId = Annotated[str, _of("VPC", "vpc")]
VSwitchId = Annotated[str, _of("vSwitch", "vsw")]
SecurityGroupId = Annotated[str, _of("security group", "sg")]
LoadBalancerId = Annotated[str, _of("load balancer", "lb")]
ServerGroupId = Annotated[str, _of("VServer group", "rsp")]
AclId = Annotated[str, _of("access control list", "acl")]
