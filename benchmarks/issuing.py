"""A client's certificate and bundle: by the register, and by the tutorial's OpenSSL commands."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.figures import measure_seconds, print_figure
from components.pki import certificates, keys, register
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.register import Register, Request
from components.pki.windows import Window

CLIENTS = 20

CONFIGURATION = """
[ ca ]
default_ca = tutorial
[ tutorial ]
database = index.txt
new_certs_dir = newcerts
serial = serial
default_days = 365
default_md = sha256
unique_subject = no
policy = any
[ any ]
commonName = supplied
"""
"""OpenSSL configuration of the tutorial, with today's digest and a policy for the names here."""

ENTRY = "V\t21001231235959Z\t\t{number:08X}\tunknown\t/CN=client-{number}\n"
"""Line of the CA's index.txt."""

FIRST_SERIAL = "7ACE0000"


KEY_COMMANDS: Mapping[str, Sequence[str]] = {
    "RSA": ("genrsa", "-aes256", "-passout"),
    "ECDSA": (
        *("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-aes256", "-pass"),
    ),
}
"""OpenSSL commands that make a key, up to the place of its pass phrase."""


def time_openssl_commands(clients: int, issued: int = 0, algorithm: str = "RSA") -> float:
    """Seconds a client that the tutorial's commands take, over some clients.

    Args:
        clients: Number of clients to make.
        issued: Number of entries in the CA's index.txt before, all of which is read for each.
        algorithm: Algorithm of the clients' keys: RSA of 2048 bits, or ECDSA on P-256.

    Raises:
        RuntimeError: There is no openssl on PATH.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise RuntimeError("There is no openssl on PATH to compare with.")
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        certificate, key = make_authority()
        (folder / "ca.crt").write_text(certificates.pem(certificate), encoding="utf-8")
        (folder / "ca.key").write_text(keys.pkcs1(key), encoding="utf-8")
        (folder / "newcerts").mkdir()
        (folder / "openssl.conf").write_text(CONFIGURATION, encoding="utf-8")
        (folder / "serial").write_text(FIRST_SERIAL, encoding="utf-8")
        entries = "".join(ENTRY.format(number=number) for number in range(issued))
        (folder / "index.txt").write_text(entries, encoding="utf-8")
        names = [f"client-{number}" for number in range(clients)]
        make = partial(_issue_by_hand, openssl, folder, algorithm=algorithm)
        return sum(measure_seconds(partial(make, name)) for name in names) / clients


def run() -> None:
    """Issue the same number of RSA-2048 clients both ways, side by side."""
    now = datetime.now(UTC)
    requests = {
        f"client-{number}": Request(
            {"common_name": f"client-{number}"},
            keys.Rsa(2048),
            Window.opening(now, timedelta(days=365)),
        )
        for number in range(CLIENTS)
    }
    issuer = Issuer(*make_authority())
    here = measure_seconds(lambda: register.carry_out(Register(), requests, issuer, now)) / CLIENTS
    print_figure("client_issued", here * 1000, "ms")
    by_hand = time_openssl_commands(CLIENTS)
    print_figure("client_issued_by_openssl_commands", by_hand * 1000, "ms")
    print_figure("openssl_commands_to_register", by_hand / here, "x")


def make_authority() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """Make a CA's certificate and its key."""
    key = keys.generate(2048)
    window = Window.opening(datetime.now(UTC), timedelta(days=730))
    subject = distinguished_name({"common_name": "Benchmark CA"})
    return certificates.issue_authority(subject, key, window), key


def _issue_by_hand(openssl: str, folder: Path, name: str, *, algorithm: str) -> None:
    """Issue clients by the tutorial's step 3, with today's algorithms."""
    key, request, certificate = (f"{name}.{suffix}" for suffix in ("key", "csr", "crt"))
    (folder / "passphrase.txt").write_text("benchmark\nbenchmark\n", encoding="utf-8")
    secret = "file:passphrase.txt"
    signer = ("-cert", "ca.crt", "-keyfile", "ca.key", "-config", "openssl.conf")
    inputs = ("-inkey", key, "-passin", secret, "-in", certificate)
    commands = [
        [*KEY_COMMANDS[algorithm], secret, "-out", key, *(["2048"] if algorithm == "RSA" else [])],
        ["req", "-new", "-key", key, "-passin", secret, "-subj", f"/CN={name}", "-out", request],
        ["ca", "-batch", "-in", request, *signer, "-out", certificate],
        ["pkcs12", "-export", *inputs, "-passout", secret, "-out", f"{name}.p12"],
    ]
    for command in commands:
        subprocess.run([openssl, *command], cwd=folder, check=True, capture_output=True)
