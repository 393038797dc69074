from __future__ import annotations

import socket
import ssl
import warnings

import pytest

from tests.integration.localcloud.dataplane.echo import get, tls_client
from tests.integration.localcloud.dataplane.site import (
    listener_of,
    loopback,
    start_backends,
    wait_healthy,
)

REFUSED_IN_HANDSHAKE = (ssl.SSLError, ConnectionError)


@pytest.fixture(scope="module", params=[False, True], ids=["pages", "strict"])
def strict(request):
    return request.param


@pytest.fixture(scope="module")
def listener_and_address(start_plane, strict, authority, server_pem):
    plane = start_plane(strict=strict)
    start_backends(plane)
    listener = listener_of(
        plane,
        loopback(),
        protocol="https",
        server_certificate=server_pem,
        ca_certificate=authority.pem,
        tls_cipher_policy="tls_cipher_policy_1_2_strict_with_1_3",
    )
    address = plane.apply_listeners([listener])[listener.key]
    wait_healthy(plane, listener)
    return listener, address


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls12", "tls13"])
def version(request):
    return request.param


def test_a_valid_client_certificate_is_admitted(listener_and_address, certificates, version):
    answer = get(listener_and_address[1], tls=tls_client(certificates.good, version))
    assert answer.status == 200
    assert answer.json["instance"] in {"i-a", "i-b"}


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("missing", "400 No required SSL certificate was sent"),
        ("other_ca", "400 The SSL certificate error"),
        ("expired", "400 The SSL certificate error"),
        ("not_yet_valid", "400 The SSL certificate error"),
        ("for_servers", "400 The SSL certificate error"),
    ],
)
def test_everyone_else_is_refused(
    *, listener_and_address, strict, certificates, version, kind, title
):
    client = tls_client(getattr(certificates, kind), version)
    address = listener_and_address[1]
    if strict:
        with pytest.raises(REFUSED_IN_HANDSHAKE):
            get(address, tls=client)
    else:
        answer = get(address, tls=client)
        assert answer.status == 400
        assert f"<title>{title}</title>".encode() in answer.body


@pytest.mark.parametrize(
    ("method", "headers"), [("TRACE", {}), ("OPTIONS", {}), ("GET", {"X-Forwarded-Proto": "https"})]
)
def test_no_method_or_header_gets_around_a_missing_certificate(
    listener_and_address, strict, method, headers
):
    request = {"method": method, "headers": headers, "tls": tls_client()}
    if strict:
        with pytest.raises(REFUSED_IN_HANDSHAKE):
            get(listener_and_address[1], **request)
    else:
        assert get(listener_and_address[1], **request).status == 400


def test_a_session_is_never_resumed(listener_and_address, certificates, version):
    address = listener_and_address[1]
    context = tls_client(certificates.good, version)

    def visit(session):
        with (
            socket.create_connection((address.host, address.port), timeout=10) as plain,
            context.wrap_socket(plain, session=session) as tls,
        ):
            tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            first = tls.recv(65536)
            while tls.recv(65536):
                pass
            return tls.session, tls.session_reused, first

    session, _, _ = visit(None)
    _, reused, answer = visit(session)
    assert reused is False
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.fixture(scope="module")
def by_policy(start_plane, server_pem):
    """Addresses of listeners without mutual authentication, one a policy."""
    from localcloud.dataplane.tls_policies import POLICIES

    plane = start_plane()
    start_backends(plane)
    host = loopback()
    listeners = [
        listener_of(
            plane,
            host,
            port=9000 + number,
            protocol="https",
            server_certificate=server_pem,
            health_check=None,
            tls_cipher_policy=policy,
            http2=number % 2 == 0,
        )
        for number, policy in enumerate(POLICIES)
    ]
    found = plane.apply_listeners(listeners)
    return {listener.tls_cipher_policy: found[listener.key] for listener in listeners}


def handshake(address, low, high, ciphers="ALL:@SECLEVEL=0", alpn=()):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that of TLS 1.0 and 1.1
        context.minimum_version, context.maximum_version = low, high
    context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    with (
        socket.create_connection((address.host, address.port), timeout=10) as plain,
        context.wrap_socket(plain) as tls,
    ):
        return tls.version(), tls.selected_alpn_protocol()


V = ssl.TLSVersion


@pytest.mark.parametrize(
    ("policy", "accepted"),
    [
        ("tls_cipher_policy_1_0", {V.TLSv1, V.TLSv1_1, V.TLSv1_2}),
        ("tls_cipher_policy_1_1", {V.TLSv1_1, V.TLSv1_2}),
        ("tls_cipher_policy_1_2", {V.TLSv1_2}),
        ("tls_cipher_policy_1_2_strict", {V.TLSv1_2}),
        ("tls_cipher_policy_1_2_strict_with_1_3", {V.TLSv1_2, V.TLSv1_3}),
    ],
)
def test_a_policy_accepts_its_protocol_versions_and_no_others(by_policy, policy, accepted):
    found = set()
    for one in (V.TLSv1, V.TLSv1_1, V.TLSv1_2, V.TLSv1_3):
        try:
            handshake(by_policy[policy], one, one)
        except (ssl.SSLError, ConnectionError):
            continue
        found.add(one)
    assert found == accepted


def test_strict_policies_refuse_ciphers_without_forward_secrecy(by_policy):
    options = (V.TLSv1_2, V.TLSv1_2, "AES128-GCM-SHA256")
    assert handshake(by_policy["tls_cipher_policy_1_2"], *options)[0] == "TLSv1.2"
    for policy in ("tls_cipher_policy_1_2_strict", "tls_cipher_policy_1_2_strict_with_1_3"):
        with pytest.raises(REFUSED_IN_HANDSHAKE):
            handshake(by_policy[policy], *options)


def test_http2_is_offered_only_where_the_listener_has_it(by_policy):
    options = (V.TLSv1_2, V.TLSv1_2, "ALL", ("h2", "http/1.1"))
    assert handshake(by_policy["tls_cipher_policy_1_0"], *options)[1] == "h2"
    assert handshake(by_policy["tls_cipher_policy_1_1"], *options)[1] == "http/1.1"


def test_a_replaced_client_ca_takes_effect_at_once(
    *, start_plane, authority, other_authority, server_pem, certificates
):
    plane = start_plane()
    start_backends(plane)
    host = loopback()

    def apply(ca):
        listener = listener_of(
            plane,
            host,
            protocol="https",
            server_certificate=server_pem,
            ca_certificate=ca,
            health_check=None,
        )
        return plane.apply_listeners([listener])[listener.key]

    address = apply(authority.pem)
    good, other = (tls_client(c) for c in (certificates.good, certificates.other_ca))
    assert [get(address, tls=client).status for client in (good, other)] == [200, 400]
    assert apply(other_authority.pem) == address
    assert [get(address, tls=client).status for client in (good, other)] == [400, 200]
