"""The tutorial by hand: what somebody clicked together before there was a program."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_slb20140515 import models as slb
from alibabacloud_vpc20160428 import models as vpc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from components.instance_page import cloud_config
from components.pki import certificates, keys
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window
from operations.verification.identity import Identity
from tests.engine.console import REGION, Console
from tests.unit.localcloud.fake_plane import IMAGE, ZONE

PATIENCE = 30


@dataclass(frozen=True)
class TutorialSite:
    """What the tutorial leaves behind, in the cloud and on somebody's disk."""

    load_balancer_id: str
    address: str
    server_ids: list[str]
    server_certificate_id: str
    ca_certificate_id: str
    ca: Issuer
    client: Identity


def build(console: Console) -> TutorialSite:
    """Steps 1 to 6, and two web servers to begin with."""
    ca_key = keys.generate(2048)
    ca = Issuer(_self_signed(ca_key), ca_key)
    server_key = keys.generate(2048)
    server_ids = _servers(console)
    balancer = console.slb.create_load_balancer(
        slb.CreateLoadBalancerRequest(
            region_id=REGION, load_balancer_name="tutorial", instance_charge_type="PayByCLCU"
        )
    ).body
    server = certificates.issue_server(
        ca,
        distinguished_name({"common_name": "www.example.com"}),
        server_key.public_key(),
        _window(),
        certificates.alternative_names(["www.example.com"], [balancer.address]),
    )
    server_certificate = console.slb.upload_server_certificate(
        slb.UploadServerCertificateRequest(
            region_id=REGION,
            server_certificate_name="tutorial",
            server_certificate=certificates.pem(server),
            private_key=keys.pkcs1(server_key),
        )
    ).body.server_certificate_id
    ca_certificate = console.slb.upload_cacertificate(
        slb.UploadCACertificateRequest(
            region_id=REGION,
            cacertificate_name="tutorial",
            cacertificate=certificates.pem(ca.certificate),
        )
    ).body.cacertificate_id
    console.slb.add_backend_servers(
        slb.AddBackendServersRequest(
            region_id=REGION,
            load_balancer_id=balancer.load_balancer_id,
            backend_servers=json.dumps([{"ServerId": one, "Weight": 100} for one in server_ids]),
        )
    )
    console.slb.create_load_balancer_httpslistener(
        slb.CreateLoadBalancerHTTPSListenerRequest(
            region_id=REGION,
            load_balancer_id=balancer.load_balancer_id,
            listener_port=443,
            backend_server_port=80,
            bandwidth=-1,
            scheduler="rr",
            server_certificate_id=server_certificate,
            cacertificate_id=ca_certificate,
            sticky_session="off",
            health_check="on",
            health_check_uri="/",
            health_check_interval=1,
            healthy_threshold=2,
        )
    )
    console.slb.start_load_balancer_listener(
        slb.StartLoadBalancerListenerRequest(
            region_id=REGION, load_balancer_id=balancer.load_balancer_id, listener_port=443
        )
    )
    return TutorialSite(
        load_balancer_id=balancer.load_balancer_id,
        address=balancer.address,
        server_ids=server_ids,
        server_certificate_id=server_certificate,
        ca_certificate_id=ca_certificate,
        ca=ca,
        client=_client(ca),
    )


