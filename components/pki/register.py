"""The CA's register: who asked for what, and every certificate issued until it expires.

It is the tutorial's `index.txt`, `serial` and `newcerts` in one value. Taking a client out revokes
what it holds; nothing that is still valid is ever forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from cryptography import x509

from . import bundles, certificates, keys, signing_requests
from .bundles import Bundle, BundleEncoding
from .certificates import Issuer
from .keys import Kind
from .names import distinguished_name
from .windows import Window

Status = Literal["valid", "superseded", "revoked"]
"""superseded: a newer one is in the client's hands, and this one works until it expires."""

CLIENT_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Pattern of a client's name: files are named after it, and by default its certificate."""

UNNAMED = ""
"""Stands in place of a CRLReason for a client that is gone from the configuration."""

KEY_THREADS = 4
"""RSA keys are made side by side: OpenSSL works outside of Python's lock."""


@dataclass(frozen=True)
class Request:
    """Request for a client's certificate and bundle."""

    subject: Mapping[str, str]
    key: Kind
    window: Window
    bundle_encoding: BundleEncoding = "modern"
    pass_phrase: str | None = field(default=None, repr=False)
    """None: one is generated with each certificate, and kept until the next or until another is
    asked for."""
    signing_request: str | None = None
    """PKCS#10 PEM of a client that keeps its key to itself; `key` is its kind then."""
    certificate: str | None = None
    """PEM of one that was issued elsewhere by this CA: it is entered, and nothing issued."""

    def same_certificate(self, other: Request) -> bool:
        """Whether a certificate issued for `other` serves this request too."""
        return self._content() == other._content()

    def _content(self) -> tuple[object, ...]:
        return (
            dict(self.subject),
            # Versions before wrote the default's for a certificate that was entered.
            self.key if self.certificate is None else None,
            self.window,
            self.signing_request,
            self.certificate,
        )

    @property
    def keeps_its_key(self) -> bool:
        """Whether the client has its key, and is handed a certificate alone."""
        return self.signing_request is not None or self.certificate is not None


@dataclass(frozen=True)
class IssuedCertificate:
    """An entry of the register; serial number and fingerprint are hex.

    Of an imported one neither beginning nor fingerprint is known.
    """

    name: str
    serial_number: str
    fingerprint_sha256: str
    subject: str
    not_before: datetime | None
    not_after: datetime
    status: Status = "valid"
    revoked_at: datetime | None = None
    reason: str | None = None
    """CRLReason (RFC 5280, 5.3.1) of a revoked one."""
    authority_key_id: str = ""
    """Which key of the CA signed it, hex; empty in registers that did not say so yet."""
    imported: bool = False
    """Whether it was issued before there was this register, by the CA that was brought along."""
    key: str | None = None
    """Kind of its key, such as `ECDSA P-256`; None in registers that did not say so yet, and
    of what was imported."""

    def in_force(self, now: datetime) -> bool:
        """Whether the certificate has not expired."""
        return self.not_after >= now


@dataclass(frozen=True)
class Register:
    """The register at one time: `issued` in order of issue, the rest by client name."""

    requests: Mapping[str, Request] = field(default_factory=dict)
    issued: tuple[IssuedCertificate, ...] = ()
    bundles: Mapping[str, Bundle] = field(default_factory=dict)

    def latest(self) -> dict[str, IssuedCertificate]:
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
        if not requests[name].keeps_its_key
        and (
            requests[name].bundle_encoding != register.requests[name].bundle_encoding
            or requests[name].pass_phrase not in {None, register.bundles[name].pass_phrase}
        )
    }


def to_revoke(
    register: Register, requests: Mapping[str, Request], reasons: Mapping[str, str]
) -> set[str]:
    """Serial numbers of the certificates that are to be revoked, or for another reason now.

    What was imported is revoked where there is a reason for it: no configuration has named it yet.
    """
    by_number = by_serial_number(reasons, known_names(register, requests))
    wanted = ((entry, _reason(entry, requests, by_number)) for entry in register.issued)
    return {
        entry.serial_number
        for entry, reason in wanted
        if reason is not None
        and (entry.status != "revoked" or reason not in {entry.reason, UNNAMED})
    }


