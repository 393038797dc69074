"""What the project issues with its default configuration, for judges that are not its own.

The clock is the real one: most judges compare validity with it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from components.arguments.certificates import (
    CertificateAuthorityArguments,
    ClientDefaultsArguments,
    RevocationListArguments,
    ServerArguments,
    ValidityArguments,
)
from components.pki import bundles, certificates, keys, revocation_list
from components.pki.bundles import Bundle, BundleEncoding
from components.pki.certificates import Issuer
from components.pki.keys import Curve, Ecdsa, PrivateKey
from components.pki.name_constraints import extension
from components.pki.names import distinguished_name
from components.pki.revocation_list import REASONS, Revoked
from components.pki.windows import Window, show_time

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
CONSTRAINTS = {
    "permitted": {
        "domains": ["example.com", HOSTS[1]],
        "email_domains": ["example.com"],
        "ip_ranges": ["192.0.2.0/24", "2001:db8::/32"],
    },
    "excluded": {"domains": ["lab.a.example.com"], "ip_ranges": ["192.0.2.128/25"]},
}
SUBJECTS = {
    "ascii": {**PLAIN, "common_name": "browser"},
    "beyond-ascii": {**CHINESE, "common_name": "浏览器 Müller"},
    "constrained": {**PLAIN, "common_name": "browser"},
    "rotating": {**PLAIN, "common_name": "browser"},
}
"""Names of clients by their CA: one with a name in ASCII, one beyond it, one with name constraints,
and the next one of a rotation, which those trust who trust the present one."""

PHRASE = "abcde-fghjk-mnpqr-stuvw-xyz23"


@dataclass(frozen=True)
class Specimen:
    """A certificate, for which purpose it is (client, server or any), and its CA's name above."""

    certificate: x509.Certificate
    purpose: str
    ca: str

    @property
    def pem(self) -> str:
        return certificates.pem(self.certificate)

    @property
    def authority(self) -> str:
        """The trusted CA's certificate in PEM."""
        return trusted_ca(self.ca)

    @property
    def chain(self) -> str:
        """What stands between the two, in PEM; mostly nothing."""
        between = issuer(self.ca).certificate
        above = {self.certificate, root(self.ca).certificate}
        return "" if between in above else certificates.pem(between)


CURVES: tuple[Curve, ...] = ("P-256", "P-384", "P-521")
"""Kinds of clients' keys; the last one only of those who keep it to themselves."""

HOLDERS = (*SUBJECTS, *CURVES[:2])
"""Whose bundles there are: a client of each CA, and of the first one on each curve."""


def ca_of(holder: str) -> str:
    """The CA of one of `HOLDERS`."""
    return holder if holder in SUBJECTS else "ascii"


@functools.cache
def key_of(holder: str) -> PrivateKey:
    """A client's key."""
    return key("client") if holder in SUBJECTS else Ecdsa(holder).generate()


@functools.cache
def key(_which: str) -> rsa.RSAPrivateKey:
    """A key of the default size, one for each name."""
    return keys.generate(ClientDefaultsArguments().key_bits)


def opening_now(default: ValidityArguments) -> Window:
    return Window.opening(datetime.now(UTC), default.lifetime)


@functools.cache
def root(ca: str = "ascii") -> Issuer:
    """The CA that is trusted."""
    subject = {**CHINESE, "common_name": "示例 CA"} if ca == "beyond-ascii" else PLAIN
    made = certificates.issue_authority(
        distinguished_name(subject),
        key("ca"),
        opening_now(CertificateAuthorityArguments()),
        path_length=1 if ca == "rotating" else 0,
        constraints=extension(CONSTRAINTS if ca == "constrained" else {}),
    )
    return Issuer(made, key("ca"))


NEXT = distinguished_name({**PLAIN, "common_name": f"{PLAIN['common_name']} G2"})


@functools.cache
def issuer(ca: str = "ascii") -> Issuer:
    """The CA that issues: the trusted one, but for a rotation."""
    if ca != "rotating":
        return root(ca)
    window, public = opening_now(CertificateAuthorityArguments()), key("next ca").public_key()
    crossed = certificates.cross_sign(root(ca), NEXT, public, window, "0123456789abcdef.invalid")
    return Issuer(crossed, key("next ca"))


@functools.cache
def list_issuer(ca: str) -> str:
    """The self-signed certificate of the CA that issues, in PEM."""
    if ca != "rotating":
        return trusted_ca(ca)
    window = opening_now(CertificateAuthorityArguments())
    return certificates.pem(certificates.issue_authority(NEXT, key("next ca"), window))


def trusted_ca(ca: str) -> str:
    """A CA's certificate in PEM."""
    return certificates.pem(root(ca).certificate)


def trusted(ca: str) -> Specimen:
    return Specimen(root(ca).certificate, "any", ca)


def authority(ca: str) -> Specimen:
    return Specimen(issuer(ca).certificate, "any", ca)


@functools.cache
def server(ca: str, hosts: tuple[str, ...] = HOSTS) -> Specimen:
    names = certificates.alternative_names(hosts, ADDRESSES)
    subject = distinguished_name({"common_name": hosts[0]})
    public = key("server").public_key()
    made = certificates.issue_server(
        issuer(ca), subject, public, opening_now(ServerArguments()), names
    )
    return Specimen(made, "server", ca)


@functools.cache
def client(holder: str, email: str | None = None) -> Specimen:
    ca = ca_of(holder)
    subject = distinguished_name(SUBJECTS[ca])
    public = key_of(holder).public_key()
    window = opening_now(ClientDefaultsArguments())
    made = certificates.issue_client(issuer(ca), subject, public, window, email)
    return Specimen(made, "client", ca)


KINDS = {
    "trusted authority": trusted,
    "authority": authority,
    "server": server,
    "server of a wildcard": lambda ca: server(ca, (WILDCARD,)),
    "client": client,
    "client with e-mail": lambda ca: client(ca, "mueller@example.com"),
}
NAMES = (
    *(f"{kind}, {ca}" for kind in KINDS for ca in SUBJECTS),
    *(f"client, {curve}" for curve in CURVES),
)
"""Every kind of certificate of each CA, and clients on each curve."""

LEAVES = tuple(name for name in NAMES if "authority" not in name)


def specimen(name: str) -> Specimen:
    """The certificate of a name in `NAMES`."""
    kind, _, ca = name.partition(", ")
    return KINDS[kind](ca)


def revoked(which: x509.Certificate, minutes_ago: int = 1) -> Revoked:
    """The entry of a certificate that was revoked today."""
    moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return Revoked(certificates.serial_number(which), show_time(moment), "keyCompromise")


def crl(entries: list[Revoked], ca: str = "ascii", number: int = 7) -> str:
    """A revocation list in PEM."""
    window = opening_now(RevocationListArguments())
    return revocation_list.pem(revocation_list.issue(issuer(ca), number, window, entries))


def every_reason() -> list[Revoked]:
    """Entries of nobody in particular, one with each reason."""
    moment = show_time(datetime.now(UTC))
    return [Revoked(f"{0x10F0 + place:x}", moment, reason) for place, reason in enumerate(REASONS)]


def bundle(encoding: BundleEncoding, holder: str = "ascii") -> Bundle:
    """A client's bundle under `PHRASE`."""
    return bundles.make_bundle(
        "browser",
        key_of(holder),
        client(holder).certificate,
        issuer(ca_of(holder)).certificate,
        pass_phrase=PHRASE,
        encoding=encoding,
    )
