"""Many clients: a stack of the CA and its clients alone, by the real engine.

Side by side with it: the tutorial's OpenSSL commands in a loop, and one resource for each client.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from benchmarks import processes
from benchmarks.figures import measure_seconds, print_figure
from benchmarks.issuing import make_authority, time_openssl_commands
from benchmarks.processes import Run
from components.arguments.model import NAMESPACE
from components.pki import bundles, certificates, keys, register
from components.pki.certificates import Issuer
from components.pki.keys import Ecdsa
from components.pki.names import distinguished_name
from components.pki.register import KEY_THREADS, Register, Request
from components.pki.windows import Window
from operations.project import PROJECT
from toolchain.install import Toolchain, ensure
from toolchain.progress import Reporter

SIZES = (1, 10, 100, 1000, 10_000)

ONE_EACH_SIZES = (10, 100, 300)
"""Numbers of clients with a resource each: with 1000, the engine held over 14 GB before its end."""

BY_HAND = 80
"""Number of clients made by OpenSSL commands before and after each size, for an average.

Half of the size's clients are in the CA's index. Fewer would do if keys did not differ so much in
time.
"""

ELLIPTIC_SIZES = (1000, 10_000)
"""Numbers of clients that have keys on P-256 as well, in the same run, beside the commands."""

SAMPLES = 200
"""Number of clients of which each part of the work is timed by itself."""

KEYS = 80
"""Keys made before and after each size, to see how much of the time is spent on them."""

REGISTER = """
import json
import pulumi
from components.private_ca import PrivateCertificateAuthority
from configuration.settings import parse

config = pulumi.Config()
clients = {f"client-{n}": {} for n in range(config.require_int("clients"))}
defaults = {"key_algorithm": config.require("algorithm")}
settings = parse({"clients": clients, "client_defaults": defaults}, file="-")
authority = PrivateCertificateAuthority("scale", settings=settings)
pulumi.export("clients", authority.clients)
bundles = authority.client_bundles.apply(json.dumps)
pulumi.export("client_bundles", pulumi.Output.secret(bundles))
"""

ONE_EACH = """
import pulumi
from benchmarks.one_each import Client
from components.private_ca import PrivateCertificateAuthority
from configuration.settings import parse

authority = PrivateCertificateAuthority("scale", settings=parse({}, file="-"))
for number in range(pulumi.Config().require_int("clients")):
    Client(f"client-{number}", authority.certificate, authority.private_key)
