"""Server and CA certificates: what CLB takes of them, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from pydantic import Field

from localcloud.account import ACCOUNT_ID
from localcloud.cloud import Cloud
from localcloud.documents import (
    CaCertificate,
    DomainExtension,
    Listener,
    UploadedServerCertificate,
    new_id,
)
from localcloud.errors import ApiError, missing, not_emulated
from localcloud.products import SLB, Answer
from localcloud.requests import ActionRequest, TaggedRequest
from localcloud.services.tags import has_tags, tag_keys

RSA_SIZES = (1024, 2048, 4096)
"""RSA key sizes that CLB's certificate requirements name; 3072 is not among them."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,79}$")]


class UploadServerCertificate(TaggedRequest):
    ServerCertificate: str = ""
    PrivateKey: str = Field(default="", repr=False)
    ServerCertificateName: Name | None = None
    AliCloudCertificateId: str = ""
    AliCloudCertificateName: str = ""
    AliCloudCertificateRegionId: str = ""
    ResourceGroupId: str = "rg-default"


class DescribeServerCertificates(TaggedRequest):
    ServerCertificateId: str = ""
    ResourceGroupId: str = ""


class SetServerCertificateName(ActionRequest):
    ServerCertificateId: str
    ServerCertificateName: Name


class DeleteServerCertificate(ActionRequest):
    ServerCertificateId: str


class UploadCACertificate(TaggedRequest):
    CACertificate: str
    CACertificateName: Name | None = None
    ResourceGroupId: str = "rg-default"


class DescribeCACertificates(TaggedRequest):
    CACertificateId: str = ""
    ResourceGroupId: str = ""


class SetCACertificateName(ActionRequest):
    CACertificateId: str
    CACertificateName: Name


class DeleteCACertificate(ActionRequest):
    CACertificateId: str


@SLB.action
def upload_server_certificate(cloud: Cloud, request: UploadServerCertificate) -> Answer:
    if request.AliCloudCertificateId:
        raise not_emulated("certificates of Certificate Management Service")
    for name in ("ServerCertificate", "PrivateKey"):
        if not getattr(request, name):
            raise missing(name)
    leaf = _read_chain("ServerCertificate", request.ServerCertificate)[0]
    if _read_key(request.PrivateKey).public_key() != leaf.public_key():
        raise ApiError(400, "CertificateNotMatchPrivateKey", "Certificate and key does not match.")
    key = f"{ACCOUNT_ID}_{new_id('')[1:]}"
    certificate = UploadedServerCertificate(
        id=key,
        region=request.RegionId,
        name=request.ServerCertificateName or key,
        certificate=request.ServerCertificate,
        private_key=request.PrivateKey,
        resource_group_id=request.ResourceGroupId,
        tags=request.tags(),
    )
    cloud.store.put(certificate)
    described = _describe_server(certificate)
    del described["Tags"]
    return described


@SLB.action
def describe_server_certificates(cloud: Cloud, request: DescribeServerCertificates) -> Answer:
    described = [
        _describe_server(certificate)
        for certificate in cloud.store.all(UploadedServerCertificate)
        if request.RegionId in {"", certificate.region}
        and request.ServerCertificateId in {"", certificate.id}
        and request.ResourceGroupId in {"", certificate.resource_group_id}
        and has_tags(certificate, request.Tag)
    ]
    return {"ServerCertificates": {"ServerCertificate": described}}


@SLB.action
def set_server_certificate_name(cloud: Cloud, request: SetServerCertificateName) -> Answer:
    certificate = find_server_certificate(cloud, request.ServerCertificateId, request.RegionId)
    certificate.name = request.ServerCertificateName
    cloud.store.put(certificate)
    return {}


