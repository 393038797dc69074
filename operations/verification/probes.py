"""Probes of the service from outside: one request each, and what became of it.

A probe connects straight to the stack's own address, through no proxy, on a connection and a TLS
session of its own. Whatever happens is told as a value; nothing is raised.
"""

from __future__ import annotations

import html
import http.client
import io
import re
import socket
import ssl
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from configuration.outputs import StackOutputs
from operations.verification.identity import Identity

PROBE_SECONDS = 10.0
"""Seconds that a whole probe may take, from connecting to the last byte."""

ANSWER_BYTES = 65_536
"""Bytes of an answer that are read at most."""

_NAME_MISMATCHES = {62, 64}
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""

_ALERT = re.compile(r"(?:SSLV3_ALERT_|TLSV13?_(?:ALERT_)?)(.+)")
"""OpenSSL's reason where the server sent an alert: those of RFC 6066 are named without the word."""

_INSTANCE_HEADERS = ("X-Instance-Id", "Instance-Id")
_INSTANCE_ID = re.compile(r"(?<![\w-])i-[a-z0-9]+(?![\w-])")
_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)

OLD_VERSIONS = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
"""Obsolete TLS versions: name for people, and OpenSSL's value."""


@dataclass(frozen=True)
class Answered:
    """The server answered over HTTP.

    Attributes:
        status: HTTP status code.
        title: Title of an HTML page, else the reason phrase.
        instance: Id of the ECS instance that the answer names (header or body), if any.
        tls: Version of the connection, e.g. `TLSv1.3`.
        cookies: Cookies that the answer sets, `NAME=VALUE` each.
    """

    status: int
    title: str
    instance: str | None
    tls: str
    cookies: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Describe the answer for a report."""
        title = self.title.removeprefix(str(self.status)).strip()
        by = f" from {self.instance}" if self.instance else ""
        return f"HTTP {self.status}{by}" + (f" ({title})" if title and not by else "")


@dataclass(frozen=True)
class Rejected:
    """The server ended the connection over TLS.

    Attributes:
        alert: Description of its TLS alert (RFC 8446, 6), e.g. `certificate required`; None if it
            closed the connection without one, which alone proves little.
    """

    alert: str | None

    def __str__(self) -> str:
        """Describe the rejection for a report."""
        return f"TLS alert: {self.alert}" if self.alert else "connection closed"


@dataclass(frozen=True)
class Untrusted:
    """The probe itself turned away, because the server's certificate does not verify.

    Attributes:
        reason: Reason in OpenSSL's words.
        wrong_name: Whether the reason is that the certificate is for other names.
    """

    reason: str
    wrong_name: bool = False

    def __str__(self) -> str:
        """Describe the distrust for a report."""
        return f"the server's certificate is not trusted: {self.reason}"


@dataclass(frozen=True)
class Unreachable:
    """There was no HTTPS server to ask, or it gave no answer in time."""

    reason: str

    def __str__(self) -> str:
        """Describe the failure to connect for a report."""
        return self.reason


@dataclass(frozen=True)
class Unusable:
    """The client's certificate could not be presented: its key or pass phrase does not fit."""

    reason: str

    def __str__(self) -> str:
        """Describe the certificate's fault for a report."""
        return f"its certificate cannot be presented: {self.reason}"


Outcome = Answered | Rejected | Untrusted | Unreachable | Unusable


def is_success(outcome: Outcome | None) -> bool:
    """Tell whether a request got through to a backend."""
    return isinstance(outcome, Answered) and outcome.status == 200


@dataclass(frozen=True)
class Redirected:
    """An answer to a request over plain HTTP.

    Attributes:
        status: HTTP status code.
        location: Where the redirect leads, if it does.
    """

    status: int
    location: str

    def __str__(self) -> str:
        """Describe the redirect for a report."""
        return f"HTTP {self.status}" + (
            f" to {make_printable(self.location)}" if self.location else ""
        )


def make_printable(text: str) -> str:
    """Shorten a text to one line, so that no server can write its own lines into a report."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 80 else line[:79] + "…"


_Result = TypeVar("_Result")


@dataclass(frozen=True)
class ProbeTarget:
    """Address that probes connect to: host and port of the stack's URL.

    Attributes:
        host: Name or IP address.
        port: TCP.
        server_name: Name to ask for by SNI, if not the host; empty: none.
    """

    host: str
    port: int
    server_name: str | None = None

    def __str__(self) -> str:
        """Write host and port as in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def target_of(outputs: StackOutputs) -> ProbeTarget:
    """Address of the stack itself, the only one that probes talk to."""
    return ProbeTarget(outputs.host, outputs.port)


