"""Certificates of an authority of the tests' own."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class RootAuthority:
    """A root, and what it issues."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key.public_key(), ca=True)

    @property
    def pem(self) -> str:
        return _pem(self.certificate)

    def server(
        self, name: str = "server", alternative: Sequence[str] = (), bits: int = 2048
    ) -> str:
        """PEM as the control plane hands it over: certificate, then PKCS#1 key."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
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
        bits: int = 0,
    ) -> Path:
        """A file with a client's certificate and key, of RSA with so many bits if it says so."""
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        key = ec.generate_private_key(ec.SECP256R1())
        if bits:
            key = rsa.generate_private_key(65537, bits)
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
