"""TCP listeners: connections are passed on as they are."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from localcloud.dataplane.model import AccessControl, BackendSpec, HealthCheck, SocketAddress
from tests.integration.localcloud.dataplane.echo import get
from tests.integration.localcloud.dataplane.site import (
    THERE,
    admitted,
    health,
    instances,
    listener_of,
    loopback,
    wait_healthy,
    wait_until,
)


@pytest.fixture
def listener(plane):
    check = HealthCheck(kind="tcp", interval=1, healthy_threshold=2, unhealthy_threshold=2)
    return listener_of(plane, loopback(), protocol="tcp", health_check=check)


def test_connections_are_balanced_and_nothing_is_added(plane, listener):
    address = plane.apply_listeners([listener])[listener.key]
    wait_healthy(plane, listener)
    assert instances(address, 4) == {"i-a": 2, "i-b": 2}
    assert "x-forwarded-for" not in get(address).seen


def test_a_client_stays_with_its_backend_as_long_as_is_said(plane, listener):
    sticky = replace(listener, health_check=None, persistence_timeout=60)
    address = plane.apply_listeners([sticky])[sticky.key]
    assert len(instances(address, 4, source="127.201.0.7")) == 1


def test_an_idle_connection_is_closed(plane, listener):
    short = replace(listener, health_check=None, established_timeout=1)
    address = plane.apply_listeners([short])[short.key]
    with socket.create_connection((address.host, address.port), 10) as idle:
        assert idle.recv(1) == b""


def test_access_control_and_checks_over_http_hold_for_it_too(plane, listener):
    fails = HealthCheck(uri="/fail", interval=1, healthy_threshold=2, unhealthy_threshold=2)
    broken = replace(listener, health_check=fails)
    plane.apply_listeners([broken])
    wait_until(lambda: set(health(plane, broken).values()) == {"abnormal"})
    control = AccessControl("white", (f"{THERE}/32",))
    guarded = replace(listener, health_check=None, access_control=control)
    address = plane.apply_listeners([guarded])[guarded.key]
    assert admitted(address) == {THERE}


def test_a_backend_is_told_the_client_before_anything_else(plane, listener):
    with socket.create_server((loopback(), 0)) as server:
        host, port = server.getsockname()
        backend = BackendSpec("i-c", SocketAddress(host, port))
        telling = replace(listener, health_check=None, backends=(backend,), proxy_protocol=True)
        address = plane.apply_listeners([telling])[telling.key]
        source = ("127.201.0.7", 0)
        with socket.create_connection((address.host, address.port), 10, source) as client:
            client.sendall(b"hello")
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                got = b""
                while b"hello" not in got:
                    got += connection.recv(100)
    # The signature, version and command, TCP over IPv4, and then the client's address.
    assert got[:14] == b"\r\n\r\n\0\r\nQUIT\n\x21\x11"
    assert got[16:20] == socket.inet_aton(source[0])
