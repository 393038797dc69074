"""A client's certificate and bundle: by the register, and by the tutorial's OpenSSL commands."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.figures import seconds, show
from pki import certificates, keys, register
from pki.certificates import Issuer
from pki.names import distinguished_name
from pki.register import Register, Request
from pki.windows import Window

CLIENTS = 20


def run(folder: Path) -> None:
    """Issue the same number of RSA-2048 clients both ways, side by side."""
    now = datetime.now(UTC)
    key = keys.generate(2048)
    window = Window.opening(now, timedelta(days=730))
    authority = certificates.self_signed_authority(
        distinguished_name({"common_name": "Benchmark CA"}), key, window
    )
    requests = {
        f"client-{number}": Request(
            {"common_name": f"client-{number}"}, 2048, Window.opening(now, timedelta(days=365))
        )
        for number in range(CLIENTS)
    }
    here = seconds(lambda: register.updated(Register(), requests, Issuer(authority, key), now))
    show("client_issued", here / CLIENTS * 1000, "ms")
    openssl = shutil.which("openssl")
    if openssl is None:
        return
    (folder / "ca.crt").write_text(certificates.pem(authority), encoding="utf-8")
    (folder / "ca.key").write_text(keys.pkcs1(key), encoding="utf-8")
    by_hand = sum(seconds(partial(_by_hand, openssl, folder, name)) for name in requests)
    show("client_issued_by_openssl_commands", by_hand / CLIENTS * 1000, "ms")
    show("openssl_commands_to_register", by_hand / here, "x")


def _by_hand(openssl: str, folder: Path, name: str) -> None:
    """The tutorial's step 3, with today's algorithms."""
    key, request, certificate = (f"{name}.{suffix}" for suffix in ("key", "csr", "crt"))
    (folder / "passphrase.txt").write_text("benchmark\nbenchmark\n", encoding="utf-8")
    secret = "file:passphrase.txt"
    signer = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "365")
    inputs = ("-inkey", key, "-passin", secret, "-in", certificate)
    commands = [
        ["genrsa", "-aes256", "-passout", secret, "-out", key, "2048"],
        ["req", "-new", "-key", key, "-passin", secret, "-subj", f"/CN={name}", "-out", request],
        ["x509", "-req", "-in", request, *signer, "-out", certificate],
        ["pkcs12", "-export", *inputs, "-passout", secret, "-out", f"{name}.p12"],
    ]
    for command in commands:
        subprocess.run([openssl, *command], cwd=folder, check=True, capture_output=True)
