"""What the project issues with its default configuration, for judges that are not its own.

The clock is the real one: most judges compare validity with it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from configuration.certificates import (
    CertificateAuthority,
    ClientDefaults,
    RevocationList,
    Server,
    Validity,
)
from pki import bundles, certificates, keys, revocation_list
from pki.bundles import Bundle, BundleEncoding
from pki.certificates import Issuer
from pki.names import distinguished_name
from pki.revocation_list import REASONS, Revoked
from pki.windows import Window, show_time

HOST = "www.example.com"
"""A name that every server here answers to."""

HOSTS = (HOST, "例え.jp")
WILDCARD = "*.example.com"
ADDRESSES = ("192.0.2.10", "2001:db8::10")
PLAIN = {"common_name": "Example Private CA", "organization": "Example Ltd", "country": "CN"}
CHINESE = {
    "country": "CN",
    "province": "浙江省",
    "locality": "杭州市",
    "organization": "示例有限公司",
    "organizational_unit": "平台部",
}
SUBJECTS = {
    "ascii": {**PLAIN, "common_name": "browser"},
    "beyond-ascii": {**CHINESE, "common_name": "浏览器 Müller"},
}
PHRASE = "abcde-fghjk-mnpqr-stuvw-xyz23"


@dataclass(frozen=True)
class Specimen:
    """A certificate, for which purpose it is (client, server or any), and its CA's language."""

    certificate: x509.Certificate
    purpose: str
    language: str

    @property
    def pem(self) -> str:
        return certificates.pem(self.certificate)

    @property
    def authority(self) -> str:
        """The CA's certificate in PEM."""
        return issued_ca(self.language)


@functools.cache
def key(_which: str) -> rsa.RSAPrivateKey:
    """A key of the default size, one for each name."""
    return keys.generate(ClientDefaults().key_bits)


def _window(default: Validity) -> Window:
    return Window.opening(datetime.now(UTC), default.lifetime)


@functools.cache
def issuer(language: str = "ascii") -> Issuer:
    subject = PLAIN if language == "ascii" else {**CHINESE, "common_name": "示例 CA"}
    window = _window(CertificateAuthority())
    name = distinguished_name(subject)
    return Issuer(certificates.self_signed_authority(name, key("ca"), window), key("ca"))


def authority(language: str) -> Specimen:
    return Specimen(issuer(language).certificate, "any", language)


def issued_ca(language: str) -> str:
    """A CA's certificate in PEM."""
    return certificates.pem(issuer(language).certificate)


@functools.cache
def server(language: str, hosts: tuple[str, ...] = HOSTS) -> Specimen:
    names = certificates.alternative_names(hosts, ADDRESSES)
    subject = distinguished_name({"common_name": hosts[0]})
    public = key("server").public_key()
    made = certificates.server(issuer(language), subject, public, _window(Server()), names)
    return Specimen(made, "server", language)


@functools.cache
def client(language: str, email: str | None = None) -> Specimen:
    subject = distinguished_name(SUBJECTS[language])
    public = key("client").public_key()
    window = _window(ClientDefaults())
    made = certificates.client(issuer(language), subject, public, window, email)
    return Specimen(made, "client", language)


KINDS = {
    "authority": authority,
    "server": server,
    "server of a wildcard": lambda language: server(language, (WILDCARD,)),
    "client": client,
    "client with e-mail": lambda language: client(language, "mueller@example.com"),
}
NAMES = tuple(f"{kind}, {language}" for kind in KINDS for language in SUBJECTS)
"""Every kind of certificate in both languages."""

LEAVES = tuple(name for name in NAMES if not name.startswith("authority"))


def specimen(name: str) -> Specimen:
    """The certificate of a name in `NAMES`."""
    kind, _, language = name.partition(", ")
    return KINDS[kind](language)


def revoked(which: x509.Certificate, minutes_ago: int = 1) -> Revoked:
    """The entry of a certificate that was revoked today."""
    moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return Revoked(certificates.serial_number(which), show_time(moment), "keyCompromise")


def crl(entries: list[Revoked], language: str = "ascii", number: int = 7) -> str:
    """A revocation list in PEM."""
    window = _window(RevocationList())
    return revocation_list.pem(revocation_list.issue(issuer(language), number, window, entries))


def every_reason() -> list[Revoked]:
    """Entries of nobody in particular, one with each reason."""
    moment = show_time(datetime.now(UTC))
    return [Revoked(f"{0x10F0 + place:x}", moment, reason) for place, reason in enumerate(REASONS)]


def bundle(encoding: BundleEncoding, language: str = "ascii") -> Bundle:
    """A client's bundle under `PHRASE`."""
    return bundles.bundle(
        "browser",
        key("client"),
        client(language).certificate,
        issuer(language).certificate,
        pass_phrase=PHRASE,
        encoding=encoding,
    )
