"""Faults on request, over the API as clients see it; and what it answers to none of its own."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from pydantic import ValidationError

from localcloud.api import app
from localcloud.api.faults import Fault, Faults
from localcloud.control import ControlError
from tests.unit.localcloud.process import LocalCloud
from tests.unit.localcloud.site import signed


def test_a_fault_happens_so_many_times_and_to_its_actions_only() -> None:
    faults = Faults()
    faults.add(Fault(action="*Listener", times=2, code="ServiceIsConfiguring"))
    assert faults.take("DescribeVpcs") is None
    found = [faults.take("StartLoadBalancerListener") for _ in range(3)]
    assert [one.code if one else None for one in found] == ["ServiceIsConfiguring"] * 2 + [None]
    assert faults.list_pending() == []


def test_faults_happen_in_the_order_of_their_adding() -> None:
    faults = Faults()
    faults.add(Fault(action="CreateVpc", code="First"))
    faults.add(Fault(action="Create*", code="Second"))
    assert faults.take("CreateVSwitch").code == "Second"
    assert faults.take("CreateVpc").code == "First"
    assert faults.take("CreateVpc") is None


def test_a_name_is_compared_with_its_case() -> None:
    faults = Faults()
    faults.add(Fault(action="createvpc"))
    assert faults.take("CreateVpc") is None
    faults.clear()
    assert faults.list_pending() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "other"},
        {"times": 0},
        {"status": 200},
        {"seconds": -1},
        {"seconds": 601},
        {"unknown": 1},
        {"action": None},
    ],
)
def test_faults_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Fault(**{"action": "CreateVpc", **wrong})


class Caller:
    """Signs and sends, with nothing between the test and the connection."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self._where = urlsplit(cloud.status["endpoint"]).netloc
        self._trust = ssl.create_default_context(cafile=str(cloud.home.trust))

    def url(self, action: str, version: str, **parameters: str) -> str:
        sent = signed(self.cloud.home.credentials(), "GET", action, version, **parameters)
        return "/?" + urlencode(sent, quote_via=quote)

    def get(self, url: str, **headers: str) -> tuple[int, dict[str, Any]]:
        return self.send("GET", url, headers=headers)

    def send(self, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPSConnection(self._where, timeout=20, context=self._trust)
        try:
            connection.request(method, url, **options)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def vpc(self, action: str, **parameters: str) -> tuple[int, dict[str, Any]]:
        return self.get(self.url(action, "2016-04-28", **parameters))

    def fault(self, **description: Any) -> None:
        self.cloud.ask("POST", "/faults", description)

    def vpcs(self) -> int:
        return len(self.cloud.ask("GET", "/dump")["vpc"])


@pytest.fixture
def caller(shared_cloud: LocalCloud) -> Iterator[Caller]:
    yield Caller(shared_cloud)
    shared_cloud.ask("POST", "/reset")


def test_an_error_comes_instead_of_the_action(caller: Caller) -> None:
    caller.fault(action="Create*", code="Throttling.User", status=429, times=2)
    for _ in range(2):
        status, answer = caller.vpc("CreateVpc")
        assert (status, answer["Code"]) == (429, "Throttling.User")
        assert set(answer) == {"Code", "HostId", "Message", "Recommend", "RequestId"}
    assert caller.vpcs() == 0
    assert caller.vpc("CreateVpc")[0] == 200
    assert caller.vpcs() == 1


def test_a_dropped_connection_leaves_the_action_done(caller: Caller) -> None:
    caller.fault(action="CreateVpc", kind="drop")
    with pytest.raises(http.client.IncompleteRead):
        caller.vpc("CreateVpc")
    assert caller.vpcs() == 1


def test_a_delayed_call_is_answered_all_the_same(caller: Caller) -> None:
    caller.fault(action="CreateVpc", kind="delay", seconds=0.01)
    assert caller.vpc("CreateVpc")[0] == 200
    assert caller.cloud.ask("GET", "/faults") == []


def test_a_delay_is_as_long_as_it_says(monkeypatch) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(app.asyncio, "sleep", sleep)
    asyncio.run(app._fail_or_delay(Fault(action="CreateVpc", kind="delay", seconds=7)))
    assert slept == [7]


def test_faults_are_listed_and_cleared(caller: Caller) -> None:
    caller.fault(action="CreateVpc", times=3)
    [pending] = caller.cloud.ask("GET", "/faults")
    assert (pending["action"], pending["times"]) == ("CreateVpc", 3)
    caller.cloud.ask("DELETE", "/faults")
    assert caller.vpc("CreateVpc")[0] == 200


def test_a_fault_that_cannot_be_is_refused(caller: Caller) -> None:
    with pytest.raises(ControlError, match="times"):
        caller.fault(action="CreateVpc", times=0)


def test_unsigned_and_forged_requests_do_nothing(caller: Caller) -> None:
    status, answer = caller.get("/?Action=CreateVpc&Version=2016-04-28")
    assert (status, answer["Code"]) == (400, "MissingAccessKeyId")
    signed = caller.url("CreateVpc", "2016-04-28", VpcName="a")
    status, answer = caller.get(signed.replace("VpcName=a", "VpcName=secret"))
    assert (status, answer["Code"]) == (400, "SignatureDoesNotMatch")
    assert "secret" not in json.dumps(answer)
    status, answer = caller.get(signed, Host="evil.example.com")
    assert (status, answer["Code"]) == (400, "InvalidHost")
    assert caller.vpcs() == 0


def test_a_request_cannot_be_sent_twice(caller: Caller) -> None:
    signed = caller.url("CreateVpc", "2016-04-28")
    assert caller.get(signed)[0] == 200
    status, answer = caller.get(signed)
    assert (status, answer["Code"]) == (400, "SignatureNonceUsed")
    assert caller.vpcs() == 1


@pytest.mark.parametrize(
    ("action", "version", "status", "code"),
    [
        ("CreateSpaceship", "2016-04-28", 404, "InvalidAction.NotFound"),
        ("CreateVpc", "2014-05-15", 404, "InvalidAction.NotFound"),
        ("CreateVpc", "2020-01-01", 400, "InvalidVersion"),
        ("", "2016-04-28", 404, "InvalidAction.NotFound"),
    ],
)
def test_unknown_actions_and_versions(caller: Caller, action, version, status, code) -> None:
    found, answer = caller.get(caller.url(action, version))
    assert (found, answer["Code"]) == (status, code)


def test_a_body_has_its_limits(caller: Caller) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, answer = caller.send("POST", "/", body=b"A" * (1024 * 1024 + 1), headers=form)
    assert (status, answer["Code"]) == (413, "RequestTooLarge")
    status, answer = caller.send("POST", "/", body=b"A=\xff", headers=form)
    assert (status, answer["Code"]) == (400, "InvalidParameter")


def test_a_long_query_is_read(caller: Caller) -> None:
    # A chain of three certificates with RSA keys of 4096 bits and their key are shorter.
    answer = caller.vpc("CreateVpc", Description="a" * 60_000)
    assert answer[0] == 200


def test_calls_pass_before_the_one_that_a_fault_is_for() -> None:
    faults = Faults()
    faults.add(Fault(action="*", skip=2, code="Third"))
    found = [faults.take(action) for action in ("CreateVpc", "DescribeVpcs", "CreateVSwitch")]
    assert [one.code if one else None for one in found] == [None, None, "Third"]


def test_a_late_answer_tells_what_was_done_long_before(caller: Caller) -> None:
    caller.fault(action="CreateVpc", kind="late", seconds=600)
    where = urlsplit(caller.cloud.status["endpoint"])
    trust = ssl.create_default_context(cafile=str(caller.cloud.home.trust))
    connection = http.client.HTTPSConnection(where.netloc, timeout=20, context=trust)
    connection.request("GET", caller.url("CreateVpc", "2016-04-28"))
    while not caller.vpcs():
        time.sleep(0.01)
    connection.close()


def test_what_was_just_made_may_not_be_seen_yet(caller: Caller) -> None:
    _, made = caller.vpc("CreateVpc")
    caller.fault(action="DescribeVpcAttribute", kind="unseen", seconds=600)
    known = {"VpcId": made["VpcId"]}
    assert caller.vpc("DescribeVpcAttribute", **known)[0] == 404
    assert caller.vpc("DescribeVpcAttribute", **known)[0] == 200
    caller.fault(action="DescribeVpcAttribute", kind="unseen", seconds=0)
    assert caller.vpc("DescribeVpcAttribute", **known)[0] == 200


def test_a_request_with_the_same_token_is_carried_out_once(caller: Caller) -> None:
    caller.fault(action="CreateVpc", kind="drop")
    with pytest.raises(http.client.IncompleteRead):
        caller.vpc("CreateVpc", ClientToken="a", VpcName="one")
    status, again = caller.vpc("CreateVpc", ClientToken="a", VpcName="one")
    assert status == 200
    assert [vpc["id"] for vpc in caller.cloud.ask("GET", "/dump")["vpc"]] == [again["VpcId"]]
    _, other = caller.vpc("CreateVpc", ClientToken="b", VpcName="one")
    assert other["VpcId"] != again["VpcId"]


def test_a_token_stands_for_one_request(caller: Caller) -> None:
    assert caller.vpc("CreateVpc", ClientToken="a", VpcName="one")[0] == 200
    status, answer = caller.vpc("CreateVpc", ClientToken="a", VpcName="two")
    assert (status, answer["Code"]) == (400, "IdempotentParameterMismatch")
    assert caller.vpcs() == 1


def test_what_failed_is_tried_again_with_the_same_token(caller: Caller) -> None:
    caller.vpc("CreateVSwitch", ClientToken="a", VpcId="vpc-nothere")
    _, vpc = caller.vpc("CreateVpc", ClientToken="a")
    assert vpc["VpcId"].startswith("vpc-")
