"""A stack's certificates and outputs, and listeners that imitate a load balancer's, on loopback."""

from __future__ import annotations

import base64
import contextlib
import functools
import ipaddress
import itertools
import re
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from operations.verification import identity

PASS_PHRASE = 'pass "phrase" \\ of browser'
NO_CERTIFICATE_PAGE = (
    b"<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n"
    b"<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class CertificatePair:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def key_pem(self, pass_phrase: str | None = None) -> str:
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if pass_phrase is not None:
            encryption = serialization.BestAvailableEncryption(pass_phrase.encode())
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        ).decode()


class Pki:
    """A private CA and what it issued; keys are made once for all tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys = {n: rsa.generate_private_key(65537, 2048) for n in ("ca", "server", "a", "b")}
        self._keys["P-256"] = ec.generate_private_key(ec.SECP256R1())
        self.ca = self.issue("Test CA", key="ca")
        self.server = self.issue("server", key="server", issuer=self.ca, server=True)
        self.browser = self.issue("browser", key="a", issuer=self.ca)
        self.partner = self.issue("partner", key="b", issuer=self.ca)
        self.phone = self.issue("phone", key="P-256", issuer=self.ca)
        self.expired = self.issue("expired", key="a", issuer=self.ca, days=-1)

    def issue(
        self,
        name: str,
        *,
        key: str,
        issuer: CertificatePair | None = None,
        server: bool = False,
        days: float = 365,
        names: tuple[str, ...] = ("127.0.0.1", "localhost"),
    ) -> CertificatePair:
        private_key = self._keys[key]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(private_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days, hours=1))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True)
        )
        if issuer:
            usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        if server:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(n) for n in names]), False
            )
        signer = issuer.key if issuer else private_key
        return CertificatePair(builder.sign(signer, hashes.SHA256()), private_key)

    def write(self, pair: CertificatePair) -> tuple[Path, Path]:
        """Files of a pair, for a server's context."""
        stem = f"{pair.certificate.serial_number:x}"
        certificate, key = self._folder / f"{stem}.crt", self._folder / f"{stem}.key"
        certificate.write_text(pair.pem)
        key.touch(mode=0o600)
        key.write_text(pair.key_pem())
        return certificate, key


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@functools.cache
def impostor_key(number: int) -> rsa.RSAPrivateKey:
    """Key of the false CA (0), or of its client (1).

    Each verification would make its own, in most of its time.
    """
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(autouse=True)
def impostor_s_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = itertools.cycle(range(2))
    library = SimpleNamespace(
        generate_private_key=lambda _exponent, _bits: impostor_key(next(turns))
    )
    monkeypatch.setattr(identity, "rsa", library)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@dataclass
class ListenerImitation:
    """Imitation of a load balancer's HTTPS listener.

    Attributes:
        server: Certificate it serves.
        client_ca: CA of clients; None: one-way TLS.
        strict: Whether the handshake fails without a certificate, rather than the request.
        instances: Backends that answer in turn, by id.
        oldest: Lowest TLS version.
        newest: Highest TLS version.
        answer: Whole answer in place of the backends' pages.
        sticky: Whether a cookie keeps a session with its backend.
        extensions: Certificates for clients that ask for these names.
    """

    server: CertificatePair
    client_ca: CertificatePair | None
    strict: bool = False
    instances: tuple[str, ...] = ("i-aaa1", "i-bbb2")
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    answer: bytes | None = None
    sticky: bool = False
    extensions: dict[str, CertificatePair] = field(default_factory=dict)
    port: int = 0
    requests: int = 0
    _turn: Iterator[str] = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._turn = itertools.cycle(self.instances)

    def context(self, pki: Pki) -> ssl.SSLContext:
        context = self._context(pki, self.server)
        extended = {name: self._context(pki, pair) for name, pair in self.extensions.items()}

        def switch(connection: ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = extended.get(name or "", context)

        context.sni_callback = switch
        return context

    def _context(self, pki: Pki, server: CertificatePair) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pki.write(server))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = self.oldest
            context.maximum_version = self.newest
        if self.oldest < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
        if self.client_ca:
            context.load_verify_locations(cadata=self.client_ca.pem)
            context.verify_mode = ssl.CERT_REQUIRED if self.strict else ssl.CERT_OPTIONAL
        return context

    def respond(self, connection: ssl.SSLSocket, request: bytes) -> bytes:
        with self._lock:
            self.requests += 1
            if self.client_ca and not connection.getpeercert():
                return response(400, NO_CERTIFICATE_PAGE)
            if self.answer is not None:
                return self.answer
            session = re.search(rb"SERVERID=(i-\w+)", request) if self.sticky else None
            instance = session.group(1).decode() if session else next(self._turn)
        page = f"<html><title>{instance}</title>{instance}</html>".encode()
        cookie = f"Set-Cookie: SERVERID={instance}; Path=/\r\n" if self.sticky else ""
        return response(200, page, cookie)