def stack_context(outputs: StackOutputs) -> ssl.SSLContext:
    """Make a client's TLS context that trusts this stack's server and nobody else.

    Its anchors are the server certificate in state and, where that issued it, the private CA, so
    that a server certificate renewed since is trusted as well. Whether the names and the chain
    are right is checked apart; one mistake there must not hide what else is to be seen. For a
    certificate that Alibaba Cloud keeps, which no state has, this machine's roots stand in.
    """
    if outputs.server is None:
        return public_context()
    anchors = outputs.server.public_bytes(serialization.Encoding.PEM).decode()
    if outputs.server_certificate_issuer == "private":
        anchors += outputs.ca_certificate
    context = anchored_context(anchors)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def anchored_context(anchors: str) -> ssl.SSLContext:
    """Make a client's TLS context with these trust anchors (PEM) alone and no check of names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=anchors)
    context.check_hostname = False
    return context


def naming_context(certificate: x509.Certificate) -> ssl.SSLContext:
    """Make a client's TLS context that takes this certificate if it bears the host's name."""
    context = anchored_context(certificate.public_bytes(serialization.Encoding.PEM).decode())
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = True
    return context


def public_context() -> ssl.SSLContext:
    """Make a client's TLS context with this machine's roots and no check of names."""
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


def unverified_context() -> ssl.SSLContext:
    """Make a client's TLS context that takes any certificate, to see which one is served."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def probe(
    target: ProbeTarget,
    context: ssl.SSLContext,
    identity: Identity | None = None,
    *,
    cookies: tuple[str, ...] = (),
    headers: tuple[str, ...] = (),
    session: ssl.SSLSession | None = None,
    limit: float = PROBE_SECONDS,
    seen: Callable[[ssl.SSLSocket], None] = lambda _: None,
) -> Outcome:
    """Send `GET /` and say what became of it.

    Args:
        target: Address to connect to.
        context: Fresh TLS context; it is given the identity.
        identity: Certificate to present, if any.
        cookies: Cookies to send, `NAME=VALUE` each.
        headers: Headers to send beside the usual ones, `NAME: VALUE` each.
        session: Session of the same context to resume, if the server lets it.
        limit: Seconds for all of it.
        seen: Is shown the connection at its end.
    """
    sent = "".join(f"{header}\r\n" for header in headers)
    sent += f"Cookie: {'; '.join(cookies)}\r\n" if cookies else ""

    def exchange(connection: ssl.SSLSocket, deadline: float) -> Outcome:
        tls = connection.version() or ""  # to be asked before the server closes
        request = f"GET / HTTP/1.1\r\nHost: {target}\r\nUser-Agent: slb-mutual-tls-verify\r\n"
        request += f"{sent}Accept: text/html\r\nConnection: close\r\n\r\n"
        # With TLS 1.3 the handshake is over for the client before the server has judged the
        # certificate: its alert comes with the first read, and may cut this write short.
        with suppress(ConnectionError):
            connection.sendall(request.encode())
        received = _receive(connection, deadline)
        seen(connection)
        return _parse(received, tls) if received else Rejected(None)

    return connected(target, context, identity, exchange, session=session, limit=limit)


def handshake(
    target: ProbeTarget,
    context: ssl.SSLContext,
    identity: Identity | None = None,
    *,
    limit: float = PROBE_SECONDS,
) -> bytes | Outcome:
    """Do the TLS handshake alone: the server's certificate in DER, else what became of it.

    The arguments are those of `probe`.
    """

    def certificate(connection: ssl.SSLSocket, _deadline: float) -> bytes | Outcome:
        return connection.getpeercert(binary_form=True) or Rejected(None)

    return connected(target, context, identity, certificate, limit=limit)