def elaborate(console: Console, site: TutorialSite, domain: str) -> str:
    """All that the tutorial leaves at its defaults is another way; returns the ACL's id."""
    instance = {"region_id": REGION, "load_balancer_id": site.load_balancer_id}
    listener = {**instance, "listener_port": 443}
    acl = console.slb.create_access_control_list(
        slb.CreateAccessControlListRequest(region_id=REGION, acl_name="office")
    ).body.acl_id
    console.slb.add_access_control_list_entry(
        slb.AddAccessControlListEntryRequest(
            region_id=REGION, acl_id=acl, acl_entrys='[{"entry": "127.0.0.0/8"}]'
        )
    )
    console.slb.set_load_balancer_httpslistener_attribute(
        slb.SetLoadBalancerHTTPSListenerAttributeRequest(
            **listener,
            acl_status="on",
            acl_type="white",
            acl_id=acl,
            bandwidth=50,
            enable_http_2="off",
            gzip="off",
            health_check_connect_port=80,
            health_check_domain="health.example.com",
            health_check_http_code="http_2xx,http_3xx",
            health_check_interval=3,
            health_check_method="get",
            health_check_timeout=4,
            health_check_uri="/healthz",
            healthy_threshold=4,
            unhealthy_threshold=5,
            idle_timeout=30,
            request_timeout=90,
            scheduler="wrr",
            sticky_session="on",
            sticky_session_type="insert",
            cookie_timeout=3600,
            tlscipher_policy="tls_cipher_policy_1_2_strict",
            xforwarded_for_proto="off",
            xforwarded_for_slbid="on",
            xforwarded_for_slbip="on",
        )
    )
    weights = zip(site.server_ids, (100, 20), strict=True)
    console.slb.set_backend_servers(
        slb.SetBackendServersRequest(
            **instance,
            backend_servers=json.dumps([{"ServerId": one, "Weight": w} for one, w in weights]),
        )
    )
    console.slb.create_domain_extension(
        slb.CreateDomainExtensionRequest(
            **listener, domain=domain, server_certificate_id=site.server_certificate_id
        )
    )
    for port, rest in ((80, {"listener_forward": "on", "forward_port": 443}), (8080, {})):
        console.slb.create_load_balancer_httplistener(
            slb.CreateLoadBalancerHTTPListenerRequest(
                **instance,
                listener_port=port,
                backend_server_port=80,
                bandwidth=-1,
                sticky_session="off",
                health_check="off",
                **rest,
            )
        )
        console.slb.start_load_balancer_listener(
            slb.StartLoadBalancerListenerRequest(**instance, listener_port=port)
        )
    console.slb.tag_resources(
        slb.TagResourcesRequest(
            region_id=REGION,
            resource_type="instance",
            resource_id=[site.load_balancer_id],
            tag=[slb.TagResourcesRequestTag(key="cost.centre", value="4711")],
        )
    )
    console.slb.set_load_balancer_delete_protection(
        slb.SetLoadBalancerDeleteProtectionRequest(**instance, delete_protection="on")
    )
    console.slb.set_load_balancer_modification_protection(
        slb.SetLoadBalancerModificationProtectionRequest(
            **instance,
            modification_protection_status="ConsoleProtection",
            modification_protection_reason="in-use",
        )
    )
    return acl


def _servers(console: Console) -> list[str]:
    """Two ECS instances with a page at port 80."""
    net = console.vpc.create_vpc(
        vpc.CreateVpcRequest(region_id=REGION, cidr_block="10.0.0.0/8")
    ).body.vpc_id
    asked = vpc.DescribeVpcAttributeRequest(region_id=REGION, vpc_id=net)
    _wait_until(lambda: console.vpc.describe_vpc_attribute(asked).body.status == "Available")
    switch = console.vpc.create_vswitch(
        vpc.CreateVSwitchRequest(
            region_id=REGION, vpc_id=net, zone_id=ZONE, cidr_block="10.1.0.0/24"
        )
    ).body.v_switch_id
    group = console.ecs.create_security_group(
        ecs.CreateSecurityGroupRequest(region_id=REGION, vpc_id=net)
    ).body.security_group_id
    disk = ecs.RunInstancesRequestSystemDisk(category="cloud_essd", size="40")
    servers = [
        console.ecs.run_instances(
            ecs.RunInstancesRequest(
                region_id=REGION,
                image_id=IMAGE,
                instance_type="ecs.t6-c1m1.large",
                v_switch_id=switch,
                security_group_ids=[group],
                system_disk=disk,
                user_data=base64.b64encode(cloud_config.render(80).encode()).decode(),
            )
        ).body.instance_id_sets.instance_id_set[0]
        for _ in range(2)
    ]
    found = ecs.DescribeInstancesRequest(region_id=REGION, instance_ids=json.dumps(servers))

    def running() -> bool:
        instances = console.ecs.describe_instances(found).body.instances.instance
        return [one.status for one in instances] == ["Running", "Running"]

    _wait_until(running)
    return servers


def _wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.05)


def _window() -> Window:
    return Window.opening(datetime.now(UTC), timedelta(days=365))


def _self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    window = Window.opening(datetime.now(UTC), timedelta(days=3650))
    return certificates.issue_authority(
        distinguished_name({"common_name": "Tutorial CA"}), key, window
    )


def _client(ca: Issuer) -> Identity:
    key = keys.generate(2048)
    name = distinguished_name({"common_name": "client"})
    certificate = certificates.issue_client(ca, name, key.public_key(), _window())
    encrypted = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"test")
    )
    return Identity(certificates.pem(certificate), encrypted.decode(), "test")
