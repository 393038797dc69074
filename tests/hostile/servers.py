"""Servers that admit holders of a CA's client certificates, each by another implementation."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from localcloud.dataplane.model import BackendSpec, InstanceSpec, ListenerSpec, SocketAddress
from localcloud.dataplane.plane import DataPlane
from tests import packages, processes
from tests.hostile.certificates import Shown
from tests.unit.localcloud.site import USER_DATA

STRONG = "tls_cipher_policy_1_2_strict_with_1_3"

_hosts = itertools.count(1)


@dataclass(frozen=True)
class HandshakeAttempt:
    """A request to an address with what a client shows, by one version of TLS."""

    address: SocketAddress
    version: str
    shown: Shown


def outcomes(peer: Path, attempts: list[HandshakeAttempt]) -> list[str]:
    """What came of each: a page's status and title, or the alert; the nth asks for `/n`."""
    visits = [
        {
            "address": f"{one.address.host}:{one.address.port}",
            "path": f"/{number}",
            "version": one.version,
            "chain": [base64.b64encode(der).decode() for der in one.shown.chain],
            "key": one.shown.key_pem,
            "claim": one.shown.claims_p_256,
        }
        for number, one in enumerate(attempts)
    ]
    done = processes.printed([peer, "visit"], text=json.dumps(visits), timeout=300)
    found: list[str] = json.loads(done)
    return found


def loopback() -> str:
    """An address that no other test run of this machine is likely to use."""
    pid = os.getpid()
    return f"127.{20 + pid % 60}.{pid // 60 % 250}.{next(_hosts)}"


def free_address() -> SocketAddress:
    host = loopback()
    with socket.socket() as probe:
        probe.bind((host, 0))
        return SocketAddress(host, probe.getsockname()[1])


@contextlib.contextmanager
def haproxy(
    folder: Path,
    executable: Path,
    server_pem: str,
    authorities: Mapping[str, str],
    *,
    strict: bool = False,
    policy: str = STRONG,
) -> Iterator[dict[str, SocketAddress]]:
    """The local cloud's data plane: a listener for each CA, with one instance behind it."""
    plane = DataPlane(folder, executable, strict=strict)
    try:
        plane.start_instance(InstanceSpec("i-hostile", loopback(), USER_DATA))
        backend = plane.backend_socket("i-hostile", 8080)
        wait(partial(answers, backend))
        listeners = {
            name: ListenerSpec(
                load_balancer_id=f"lb-{name}",
                address=loopback(),
                port=8443,
                protocol="https",
                backends=(BackendSpec("i-hostile", backend),),
                server_certificate=server_pem,
                ca_certificate=authority,
                tls_cipher_policy=policy,
            )
            for name, authority in authorities.items()
        }
        addresses = plane.apply_listeners(tuple(listeners.values()))
        yield {name: addresses[listener.key] for name, listener in listeners.items()}
    finally:
        plane.stop()


@contextlib.contextmanager
def nginx(
    folder: Path, server: Path, authorities: Mapping[str, Path]
) -> Iterator[dict[str, SocketAddress]]:
    """nginx with `ssl_verify_client on`, all else as it comes."""
    addresses = {name: free_address() for name in authorities}
    sites = "\n".join(
        f"""
        server {{
            listen {addresses[name].host}:{addresses[name].port} ssl;
            ssl_certificate {server};
            ssl_certificate_key {server};
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_verify_client on;
            ssl_client_certificate {authority};
            location / {{ return 200 "admitted"; }}
        }}"""
        for name, authority in authorities.items()
    )
    kept = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"""
        daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log info;
        events {{}}
        http {{ access_log off; {kept} {sites} }}
        """
    )
    executable = packages.find("nginx")
    assert executable
    options = ["-p", str(folder), "-e", f"{folder}/error.log", "-c", str(configuration)]
    with _running([executable, *options], addresses.values()):
        yield addresses


@contextlib.contextmanager
def openssl(server: Path, authorities: Mapping[str, Path]) -> Iterator[dict[str, SocketAddress]]:
    """`openssl s_server`, which demands a client certificate and says no to every error."""

    def command(address: str, authority: Path) -> list[str]:
        return [
            *("openssl", "s_server", "-accept", address, "-www"),
            *("-cert", str(server), "-key", str(server), "-Verify", "100"),
            *("-verify_return_error", "-CAfile", str(authority), "-no-CApath", "-no-CAstore"),
        ]

    with _one_each(authorities, command) as addresses:
        yield addresses


@contextlib.contextmanager
def go(
    peer: Path, server: Path, authorities: Mapping[str, Path], *, names: bool = True
) -> Iterator[dict[str, SocketAddress]]:
    """Go's crypto/tls with `RequireAndVerifyClientCert`; or else it looks at signatures alone."""

    def command(address: str, authority: Path) -> list[str]:
        return [
            *(str(peer), "serve", "-address", address),
            *("-certificate", str(server), "-authority", str(authority)),
            f"-names={str(names).lower()}",
        ]

    with _one_each(authorities, command) as addresses:
        yield addresses


@contextlib.contextmanager
def _one_each(
    authorities: Mapping[str, Path], command: Callable[[str, Path], list[str]]
) -> Iterator[dict[str, SocketAddress]]:
    """A server for each authority; gives their addresses by the authorities' names."""
    addresses = {name: free_address() for name in authorities}
    with contextlib.ExitStack() as stack:
        for name, authority in authorities.items():
            address = addresses[name]
            words = command(f"{address.host}:{address.port}", authority)
            stack.enter_context(_running(words, [address]))
        yield addresses


@contextlib.contextmanager
def _running(command: list[str], addresses: object) -> Iterator[None]:
    """A process that serves these addresses, until the end of the block."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for address in addresses:  # type: ignore[attr-defined]
            wait(lambda address=address: process.poll() is not None or _open(address))
        assert process.poll() is None, f"{command[0]} does not start"
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def _open(address: SocketAddress) -> bool:
    try:
        socket.create_connection((address.host, address.port), timeout=5).close()
    except OSError:
        return False
    return True


def answers(address: SocketAddress) -> bool:
    try:
        with socket.create_connection((address.host, address.port), timeout=5) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return plain.recv(12).endswith(b" 200")
    except OSError:
        return False


def wait(reached: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)