def plain_http(target: ProbeTarget, *, limit: float = PROBE_SECONDS) -> Redirected | Unreachable:
    """Send `GET /` without TLS, and follow nothing."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=limit)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        response = connection.getresponse()
        return Redirected(response.status, response.getheader("Location") or "")
    except TimeoutError:
        return Unreachable(f"{target} does not answer within {limit:g} s")
    except OSError as error:
        return Unreachable(f"{target} cannot be reached: {error.strerror or error}")
    except http.client.HTTPException:
        return Unreachable(f"{target} does not speak HTTP")
    finally:
        connection.close()


def connected(
    target: ProbeTarget,
    context: ssl.SSLContext,
    identity: Identity | None,
    use: Callable[[ssl.SSLSocket, float], _Result],
    *,
    session: ssl.SSLSession | None = None,
    limit: float = PROBE_SECONDS,
) -> _Result | Outcome:
    """Connect, and call `use` with the connection and its deadline.

    The other arguments are those of `probe`.
    """
    try:
        if identity is not None:
            identity.load_into(context)
    except (ssl.SSLError, ValueError) as error:
        return Unusable(_words(getattr(error, "reason", None)))
    deadline = time.monotonic() + limit
    try:
        with socket.create_connection((target.host, target.port), timeout=limit) as plain:
            return _over_tls(plain, target, context, session, deadline, use)
    except TimeoutError:
        return Unreachable(f"{target} does not answer within {limit:g} s")
    except OSError as error:
        return Unreachable(f"{target} cannot be reached: {error.strerror or error}")


def _over_tls(  # noqa: PLR0917 - they are what `connected` has at hand
    plain: socket.socket,
    target: ProbeTarget,
    context: ssl.SSLContext,
    session: ssl.SSLSession | None,
    deadline: float,
    use: Callable[[ssl.SSLSocket, float], _Result],
) -> _Result | Outcome:
    plain.settimeout(remaining(deadline))
    context.sslsocket_class = Connection
    try:
        name = target.host if target.server_name is None else target.server_name or None
        with context.wrap_socket(plain, server_hostname=name, session=session) as connection:
            # Where the other side has gone before, there was no handshake.
            return use(connection, deadline) if connection.version() else Rejected(None)
    except ssl.SSLCertVerificationError as error:
        return Untrusted(error.verify_message.rstrip("."), error.verify_code in _NAME_MISMATCHES)
    except ssl.SSLError as error:
        return _judge_ssl_error(error, target)
    except ConnectionError:
        return Rejected(None)
    except http.client.HTTPException:
        return Unreachable(f"{target} does not speak HTTP behind TLS")


class Connection(ssl.SSLSocket):
    """A TLS connection that a reset closes.

    The library makes one of a connected socket, and leaves it open where it then finds out, by
    reading a byte, that the other side has gone.
    """

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read as the standard library does; a reset closes the connection."""
        try:
            return super().recv(buflen, flags)
        except ConnectionError:
            self.close()
            raise


def _receive(connection: ssl.SSLSocket, deadline: float) -> bytes:
    received = bytearray()
    while len(received) < ANSWER_BYTES:
        try:
            connection.settimeout(remaining(deadline))
            part = connection.recv(16_384)
        except (TimeoutError, ssl.SSLEOFError, ConnectionResetError):
            if not received:
                raise
            break
        if not part:
            break
        received += part
    return bytes(received)


def remaining(deadline: float) -> float:
    """Seconds until a deadline.

    Raises:
        TimeoutError: There are none.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Received:
    """Received bytes in the shape that http.client reads a response from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def _parse(received: bytes, tls: str) -> Answered:
    response = http.client.HTTPResponse(_Received(received))  # type: ignore[arg-type]
    response.begin()
    try:
        body = response.read().decode("utf-8", "replace")
    except http.client.IncompleteRead as error:
        body = error.partial.decode("utf-8", "replace")
    title = _TITLE.search(body)
    return Answered(
        status=response.status,
        title=make_printable(html.unescape(title.group(1)) if title else response.reason),
        instance=_find_instance(response, body),
        tls=tls,
        cookies=tuple(
            cookie.split(";", 1)[0].strip() for cookie in response.msg.get_all("Set-Cookie", [])
        ),
    )


def _find_instance(response: http.client.HTTPResponse, body: str) -> str | None:
    for name in _INSTANCE_HEADERS:
        named = _INSTANCE_ID.search(response.getheader(name) or "")
        if named:
            return named.group()
    match = _INSTANCE_ID.search(body)
    return match.group() if match else None


def _judge_ssl_error(error: ssl.SSLError, target: ProbeTarget) -> Outcome:
    reason = error.reason or ""
    if alert := _ALERT.fullmatch(reason):
        return Rejected(_words(alert.group(1)))
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Rejected(None)
    return Unreachable(f"{target} does not speak TLS as expected: {_words(reason)}")


def _words(reason: str | None) -> str:
    return (reason or "unknown error").replace("_", " ").lower()


def restrict_to(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """Make `context` speak this TLS version alone.

    Raises:
        ValueError: this OpenSSL is built without the version.
    """
    with warnings.catch_warnings():
        # Python warns of TLS 1.0 and 1.1: the very reason to ask a server whether it takes them.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
        context.maximum_version = version
    # OpenSSL 3 leaves the signatures of TLS 1.0 and 1.1 to security level 0.
    context.set_ciphers("ALL:@SECLEVEL=0")


def can_speak(version: ssl.TLSVersion, identity: Identity) -> bool:
    """Tell whether the local OpenSSL completes a handshake of this version, tried in memory.

    Args:
        version: TLS version to try.
        identity: Certificate and RSA key of the server's side.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Both sides are this process, and the certificate is not what is tried.
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    try:
        identity.load_into(server)
        for context in (server, client):
            restrict_to(context, version)
        return _shake_hands(client, server)
    except (ssl.SSLError, ValueError):
        return False


def _shake_hands(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> bool:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    pending = [client, server]
    for _ in range(8):  # two round trips are what TLS 1.0 and 1.1 need
        for side in list(pending):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            pending.remove(side)
        if not pending:
            return True
    return False
