"""Certificates that CLB takes and OpenSSL's security level 2 does not: served, and nobody lowered.

By what OpenSSL on the client's side sees.
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud.dataplane.model import DomainSpec, ListenerSpec, SocketAddress
from localcloud.dataplane.plane import DataPlane
from tests.integration.localcloud.dataplane.echo import get
from tests.integration.localcloud.dataplane.site import listener_of, loopback

POLICY = "tls_cipher_policy_1_2_strict_with_1_3"


def client(certificate: Path | None, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that minds nothing and may hold anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


class Sha1Authority:
    """A root of RSA with 1024 bits that signs over SHA-1, which cryptography does not any more."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._openssl("genrsa", "-traditional", "-out", "ca.key", "1024")
        self._openssl("req", "-x509", "-sha1", "-key", "ca.key", "-subj", "/CN=ca", "-out", "ca")
        self.pem = (folder / "ca").read_text()

    def issue(self, name: str, bits: int = 2048) -> Path:
        """A file with a certificate and its key of PKCS#1."""
        self._openssl("genrsa", "-traditional", "-out", "key", str(bits))
        self._openssl("req", "-new", "-key", "key", "-subj", f"/CN={name}", "-out", "csr")
        issuer = ("-CA", "ca", "-CAkey", "ca.key", "-CAcreateserial")
        self._openssl("x509", "-req", "-sha1", "-in", "csr", *issuer, "-out", "certificate")
        path = self._folder / f"{name}-{bits}.pem"
        text = (self._folder / "certificate").read_text() + (self._folder / "key").read_text()
        path.write_text(text)
        return path

    def server(self, name: str = "server", bits: int = 2048) -> str:
        return self.issue(name, bits).read_text()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self._folder, check=True, capture_output=True, timeout=60
        )


@pytest.fixture(scope="module")
def sha1_authority(tmp_path_factory: pytest.TempPathFactory) -> Sha1Authority:
    return Sha1Authority(tmp_path_factory.mktemp("sha1"))


@pytest.fixture(scope="module")
def serve(plane: DataPlane) -> Callable[..., SocketAddress]:
    served: dict[Any, ListenerSpec] = {}

    def add(**options: Any) -> SocketAddress:
        options = {
            "protocol": "https",
            "tls_cipher_policy": POLICY,
            "health_check": None,
            **options,
        }
        listener = listener_of(plane, loopback(), load_balancer_id=f"lb-{len(served)}", **options)
        served[listener.key] = listener
        return plane.apply_listeners(list(served.values()))[listener.key]

    return add


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_weak_certificates_are_served_and_other_listeners_demand_what_they_did(
    serve, authority, sha1_authority, server_pem, tmp_path, version
) -> None:
    strong = serve(server_certificate=server_pem, ca_certificate=authority.pem)
    weak = [
        serve(server_certificate=authority.server(bits=1024), ca_certificate=authority.pem),
        serve(server_certificate=sha1_authority.server(), ca_certificate=authority.pem),
        serve(
            server_certificate=server_pem,
            ca_certificate=authority.pem,
            domain_extensions=(
                DomainSpec("a.example", sha1_authority.server("a.example", bits=1024)),
            ),
        ),
    ]
    good, short = authority.client(tmp_path), authority.client(tmp_path, bits=1024)
    for address in (strong, *weak):
        assert get(address, tls=client(good, version)).status == 200
        assert get(address, tls=client(None, version)).status == 400
    assert get(strong, tls=client(short, version)).status == 400
    assert get(weak[0], tls=client(short, version)).status == 200

    of_weak_ca = serve(server_certificate=server_pem, ca_certificate=sha1_authority.pem)
    signed_over_sha1 = sha1_authority.issue("client")
    assert get(of_weak_ca, tls=client(signed_over_sha1, version)).status == 200
    assert get(of_weak_ca, tls=client(good, version)).status == 400
    assert get(strong, tls=client(signed_over_sha1, version)).status == 400
    assert get(strong, tls=client(short, version)).status == 400


def test_a_strong_listener_shows_no_weak_signature(serve, server_pem) -> None:
    address = serve(server_certificate=server_pem)
    context = client(None, ssl.TLSVersion.TLSv1_2)
    # Level 2 on the client's side would end a handshake that the server's side let go lower.
    context.set_ciphers("DEFAULT:@SECLEVEL=2")
    assert get(address, tls=context).status == 200
