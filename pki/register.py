"""The CA's register: who asked for what, and every certificate issued until it expires.

It is the tutorial's `index.txt`, `serial` and `newcerts` in one value. Taking a client out revokes
what it holds; nothing that is still valid is ever forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import rsa

from pki import bundles, certificates, keys
from pki.bundles import Bundle, BundleEncoding
from pki.certificates import Issuer
from pki.names import distinguished_name
from pki.windows import Window, read_time, show_time

Status = Literal["valid", "superseded", "revoked"]
"""superseded: a newer one is in the client's hands, and this one works until it expires."""

KEY_THREADS = 4
"""RSA keys are made side by side: OpenSSL works outside of Python's lock."""


@dataclass(frozen=True)
class Request:
    """What a client's certificate and bundle should be."""

    subject: Mapping[str, str]
    key_bits: int
    window: Window
    bundle_encoding: BundleEncoding = "modern"
    pass_phrase: str | None = field(default=None, repr=False)
    """None: one is generated with each certificate, and kept until the next or until another is
    asked for."""

    def same_certificate(self, other: Request) -> bool:
        """Whether a certificate issued for `other` serves this request too."""
        return (dict(self.subject), self.key_bits, self.window) == (
            dict(other.subject),
            other.key_bits,
            other.window,
        )


@dataclass(frozen=True)
class Entry:
    """One issued certificate; times are RFC 3339, serial number and fingerprint hex."""

    name: str
    serial_number: str
    fingerprint_sha256: str
    subject: str
    not_before: str
    not_after: str
    status: Status = "valid"
    revoked_at: str | None = None
    reason: str | None = None
    """CRLReason (RFC 5280, 5.3.1) of a revoked one."""
    authority_key_id: str = ""
    """Which key of the CA signed it, hex; empty in registers that did not say so yet."""

    def in_force(self, now: datetime) -> bool:
        """Whether the certificate has not expired."""
        return read_time(self.not_after) >= now


@dataclass(frozen=True)
class Register:
    """The register at one time: `issued` in order of issue, the rest by client name."""

    requests: Mapping[str, Request] = field(default_factory=dict)
    issued: tuple[Entry, ...] = ()
    bundles: Mapping[str, Bundle] = field(default_factory=dict)

    def latest(self) -> dict[str, Entry]:
        """Each client's newest certificate, those of removed clients too."""
        return {entry.name: entry for entry in self.issued}


def to_issue(register: Register, requests: Mapping[str, Request]) -> set[str]:
    """Names of the clients that need a new certificate."""
    return {
        name
        for name, request in requests.items()
        if name not in register.bundles or not request.same_certificate(register.requests[name])
    }


def to_bundle(register: Register, requests: Mapping[str, Request]) -> set[str]:
    """Names of the clients that keep their certificate and get it in another bundle."""
    return {
        name
        for name in requests.keys() - to_issue(register, requests)
        if requests[name].bundle_encoding != register.requests[name].bundle_encoding
        or requests[name].pass_phrase not in {None, register.bundles[name].pass_phrase}
    }


def to_revoke(
    register: Register, requests: Mapping[str, Request], reasons: Mapping[str, str]
) -> set[str]:
    """Names of the clients whose certificates are to be revoked, or have another reason now."""
    return {
        entry.name
        for entry in register.issued
        if entry.name not in requests
        and (entry.status != "revoked" or entry.reason != reasons.get(entry.name, entry.reason))
    }


def updated(
    register: Register,
    requests: Mapping[str, Request],
    issuer: Issuer,
    now: datetime,
    *,
    reasons: Mapping[str, str] | None = None,
    rekeyed: bool = False,
) -> Register:
    """Carry out requests: issue what is new or changed, revoke what is gone.

    Args:
        register: What was issued so far.
        requests: What should be, by client name.
        issuer: The CA.
        now: Time of revocations; expired entries are dropped.
        reasons: CRLReason by name of a client that is gone; cessationOfOperation where none is.
        rekeyed: The CA has a new key, so that all certificates are issued anew.
    """
    issue = set(requests) if rekeyed else to_issue(register, requests)
    rebundle = set() if rekeyed else to_bundle(register, requests)
    given = reasons or {}
    gone = to_revoke(register, requests, given)
    made = _issue(issue, requests, issuer)
    kept = {name: register.bundles[name] for name in requests.keys() - issue}
    kept |= {name: _rebundled(name, kept[name], requests[name]) for name in rebundle}
    history = [
        _revoked(entry, given.get(entry.name), now)
        if entry.name in gone
        else _superseded(entry, entry.name in issue)
        for entry in register.issued
        if entry.in_force(now)
    ]
    return Register(
        requests=requests,
        issued=(*history, *(_entry(name, made[name]) for name in sorted(made))),
        bundles=kept | made,
    )


def _issue(
    names: Iterable[str], requests: Mapping[str, Request], issuer: Issuer
) -> dict[str, Bundle]:
    ordered = sorted(names)
    with ThreadPoolExecutor(KEY_THREADS) as pool:
        made = pool.map(keys.generate, [requests[name].key_bits for name in ordered])
        return {
            name: _certified(name, key, requests[name], issuer)
            for name, key in zip(ordered, made, strict=True)
        }


def _certified(name: str, key: rsa.RSAPrivateKey, request: Request, issuer: Issuer) -> Bundle:
    certificate = certificates.client(
        issuer,
        distinguished_name(request.subject),
        key.public_key(),
        request.window,
        request.subject.get("email"),
    )
    return bundles.bundle(
        name,
        key,
        certificate,
        issuer.certificate,
        pass_phrase=request.pass_phrase or bundles.generate_pass_phrase(),
        encoding=request.bundle_encoding,
    )


def _rebundled(name: str, old: Bundle, request: Request) -> Bundle:
    return bundles.bundle(
        name,
        keys.load(old.private_key, old.pass_phrase),
        certificates.load(old.certificate),
        certificates.load(old.chain),
        pass_phrase=request.pass_phrase or old.pass_phrase,
        encoding=request.bundle_encoding,
    )


def _entry(name: str, bundle: Bundle) -> Entry:
    certificate = certificates.load(bundle.certificate)
    return Entry(
        name=name,
        serial_number=certificates.serial_number(certificate),
        fingerprint_sha256=certificates.fingerprint_sha256(certificate),
        subject=certificate.subject.rfc4514_string(),
        not_before=show_time(certificate.not_valid_before_utc),
        not_after=show_time(certificate.not_valid_after_utc),
        authority_key_id=certificates.authority_key_id(certificate),
    )


def _revoked(entry: Entry, reason: str | None, now: datetime) -> Entry:
    return replace(
        entry,
        status="revoked",
        revoked_at=entry.revoked_at or show_time(now),
        reason=reason or entry.reason or "cessationOfOperation",
    )


def _superseded(entry: Entry, reissued: bool) -> Entry:
    return replace(entry, status="superseded") if reissued and entry.status == "valid" else entry