def known_names(register: Register, requests: Mapping[str, Request]) -> set[str]:
    """Names of the clients that are asked for, or that have a certificate or had one lately."""
    return {*requests, *(entry.name for entry in register.issued)}


def by_serial_number(reasons: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """Reasons by name, or where it is none by serial number as entries have it.

    Serial numbers have no case: OpenSSL prints them in capitals.
    """
    return {
        name if name in names else serial_number(name) or name: reason
        for name, reason in reasons.items()
    }


def serial_number(text: str) -> str | None:
    """A serial number as entries have it; None if it is none."""
    hexadecimal = certificates.SERIAL_NUMBER.fullmatch(text)
    return certificates.whole_octets(int(text, 16)) if hexadecimal else None


def unknown_names(imported: Sequence[IssuedCertificate], names: Iterable[str]) -> list[str]:
    """Names, or serial numbers, of whom no certificate was imported."""
    known = {text for entry in imported for text in (entry.name, entry.serial_number)}
    return sorted(name for name in names if not known & {name, serial_number(name)})


def _reason(
    entry: IssuedCertificate, requests: Mapping[str, Request], reasons: Mapping[str, str]
) -> str | None:
    """Why a certificate is not to be in force: None if it is; `UNNAMED` if nobody says."""
    if entry.imported and entry.serial_number in reasons:
        return reasons[entry.serial_number]
    if entry.name in requests:
        return None
    # What was imported is superseded once a client of its name was configured.
    never_configured = entry.imported and entry.status == "valid"
    return reasons.get(entry.name, None if never_configured else UNNAMED)


def to_forget(register: Register, others: Collection[str]) -> set[str]:
    """Serial numbers of what was imported as a client's and is known to be another's.

    What is revoked stays: it is on the revocation list, whoever had it.
    """
    return {
        entry.serial_number
        for entry in register.issued
        if entry.imported and entry.status != "revoked" and entry.serial_number in others
    }


def to_import(
    register: Register, imported: Sequence[IssuedCertificate], now: datetime
) -> list[IssuedCertificate]:
    """Entries in force that the register does not have, or does not have as revoked."""
    known = {entry.serial_number: entry for entry in register.issued}
    return [
        entry
        for entry in imported
        if entry.in_force(now)
        and (
            entry.serial_number not in known
            or (entry.status == "revoked" != known[entry.serial_number].status)
        )
    ]


def carry_out(
    register: Register,
    requests: Mapping[str, Request],
    issuer: Issuer,
    now: datetime,
    *,
    reasons: Mapping[str, str] | None = None,
    imported: Sequence[IssuedCertificate] = (),
    others: Collection[str] = (),
    adopted_key_id: str = "",
    present_ca: x509.Certificate | None = None,
    rekeyed: bool = False,
) -> Register:
    """Carry out requests: issue what is new or changed, revoke what is gone.

    Args:
        register: Register of what was issued so far.
        requests: Requests that there should be certificates for, by client name.
        issuer: CA that issues.
        now: Time of revocations; expired entries are dropped.
        reasons: CRLReason by name of a client that is gone; cessationOfOperation where none is.
        imported: Certificates that the CA had issued before there was a register.
        others: Serial numbers of what it had issued and what is no client's.
        adopted_key_id: Key identifier, hex, of the CA that was brought along: what a client has of
            it may not say whose it is.
        present_ca: The CA's certificate, if a rotation has the next CA issue.
        rekeyed: The CA has a new key, so that all certificates are issued anew.
    """
    register = _with_imported(register, to_import(register, imported, now))
    forgotten = to_forget(register, others)
    issue = to_issue(register, requests)
    if rekeyed:
        issue |= {name for name in requests if requests[name].certificate is None}
    rebundle = to_bundle(register, requests) - issue
    by_number = by_serial_number(reasons or {}, known_names(register, requests))
    gone = to_revoke(register, requests, by_number)
    bundles_made = _issue(issue, requests, issuer, present_ca)
    kept = {name: register.bundles[name] for name in requests.keys() - issue}
    kept |= {name: _rebundled(name, kept[name], requests[name]) for name in rebundle}
    new = [_entry(name, bundles_made[name], adopted_key_id) for name in sorted(bundles_made)]
    entered = {entry.serial_number for entry in new}
    history = [
        _revoked(entry, _reason(entry, requests, by_number), now)
        if entry.serial_number in gone
        else _superseded(entry, entry.name in issue)
        for entry in register.issued
        if entry.in_force(now) and entry.serial_number not in entered | forgotten
    ]
    return Register(requests=requests, issued=(*history, *new), bundles=kept | bundles_made)


def _with_imported(register: Register, imported: Sequence[IssuedCertificate]) -> Register:
    """The register with what was issued before it, in front."""
    serials = {entry.serial_number for entry in imported}
    others = (entry for entry in register.issued if entry.serial_number not in serials)
    return replace(register, issued=(*imported, *others))


def _issue(
    names: Iterable[str],
    requests: Mapping[str, Request],
    issuer: Issuer,
    present_ca: x509.Certificate | None,
) -> dict[str, Bundle]:
    def made(name: str) -> Bundle:
        request = requests[name]
        if request.certificate is not None:
            return _entered(request.certificate, present_ca or issuer.certificate)
        return _certified(name, request, issuer)

    ordered = sorted(names)
    with ThreadPoolExecutor(KEY_THREADS) as pool:
        return dict(zip(ordered, pool.map(made, ordered), strict=True))


def _entered(certificate: str, authority: x509.Certificate) -> Bundle:
    """Bundle of what a client brought along, under the CA that signed it."""
    own = certificates.load(certificate)
    return Bundle(certificate=certificates.pem(own), chain=certificates.pem(authority))


def _certified(name: str, request: Request, issuer: Issuer) -> Bundle:
    chain = certificates.pem(issuer.certificate)
    own_key = None if request.signing_request else request.key.generate()
    public_key = (
        own_key.public_key()
        if own_key
        else signing_requests.public_key(request.signing_request or "")
    )
    certificate = certificates.issue_client(
        issuer,
        distinguished_name(request.subject),
        public_key,
        request.window,
        request.subject.get("email"),
    )
    if own_key is None:
        return Bundle(certificate=certificates.pem(certificate), chain=chain)
    return bundles.make_bundle(
        name,
        own_key,
        certificate,
        issuer.certificate,
        pass_phrase=request.pass_phrase or bundles.generate_pass_phrase(),
        encoding=request.bundle_encoding,
    )


def _rebundled(name: str, old: Bundle, request: Request) -> Bundle:
    pass_phrase = request.pass_phrase or old.pass_phrase or ""
    return bundles.make_bundle(
        name,
        keys.load(old.private_key or "", old.pass_phrase),
        certificates.load(old.certificate),
        certificates.load(old.chain),
        pass_phrase=pass_phrase,
        encoding=request.bundle_encoding,
    )


def _entry(name: str, bundle: Bundle, adopted_key_id: str) -> IssuedCertificate:
    certificate = certificates.load(bundle.certificate)
    return IssuedCertificate(
        name=name,
        serial_number=certificates.serial_number(certificate),
        fingerprint_sha256=certificates.fingerprint_sha256(certificate),
        subject=certificate.subject.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        authority_key_id=certificates.authority_key_id(certificate) or adopted_key_id,
        key=certificates.key_words(certificate),
    )


def _revoked(entry: IssuedCertificate, reason: str | None, now: datetime) -> IssuedCertificate:
    named = None if reason == UNNAMED else reason
    return replace(
        entry,
        status="revoked",
        revoked_at=entry.revoked_at or now.replace(microsecond=0),
        reason=named or entry.reason or "cessationOfOperation",
    )


def _superseded(entry: IssuedCertificate, reissued: bool) -> IssuedCertificate:
    return replace(entry, status="superseded") if reissued and entry.status == "valid" else entry
