"""The folder of a local cloud: credentials, certificates, state, log."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import secrets
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from localcloud.account import ACCOUNT_ID
from localcloud.api.gateway import Credentials
from localcloud.dataplane.files import write_private

SOCKET_PATH_BYTES = 100
"""Bytes that a Unix socket's path can have: some systems take 103, Linux 107."""

TLS_YEARS = 10

PROXIES = tuple(
    name
    for kind in ("http", "https", "all", "grpc")
    for name in (f"{kind}_proxy", f"{kind}_proxy".upper())
)
"""Variables by which programs find a proxy."""


class Home:
    """A local cloud's folder, for its owner only.

    Args:
        path: Path of the folder, which is made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log = self.path / "cloud.log"
        self.state = self.path / "cloud.sqlite"
        self.nonces = self.path / "nonces.sqlite"
        self.running = self.path / "running.json"
        self.last_port = self.path / "port"
        self._ports = self.path / "ports.json"
        self.data_plane = self.path / "data-plane"
        self.trust = self.path / "api-ca.pem"
        """Certificate that clients of the API trust."""

    @property
    def admin_socket(self) -> Path:
        """Socket at which `status`, `dump` and the like reach the process."""
        inside = self.path / "admin.sock"
        if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"localcloud-{os.getuid()}-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid() or folder.is_symlink():
            raise PermissionError(f"{folder} belongs to another user")
        return folder / "admin.sock"

    def credentials(self) -> Credentials:
        """The access key pair, made at first use."""
        new = {
            "access_key_id": "LTAI" + secrets.token_hex(10),
            "access_key_secret": secrets.token_urlsafe(24),
        }
        return Credentials(**self._kept("credentials.json", new))

    def networks(self) -> tuple[str, str]:
        """The loopback networks of load balancers and instances, chosen at first use."""
        new = {"load_balancers": choose_network(), "instances": choose_network()}
        kept = self._kept("networks.json", new)
        return kept["load_balancers"], kept["instances"]

    def tls(self) -> tuple[Path, Path]:
        """The API's certificate and key, for loopback, made at first use."""
        certificate, key = self.path / "api.pem", self.path / "api.key"
        if not (certificate.exists() and key.exists() and self.trust.exists()):
            for path, text in zip((self.trust, certificate, key), _loopback_pki(), strict=True):
                write_private(path, text)
        return certificate, key

    def find_port_in_place_of(self, port: int) -> int:
        """Find the port of the API that was last taken in place of `port`, or `port` itself."""
        try:
            taken: dict[str, int] = json.loads(self._ports.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return port
        return taken.get(str(port), port)

    def keep_port_in_place_of(self, port: int, taken: int) -> None:
        """Remember the port that was taken in place of another: states of stacks refer to it."""
        write_private(self._ports, json.dumps({port: taken}))

    def _kept(self, name: str, new: dict[str, Any]) -> dict[str, Any]:
        path = self.path / name
        if not path.exists():
            write_private(path, json.dumps(new))
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept


def environment(home: Home, port: int) -> dict[str, str]:
    """Environment variables with which the provider and the SDKs use this cloud."""
    credentials = asdict(home.credentials())
    endpoint = f"127.0.0.1:{port}"
    products = ("ECS", "SLB", "VPC", "STS", "LOCATION", "BSSOPENAPI", "RESOURCEMANAGER")
    return {
        "ALICLOUD_ACCESS_KEY": credentials["access_key_id"],
        "ALICLOUD_SECRET_KEY": credentials["access_key_secret"],
        "ALIBABA_CLOUD_ACCOUNT_TYPE": "Domestic",
        # Else the provider asks the real STS for it, whatever endpoint it is given.
        "ALICLOUD_ACCOUNT_ID": ACCOUNT_ID,
        **{f"ALIBABA_CLOUD_ENDPOINT_{product}": endpoint for product in products},
        "SSL_CERT_FILE": str(home.trust),
        # The provider sends loopback to a proxy, too, whatever NO_PROXY says.
        **dict.fromkeys(PROXIES, ""),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _loopback_pki() -> tuple[str, str, str]:
    """Make a CA that signs once and forgets its key: its certificate, the API's, the API's key."""
    now = datetime.now(UTC)
    authority_key, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Local cloud API")])

    def builder(subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> Any:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=365 * TLS_YEARS))
        )

    authority = (
        builder(issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    server = (
        builder(subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return (
        authority.public_bytes(Encoding.PEM).decode(),
        server.public_bytes(Encoding.PEM).decode(),
        text,
    )


def choose_network() -> str:
    """Choose a loopback network's first three octets, at random so that two clouds do not meet."""
    return f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(254) + 1}"
