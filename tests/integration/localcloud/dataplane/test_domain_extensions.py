"""Domain extensions: each name has its certificate, and no name a way around mutual TLS."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace

import pytest
from cryptography import x509

from localcloud.dataplane.model import DomainSpec
from tests.integration.localcloud.dataplane.echo import tls_client
from tests.integration.localcloud.dataplane.site import listener_of, loopback, start_backends


@pytest.fixture(scope="module")
def by_name(plane, authority):
    """A listener with three certificates; its own claims the second domain's name too."""
    own = authority.server("own", ["app.example.com", "api.example.com"])
    api = authority.server("api", ["api.example.com"])
    wild = authority.server("wild", ["*.wild.example.com"])
    return listener_of(
        plane,
        loopback(),
        protocol="https",
        health_check=None,
        server_certificate=own,
        ca_certificate=authority.pem,
        tls_cipher_policy="tls_cipher_policy_1_2_strict_with_1_3",
        domain_extensions=(
            DomainSpec("*.wild.example.com", wild),
            DomainSpec("api.example.com", api),
        ),
    )


def presented(address, name, context):
    """Common name of the certificate that the server shows for a name."""
    with (
        socket.create_connection((address.host, address.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        shown = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    return shown.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, "own"),
        ("app.example.com", "own"),
        ("unknown.example.net", "own"),
        ("api.example.com", "api"),
        ("API.example.com", "api"),
        ("a.wild.example.com", "wild"),
        ("a.b.wild.example.com", "own"),
        ("wild.example.com", "own"),
    ],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_each_domain_has_its_certificate(*, plane, by_name, certificates, name, expected, version):
    address = plane.apply_listeners([by_name])[by_name.key]
    assert presented(address, name, tls_client(certificates.good, version)) == expected


@pytest.mark.parametrize("name", ["app.example.com", "api.example.com", "x.wild.example.com"])
@pytest.mark.parametrize("strict", [False, True], ids=["pages", "strict"])
def test_no_domain_is_a_way_around_mutual_tls(*, start_plane, by_name, certificates, name, strict):
    plane = start_plane(strict=strict)
    start_backends(plane)
    address = plane.apply_listeners([replace(by_name, backends=())])[by_name.key]

    def ask(client):
        with (
            socket.create_connection((address.host, address.port), timeout=10) as plain,
            tls_client(client).wrap_socket(plain, server_hostname=name) as tls,
        ):
            tls.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            return int(tls.recv(12)[9:12])

    assert ask(certificates.good) == 502
    for bad in (certificates.missing, certificates.other_ca, certificates.expired):
        if strict:
            with pytest.raises((ssl.SSLError, OSError, ValueError)):
                ask(bad)
        else:
            assert ask(bad) == 400


def test_a_replaced_certificate_of_a_domain_is_shown_and_the_old_one_is_gone(
    *, plane, by_name, certificates, authority
):
    address = plane.apply_listeners([by_name])[by_name.key]
    before = len(list((plane._home / "pem").iterdir()))
    new = DomainSpec("api.example.com", authority.server("new", ["api.example.com"]))
    changed = replace(by_name, domain_extensions=(by_name.domain_extensions[0], new))
    assert plane.apply_listeners([changed]) == {by_name.key: address}
    client = tls_client(certificates.good)
    assert presented(address, "api.example.com", client) == "new"
    assert len(list((plane._home / "pem").iterdir())) == before
    plane.apply_listeners([replace(by_name, domain_extensions=())])
    assert presented(address, "api.example.com", client) == "own"
    assert len(list((plane._home / "pem").iterdir())) == 2