def response(status: int, body: bytes, header: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{header}".encode() + b"Connection: close\r\n\r\n" + body


@contextlib.contextmanager
def _serving(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve each connection on a free loopback port in a thread of its own."""
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def one(connection: socket.socket) -> None:
            connection.settimeout(5)
            with connection, contextlib.suppress(OSError):
                handle(connection)

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=one, args=(connection,)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()


def _shakes_hands(connection: ssl.SSLSocket) -> bool:
    """Shake hands; where that fails, leave the client the time to read why.

    Closing at once, with its request unread, would reset the connection and lose the alert.
    """
    try:
        connection.do_handshake()
    except ssl.SSLError:
        socket.socket.shutdown(connection, socket.SHUT_WR)
        while socket.socket.recv(connection, 4096):
            pass
        return False
    return True


@pytest.fixture
def serving() -> Callable[..., contextlib.AbstractContextManager[int]]:
    """Serve plain connections by a function of the socket; gives the port."""
    return _serving


@pytest.fixture
def serve(pki: Pki) -> Iterator[Callable[[ListenerImitation], ListenerImitation]]:
    """Start listeners that end with the test."""
    with contextlib.ExitStack() as stack:

        def start(listener: ListenerImitation) -> ListenerImitation:
            context = listener.context(pki)

            def handle(plain: socket.socket) -> None:
                with context.wrap_socket(
                    plain, server_side=True, do_handshake_on_connect=False
                ) as connection:
                    if not _shakes_hands(connection):
                        return
                    received = b""
                    while b"\r\n\r\n" not in received:
                        part = connection.recv(4096)
                        if not part:
                            return
                        received += part
                    connection.sendall(listener.respond(connection, received))

            listener.port = stack.enter_context(_serving(handle))
            return listener

        yield start


@pytest.fixture
def listener(pki: Pki) -> Callable[..., ListenerImitation]:
    """Make a listener of mutual TLS, with changes."""

    def make(**changes: Any) -> ListenerImitation:
        return ListenerImitation(**{"server": pki.server, "client_ca": pki.ca, **changes})

    return make


@pytest.fixture
def document(pki: Pki) -> Callable[..., dict[str, Any]]:
    """Make the outputs of a stack with the clients browser and partner, with changes."""

    def make(port: int = 443, **changes: Any) -> dict[str, Any]:
        clients = {"browser": pki.browser, "partner": pki.partner}
        return {
            "url": f"https://127.0.0.1:{port}/",
            "address": "127.0.0.1",
            "region": "cn-hangzhou",
            "load_balancer_id": "lb-test",
            "listener_port": 443,
            "server_names": ["127.0.0.1", "localhost"],
            "server_certificate_issuer": "private",
            "ca_certificate": pki.ca.pem,
            "server_certificate": pki.server.pem,
            "clients": {name: record(pair) for name, pair in clients.items()},
            "client_bundles": {name: bundle(name, pair, pki) for name, pair in clients.items()},
            "expired_probe": {
                "certificate": pki.expired.pem,
                "private_key": pki.expired.key_pem(),
            },
            **changes,
        }

    return make


def record(pair: CertificatePair) -> dict[str, str]:
    certificate = pair.certificate
    return {
        "serial_number": f"{certificate.serial_number:x}",
        "fingerprint_sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": "valid",
    }


def bundle(name: str, pair: CertificatePair, pki: Pki) -> dict[str, str]:
    return dict(_bundle(name, pair, pki))


@functools.cache
def _bundle(name: str, pair: CertificatePair, pki: Pki) -> dict[str, str]:
    archive = pkcs12.serialize_key_and_certificates(
        name.encode(),
        pair.key,
        pair.certificate,
        [pki.ca.certificate],
        serialization.BestAvailableEncryption(PASS_PHRASE.encode()),
    )
    return {
        "pkcs12": base64.b64encode(archive).decode(),
        "pass_phrase": PASS_PHRASE,
        "private_key": pair.key_pem(PASS_PHRASE),
        "certificate": pair.pem,
        "chain": pki.ca.pem,
    }
