"""The API as an ASGI application, over a data plane that records."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from localcloud.api.gateway import Credentials
from localcloud.documents import UploadedServerCertificate
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.fake_plane import REGION, Account
from tests.unit.localcloud.site import signed

KEY = private_key(rsa_key())
CREDENTIALS = Credentials("id", "secret")


class Client:
    """Sends requests to the application without a network."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def request(self, method: str, path: str = "/", **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="https://127.0.0.1"
            ) as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def call(self, action: str, version: str, /, **parameters: str) -> httpx.Response:
        return self.request(
            "POST", params=signed(CREDENTIALS, "POST", action, version, **parameters)
        )


@pytest.fixture
def client(account: Account) -> Client:
    return Client(account.api.app())


def test_parameters_come_in_the_query_or_in_a_form(client: Client) -> None:
    for method, place in (("GET", "params"), ("POST", "params"), ("POST", "data")):
        sent = signed(CREDENTIALS, method, "CreateVpc", "2016-04-28", VpcName="grün + *~")
        key = client.request(method, **{place: sent}).json()["VpcId"]
        found = client.call("DescribeVpcAttribute", "2016-04-28", VpcId=key)
        assert found.json()["VpcName"] == "grün + *~"


def test_every_answer_has_an_id_of_its_own(client: Client) -> None:
    answers = [client.call("CreateVpc", "2016-04-28") for _ in range(2)]
    answers.append(client.request("GET"))
    assert len({answer.json()["RequestId"] for answer in answers}) == 3


@pytest.mark.parametrize(("method", "path"), [("PUT", "/"), ("GET", "/other"), ("OPTIONS", "/")])
def test_there_is_nothing_else(client: Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code in {404, 405}
    assert "access-control-allow-origin" not in answer.headers


def test_what_fails_within_is_told_to_the_log_only(
    account: Account, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    balancer = account.make_load_balancer()
    account.plane.fail_at("apply_listeners")
    answer = client.call("DeleteLoadBalancer", "2014-05-15", LoadBalancerId=balancer)
    assert answer.status_code == 500
    assert answer.json()["Code"] == "InternalError"
    assert "told to fail" not in answer.text
    assert "told to fail" in caplog.text
    # The action left nothing behind, and works the next time.
    answer = client.call("DeleteLoadBalancer", "2014-05-15", LoadBalancerId=balancer)
    assert answer.status_code == 200


def test_the_log_has_a_line_a_call_and_no_parameter(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="localcloud")
    given: dict[str, Any] = {
        "ServerCertificate": certificate(rsa_key()),
        "PrivateKey": KEY,
    }
    for changes in ({}, {"PrivateKey": KEY.replace("MII", "AII", 1)}, {"Other": KEY}):
        client.call("UploadServerCertificate", "2014-05-15", **{**given, **changes})
    calls = [one for one in caplog.messages if one.startswith("UploadServerCertificate ")]
    assert [one.split()[:3] for one in calls] == [
        ["UploadServerCertificate", "200", "-"],
        ["UploadServerCertificate", "400", "InvalidParameter"],
        ["UploadServerCertificate", "400", "UnsupportedParameter"],
    ]
    assert not any(line in caplog.text for line in KEY.splitlines()[1:-1])


def test_a_broken_document_does_not_show_its_key(account: Account) -> None:
    with pytest.raises(ValueError, match="validation error") as caught:
        UploadedServerCertificate(
            id="a",
            region=REGION,
            name="a",
            certificate="c",
            private_key=[KEY],  # type: ignore[arg-type]
        )
    assert "PRIVATE KEY" not in str(caught.value)
