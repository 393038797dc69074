"""Weights, ports, checks, addresses and timeouts: what clients see of a listener's settings."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from localcloud.dataplane.model import AccessControl, BackendSpec, HealthCheck, SocketAddress
from tests.integration.localcloud.dataplane.echo import get, tls_client
from tests.integration.localcloud.dataplane.site import (
    instances,
    listener_of,
    loopback,
    wait_healthy,
    wait_until,
)


@pytest.mark.parametrize(
    ("weights", "expected"), [((90, 10), 18), ((75, 25), 15), ((1, 3), 5), ((100, 0), 20)]
)
def test_weights_share_out_requests(plane, listener, weights, expected):
    backends = tuple(
        replace(one, weight=weight) for one, weight in zip(listener.backends, weights, strict=True)
    )
    weighted = replace(listener, scheduler="wrr", backends=backends)
    address = plane.apply_listeners([weighted])[weighted.key]
    assert instances(address, 20)["i-a"] == expected


def test_two_ports_of_an_instance_are_two_backends(own_plane):
    """One port is served and one is not; each has health and requests of its own."""
    served = own_plane.backend_socket("i-a", 8080)
    nothing = SocketAddress(served.host, 9)
    both = listener_of(
        own_plane,
        loopback(),
        backends=(BackendSpec("i-a", served), BackendSpec("i-a", nothing)),
    )
    address = own_plane.apply_listeners([both])[both.key]
    expected = {("i-a", served): "normal", ("i-a", nothing): "abnormal"}
    wait_until(lambda: own_plane.health(both.key) == expected)
    assert instances(address, 4) == {"i-a": 4}


def test_health_is_checked_at_the_port_that_is_named(own_plane):
    served = own_plane.backend_socket("i-a", 8080)
    nothing = SocketAddress(served.host, 9)
    one = listener_of(
        own_plane,
        loopback(),
        backends=(BackendSpec("i-a", nothing, checked_port=served.port),),
    )
    address = own_plane.apply_listeners([one])[one.key]
    wait_healthy(own_plane, one)
    assert get(address).status == 502
    # A reload takes over health, and with it the port.
    own_plane.apply_listeners([replace(one, idle_timeout=30)])
    wait_healthy(own_plane, one)


def test_a_client_of_one_listener_is_none_of_another_with_the_same_certificate(
    *, plane, listener, authority, other_authority, server_pem, certificates
):
    first = replace(
        listener,
        protocol="https",
        server_certificate=server_pem,
        ca_certificate=authority.pem,
    )
    second = replace(first, port=8444, ca_certificate=other_authority.pem)
    open_to_all = replace(first, port=8445, ca_certificate=None)
    found = plane.apply_listeners([first, second, open_to_all])
    for client, expected in (
        (certificates.good, [200, 400, 200]),
        (certificates.other_ca, [400, 200, 200]),
        (certificates.missing, [400, 400, 200]),
    ):
        context = tls_client(client)
        statuses = [get(found[one.key], tls=context).status for one in (first, second, open_to_all)]
        assert statuses == expected


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_a_listener_can_be_at_an_ipv6_address(plane, listener):
    sixth = replace(
        listener, address="::1", port=18080, access_control=AccessControl("white", ("::1/128",))
    )
    other = replace(sixth, load_balancer_id="lb-other")
    found = plane.apply_listeners([sixth, other])
    assert found[sixth.key] != found[other.key]
    for one in (sixth, other):
        answer = get(found[one.key])
        assert answer.seen["x-forwarded-for"] == "::1"
    shut = replace(sixth, access_control=AccessControl("black", ("::/0",)))
    address = plane.apply_listeners([shut])[shut.key]
    with pytest.raises(ConnectionError):
        get(address)


def test_an_idle_connection_is_closed_after_its_timeout(plane, listener):
    brief = replace(listener, idle_timeout=1)
    address = plane.apply_listeners([brief])[brief.key]
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while connection.recv(65536):
            pass


def test_a_check_s_settings_reach_the_backend(own_plane):
    check = HealthCheck(uri="/healthz", method="get", domain="app.example.com", interval=1)
    one = listener_of(own_plane, loopback(), health_check=check)
    own_plane.apply_listeners([one])
    socket_of = own_plane.backend_socket("i-a", 8080)
    wanted = [["GET", "HTTP/1.0", "app.example.com"]]
    wait_until(lambda: get(socket_of).json["check"] == wanted)