"""


def run(folder: Path, sizes: Sequence[int] = SIZES) -> None:
    """Measure `up`, preview, one more client, state and memory for each number of clients."""
    with Reporter() as reporter:
        toolchain = ensure(reporter)
    _time_parts_of_a_client()
    for clients in sizes:
        stack = _Stack(folder, REGISTER, clients, toolchain)
        by_rsa = _measure_size(f"clients_{clients}", clients, stack)
        if clients in ELLIPTIC_SIZES:
            stack = _Stack(folder, REGISTER, clients, toolchain, algorithm="ECDSA")
            up = _measure_elliptic_size(f"clients_on_p_256_{clients}", clients, stack)
            print_figure(f"clients_on_p_256_{clients}_faster_than_rsa", by_rsa / up, "x")
    for clients in ONE_EACH_SIZES:
        name = f"one_resource_each_{clients}"
        up = _measure(name, _Stack(folder, ONE_EACH, clients, toolchain))
        print_figure(f"{name}_up_per_client", up / clients * 1000, "ms")


def _measure_size(name: str, clients: int, stack: _Stack) -> float:
    """Measure a size with RSA keys, and OpenSSL's commands beside it; return `up`'s seconds."""
    # Half of it before and half after, so that a machine that is busy for a while is so for all.
    by_hand, making_keys = time_openssl_commands(BY_HAND, clients // 2), measure_seconds(_make_keys)
    up = _measure(name, stack)
    by_hand += time_openssl_commands(BY_HAND, clients // 2)
    making_keys += measure_seconds(_make_keys)
    print_figure(f"{name}_up_per_client", up / clients * 1000, "ms")
    print_figure(f"{name}_openssl_commands_to_up", by_hand / 2 * clients / up, "x")
    print_figure(f"{name}_up_spent_on_keys", making_keys / (2 * KEYS) * clients / up * 100, "%")
    return up


def _measure_elliptic_size(name: str, clients: int, stack: _Stack) -> float:
    """Measure a size with P-256 keys, and OpenSSL's commands beside it; return `up`'s seconds."""
    by_hand = time_openssl_commands(BY_HAND, clients // 2, "ECDSA")
    up = _measure(name, stack)
    by_hand += time_openssl_commands(BY_HAND, clients // 2, "ECDSA")
    print_figure(f"{name}_up_per_client", up / clients * 1000, "ms")
    print_figure(f"{name}_openssl_commands_to_up", by_hand / 2 * clients / up, "x")
    return up


def _time_parts_of_a_client() -> None:
    """Time the parts of the work on one client with a key on P-256, by the same functions."""
    now = datetime.now(UTC)
    certificate, ca_key = make_authority()
    issuer, window = Issuer(certificate, ca_key), Window.opening(now, timedelta(days=365))
    key, phrase = Ecdsa("P-256").generate(), bundles.generate_pass_phrase()
    subject = distinguished_name({"common_name": "client"})
    held = certificates.issue_client(issuer, subject, key.public_key(), window)
    clients = {
        f"client-{number}": Request(
            {"common_name": f"client-{number}"}, Ecdsa("P-256"), window, pass_phrase=phrase
        )
        for number in range(SAMPLES)
    }
    parts: dict[str, Callable[[], object]] = {
        "key": Ecdsa("P-256").generate,
        "certificate": lambda: certificates.issue_client(issuer, subject, key.public_key(), window),
        "pkcs12": lambda: bundles.encode_pkcs12(
            "client", key, held, certificate, pass_phrase=phrase, encoding="modern"
        ),
        "pkcs8": lambda: keys.encrypted_pkcs8(key, phrase),
    }
    for name, make in parts.items():
        took = measure_seconds(lambda make=make: [make() for _ in range(SAMPLES)])  # type: ignore[misc]
        print_figure(f"client_on_p_256_{name}", took / SAMPLES * 1000, "ms")
    whole = measure_seconds(lambda: register.carry_out(Register(), clients, issuer, now))
    print_figure("client_on_p_256_in_the_register", whole / SAMPLES * 1000, "ms")


def _measure(name: str, stack: _Stack) -> float:
    up = stack.run("up", "--yes", "--skip-preview")
    print_figure(f"{name}_up", up.seconds, "s")
    unchanged = stack.run("preview", "--expect-no-changes")
    print_figure(f"{name}_preview_without_change", unchanged.seconds, "s")
    stack.add_a_client()
    one_more = stack.run("up", "--yes", "--skip-preview")
    print_figure(f"{name}_one_more", one_more.seconds, "s")
    print_figure(f"{name}_state", stack.state_bytes() / 1024, "KiB")
    print_figure(f"{name}_memory", max(up.peak, unchanged.peak, one_more.peak) / 2**20, "MiB")
    return up.seconds


def _make_keys() -> None:
    with ThreadPoolExecutor(KEY_THREADS) as pool:
        list(pool.map(keys.generate, [2048] * KEYS))


class _Stack:
    """Stack with a folder, a state and a pass phrase of its own."""

    def __init__(
        self,
        folder: Path,
        program: str,
        clients: int,
        toolchain: Toolchain,
        *,
        algorithm: str = "RSA",
    ) -> None:
        self._clients = clients
        kind = "each" if program is ONE_EACH else algorithm
        self._folder = folder / f"{kind}-{clients}"
        self._toolchain = toolchain
        (self._folder / "state").mkdir(parents=True)
        (self._folder / "__main__.py").write_text(program, encoding="utf-8")
        project = {"name": NAMESPACE, "runtime": {"name": "python"}}
        (self._folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
        self.run("stack", "init", "scale", stack=False)
        self.run("config", "set", "clients", str(clients))
        self.run("config", "set", "algorithm", algorithm)

    def add_a_client(self) -> None:
        """Add a client to the stack's configuration."""
        self._clients += 1
        self.run("config", "set", "clients", str(self._clients))

    def run(self, *arguments: str, stack: bool = True) -> Run:
        """Run the Pulumi CLI on the stack."""
        chosen = ["--stack", "scale"] if stack else []
        return processes.run(
            [str(self._toolchain.pulumi), *arguments, *chosen],
            cwd=self._folder,
            env={
                **os.environ,
                **self._toolchain.environment(),
                "PYTHONPATH": str(PROJECT),
                # As `make` has it for a stack on this machine.
                "PULUMI_BACKEND_URL": f"file://{self._folder / 'state'}?metadata=skip",
                "PULUMI_CONFIG_PASSPHRASE": "benchmark",
            },
        )

    def state_bytes(self) -> int:
        """Size of the state, secrets encrypted."""
        return len(json.dumps(json.loads(self.run("stack", "export").output)))