@SLB.action
def delete_server_certificate(cloud: Cloud, request: DeleteServerCertificate) -> Answer:
    certificate = find_server_certificate(cloud, request.ServerCertificateId, request.RegionId)
    extended = cloud.store.all(DomainExtension, server_certificate_id=certificate.id)
    if extended or _is_used(cloud, "ServerCertificateId", certificate.id):
        raise ApiError(
            400,
            "CertificateAndPrivateKeyIsRefered",
            "The specified server certificate is used by a listener.",
        )
    cloud.store.delete(certificate)
    return {}


@SLB.action
def upload_ca_certificate(cloud: Cloud, request: UploadCACertificate) -> Answer:
    chain = _read_chain("CACertificate", request.CACertificate)
    if len(chain) != 1:
        raise _format("CACertificate", "It is one certificate, not several.")
    key = f"{ACCOUNT_ID}_{new_id('')[1:]}"
    certificate = CaCertificate(
        id=key,
        region=request.RegionId,
        name=request.CACertificateName or key,
        certificate=request.CACertificate,
        resource_group_id=request.ResourceGroupId,
        tags=request.tags(),
    )
    cloud.store.put(certificate)
    described = _describe_ca(certificate)
    for name in ("CreateTime", "CreateTimeStamp", "RegionId", "Tags"):
        del described[name]
    return described


@SLB.action
def describe_ca_certificates(cloud: Cloud, request: DescribeCACertificates) -> Answer:
    described = [
        _describe_ca(certificate)
        for certificate in cloud.store.all(CaCertificate, region=request.RegionId)
        if request.CACertificateId in {"", certificate.id}
        and request.ResourceGroupId in {"", certificate.resource_group_id}
        and has_tags(certificate, request.Tag)
    ]
    return {"CACertificates": {"CACertificate": described}}


@SLB.action
def set_ca_certificate_name(cloud: Cloud, request: SetCACertificateName) -> Answer:
    certificate = find_ca_certificate(cloud, request.CACertificateId, request.RegionId)
    certificate.name = request.CACertificateName
    cloud.store.put(certificate)
    return {}


@SLB.action
def delete_ca_certificate(cloud: Cloud, request: DeleteCACertificate) -> Answer:
    certificate = find_ca_certificate(cloud, request.CACertificateId, request.RegionId)
    if _is_used(cloud, "CACertificateId", certificate.id):
        # Alibaba Cloud does not document this one's code; it is formed like the other's.
        raise ApiError(
            400, "CACertificateIsRefered", "The specified CA certificate is used by a listener."
        )
    cloud.store.delete(certificate)
    return {}


def find_server_certificate(cloud: Cloud, key: str, region: str) -> UploadedServerCertificate:
    """Find a server certificate in a region.

    Raises:
        ApiError: The region has no server certificate with this id.
    """
    certificate = cloud.store.get(UploadedServerCertificate, key)
    if certificate is None or region not in {"", certificate.region}:
        raise ApiError(
            404, "ServerCertificateId.NotFound", "The specified ServerCertificateId does not exist."
        )
    return certificate


def find_ca_certificate(cloud: Cloud, key: str, region: str) -> CaCertificate:
    """Find a CA certificate in a region.

    Raises:
        ApiError: The region has no CA certificate with this id.
    """
    certificate = cloud.store.get(CaCertificate, key)
    if certificate is None or region not in {"", certificate.region}:
        raise ApiError(
            404, "CACertificateId.NotFound", "The specified CACertificateId does not exist."
        )
    return certificate


def _is_used(cloud: Cloud, attribute: str, key: str) -> bool:
    return any(listener.attributes.get(attribute) == key for listener in cloud.store.all(Listener))


def _read_chain(parameter: str, text: str) -> list[x509.Certificate]:
    """Read a PEM chain as CLB reads it: no blank lines or other text between its blocks."""
    blocks = (
        r"(-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n?)+"
    )
    if not re.fullmatch(blocks, text.replace("\r\n", "\n").strip() + "\n"):
        raise _format(parameter)
    chain: list[x509.Certificate] = _parse(parameter, lambda: _load_chain(text))
    for certificate in chain:
        _require_rsa(parameter, certificate.public_key())
    return chain


