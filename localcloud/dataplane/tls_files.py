"""Certificates and keys as files for HAProxy: their owner's alone, and gone when unused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from localcloud.dataplane import files
from localcloud.dataplane import haproxy_syntax as syntax
from localcloud.dataplane.model import ListenerSpec

STRONG_BITS = 2048


@dataclass(frozen=True)
class TlsFiles:
    """TLS files of one listener."""

    server_certificate: Path
    ca_certificate: Path | None = None
    certificate_list: Path | None = None
    """HAProxy's crt-list: the server certificate and those of further domains."""
    weak: bool = False
    """Whether one of the certificates is below OpenSSL's security level 2."""


class TlsFolder:
    """Keeps the files of listeners.

    Args:
        path: Folder for these files alone; made private to its owner.
    """

    def __init__(self, path: Path) -> None:
        self.path = files.make_private_folder(path)

    def write(self, listener: ListenerSpec) -> TlsFiles | None:
        """Write the TLS files of a listener; none for one without a server certificate."""
        if listener.server_certificate is None:
            return None
        for content in _contents(listener):
            path = self._path(content)
            if not path.exists():
                files.write_private(path, content)
        authority = listener.ca_certificate
        domains = _certificate_list(listener)
        return TlsFiles(
            self._path(listener.server_certificate),
            None if authority is None else self._path(authority),
            None if domains is None else self._path(domains),
            any(_is_weak(content) for content in _pem(listener)),
        )

    def keep(self, listeners: Iterable[ListenerSpec]) -> None:
        """Remove the TLS files that none of these listeners uses."""
        used = {self._path(content) for listener in listeners for content in _contents(listener)}
        for path in set(self.path.iterdir()) - used:
            path.unlink()

    def _path(self, content: str) -> Path:
        return self.path / _name(content)


def _name(content: str) -> str:
    """Name a file by its content: a changed certificate is a changed configuration."""
    return f"{hashlib.sha256(content.encode()).hexdigest()}.pem"


@lru_cache(maxsize=256)
def _is_weak(pem: str) -> bool:
    """Tell whether a certificate's key has under 2048 bits, or its signature is over MD5 or SHA-1.

    CLB takes both. Source: SSL_CTX_set_security_level(3).
    """
    for certificate in x509.load_pem_x509_certificates(pem.encode()):
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < STRONG_BITS:
            return True
        if isinstance(certificate.signature_hash_algorithm, (hashes.MD5, hashes.SHA1)):
            return True
    return False


def _pem(listener: ListenerSpec) -> Iterator[str]:
    for content in (listener.server_certificate, listener.ca_certificate):
        if content is not None:
            yield content
    for extension in listener.domain_extensions:
        yield extension.server_certificate


def _contents(listener: ListenerSpec) -> Iterator[str]:
    yield from _pem(listener)
    domains = _certificate_list(listener)
    if domains is not None:
        yield domains


def _certificate_list(listener: ListenerSpec) -> str | None:
    """Write the crt-list of a listener with further domains.

    The listener's own certificate comes first and so serves all who ask for no or another domain;
    `!*` keeps it from claiming the names that it holds. Names are relative to `crt-base`.
    """
    if listener.server_certificate is None or not listener.domain_extensions:
        return None
    lines = [f"{_name(listener.server_certificate)} !*"]
    lines += [
        f"{_name(extension.server_certificate)} {syntax.check_server_name(extension.domain)}"
        for extension in sorted(listener.domain_extensions, key=lambda domain: domain.domain)
    ]
    return "\n".join(lines) + "\n"
