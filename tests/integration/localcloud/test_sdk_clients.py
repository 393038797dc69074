"""Alibaba Cloud's own SDKs as clients of a local cloud in a process of its own."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from alibabacloud_ecs20140526 import models as ecs_models
from alibabacloud_ecs20140526.client import Client as EcsClient
from alibabacloud_slb20140515 import models as slb_models
from alibabacloud_slb20140515.client import Client as SlbClient
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils_models import Config
from alibabacloud_vpc20160428 import models as vpc_models
from alibabacloud_vpc20160428.client import Client as VpcClient
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkslb.request.v20140515 import (
    CreateLoadBalancerHTTPSListenerRequest,
    CreateLoadBalancerRequest,
    DeleteLoadBalancerRequest,
    DeleteServerCertificateRequest,
    DescribeLoadBalancerAttributeRequest,
    DescribeServerCertificatesRequest,
    UploadServerCertificateRequest,
)

from tests.official_sdk import hang_up, without_proxy
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.fake_plane import IMAGE, REGION, ZONE
from tests.unit.localcloud.process import LocalCloud
from tests.unit.localcloud.site import USER_DATA

pytestmark = pytest.mark.in_order

CERTIFICATE = certificate(rsa_key(), "localhost")
KEY = private_key(rsa_key())

old_sdk = pytest.mark.filterwarnings("ignore:ssl.*deprecated:DeprecationWarning")


@dataclass(frozen=True)
class Access:
    endpoint: str
    trust: str
    access_key_id: str
    access_key_secret: str

    def config(self) -> Config:
        return Config(
            access_key_id=self.access_key_id,
            access_key_secret=self.access_key_secret,
            endpoint=self.endpoint,
            region_id=REGION,
            protocol="HTTPS",
            ca=self.trust,
        )

    def old_client(self) -> AcsClient:
        return AcsClient(
            self.access_key_id, self.access_key_secret, REGION, verify=self.trust, auto_retry=False
        )

    def old_call(self, request: Any, **parameters: str) -> dict[str, Any]:
        request.set_endpoint(self.endpoint)
        request.set_protocol_type("https")
        for name, value in parameters.items():
            getattr(request, f"set_{name}")(value)
        client = self.old_client()
        try:
            return json.loads(client.do_action_with_exception(request))
        finally:
            client.session.close()


@pytest.fixture(scope="module")
def access(shared_cloud: LocalCloud) -> Iterator[Access]:
    credentials = shared_cloud.home.credentials()
    endpoint = urlsplit(shared_cloud.status["endpoint"]).netloc
    with without_proxy():
        yield Access(
            endpoint,
            str(shared_cloud.home.trust),
            credentials.access_key_id,
            credentials.access_key_secret,
        )
    hang_up()


def wait_until(reached: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.05)


def test_today_s_sdk_brings_a_site_into_service(access: Access, shared_cloud: LocalCloud) -> None:
    vpc, ecs, slb = (client(access.config()) for client in (VpcClient, EcsClient, SlbClient))
    net = vpc.create_vpc(
        vpc_models.CreateVpcRequest(
            region_id=REGION,
            cidr_block="10.0.0.0/8",
            vpc_name="grün + *",
            tag=[vpc_models.CreateVpcRequestTag(key="a~b", value="c d/e")],
        )
    ).body.vpc_id

    def described() -> vpc_models.DescribeVpcAttributeResponseBody:
        asked = vpc_models.DescribeVpcAttributeRequest(region_id=REGION, vpc_id=net)
        return vpc.describe_vpc_attribute(asked).body

    assert described().vpc_name == "grün + *"
    assert [(one.key, one.value) for one in described().tags.tag] == [("a~b", "c d/e")]
    wait_until(lambda: described().status == "Available")
    switch = vpc.create_vswitch(
        vpc_models.CreateVSwitchRequest(
            region_id=REGION, vpc_id=net, zone_id=ZONE, cidr_block="10.1.0.0/24"
        )
    ).body.v_switch_id
    group = ecs.create_security_group(
        ecs_models.CreateSecurityGroupRequest(region_id=REGION, vpc_id=net)
    ).body.security_group_id
    ecs.authorize_security_group(
        ecs_models.AuthorizeSecurityGroupRequest(
            region_id=REGION,
            security_group_id=group,
            permissions=[
                ecs_models.AuthorizeSecurityGroupRequestPermissions(
                    ip_protocol="tcp", port_range="8080/8080", source_cidr_ip="100.64.0.0/10"
                )
            ],
        )
    )
    [instance] = ecs.run_instances(
        ecs_models.RunInstancesRequest(
            region_id=REGION,
            image_id=IMAGE,
            instance_type="ecs.t6-c1m1.large",
            v_switch_id=switch,
            security_group_ids=[group],
            system_disk=ecs_models.RunInstancesRequestSystemDisk(category="cloud_essd", size="40"),
            user_data=base64.b64encode(USER_DATA.encode()).decode(),
        )
    ).body.instance_id_sets.instance_id_set
    server = slb.upload_server_certificate(
        slb_models.UploadServerCertificateRequest(
            region_id=REGION, server_certificate=CERTIFICATE, private_key=KEY
        )
    ).body.server_certificate_id
    balancer = slb.create_load_balancer(
        slb_models.CreateLoadBalancerRequest(region_id=REGION, instance_charge_type="PayByCLCU")
    ).body.load_balancer_id
    slb.add_backend_servers(
        slb_models.AddBackendServersRequest(
            region_id=REGION,
            load_balancer_id=balancer,
            backend_servers=json.dumps([{"ServerId": instance, "Weight": 100}]),
        )
    )
    slb.create_load_balancer_httpslistener(
        slb_models.CreateLoadBalancerHTTPSListenerRequest(
            region_id=REGION,
            load_balancer_id=balancer,
            listener_port=8443,
            backend_server_port=8080,
            server_certificate_id=server,
            health_check="on",
            health_check_interval=1,
            healthy_threshold=2,
            sticky_session="off",
        )
    )
    slb.start_load_balancer_listener(
        slb_models.StartLoadBalancerListenerRequest(
            region_id=REGION, load_balancer_id=balancer, listener_port=8443
        )
    )

    def health() -> list[str]:
        asked = slb_models.DescribeHealthStatusRequest(region_id=REGION, load_balancer_id=balancer)
        found = slb.describe_health_status(asked).body.backend_servers.backend_server
        return [one.server_health_status for one in found]

    wait_until(lambda: health() == ["normal"])
    [listener] = shared_cloud.status["listeners"]
    assert listener["health"] == {f"{instance}:8080": "normal"}
    trust = ssl.create_default_context(cadata=CERTIFICATE)
    connection = http.client.HTTPSConnection(
        "localhost", listener["socket"]["port"], timeout=20, context=trust
    )
    connection._create_connection = lambda _address, *rest: _connect(listener["socket"], *rest)  # type: ignore[attr-defined]
    try:
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"hello"
    finally:
        connection.close()


def _connect(where: dict[str, Any], *rest: Any) -> Any:
    return socket.create_connection((where["host"], where["port"]), *rest)


def test_today_s_sdk_with_a_wrong_secret_is_refused(access: Access) -> None:
    client = SlbClient(replace(access, access_key_secret="wrong").config())
    asked = slb_models.DescribeLoadBalancerAttributeRequest(region_id=REGION, load_balancer_id="x")
    with pytest.raises(ClientException) as caught:
        client.describe_load_balancer_attribute(asked)
    assert caught.value.code == "SignatureDoesNotMatch"


def test_today_s_sdk_reads_an_error(access: Access) -> None:
    client = SlbClient(access.config())
    asked = slb_models.DescribeLoadBalancerAttributeRequest(region_id=REGION, load_balancer_id="x")
    with pytest.raises(ClientException) as caught:
        client.describe_load_balancer_attribute(asked)
    assert caught.value.code == "InvalidLoadBalancerId.NotFound"
    assert caught.value.status_code == 404


@old_sdk
def test_the_older_sdk_makes_and_removes_what_a_listener_needs(access: Access) -> None:
    uploaded = access.old_call(
        UploadServerCertificateRequest.UploadServerCertificateRequest(),
        ServerCertificate=CERTIFICATE,
        PrivateKey=KEY,
        ServerCertificateName="old",
    )
    key = uploaded["ServerCertificateId"]
    listed = access.old_call(
        DescribeServerCertificatesRequest.DescribeServerCertificatesRequest(),
        ServerCertificateId=key,
    )
    assert [
        one["ServerCertificateName"] for one in listed["ServerCertificates"]["ServerCertificate"]
    ] == ["old"]
    balancer = access.old_call(
        CreateLoadBalancerRequest.CreateLoadBalancerRequest(),
        LoadBalancerSpec="slb.s1.small",
        LoadBalancerName="name_with-marks./1",
    )["LoadBalancerId"]
    access.old_call(
        CreateLoadBalancerHTTPSListenerRequest.CreateLoadBalancerHTTPSListenerRequest(),
        LoadBalancerId=balancer,
        ListenerPort="443",
        BackendServerPort="8080",
        ServerCertificateId=key,
        HealthCheck="off",
        StickySession="off",
    )
    with pytest.raises(ServerException, match="CertificateAndPrivateKeyIsRefered"):
        access.old_call(
            DeleteServerCertificateRequest.DeleteServerCertificateRequest(),
            ServerCertificateId=key,
        )
    access.old_call(DeleteLoadBalancerRequest.DeleteLoadBalancerRequest(), LoadBalancerId=balancer)
    access.old_call(
        DeleteServerCertificateRequest.DeleteServerCertificateRequest(), ServerCertificateId=key
    )
    with pytest.raises(ServerException) as caught:
        access.old_call(
            DescribeLoadBalancerAttributeRequest.DescribeLoadBalancerAttributeRequest(),
            LoadBalancerId=balancer,
        )
    assert caught.value.get_error_code() == "InvalidLoadBalancerId.NotFound"
    assert caught.value.get_http_status() == 404


@old_sdk
def test_the_older_sdk_with_a_wrong_secret_is_refused(access: Access) -> None:
    request = UploadServerCertificateRequest.UploadServerCertificateRequest()
    with pytest.raises(ServerException) as caught:
        replace(access, access_key_secret="wrong").old_call(
            request, ServerCertificate=CERTIFICATE, PrivateKey=KEY
        )
    assert caught.value.get_error_code() == "SignatureDoesNotMatch"
    assert KEY.splitlines()[1] not in str(caught.value)


def test_neither_log_nor_dump_holds_a_key_after_all_this(shared_cloud: LocalCloud) -> None:
    """Runs last: by now keys came in, right and wrong."""
    log = shared_cloud.home.log.read_text()
    assert "UploadServerCertificate 200" in log
    assert "SignatureDoesNotMatch" in log
    dump = shared_cloud.run("dump").stdout
    assert json.loads(dump)["server_certificate"]
    credentials = shared_cloud.home.credentials()
    for text in (log, dump):
        assert "PRIVATE" not in text
        assert credentials.access_key_secret not in text
        assert not any(line in text for line in KEY.splitlines()[1:-1])
    assert USER_DATA not in dump
