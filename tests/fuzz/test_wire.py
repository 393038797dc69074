"""Bytes that are no request, at the local cloud's real port; and which ports it has at all."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl

import psutil
import pytest
from hypothesis import strategies as st

from localcloud.api.app import BODY_BYTES
from localcloud.dataplane import haproxy_binary
from localcloud.server import LONGEST_HEAD
from tests.fuzz.cases import given, tried
from tests.unit.localcloud.process import running
from tests.unit.localcloud.site import ApiSite, bring_into_service

SECONDS = 20
"""Until a connection counts as hanging."""

HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
HUGE = {
    "a line without an end": b"GET /" + b"a" * (LONGEST_HEAD + 1),
    "a header without an end": HEAD + b"A: " + b"a" * (LONGEST_HEAD + 1),
    "ten thousand headers": HEAD + b"A: a\r\n" * 100_000 + b"\r\n",
    "a body that is too long": HEAD
    + b"Content-Length: %d\r\n\r\n" % (BODY_BYTES + 1)
    + b"a" * (BODY_BYTES + 1),
    "a length that no machine has": HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": HEAD
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "chunks of no number": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n" + b"a" * 2**21,
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an upgrade": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n\r\n",
    "NUL bytes": b"GET /?Action=\0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a full address": b"GET http://example.com/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "CONNECT": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    haproxy_binary.ensure(print)
    with running(tmp_path_factory.mktemp("wire") / "cloud") as found:
        yield found


@pytest.fixture(scope="module")
def site(cloud) -> ApiSite:
    made = bring_into_service(cloud)
    made.held = cloud.ask("GET", "/dump")
    assert made.instance in repr(made.held)
    return made


def sent(port, content, *, tls=True) -> bytes:
    """What comes back until the server closes, or has had the last word."""
    tried["bytes on the wire"] += 1
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    answer = b""
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=SECONDS))
        connection = stack.enter_context(context.wrap_socket(plain)) if tls else plain
        # A server that has heard enough closes before it has read everything.
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
            connection.sendall(content)
            if not tls:
                connection.shutdown(socket.SHUT_WR)
            else:
                with contextlib.suppress(OSError):
                    connection = connection.unwrap()
                    connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answer += part
    return answer


def port_of(cloud) -> int:
    return int(cloud.status["endpoint"].rsplit(":", 1)[1])


def unharmed(cloud, site) -> None:
    """It still answers, holds what it held, and its log has no traceback."""
    assert site.ecs("DescribeZones")["Zones"]
    assert cloud.ask("GET", "/dump") == site.held
    assert "Traceback" not in cloud.home.log.read_text()


@pytest.mark.parametrize("kind", HUGE)
def test_requests_that_are_huge_or_malformed(cloud, site, kind):
    answer = sent(port_of(cloud), HUGE[kind])
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]
    unharmed(cloud, site)


@given(content=st.binary(max_size=400))
def test_any_bytes_within_tls(cloud, port, content):
    answer = sent(port, content)
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]


@given(content=st.binary(max_size=400))
def test_any_bytes_in_place_of_tls(cloud, port, content):
    assert b" 200 " not in sent(port, content, tls=False)


@pytest.fixture
def port(cloud, site):
    yield port_of(cloud)
    unharmed(cloud, site)


def test_a_client_that_stalls_keeps_nobody_waiting(cloud, site):
    stalled = [socket.create_connection(("127.0.0.1", port_of(cloud))) for _ in range(50)]
    try:
        for one in stalled:
            one.sendall(b"\x16\x03\x01")
        unharmed(cloud, site)
    finally:
        for one in stalled:
            one.close()


def test_everything_listens_on_loopback_alone(cloud, site):
    root = psutil.Process(cloud.status["pid"])
    family = [root, *root.children(recursive=True)]
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    }
    # The API, the listener and the instance's page.
    assert len(listening) >= 3
    assert {ip for ip, _ in listening if not ipaddress.ip_address(ip).is_loopback} == set()
