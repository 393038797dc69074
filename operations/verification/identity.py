"""Client identities as the probes present them: of the stack's clients, and false ones."""

from __future__ import annotations

import os
import secrets
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from configuration.outputs import ClientBundle, ExpiredProbe
from operations.errors import OperationError


@dataclass(frozen=True)
class Identity:
    """A certificate with its chain, and its private key encrypted under a pass phrase (PEM)."""

    certificates: str
    encrypted_key: str = field(repr=False)
    pass_phrase: str = field(repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Make `context` present this identity.

        OpenSSL's interface wants files: they exist only during the call, in a folder of this
        user's alone, and the key in them stays encrypted.

        Raises:
            ssl.SSLError: no PEM, or the key does not fit the certificate or the pass phrase.
            ValueError: the pass phrase is longer than OpenSSL takes.
        """
        with tempfile.TemporaryDirectory(prefix="identity-") as folder:
            certificates = _write_private(Path(folder, "certificates.pem"), self.certificates)
            key = _write_private(Path(folder, "key.pem"), self.encrypted_key)
            context.load_cert_chain(certificates, key, password=lambda: self.pass_phrase)


def _write_private(path: Path, text: str) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def bundle_identity(bundle: ClientBundle) -> Identity:
    """Make the identity that a client holds.

    Raises:
        OperationError: The client keeps its key to itself.
    """
    if bundle.private_key is None or bundle.pass_phrase is None:
        raise OperationError("The client keeps its key to itself, so it cannot be tried here.")
    return Identity(
        certificates=f"{bundle.certificate.rstrip()}\n{bundle.chain}",
        encrypted_key=bundle.private_key.get_secret_value(),
        pass_phrase=bundle.pass_phrase.get_secret_value(),
    )


def expired_identity(probe: ExpiredProbe) -> Identity:
    """Make the identity of the expired certificate.

    Raises:
        ValueError: the private key is no PEM key.
    """
    key = serialization.load_pem_private_key(
        probe.private_key.get_secret_value().encode(), password=None
    )
    return encrypt_identity(probe.certificate, key)


def issue_impostor(ca: x509.Certificate) -> Identity:
    """Issue a client certificate, good in itself, by a false CA of the real one's name.

    The same name makes the server choose it by name and find it false by its signature.
    """
    now = datetime.now(UTC)
    ca_key = rsa.generate_private_key(65537, 2048)
    false_ca = (
        _builder(ca.subject, ca.subject, ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "impostor")])
    leaf = (
        _builder(name, ca.subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    chain = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (leaf, false_ca))
    return encrypt_identity(chain.decode(), key)


def encrypt_identity(certificates: str, key: PrivateKeyTypes) -> Identity:
    """Make the identity of a certificate (PEM, its chain after it) whose key is at hand."""
    pass_phrase = secrets.token_urlsafe()
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(pass_phrase.encode()),
    )
    return Identity(certificates, encrypted.decode(), pass_phrase)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
