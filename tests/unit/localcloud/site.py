"""A listener with one instance behind it, in a real local cloud."""

from __future__ import annotations

import base64
import json
import ssl
import time
import uuid
from typing import Any

import httpx

from localcloud.api import signatures
from localcloud.api.gateway import Credentials
from localcloud.products import ECS, SLB, VPC, Product
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.fake_plane import IMAGE, REGION, ZONE
from tests.unit.localcloud.process import LocalCloud

SERVICE = """
import argparse
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"hello")
    do_HEAD = do_GET
parser = argparse.ArgumentParser()
parser.add_argument("--bind")
parser.add_argument("--port", type=int)
options = parser.parse_args()
HTTPServer((options.bind, options.port), Handler).serve_forever()
"""

UNIT = "[Service]\nExecStart=/usr/bin/python3 -I /opt/serve.py --port 8080\n"


def user_data(service: str) -> str:
    """User data of an instance that runs a program, which is told to serve port 8080."""
    config = {
        "write_files": [
            {"path": "/opt/serve.py", "content": service},
            {"path": "/etc/systemd/system/app.service", "content": UNIT},
        ],
        "runcmd": [["systemctl", "enable", "--now", "app.service"]],
    }
    return f"#cloud-config\n{json.dumps(config)}"


USER_DATA = user_data(SERVICE)
"""An instance that says hello on port 8080."""


def signed(
    credentials: Credentials, method: str, action: str, version: str, /, **parameters: Any
) -> dict[str, str]:
    """Parameters with a signature of version 1."""
    given = {
        "AccessKeyId": credentials.access_key_id,
        "Action": action,
        "Format": "JSON",
        "RegionId": REGION,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": uuid.uuid4().hex,
        "SignatureType": "",
        "SignatureVersion": "1.0",
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "Version": version,
        **{name: str(value) for name, value in parameters.items()},
    }
    text = signatures.string_to_sign_v1(method, given.items())
    signature = signatures.sign_v1(credentials.access_key_secret, text)
    return {**given, "Signature": signature}


class ApiSite:
    """Calls a local cloud's API; knows what `bring_into_service` made."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._credentials = cloud.home.credentials()
        self._endpoint = cloud.status["endpoint"]
        self._trust = ssl.create_default_context(cafile=str(cloud.home.trust))
        self.instance = ""
        self.balancer = ""

    def call(self, product: Product, action: str, **parameters: Any) -> dict[str, Any]:
        sent = signed(self._credentials, "POST", action, product.version, **parameters)
        answer = httpx.post(
            self._endpoint, data=sent, verify=self._trust, trust_env=False, timeout=20
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def vpc(self, action: str, **parameters: Any) -> dict[str, Any]:
        return self.call(VPC, action, **parameters)

    def ecs(self, action: str, **parameters: Any) -> dict[str, Any]:
        return self.call(ECS, action, **parameters)

    def slb(self, action: str, **parameters: Any) -> dict[str, Any]:
        return self.call(SLB, action, **parameters)


def bring_into_service(cloud: LocalCloud) -> ApiSite:
    """An instance behind a running HTTPS listener."""
    site = ApiSite(cloud)
    vpc = site.vpc("CreateVpc")["VpcId"]
    while site.vpc("DescribeVpcAttribute", VpcId=vpc)["Status"] != "Available":
        time.sleep(0.05)
    switch = site.vpc("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock="172.16.0.0/24")
    run = site.ecs(
        "RunInstances",
        InstanceType="ecs.t6-c1m1.large",
        ImageId=IMAGE,
        VSwitchId=switch["VSwitchId"],
        SecurityGroupId=site.ecs("CreateSecurityGroup", VpcId=vpc)["SecurityGroupId"],
        UserData=base64.b64encode(USER_DATA.encode()).decode(),
    )
    site.instance = run["InstanceIdSets"]["InstanceIdSet"][0]
    site.balancer = site.slb("CreateLoadBalancer", InstanceChargeType="PayByCLCU")["LoadBalancerId"]
    server = site.slb(
        "UploadServerCertificate",
        ServerCertificate=certificate(rsa_key(), "localhost"),
        PrivateKey=private_key(rsa_key()),
    )["ServerCertificateId"]
    of = {"LoadBalancerId": site.balancer}
    site.slb("AddBackendServers", **of, BackendServers=f"[{{'ServerId':'{site.instance}'}}]")
    site.slb(
        "CreateLoadBalancerHTTPSListener",
        **of,
        ListenerPort=8443,
        BackendServerPort=8080,
        HealthCheck="on",
        ServerCertificateId=server,
    )
    site.slb("StartLoadBalancerListener", **of, ListenerPort=8443)
    return site
