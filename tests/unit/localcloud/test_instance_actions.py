"""ECS instances: their lives, and what runs for them."""

from __future__ import annotations

import base64
import json
import re

import pytest

from localcloud.dataplane.model import DataPlaneError
from localcloud.documents import Instance
from localcloud.products import ECS
from tests.unit.localcloud.fake_plane import IMAGE, USER_DATA, ZONE, Account

RUN = {"InstanceType": "ecs.t6-c1m1.large", "ImageId": IMAGE}


def described(account: Account, key: str) -> dict:
    found = account.ecs("DescribeInstances", InstanceIds=json.dumps([key]))
    [one] = found["Instances"]["Instance"]
    return one


def place(account: Account) -> dict[str, str]:
    """A vSwitch and a security group."""
    vpc = account.make_vpc()
    return {"VSwitchId": account.make_vswitch(vpc), "SecurityGroupId": account.make_group(vpc)}


def test_an_instance_starts_with_its_user_data_and_becomes_running(account: Account) -> None:
    text = "#cloud-config\n# grün\n{}\n"
    given = {**RUN, **place(account), "UserData": base64.b64encode(text.encode()).decode()}
    account.clock.ahead = 5
    [key] = account.ecs("RunInstances", **given)["InstanceIdSets"]["InstanceIdSet"]
    spec = account.plane.instances[key]
    assert spec.user_data == text
    assert spec.host.startswith("127.77.0.")
    statuses = []
    for ahead in (0, 0.7, 2):
        account.clock.ahead = ahead
        statuses.append(described(account, key)["Status"])
    assert statuses == ["Pending", "Starting", "Running"]
    assert account.ecs("DescribeUserData", InstanceId=key)["UserData"] == given["UserData"]


