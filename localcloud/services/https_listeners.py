"""HTTPS listeners."""

from __future__ import annotations

from typing import Any, Literal

from localcloud.cloud import Cloud
from localcloud.errors import missing
from localcloud.products import SLB, Answer
from localcloud.requests import OnOff
from localcloud.services import listeners
from localcloud.services.certificates import find_ca_certificate, find_server_certificate
from localcloud.services.domain_extensions import describe_extension
from localcloud.services.load_balancers import find_load_balancer

TLS_CREATED_WITH = {
    "EnableHttp2": "on",
    "TLSCipherPolicy": "tls_cipher_policy_1_0",
    "CACertificateId": "",
}
"""Defaults of the API for what a request leaves out."""


class HttpsAttributes(listeners.Attributes):
    """Attributes that both Create and Set take; a field that is not given keeps its value."""

    ServerCertificateId: str | None = None
    CACertificateId: str | None = None
    TLSCipherPolicy: (
        Literal[
            "tls_cipher_policy_1_0",
            "tls_cipher_policy_1_1",
            "tls_cipher_policy_1_2",
            "tls_cipher_policy_1_2_strict",
            "tls_cipher_policy_1_2_strict_with_1_3",
        ]
        | None
    ) = None
    EnableHttp2: OnOff | None = None


class CreateLoadBalancerHTTPSListener(HttpsAttributes, listeners.Creation):
    pass


class SetLoadBalancerHTTPSListenerAttribute(HttpsAttributes, listeners.Changes):
    pass


@SLB.action
def create_https_listener(cloud: Cloud, request: CreateLoadBalancerHTTPSListener) -> Answer:
    if request.ServerCertificateId is None:
        raise missing("ServerCertificateId")
    _require_certificates(cloud, request)
    attributes = {**listeners.CREATED_WITH, **TLS_CREATED_WITH, **_read_attributes(request)}
    listeners.create(cloud, request, "https", attributes)
    return {}


@SLB.action
def set_https_listener(cloud: Cloud, request: SetLoadBalancerHTTPSListenerAttribute) -> Answer:
    listener = listeners.find(cloud, request, "https")
    _require_certificates(cloud, request)
    tls = {name: value for name, value in _read_attributes(request).items() if name in _TLS}
    listener.attributes |= tls
    listeners.change(cloud, request, listener)
    return {}


@SLB.action_named("DescribeLoadBalancerHTTPSListenerAttribute")
def describe_https_listener(cloud: Cloud, request: listeners.OfListener) -> Answer:
    listener = listeners.find(cloud, request, "https")
    return {
        **listeners.describe(cloud, listener),
        "DomainExtensions": {
            "DomainExtension": [
                describe_extension(extension)
                for extension in listeners.find_domain_extensions(cloud, listener)
            ]
        },
    }


_TLS = ("ServerCertificateId", *TLS_CREATED_WITH)


def _read_attributes(request: HttpsAttributes) -> dict[str, Any]:
    values = request.model_dump(exclude_none=True)
    tls = {name: values[name] for name in _TLS if name in values}
    return {**listeners.read_attributes(request), **tls}


def _require_certificates(cloud: Cloud, request: HttpsAttributes) -> None:
    region = find_load_balancer(cloud, request).region
    if request.ServerCertificateId is not None:
        find_server_certificate(cloud, request.ServerCertificateId, region)
    if request.CACertificateId:
        find_ca_certificate(cloud, request.CACertificateId, region)
