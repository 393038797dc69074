"""A real data plane, a backend that repeats what it gets, and certificates of two authorities."""

from __future__ import annotations

import datetime
import http.client
import itertools
import json
import os
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localcloud.dataplane import haproxy_binary
from localcloud.dataplane.model import (
    Backend,
    HealthCheck,
    InstanceSpec,
    Listener,
    SocketAddress,
)
from localcloud.dataplane.plane import DataPlane

ECHO = """
import argparse, json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    checks = []
    def do_GET(self):
        if self.path.startswith("/sleep/"):
            time.sleep(float(self.path.split("/")[2]))
        if self.path == "/healthz":
            self.checks.append([self.command, self.request_version, self.headers.get("Host")])
        body = json.dumps({
            "instance": os.environ["INSTANCE_ID"],
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "environment": sorted(os.environ),
            "check": self.checks[-1:],
        }).encode()
        self.send_response(500 if self.path == "/fail" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.path.startswith("/cookie/"):
            self.send_header("Set-Cookie", self.path.split("/")[2] + "=own; Path=/")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_HEAD = do_POST = do_GET
    def log_message(self, *arguments):
        pass

parser = argparse.ArgumentParser()
parser.add_argument("--bind")
parser.add_argument("--port", type=int)
options = parser.parse_args()
ThreadingHTTPServer((options.bind, options.port), Handler).serve_forever()
"""


def echo_user_data(port: int) -> str:
    unit = f"[Service]\nExecStart=/usr/bin/python3 -I /opt/echo/serve.py --port {port}\n"
    config = {
        "write_files": [
            {"path": "/opt/echo/serve.py", "content": ECHO},
            {"path": "/etc/systemd/system/echo.service", "content": unit},
        ],
        "runcmd": [["systemctl", "enable", "--now", "echo.service"]],
    }
    return "#cloud-config\n" + yaml.safe_dump(config)


def wait_until(reached: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


_hosts = itertools.count(1)


def loopback() -> str:
    """An address that no other test run of this machine is likely to use."""
    pid = os.getpid()
    return f"127.{100 + pid % 100}.{pid // 100 % 250}.{next(_hosts)}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def seen(self) -> dict[str, str]:
        """Headers as the backend got them."""
        return dict(self.json["headers"])


def get(
    address: SocketAddress,
    path: str = "/",
    *,
    method: str = "GET",
    tls: ssl.SSLContext | None = None,
    headers: dict[str, str] | None = None,
    source: str | None = None,
) -> Answer:
    """Ask, from another address of 127.0.0.0/8 if `source` says so."""
    connection: http.client.HTTPConnection
    where = {"timeout": 20, "source_address": None if source is None else (source, 0)}
    if tls is None:
        connection = http.client.HTTPConnection(address.host, address.port, **where)
    else:
        connection = http.client.HTTPSConnection(address.host, address.port, **where, context=tls)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


class Authority:
    """A root, and what it issues."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key.public_key(), ca=True)

    @property
    def pem(self) -> str:
        return _pem(self.certificate)

    def server(self, name: str = "server", alternative: Sequence[str] = ()) -> str:
        """PEM as the control plane hands it over: certificate, then PKCS#1 key."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        usage = ExtendedKeyUsageOID.SERVER_AUTH
        certificate = self._sign(
            _named(name), key.public_key(), usage=usage, alternative=alternative
        )
        return _pem(certificate) + _key(key)

    def client(
        self,
        folder: Path,
        *,
        not_before: int = 0,
        days: int = 1,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> Path:
        """A file with a client's certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named("client")
        certificate = self._sign(
            subject, key.public_key(), not_before=not_before, days=days, usage=usage
        )
        path = folder / f"client-{x509.random_serial_number()}.pem"
        path.write_text(_pem(certificate) + _key(key))
        return path

    def _sign(
        self, subject, public_key, *, ca=False, not_before=0, days=1, usage=None, alternative=()
    ) -> x509.Certificate:
        start = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=not_before, hours=-1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if alternative:
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in alternative])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority("Test CA")


@pytest.fixture(scope="session")
def other_authority() -> Authority:
    return Authority("Other CA")


@pytest.fixture(scope="session")
def server_pem(authority) -> str:
    return authority.server()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory, authority, other_authority) -> SimpleNamespace:
    """Client certificates by what is wrong with them."""
    folder = tmp_path_factory.mktemp("clients")
    return SimpleNamespace(
        good=authority.client(folder),
        other_ca=other_authority.client(folder),
        expired=authority.client(folder, not_before=-10, days=2),
        not_yet_valid=authority.client(folder, not_before=5),
        for_servers=authority.client(folder, usage=ExtendedKeyUsageOID.SERVER_AUTH),
        missing=None,
    )


def tls_client(
    certificate: Path | None = None, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture(scope="session")
def haproxy() -> Path:
    found = haproxy_binary.find()
    if found is None:
        pytest.skip("HAProxy is not installed")
    return found


@pytest.fixture(scope="module")
def start_plane(tmp_path_factory, haproxy) -> Iterator[Callable[..., DataPlane]]:
    planes: list[DataPlane] = []

    def start(**options: Any) -> DataPlane:
        planes.append(DataPlane(tmp_path_factory.mktemp("home"), haproxy, **options))
        return planes[-1]

    yield start
    for plane in planes:
        plane.stop()


@pytest.fixture(scope="module")
def plane(start_plane) -> DataPlane:
    """A data plane with the instances i-a and i-b, which repeat what they get on port 8080."""
    plane = start_plane()
    start_backends(plane)
    return plane


def start_backends(plane: DataPlane) -> None:
    for instance_id in ("i-a", "i-b"):
        plane.start_instance(InstanceSpec(instance_id, loopback(), echo_user_data(8080)))
    for instance_id in ("i-a", "i-b"):
        wait_until(partial(answers, plane.backend_socket(instance_id, 8080)))


def answers(address: SocketAddress) -> bool:
    try:
        return get(address).status == 200
    except OSError:
        return False


def listener_of(plane: DataPlane, address: str, **options: Any) -> Listener:
    settings: dict[str, Any] = {
        "load_balancer_id": "lb-test",
        "address": address,
        "port": 8443,
        "protocol": "http",
        "backends": tuple(
            Backend(instance_id, plane.backend_socket(instance_id, 8080))
            for instance_id in ("i-a", "i-b")
        ),
        "health_check": HealthCheck(
            uri="/healthz", interval=1, healthy_threshold=2, unhealthy_threshold=2
        ),
    }
    return Listener(**{**settings, **options})


def wait_healthy(plane: DataPlane, listener: Listener) -> None:
    wait_until(lambda: set(plane.health(listener.key).values()) == {"normal"})


def health(plane: DataPlane, listener: Listener) -> dict[str, str]:
    """By instance, of a listener that has each on one port."""
    return {server: status for (server, _), status in plane.health(listener.key).items()}


@pytest.fixture(scope="session")
def tools() -> SimpleNamespace:
    """Helpers of this file for tests, which cannot import it."""
    return SimpleNamespace(
        get=get,
        answers=answers,
        health=health,
        tls_client=tls_client,
        loopback=loopback,
        wait_until=wait_until,
        wait_healthy=wait_healthy,
        listener_of=listener_of,
        start_backends=start_backends,
        echo_user_data=echo_user_data,
    )
