"""A load balancer as the program makes it, of which a test says what differs from the defaults."""

from __future__ import annotations

import pulumi

from components.backend_servers import Backend
from components.clb.load_balancer import MutualTlsLoadBalancer
from tests.unit.components.mock_cloud import deploy, existing_authority

CLB = "slb/applicationLoadBalancer:ApplicationLoadBalancer"
CA_UPLOAD, UPLOAD = (
    "slb/caCertificate:CaCertificate",
    "slb/serverCertificate:ServerCertificate",
)
ISSUE = "dynamic/pki:ServerCertificate"
LISTENER, ATTACHED = "slb/listener:Listener", "slb/backendServer:BackendServer"
TAGS = {"team": "edge"}
ACL, EXTENSION = "slb/acl:Acl", "slb/domainExtension:DomainExtension"
GROUP = "slb/serverGroup:ServerGroup"
MEMBER = "slb/serverGroupServerAttachment:ServerGroupServerAttachment"
EVERYTHING = {
    "redirect_port": 80,
    "scheduler": "wrr",
    "sticky_session": {"type": "insert", "cookie_timeout": 3600},
    "acl": {"type": "white", "entries": {"203.0.113.0/24": "office", "198.51.100.7": None}},
    "domain_extensions": {
        "api.example.com": {},
        "*.example.org": {"alicloud_certificate_id": "1-cn"},
    },
}


def deployed(*, load_balancer=None, listener=None, others=None, vswitch_id="vsw-backends", **on):
    def program():
        balancer = MutualTlsLoadBalancer(
            "test",
            {
                "authority": existing_authority(),
                "backends": [Backend("0", "i-a"), Backend("1", "i-b", 20)],
                "backend_port": 8080,
                "vswitch_id": vswitch_id,
                "load_balancer": load_balancer or {},
                "listener": listener or {},
                "additional_listeners": others or {},
                "tags": TAGS,
            },
        )
        for name in ("load_balancer_id", "address", "listener_id"):
            pulumi.export(name, getattr(balancer, name))

    return deploy(program, **on)


def listener(**values):
    return deployed(listener=values).one(LISTENER).inputs


def clb(**values):
    return deployed(load_balancer=values).one(CLB).inputs


def named(deployment, kind, name):
    (found,) = [one for one in deployment.all(kind) if one.name == name]
    return found