def test_an_instance_is_described_as_it_was_asked_for(account: Account) -> None:
    where = place(account)
    key = account.make_instance(
        **where,
        InstanceName="web-1",
        SystemDisk__Category="cloud_ssd",
        SystemDisk__Size=50,
        HttpTokens="required",
        Tag__1__Key="role",
        Tag__1__Value="web",
    )
    found = described(account, key)
    assert (found["InstanceName"], found["ZoneId"]) == ("web-1", ZONE)
    assert found["VpcAttributes"]["VSwitchId"] == where["VSwitchId"]
    assert found["VpcAttributes"]["PrivateIpAddress"]["IpAddress"] == ["10.1.0.1"]
    assert found["SecurityGroupIds"]["SecurityGroupId"] == [where["SecurityGroupId"]]
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert found["Tags"]["Tag"] == [{"TagKey": "role", "TagValue": "web"}]
    [disk] = account.ecs("DescribeDisks", InstanceId=key, DiskType="system")["Disks"]["Disk"]
    assert (disk["Category"], disk["Size"], disk["InstanceId"]) == ("cloud_ssd", 50, key)
    [nic] = found["NetworkInterfaces"]["NetworkInterface"]
    interfaces = account.ecs(
        "DescribeNetworkInterfaces", NetworkInterfaceId__1=nic["NetworkInterfaceId"]
    )["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    assert [one["InstanceId"] for one in interfaces] == [key]
    assert interfaces[0]["PrivateIpSets"]["PrivateIpSet"] == [
        {"PrivateIpAddress": "10.1.0.1", "Primary": True}
    ]


def test_two_instances_share_no_address(account: Account) -> None:
    where = place(account)
    found = [described(account, account.make_instance(**where)) for _ in range(2)]
    private = [one["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0] for one in found]
    assert private == ["10.1.0.1", "10.1.0.2"]
    assert len({spec.host for spec in account.plane.instances.values()}) == 2


def test_a_vswitch_has_so_many_addresses_and_no_more(account: Account) -> None:
    vpc = account.make_vpc()
    where = {
        "VSwitchId": account.make_vswitch(vpc, "10.1.0.0/29"),
        "SecurityGroupId": account.make_group(vpc),
    }
    for _ in range(3):
        account.make_instance(**where)
    error = account.refusal(ECS, "RunInstances", **RUN, **where)
    assert (error.status, error.code) == (403, "InvalidVSwitchId.IpNotEnough")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"VSwitchId": "vsw-none"}, 404, "InvalidVSwitchId.NotFound"),
        ({"SecurityGroupId": "sg-none"}, 404, "InvalidSecurityGroupId.NotFound"),
        ({"SecurityGroupId": ""}, 404, "InvalidSecurityGroupId.NotFound"),
        ({"InstanceType": "ecs.none"}, 404, "InvalidInstanceType.NotFound"),
        ({"ImageId": "none"}, 404, "InvalidImageId.NotFound"),
        ({"ZoneId": "cn-hangzhou-j"}, 400, "InvalidParameter"),
        ({"SystemDisk__Category": "tape"}, 400, "InvalidParameter"),
        ({"SystemDisk__Size": 19}, 400, "InvalidParameter"),
        ({"Amount": 2}, 400, "InvalidParameter"),
        ({"UserData": "no base64 of anything"}, 400, "InvalidParameter"),
        ({"UserData": base64.b64encode(b"\xff\xfe").decode()}, 400, "InvalidParameter"),
        ({"UserData": "A" * 32772}, 400, "InvalidParameter"),
        ({"DryRun": "true"}, 400, "DryRunOperation"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_instances_that_cannot_be(account: Account, changes, status, code) -> None:
    error = account.refusal(ECS, "RunInstances", **{**RUN, **place(account), **changes})
    assert (error.status, error.code) == (status, code)
    assert account.store.all(Instance) == []
    assert account.plane.instances == {}


def test_an_instance_and_its_groups_are_in_one_vpc(account: Account) -> None:
    where = place(account)
    elsewhere = account.make_group(account.make_vpc())
    error = account.refusal(
        ECS,
        "RunInstances",
        **RUN,
        VSwitchId=where["VSwitchId"],
        SecurityGroupIds__1=where["SecurityGroupId"],
        SecurityGroupIds__2=elsewhere,
    )
    assert (error.status, error.code) == (403, "InvalidParameter.Conflict")


def test_user_data_that_the_data_plane_refuses_leaves_no_instance(account: Account) -> None:
    where = place(account)
    account.plane.fail_at("start_instance")
    error = account.refusal(ECS, "RunInstances", **RUN, **where, UserData=USER_DATA)
    assert error.code == "InvalidParameter"
    assert "The data plane was told to fail." in error.message
    assert account.store.all(Instance) == []


def test_an_instance_stops_starts_and_goes(account: Account) -> None:
    key = account.make_instance()
    account.ecs("StopInstance", InstanceId=key)
    assert described(account, key)["Status"] == "Stopped"
    assert not account.plane.is_instance_running(key)
    again = account.refusal(ECS, "StopInstance", InstanceId=key)
    assert (again.status, again.code) == (403, "IncorrectInstanceStatus")
    account.ecs("StartInstance", InstanceId=key)
    assert described(account, key)["Status"] == "Running"
    assert account.plane.is_instance_running(key)
    again = account.refusal(ECS, "StartInstance", InstanceId=key)
    assert (again.status, again.code) == (403, "IncorrectInstanceStatus")
    running = account.refusal(ECS, "DeleteInstance", InstanceId=key)
    assert (running.status, running.code) == (403, "IncorrectInstanceStatus")
    assert account.plane.is_instance_running(key)
    account.ecs("DeleteInstance", InstanceId=key, Force="true")
    assert not account.plane.is_instance_running(key)
    found = account.ecs("DescribeInstances", InstanceIds=json.dumps([key]))
    assert found["Instances"]["Instance"] == []
    assert found["TotalCount"] == 0


def test_a_protected_instance_stays_until_the_protection_goes(account: Account) -> None:
    key = account.make_instance(DeletionProtection="true")
    error = account.refusal(ECS, "DeleteInstance", InstanceId=key, Force="true")
    assert (error.status, error.code) == (403, "InvalidOperation.DeletionProtection")
    account.ecs("ModifyInstanceAttribute", InstanceId=key, DeletionProtection="false")
    account.ecs("DeleteInstance", InstanceId=key, Force="true")


def test_attributes_change_one_by_one(account: Account) -> None:
    key = account.make_instance(InstanceName="a", Description="b")
    account.ecs("ModifyInstanceAttribute", InstanceId=key, HostName="host")
    options = {"HttpEndpoint": "enabled", "HttpTokens": "required"}
    account.ecs("ModifyInstanceMetadataOptions", InstanceId=key, **options)
    found = described(account, key)
    assert (found["InstanceName"], found["Description"], found["HostName"]) == ("a", "b", "host")
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert found["MetadataOptions"]["HttpEndpoint"] == "enabled"
    assert account.ecs("DescribeInstanceAttribute", InstanceId=key)["HostName"] == "host"


def test_an_instance_is_never_without_security_group(account: Account) -> None:
    where = place(account)
    key = account.make_instance(**where)
    vpc = described(account, key)["VpcAttributes"]["VpcId"]
    other = account.make_group(vpc)
    last = account.refusal(
        ECS, "LeaveSecurityGroup", InstanceId=key, SecurityGroupId=where["SecurityGroupId"]
    )
    assert (last.status, last.code) == (403, "InstanceLastSecurityGroup")
    for _ in range(2):
        account.ecs("JoinSecurityGroup", InstanceId=key, SecurityGroupId=other)
    account.ecs("LeaveSecurityGroup", InstanceId=key, SecurityGroupId=where["SecurityGroupId"])
    assert described(account, key)["SecurityGroupIds"]["SecurityGroupId"] == [other]


@pytest.mark.parametrize(
    "action",
    [
        "DescribeUserData",
        "DescribeInstanceAttribute",
        "StartInstance",
        "StopInstance",
        "DeleteInstance",
        "ModifyInstanceAttribute",
        "ModifyInstanceMetadataOptions",
    ],
)
def test_an_instance_that_is_not_there_is_not_found(account: Account, action: str) -> None:
    given = {"HttpEndpoint": "enabled"} if action == "ModifyInstanceMetadataOptions" else {}
    error = account.refusal(ECS, action, InstanceId="i-none", **given)
    assert (error.status, error.code) == (404, "InvalidInstanceId.NotFound")
    assert "i-none" not in error.message


@pytest.mark.parametrize("text", ["i-1", "5", "{"])
def test_ids_come_as_a_json_list(account: Account, text: str) -> None:
    assert account.refusal(ECS, "DescribeInstances", InstanceIds=text).code == "InvalidParameter"


def test_instances_are_listed_by_page_and_filter(account: Account) -> None:
    where = place(account)
    keys = [account.make_instance(**where, InstanceName=name) for name in "abc"]
    page = account.ecs("DescribeInstances", PageSize=2, PageNumber=2)
    assert [one["InstanceId"] for one in page["Instances"]["Instance"]] == keys[2:]
    assert page["TotalCount"] == 3
    named = account.ecs("DescribeInstances", InstanceName="b", Status="Running")
    assert [one["InstanceId"] for one in named["Instances"]["Instance"]] == [keys[1]]
    none = account.ecs("DescribeInstances", InstanceIds="[]")
    assert none["Instances"]["Instance"] == []


def test_a_failing_data_plane_leaves_a_stopped_instance_stopped(account: Account) -> None:
    key = account.make_instance()
    account.ecs("StopInstance", InstanceId=key)
    account.plane.fail_at("apply_listeners")
    with pytest.raises(DataPlaneError):
        account.ecs("StartInstance", InstanceId=key)
    assert described(account, key)["Status"] == "Stopped"
    assert not account.plane.is_instance_running(key)


def test_what_the_provider_reads_of_an_instance_is_there(account: Account) -> None:
    key = account.make_instance()
    wanted = json.dumps([key])
    roles = account.ecs("DescribeInstanceRamRole", InstanceIds=wanted)
    # The provider's data source drops instances that are not in this list.
    assert roles["InstanceRamRoleSets"]["InstanceRamRoleSet"] == [
        {"InstanceId": key, "RamRoleName": ""}
    ]
    named = account.ecs("DescribeInstanceRamRole", InstanceIds=wanted, RamRoleName="admin")
    assert named["InstanceRamRoleSets"]["InstanceRamRoleSet"] == []
    maintained = account.ecs("DescribeInstanceMaintenanceAttributes", InstanceId__1=key)
    [one] = maintained["MaintenanceAttributes"]["MaintenanceAttribute"]
    assert one["InstanceId"] == key
    attached = account.ecs("DescribeInstanceAttachmentAttributes", InstanceIds=wanted)
    assert [one["InstanceId"] for one in attached["Instances"]["Instance"]] == [key]


def test_the_region_s_offer_fits_together(account: Account) -> None:
    zones = [one["ZoneId"] for one in account.ecs("DescribeZones")["Zones"]["Zone"]]
    assert zones == ["cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-j"]
    small = account.ecs(
        "DescribeAvailableResource", DestinationResource="InstanceType", Cores=2, Memory=4
    )["AvailableZones"]["AvailableZone"]
    offered = small[0]["AvailableResources"]["AvailableResource"][0]["SupportedResources"]
    assert [one["Value"] for one in offered["SupportedResource"]] == ["ecs.c7.large"]
    types = account.ecs("DescribeInstanceTypes", InstanceTypes__1="ecs.c7.large")
    [kind] = types["InstanceTypes"]["InstanceType"]
    assert (kind["CpuCoreCount"], kind["MemorySize"]) == (2, 4.0)
    images = account.ecs("DescribeImages", PageSize=1, PageNumber=2)
    assert images["TotalCount"] == 4
    assert len(images["Images"]["Image"]) == 1
    everything = account.ecs("DescribeImages")["Images"]["Image"]
    assert {one["Platform"] for one in everything if one["ImageId"].startswith("ubuntu_")} == {
        "Ubuntu"
    }


def test_what_the_provider_s_own_tests_look_for_is_sold(account: Account) -> None:
    types = account.ecs("DescribeInstanceTypes")["InstanceTypes"]["InstanceType"]
    assert {"ecs.g6", "ecs.g8i", "ecs.sn1ne"} <= {one["InstanceTypeFamily"] for one in types}
    assert (1, 2.0) in {(one["CpuCoreCount"], one["MemorySize"]) for one in types}
    names = [one["ImageId"] for one in account.ecs("DescribeImages")["Images"]["Image"]]
    assert any(re.search("^ubuntu_[0-9]+_[0-9]+_x64*", name) for name in names)


def test_regions_have_the_names_of_the_language_asked_for_and_chinese_ones_by_default(
    account: Account,
) -> None:
    chinese = "\u534e\u53172\uff08\u5317\u4eac\uff09"
    for given, name in (({}, chinese), ({"AcceptLanguage": "en-US"}, "China (Beijing)")):
        for product in (account.ecs, account.slb):
            regions = product("DescribeRegions", **given)["Regions"]["Region"]
            assert {one["RegionId"]: one["LocalName"] for one in regions}["cn-beijing"] == name
            assert regions[0]["RegionId"] == "cn-qingdao"


def test_how_far_metadata_travels_is_kept(account: Account) -> None:
    key = account.make_instance(HttpPutResponseHopLimit=2)
    wanted = json.dumps([key])

    def shown() -> int:
        [one] = account.ecs("DescribeInstances", InstanceIds=wanted)["Instances"]["Instance"]
        return int(one["MetadataOptions"]["HttpPutResponseHopLimit"])

    assert shown() == 2
    of = {"InstanceId": key, "HttpEndpoint": "enabled"}
    account.ecs("ModifyInstanceMetadataOptions", **of)
    assert shown() == 2
    account.ecs("ModifyInstanceMetadataOptions", **of, HttpPutResponseHopLimit=3)
    assert shown() == 3


def test_an_image_runs_on_every_type_and_one_that_is_not_there_on_none(account: Account) -> None:
    sold = account.ecs("DescribeInstanceTypes")["InstanceTypes"]["InstanceType"]
    runs = account.ecs("DescribeImageSupportInstanceTypes", ImageId=IMAGE)
    assert {one["InstanceTypeId"] for one in runs["InstanceTypes"]["InstanceType"]} == {
        one["InstanceTypeId"] for one in sold
    }
    error = account.refusal(ECS, "DescribeImageSupportInstanceTypes", ImageId="other")
    assert error.code == "InvalidImageId.NotFound"
