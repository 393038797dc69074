"""Resources that the tests find in the account that they were written for."""

from __future__ import annotations

import time
from collections.abc import Mapping

from operations.clb.orphans import make_caller

REGION = "cn-hangzhou"

NAME = "default-NODELETING"
"""Name of the VPC, and of a vSwitch in each of its zones, that tests use and leave."""


def prepare(environ: Mapping[str, str]) -> None:
    """Make what the tests take for granted.

    Args:
        environ: Variables with the endpoints and credentials of the local cloud.
    """
    call = make_caller(REGION, environ)
    vpc = call("VPC", "CreateVpc", VpcName=NAME, CidrBlock="172.16.0.0/12")["VpcId"]
    while call("VPC", "DescribeVpcAttribute", VpcId=vpc)["Status"] != "Available":
        time.sleep(0.1)
    for number, zone in enumerate(call("ECS", "DescribeZones")["Zones"]["Zone"]):
        call(
            "VPC",
            "CreateVSwitch",
            VpcId=vpc,
            VSwitchName=NAME,
            ZoneId=zone["ZoneId"],
            CidrBlock=f"172.16.{number}.0/24",
        )
