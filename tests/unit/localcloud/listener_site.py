"""A load balancer that waits for its listener."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localcloud.products import SLB
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.fake_plane import Account

CERTIFICATE = certificate(rsa_key())
KEY = private_key(rsa_key())


@dataclass
class ListenerSite:
    """A load balancer with one backend and certificates for a listener."""

    account: Account
    balancer: str
    instance: str
    server_certificate: str
    ca_certificate: str

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        given = {"LoadBalancerId": self.balancer, "ListenerPort": 443, **parameters}
        return self.account.slb(action, **given)

    def create(self, **parameters: Any) -> None:
        given = {
            "BackendServerPort": 8080,
            "ServerCertificateId": self.server_certificate,
            **parameters,
        }
        self.call("CreateLoadBalancerHTTPSListener", **given)

    def set(self, **parameters: Any) -> None:
        self.call("SetLoadBalancerHTTPSListenerAttribute", **parameters)

    def describe(self) -> dict[str, Any]:
        return self.call("DescribeLoadBalancerHTTPSListenerAttribute")

    def refusal(self, action: str, **parameters: Any) -> tuple[int, str]:
        given = {"LoadBalancerId": self.balancer, "ListenerPort": 443, **parameters}
        error = self.account.refusal(SLB, action, **given)
        return error.status, error.code

    @property
    def served(self) -> list[Any]:
        return list(self.account.plane.served.values())


def upload(account: Account, **parameters: str) -> str:
    given = {"ServerCertificate": CERTIFICATE, "PrivateKey": KEY, **parameters}
    return account.slb("UploadServerCertificate", **given)["ServerCertificateId"]


def waiting_for_a_listener(account: Account) -> ListenerSite:
    instance = account.make_instance()
    balancer = account.make_load_balancer()
    account.slb(
        "AddBackendServers",
        LoadBalancerId=balancer,
        BackendServers=json.dumps([{"ServerId": instance, "Weight": 30}]),
    )
    authority = account.slb("UploadCACertificate", CACertificate=CERTIFICATE)
    return ListenerSite(account, balancer, instance, upload(account), authority["CACertificateId"])
