"""Requests through the data plane, and listeners that are loaded while it serves."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace

import psutil
import pytest

from localcloud.dataplane import ports
from localcloud.dataplane.model import (
    BackendSpec,
    DataPlaneError,
    ForwardedHeaders,
    HealthCheck,
    SocketAddress,
)
from tests.integration.localcloud.dataplane.echo import get
from tests.integration.localcloud.dataplane.site import (
    haproxy_pid,
    health,
    listener_of,
    loopback,
    wait_healthy,
    wait_until,
)


@pytest.fixture(scope="module")
def healthy(plane):
    """A listener whose backends are healthy, and its address."""
    listener = listener_of(
        plane, loopback(), forwarded=ForwardedHeaders(slb_ip=True, slb_id=True, proto=True)
    )
    address = plane.apply_listeners([listener])[listener.key]
    wait_healthy(plane, listener)
    return listener, address


@pytest.fixture
def served(plane, healthy):
    """The healthy listener, whatever the last test applied."""
    plane.apply_listeners([healthy[0]])
    wait_healthy(plane, healthy[0])
    return healthy


def workers(plane):
    return set(psutil.Process(haproxy_pid(plane)).children())


def test_requests_alternate_over_the_backends(served):
    names = [get(served[1]).json["instance"] for _ in range(10)]
    assert names in (["i-a", "i-b"] * 5, ["i-b", "i-a"] * 5)


def test_the_backend_sees_headers_of_the_listener_and_not_the_client_s(served):
    forged = {"SLB-ID": "x", "SLB-IP": "x", "X-Forwarded-Proto": "x", "X-Forwarded-For": "6.6.6.6"}
    seen = get(served[1], headers=forged).seen
    assert seen["x-forwarded-for"] == "6.6.6.6, 127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["slb-id"] == "lb-test"
    assert seen["slb-ip"] == served[1].host
    assert get(served[1]).seen["x-forwarded-for"] == "127.0.0.1"


def test_health_checks_are_sent_as_the_load_balancer_does(plane, served):
    host = plane.backend_socket("i-a", 8080).host
    answer = get(plane.backend_socket("i-a", 8080))
    assert answer.json["check"] == [["HEAD", "HTTP/1.0", host]]


def test_trace_is_refused(served):
    assert get(served[1], method="TRACE").status == 405


def test_answers_are_compressed_for_those_who_ask(plane, served):
    asking = {"Accept-Encoding": "gzip"}
    assert get(served[1], headers=asking).headers["content-encoding"] == "gzip"
    plain = replace(served[0], gzip=False)
    plane.apply_listeners([plain])
    assert "content-encoding" not in get(served[1], headers=asking).headers


def test_a_slow_backend_is_504(plane, served):
    plane.apply_listeners([replace(served[0], request_timeout=1)])
    assert get(served[1], "/sleep/3").status == 504


def test_an_error_of_the_backend_is_passed_on(served):
    assert get(served[1], "/fail").status == 500


@pytest.mark.parametrize("weights", [(), (0, 0)])
def test_a_listener_without_a_backend_to_use_is_502(plane, served, weights):
    listener, address = served
    backends = tuple(
        replace(backend, weight=weight)
        for backend, weight in zip(listener.backends, weights, strict=False)
    )
    plane.apply_listeners([replace(listener, backends=backends)])
    answer = get(address)
    assert answer.status == 502
    assert b"502 Bad Gateway" in answer.body


def test_backends_that_refuse_connections_are_502(plane, served):
    dead = BackendSpec("i-dead", SocketAddress(loopback(), 9))
    plane.apply_listeners([replace(served[0], backends=(dead,), health_check=None)])
    assert get(served[1]).status == 502


def test_a_backend_without_checks_is_unavailable_and_serves(plane, served):
    listener = replace(served[0], health_check=None)
    plane.apply_listeners([listener])
    assert health(plane, listener) == {"i-a": "unavailable", "i-b": "unavailable"}
    assert get(served[1]).status == 200


def test_a_new_backend_gets_no_requests_before_it_passed_its_checks(plane, served):
    listener, _ = served
    failing = HealthCheck(uri="/fail", interval=1, healthy_threshold=2, unhealthy_threshold=2)
    other = replace(listener, load_balancer_id="lb-other", port=8444, health_check=failing)
    found = plane.apply_listeners([listener, other])
    assert get(found[other.key]).status == 502
    assert set(plane.health(other.key).values()) <= {"unavailable", "abnormal"}
    wait_until(lambda: set(plane.health(other.key).values()) == {"abnormal"})
    assert get(found[other.key]).status == 502


def test_a_reload_keeps_health_and_addresses(plane, served):
    listener, address = served
    for seconds in (20, 21, 22):
        changed = replace(listener, idle_timeout=seconds)
        assert plane.apply_listeners([changed]) == {listener.key: address}
        assert set(plane.health(listener.key).values()) == {"normal"}
        assert get(address).status == 200


def test_turning_checks_on_does_not_interrupt_service(plane, served):
    listener, address = served
    plane.apply_listeners([replace(listener, health_check=None)])
    plane.apply_listeners([listener])
    assert get(address).status == 200
    wait_healthy(plane, listener)


def test_the_same_listeners_again_do_not_reload(plane, served):
    before = workers(plane)
    plane.apply_listeners([served[0]])
    assert workers(plane) == before
    plane.apply_listeners([replace(served[0], idle_timeout=33)])
    assert workers(plane).isdisjoint(before)


def test_a_reload_loses_no_request(plane, served):
    listener, address = served
    statuses: list[int | str] = []
    finished = threading.Event()

    def ask(path):
        while not finished.is_set():
            try:
                statuses.append(get(address, path).status)
            except OSError as error:
                statuses.append(repr(error))

    threads = [threading.Thread(target=ask, args=(path,)) for path in ("/", "/", "/sleep/0.5")]
    for thread in threads:
        thread.start()
    try:
        for seconds in range(20, 30):
            plane.apply_listeners([replace(listener, idle_timeout=seconds)])
    finally:
        finished.set()
        for thread in threads:
            thread.join()
    assert len(statuses) > 100
    assert set(statuses) == {200}


def test_a_key_that_does_not_fit_is_refused_and_the_old_listener_serves_on(
    plane, served, authority, server_pem
):
    listener, address = served
    wrong = authority.pem + server_pem[server_pem.index("-----BEGIN RSA") :]
    broken = replace(listener, port=8555, protocol="https", server_certificate=wrong)
    with pytest.raises(DataPlaneError, match="HAProxy refuses") as error:
        plane.apply_listeners([listener, broken])
    assert "BEGIN" not in str(error.value)
    assert get(address).status == 200
    assert set(plane.health(listener.key).values()) == {"normal"}
    assert list((plane._home / "pem").iterdir()) == []


def test_keys_are_private_and_gone_with_their_listener(plane, served, authority, server_pem):
    listener, _ = served
    secure = replace(
        listener,
        protocol="https",
        server_certificate=server_pem,
        ca_certificate=authority.pem,
    )
    folder = plane._home / "pem"
    plane.apply_listeners([listener, replace(secure, port=8666)])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]
    plane.apply_listeners([listener])
    assert list(folder.iterdir()) == []


def test_files_and_sockets_are_their_owner_s_alone(plane, served):
    for path in plane._home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or "root" in path.parts
    for path in (plane._sockets, *plane._sockets.iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_two_listeners_with_the_same_key_are_refused(plane, served):
    with pytest.raises(DataPlaneError, match="Two listeners"):
        plane.apply_listeners([served[0], served[0]])


def test_a_listener_that_is_not_applied_has_no_health(plane):
    assert plane.health(("lb-none", "http", 80)) == {}


def test_a_taken_port_is_replaced_for_good(own_plane):
    host = loopback()
    listener = listener_of(own_plane, host, health_check=None)
    with socket.create_server((host, listener.port)):
        address = own_plane.apply_listeners([listener])[listener.key]
        assert address == SocketAddress(host, listener.port + 8000)
        assert get(address).status == 200
    changed = replace(listener, idle_timeout=30)
    assert own_plane.apply_listeners([changed])[listener.key] == address


def test_a_load_that_fails_late_leaves_the_old_listener_and_can_be_mended(own_plane, monkeypatch):
    listener = listener_of(own_plane, loopback(), health_check=None)
    address = own_plane.apply_listeners([listener])[listener.key]
    other = replace(listener, port=8777)
    with socket.create_server((address.host, 8777)), monkeypatch.context() as patch:
        patch.setattr(ports, "choose", lambda host, port, taken: SocketAddress(host, port))
        with pytest.raises(DataPlaneError, match="HAProxy does not start"):
            own_plane.apply_listeners([listener, other])
    assert get(address).status == 200
    assert health(own_plane, listener) == {"i-a": "unavailable", "i-b": "unavailable"}
    found = own_plane.apply_listeners([listener, other])
    assert get(found[other.key]).status == 200
