"""What operations ask of the cloud's API, by the official SDK, of a local cloud as it runs."""

from __future__ import annotations

import os
import socket
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from operations.clb.api import SlbApi, SlbHealth
from operations.cloud_api import CloudApi, CloudApiError, CloudApiUnavailableError
from operations.verification.checks import HealthError, HealthUnavailableError
from tests.official_sdk import hang_up
from tests.unit.localcloud.process import running

REGION = "cn-hangzhou"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with running(tmp_path_factory.mktemp("asked") / "cloud") as cloud:
        yield cloud


@pytest.fixture
def environ(cloud):
    credentials = cloud.home.credentials()
    endpoint = urlsplit(cloud.status["endpoint"]).netloc
    yield {
        "ALICLOUD_ACCESS_KEY": credentials.access_key_id,
        "ALICLOUD_SECRET_KEY": credentials.access_key_secret,
        "SSL_CERT_FILE": str(cloud.home.trust),
        **{f"ALIBABA_CLOUD_ENDPOINT_{product}": endpoint for product in ("SLB", "VPC")},
    }
    cloud.ask("DELETE", "/faults")
    hang_up()


@pytest.fixture
def nobody():
    """Address on which nobody listens, and which nobody else is given."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


def describe_vpcs(environ):
    return CloudApi("VPC", REGION, environ).call("DescribeVpcs")


def health(environ):
    """Ask for the backends' health at a load balancer that does not exist."""
    gone = SimpleNamespace(region=REGION, load_balancer_id="lb-gone", listener_port=443)
    return SlbHealth(gone, environ).backends()


def test_an_answer_is_a_body_or_the_sdks_model(environ):
    assert describe_vpcs(environ)["Vpcs"] == {"Vpc": []}
    answer = SlbApi(REGION, environ).ask("DescribeLoadBalancers", load_balancer_id="lb-gone")
    assert answer.total_count == 0


def test_parameters_reach_the_api(environ):
    api = CloudApi("VPC", REGION, environ)
    made = api.call("CreateVpc", VpcName="asked", CidrBlock="10.9.0.0/16")
    (found,) = api.call("DescribeVpcs", VpcName="asked")["Vpcs"]["Vpc"]
    assert (found["VpcId"], found["CidrBlock"]) == (made["VpcId"], "10.9.0.0/16")
    api.call("DeleteVpc", VpcId=made["VpcId"])


@pytest.mark.parametrize("name", ["ALICLOUD", "ALIBABA_CLOUD"])
def test_credentials_are_found_by_the_provider_s_names_and_by_the_sdk_s(environ, name):
    key, secret = environ.pop("ALICLOUD_ACCESS_KEY"), environ.pop("ALICLOUD_SECRET_KEY")
    names = {
        "ALICLOUD": ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY"),
        "ALIBABA_CLOUD": ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    }[name]
    assert describe_vpcs({**environ, **dict(zip(names, (key, secret), strict=True))})


def test_a_key_that_is_wrong_is_refused(environ):
    with pytest.raises(CloudApiError, match=r"refuses DescribeVpcs: SignatureDoesNotMatch") as seen:
        describe_vpcs({**environ, "ALICLOUD_SECRET_KEY": "another"})
    assert "string to sign" not in str(seen.value)
    assert environ["ALICLOUD_SECRET_KEY"] not in str(seen.value)


def test_without_credentials_it_says_which_variables_to_set(environ, monkeypatch, tmp_path):
    for name in os.environ.keys() & {"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_PROFILE"}:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    del environ["ALICLOUD_ACCESS_KEY"]
    with pytest.raises(CloudApiError, match="set ALICLOUD_ACCESS_KEY and ALICLOUD_SECRET_KEY"):
        describe_vpcs(environ)


def test_what_the_api_refuses_is_told_with_its_code(environ):
    with pytest.raises(CloudApiError) as seen:
        CloudApi("VPC", REGION, environ).call("DescribeVpcAttribute", VpcId="vpc-gone")
    endpoint = environ["ALIBABA_CLOUD_ENDPOINT_VPC"]
    assert f"The API of VPC at {endpoint} refuses DescribeVpcAttribute: InvalidVpcID" in str(
        seen.value
    )
    assert not isinstance(seen.value, CloudApiUnavailableError)


@pytest.mark.parametrize(
    "fault",
    [
        {"code": "Throttling.User", "status": 429},
        {"code": "Throttling", "status": 400},
        {"code": "ServiceUnavailable", "status": 503},
        {"code": "ServiceIsConfiguring", "status": 400},
    ],
    ids=lambda fault: fault["code"],
)
def test_what_passes_may_be_asked_again(cloud, environ, fault):
    cloud.ask("POST", "/faults", {"action": "DescribeVpcs", "times": 100, **fault})
    with pytest.raises(CloudApiUnavailableError, match=f"refuses DescribeVpcs: {fault['code']}"):
        describe_vpcs(environ)


def test_where_nobody_listens_it_names_the_endpoint_and_not_the_request(environ, nobody):
    with pytest.raises(CloudApiUnavailableError) as seen:
        describe_vpcs({**environ, "ALIBABA_CLOUD_ENDPOINT_VPC": nobody})
    assert str(seen.value) == f"The API of VPC at {nobody} cannot be reached."


def test_a_certificate_that_is_not_trusted_is_named(environ):
    del environ["SSL_CERT_FILE"]
    with pytest.raises(CloudApiUnavailableError, match="its certificate is not trusted"):
        describe_vpcs(environ)


def test_a_ca_file_that_is_none_is_named(environ, tmp_path):
    missing = str(tmp_path / "none.pem")
    with pytest.raises(CloudApiError, match=f"SSL_CERT_FILE names {missing}, which is not a file"):
        describe_vpcs({**environ, "SSL_CERT_FILE": missing})


def test_a_proxy_is_not_asked_for_an_endpoint_on_loopback(environ, nobody, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://{nobody}")
    assert describe_vpcs(environ)
    assert os.environ["HTTPS_PROXY"] == f"http://{nobody}"


def test_health_that_is_refused_names_the_way_without_it(environ):
    with pytest.raises(HealthError, match=r"InvalidLoadBalancerId.*Without health: --no-health"):
        health(environ)


def test_health_that_cannot_be_had_now_may_be_asked_again(environ, nobody):
    environ["ALIBABA_CLOUD_ENDPOINT_SLB"] = nobody
    with pytest.raises(HealthUnavailableError, match="cannot be reached"):
        health(environ)
