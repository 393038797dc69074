"""A client that comes back with its TLS session."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from localcloud.dataplane.model import SocketAddress

WAYS = {
    "TLS 1.2, ticket": (ssl.TLSVersion.TLSv1_2, True),
    "TLS 1.2, id": (ssl.TLSVersion.TLSv1_2, False),
    "TLS 1.3, ticket": (ssl.TLSVersion.TLSv1_3, True),
}
"""Version and whether the client takes tickets: without, a session goes by its id."""


class ReturningVisitor:
    """A client that offers the session of its first visit ever after.

    Args:
        identify: Makes a context present the client's certificate.
        way: One of `WAYS`.
    """

    def __init__(self, identify: Callable[[ssl.SSLContext], None], way: str) -> None:
        version, self.by_ticket = WAYS[way]
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._context.minimum_version = self._context.maximum_version = version
        identify(self._context)
        if not self.by_ticket:
            self._context.options |= ssl.OP_NO_TICKET
        self._session: ssl.SSLSession | None = None

    def visit(self, address: SocketAddress) -> tuple[int, bool]:
        """Status of the answer, and whether the session was resumed."""
        with (
            socket.create_connection((address.host, address.port), timeout=10) as plain,
            self._context.wrap_socket(plain, session=self._session) as tls,
        ):
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while part := tls.recv(65536):
                answer += part
            self._session = self._session or tls.session
            return int(answer.split()[1]), bool(tls.session_reused)
