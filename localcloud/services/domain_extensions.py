"""Domain extensions: further domains of an HTTPS listener, each with a certificate of its own.

Error codes: https://help.aliyun.com/document_detail/85912.html
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from localcloud.cloud import Cloud
from localcloud.dataplane import haproxy_syntax as syntax
from localcloud.documents import DomainExtension, UploadedServerCertificate, new_id
from localcloud.errors import ApiError, invalid
from localcloud.products import SLB, Answer
from localcloud.requests import ActionRequest, validate_as_served
from localcloud.services import listeners
from localcloud.services.certificates import dns_names

PER_LISTENER = 3
"""Number of domain extensions of one listener, unless Alibaba Cloud was asked for more."""

Domain = Annotated[
    str,
    Field(pattern=r"^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"),
    validate_as_served(syntax.check_server_name, "a domain"),
]


class CreateDomainExtension(listeners.OfListener):
    Domain: Domain
    ServerCertificateId: str


class OfDomainExtension(ActionRequest):
    DomainExtensionId: str


class SetDomainExtensionAttribute(OfDomainExtension):
    ServerCertificateId: str


class DescribeDomainExtensions(listeners.OfListener):
    DomainExtensionId: str = ""


@SLB.action
def create_domain_extension(cloud: Cloud, request: CreateDomainExtension) -> Answer:
    listener = listeners.find(cloud, request, "https")
    domain = request.Domain.lower()
    present = listeners.find_domain_extensions(cloud, listener)
    if any(other.domain.lower() == domain for other in present):
        raise ApiError(400, "InvalidParameter.Domain", "The specified Domain exists.")
    if len(present) >= PER_LISTENER:
        raise ApiError(
            400,
            "OverQuota",
            f"The Total is over the quota: a listener has {PER_LISTENER} domain extensions.",
        )
    certificate = _find_certificate(cloud, request.ServerCertificateId, listener.region)
    _require_name(certificate, domain)
    extension = DomainExtension(
        id=new_id("de"),
        region=listener.region,
        load_balancer_id=listener.load_balancer_id,
        port=listener.port,
        domain=request.Domain,
        server_certificate_id=certificate.id,
    )
    cloud.store.put(extension)
    cloud.apply()
    return {"DomainExtensionId": extension.id, "ListenerPort": listener.port}


@SLB.action
def set_domain_extension(cloud: Cloud, request: SetDomainExtensionAttribute) -> Answer:
    extension = _find_extension(cloud, request)
    certificate = _find_certificate(cloud, request.ServerCertificateId, extension.region)
    _require_name(certificate, extension.domain.lower())
    extension.server_certificate_id = certificate.id
    cloud.store.put(extension)
    cloud.apply()
    return {}


@SLB.action_named("DescribeDomainExtensionAttribute")
def describe_domain_extension(cloud: Cloud, request: OfDomainExtension) -> Answer:
    extension = _find_extension(cloud, request)
    return {
        **describe_extension(extension),
        "LoadBalancerId": extension.load_balancer_id,
        "ListenerPort": extension.port,
    }


@SLB.action
def describe_domain_extensions(cloud: Cloud, request: DescribeDomainExtensions) -> Answer:
    listener = listeners.find(cloud, request, "https")
    described = [
        describe_extension(extension)
        for extension in listeners.find_domain_extensions(cloud, listener)
        if request.DomainExtensionId in {"", extension.id}
    ]
    return {"DomainExtensions": {"DomainExtension": described}}


@SLB.action_named("DeleteDomainExtension")
def delete_domain_extension(cloud: Cloud, request: OfDomainExtension) -> Answer:
    cloud.store.delete(_find_extension(cloud, request))
    cloud.apply()
    return {}


def describe_extension(extension: DomainExtension) -> dict[str, Any]:
    """Describe a domain extension as lists show it."""
    return {
        "DomainExtensionId": extension.id,
        "Domain": extension.domain,
        "ServerCertificateId": extension.server_certificate_id,
    }


def _find_extension(cloud: Cloud, request: OfDomainExtension) -> DomainExtension:
    extension = cloud.store.get(DomainExtension, request.DomainExtensionId)
    if extension is None or request.RegionId not in {"", extension.region}:
        # 404: only so does the provider take it for gone.
        raise ApiError(
            404,
            "InvalidParameter.DomainExtensionId",
            "The specified DomainExtensionId does not exist.",
        )
    return extension


def _find_certificate(cloud: Cloud, key: str, region: str) -> UploadedServerCertificate:
    certificate = cloud.store.get(UploadedServerCertificate, key)
    if certificate is None or certificate.region != region:
        raise ApiError(
            400,
            "InvalidParameter.ServerCertificateId",
            "The specified ServerCertificateId does not exist.",
        )
    return certificate


def _require_name(certificate: UploadedServerCertificate, domain: str) -> None:
    """Check that the certificate is for the domain, as CLB's documentation demands."""
    wildcard = "*." + domain.partition(".")[2]
    if not {domain, wildcard} & {name.lower() for name in dns_names(certificate)}:
        raise invalid("Domain", "The certificate is not for it.")