def _load_chain(text: str) -> list[x509.Certificate]:
    chain = x509.load_pem_x509_certificates(text.encode())
    for certificate in chain:
        # The library leaves these until they are asked for.
        _ = (certificate.subject, certificate.extensions, certificate.public_key())
    return chain


def _read_key(text: str) -> rsa.RSAPrivateKey:
    """Read a private key as CLB reads it: RSA, PKCS#1, not encrypted."""
    if "ENCRYPTED" in text:
        raise ApiError(400, "PrivateKeyEncryption", "Key has Encrypted .")
    if not text.strip().startswith("-----BEGIN RSA PRIVATE KEY-----"):
        raise ApiError(
            400,
            "KeyFormatError",
            "The specified parameter PrivateKey format is error: it is PKCS#1, RSA.",
        )
    key = _parse("PrivateKey", lambda: load_pem_private_key(text.encode(), None))
    _require_rsa("PrivateKey", key.public_key())
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - PKCS#1 holds nothing else
    return key


def _parse(parameter: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ):
        raise _format(parameter) from None


def _require_rsa(parameter: str, key: object) -> None:
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in RSA_SIZES:
        sizes = ", ".join(str(size) for size in RSA_SIZES)
        raise _format(parameter, f"Keys are RSA of {sizes} bits.")


def _format(parameter: str, reason: str = "") -> ApiError:
    said = f"The specified parameter {parameter} format is error."
    return ApiError(400, "InvalidParameter", f"{said} {reason}".strip())


def dns_names(certificate: UploadedServerCertificate | CaCertificate) -> list[str]:
    """The DNS names that a certificate is for: its common name, then the alternative ones."""
    parsed = _leaf(certificate)
    return [name for name in (_common_name(parsed), *_alternative_names(parsed)) if name]


def _leaf(certificate: UploadedServerCertificate | CaCertificate) -> x509.Certificate:
    return x509.load_pem_x509_certificates(certificate.certificate.encode())[0]


def _common_name(parsed: x509.Certificate) -> str:
    attributes = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value) if attributes else ""


def _alternative_names(parsed: x509.Certificate) -> list[str]:
    try:
        extension = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return extension.get_values_for_type(x509.DNSName)


def _describe_common(certificate: UploadedServerCertificate | CaCertificate) -> dict[str, Any]:
    parsed = _leaf(certificate)
    created = datetime.fromtimestamp(certificate.created, UTC)
    ends = parsed.not_valid_after_utc
    return {
        "Fingerprint": ":".join(f"{byte:02x}" for byte in parsed.fingerprint(hashes.SHA1())),  # noqa: S303 - as the API shows it
        "CommonName": _common_name(parsed),
        "CreateTime": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "CreateTimeStamp": int(certificate.created * 1000),
        "ExpireTime": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ExpireTimeStamp": int(ends.timestamp() * 1000),
        "RegionId": certificate.region,
        "ResourceGroupId": certificate.resource_group_id,
    }


def _describe_server(certificate: UploadedServerCertificate) -> dict[str, Any]:
    return {
        **_describe_common(certificate),
        "ServerCertificateId": certificate.id,
        "ServerCertificateName": certificate.name,
        "SubjectAlternativeNames": {
            "SubjectAlternativeName": _alternative_names(_leaf(certificate))
        },
        "IsAliCloudCertificate": 0,
        "AliCloudCertificateId": "",
        "AliCloudCertificateName": "",
        "Tags": {"Tag": tag_keys(certificate)},
    }


def _describe_ca(certificate: CaCertificate) -> dict[str, Any]:
    return {
        **_describe_common(certificate),
        "CACertificateId": certificate.id,
        "CACertificateName": certificate.name,
        "Tags": {"Tag": tag_keys(certificate)},
    }
