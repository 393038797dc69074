"""Issues certificates: plain functions of names, keys and windows."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from . import dns_names, encodings, keys, name_constraints, profiles
from .keys import PrivateKey, PublicKey
from .mistakes import WrongValueError
from .names import common_name, same_name
from .profiles import Profile
from .windows import Window

FIRST_YEAR = 1950
"""RFC 5280, 4.1.2.5: no certificate is older. Dates that are cannot be reckoned with."""

SERIAL_NUMBER = re.compile("-?[0-9A-Fa-f]+")
"""A serial number in hex. RFC 5280, 4.1.2.2 has 20 octets at most, and asks those who meet others,
zero and negative ones among them, to handle them gracefully."""


@dataclass(frozen=True)
class Issuer:
    """Signer of certificates: a CA's certificate with its key, if that is here."""

    certificate: x509.Certificate
    private_key: PrivateKey | None

    def signing_key(self) -> PrivateKey:
        """The key.

        Raises:
            ValueError: It is not here.
        """
        if self.private_key is None:
            raise ValueError("the CA's private key is not here, so nothing can be issued")
        return self.private_key


def issue_authority(
    subject: x509.Name,
    key: PrivateKey,
    window: Window,
    *,
    path_length: int = 0,
    constraints: x509.NameConstraints | None = None,
    serial_number: int | None = None,
) -> x509.Certificate:
    """Issue a root CA's certificate; with an old key and name it renews that CA.

    Args:
        subject: Name of the CA.
        key: Private key of the CA.
        window: Validity of the certificate.
        path_length: How many CAs may stand below it (RFC 5280, 4.2.1.9).
        constraints: Names that it may certify; None: all.
        serial_number: Serial number; None for one of 159 random bits.
    """
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    profile = profiles.authority(path_length)
    builder = (
        _builder(profile, subject, key.public_key(), window, serial_number)
        .issuer_name(subject)
        .add_extension(authority, critical=False)
    )
    return _constrained(builder, constraints).sign(key, hashes.SHA256())


def cross_sign(
    issuer: Issuer,
    subject: x509.Name,
    key: PublicKey,
    window: Window,
    host: str | None = None,
    *,
    serial_number: int | None = None,
) -> x509.Certificate:
    """Issue another CA's certificate: what it signs is then good for those who trust this one.

    It repeats this one's name constraints, which hold for what is below it anyway.

    Args:
        issuer: CA that signs.
        subject: Name of the other CA.
        key: Public key of the other CA.
        window: Validity of the certificate.
        host: Goes into an alternative name, by which this CA can exclude the certificate later.
        serial_number: Serial number; None for one of 159 random bits.
    """
    names = [x509.UniformResourceIdentifier(f"https://{host}/")] if host else []
    return _issue(
        profiles.authority(0),
        issuer,
        subject,
        key,
        window=window,
        names=names,
        serial_number=serial_number,
    )


def issue_server(
    issuer: Issuer,
    subject: x509.Name,
    key: PublicKey,
    window: Window,
    names: Sequence[x509.GeneralName],
) -> x509.Certificate:
    """Issue a TLS server's certificate for DNS names and IP addresses."""
    return _issue(profiles.SERVER, issuer, subject, key, window=window, names=names)


def issue_client(
    issuer: Issuer,
    subject: x509.Name,
    key: PublicKey,
    window: Window,
    email: str | None = None,
    *,
    serial_number: int | None = None,
) -> x509.Certificate:
    """Issue a TLS client's certificate; without a serial number, under one of 159 random bits."""
    return _issue(
        profiles.CLIENT,
        issuer,
        subject,
        key,
        window=window,
        names=mailbox_names(email),
        serial_number=serial_number,
    )


def alternative_names(
    domains: Sequence[str], ip_addresses: Sequence[str]
) -> list[x509.GeneralName]:
    """Subject alternative names (RFC 5280, 4.2.1.6), each once; beyond ASCII as A-labels.

    Raises:
        ValueError: One is neither a DNS name nor an IP address; the message quotes it.
    """
    return [
        *(x509.DNSName(name) for name in dict.fromkeys(map(dns_names.a_labels, domains))),
        *(x509.IPAddress(ip) for ip in dict.fromkeys(map(ipaddress.ip_address, ip_addresses))),
    ]


def mailbox_names(email: str | None) -> list[x509.GeneralName]:
    """The subject alternative name of an e-mail address; none for none.

    Raises:
        ValueError: It is no address of ASCII characters, as RFC 5280, 4.2.1.6 has them.
    """
    if not email:
        return []
    if not re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", email):
        raise WrongValueError.of(email, " is no e-mail address in ASCII, such as name@example.com")
    return [x509.RFC822Name(email)]


def pem(certificate: x509.Certificate) -> str:
    """The certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def load(text: str) -> x509.Certificate:
    """Read the first certificate of a PEM text.

    Raises:
        ValueError: There is none, or not all of it can be read.
    """
    return load_chain(text)[0]


def load_chain(text: str) -> list[x509.Certificate]:
    """Read all certificates of a PEM text.

    Raises:
        ValueError: There is none, or not all of one can be read.
    """
    try:
        with lenient():
            chain = x509.load_pem_x509_certificates(text.encode())
            for certificate in chain:
                _read_whole(certificate)
    except (
        # Of a name, where RFC 5280 has another type of text.
        TypeError,
        ValueError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ):
        raise ValueError(encodings.complaint(text)) from None
    return chain


def load_der(der: bytes) -> x509.Certificate:
    """Read a certificate that was made here of another one, whatever that has in it."""
    with lenient():
        certificate = x509.load_der_x509_certificate(der)
        _read_whole(certificate)
    return certificate


def _read_whole(certificate: x509.Certificate) -> None:
    # The library leaves these until it is asked for them, and warns then.
    _ = (certificate.subject, certificate.issuer, certificate.extensions)


def require_sound(certificate: x509.Certificate) -> None:
    """Refuse a certificate whose key or dates cannot be worked with later.

    Whoever lets a certificate in and whoever reads it again from a state asks this, so that
    nothing is taken that cannot be read again.

    Raises:
        ValueError: With what is wrong.
    """
    try:
        public_key_sha256(certificate)
    except (UnsupportedAlgorithm, ValueError):
        raise ValueError("its key is of a kind that is not supported, or is spoilt") from None
    try:
        first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except ValueError:  # The year 0.
        raise ValueError("its dates are none that there are") from None
    if first.year < FIRST_YEAR:
        raise ValueError(f"it is valid from {first.year:04} on, and no certificate is that old")
    if last < first:
        raise ValueError("its validity ends before it begins")


def dns_names_of(certificate: x509.Certificate) -> list[str]:
    """The DNS names that a server's certificate is for; without any, its common name's."""
    kind = x509.SubjectAlternativeName
    try:
        names = certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        alone = common_name(certificate.subject)
        return [alone] if alone else []
    return names.get_values_for_type(x509.DNSName)


def serial_number(certificate: x509.Certificate) -> str:
    """The serial number in hex: the engine would turn a number into a float."""
    with lenient():
        return whole_octets(certificate.serial_number)


def whole_octets(number: int) -> str:
    """A number in hex, with an even number of digits."""
    digits = f"{abs(number):x}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def key_identifier(certificate: x509.Certificate) -> x509.SubjectKeyIdentifier:
    """The certificate's subject key identifier (RFC 5280, 4.2.1.2), or what it would be."""
    kind = x509.SubjectKeyIdentifier
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        # A version 1 certificate, which is what the tutorial's commands make of a CA.
        return kind.from_public_key(certificate.public_key())


def fingerprint_sha256(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's DER, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def public_key_sha256(certificate: x509.Certificate) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, in hex: the same before and after a renewal."""
    info = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).hexdigest()


def key_size(certificate: x509.Certificate) -> int:
    """Length of the RSA modulus in bits.

    Raises:
        ValueError: The key is not RSA.
    """
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the certificate's key is not RSA")  # noqa: TRY004 - not its Python type
    return key.key_size


def key_words(certificate: x509.Certificate) -> str:
    """Name of a certificate's kind of key, such as `RSA 2048`; empty for no known kind."""
    try:
        return keys.describe(certificate.public_key())
    except (UnsupportedAlgorithm, ValueError):
        return ""


def signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether a CA's name and key are those that a certificate was issued by."""
    return same_name(certificate.issuer, authority.subject) and bears_signature_of(
        certificate, authority
    )


def bears_signature_of(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether a CA's key has signed a certificate, whatever the names of both.

    The signature is checked by hand, since the library refuses MD5, with which the tutorial signs.
    """
    signature, content = certificate.signature, certificate.tbs_certificate_bytes
    try:
        key = authority.public_key()
        digest = certificate.signature_hash_algorithm or hashes.SHA256()
        if isinstance(key, rsa.RSAPublicKey):
            form = certificate.signature_algorithm_parameters
            padded = form if isinstance(form, padding.PSS) else padding.PKCS1v15()
            key.verify(signature, content, padded, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, ec.ECDSA(digest))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, content)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def require_checkable(certificate: x509.Certificate) -> None:
    """Refuse a signature that cannot be checked here, which says nothing of who made it.

    Raises:
        ValueError: With its algorithm.
    """
    try:
        _ = certificate.signature_hash_algorithm, certificate.signature_algorithm_parameters
    except (UnsupportedAlgorithm, ValueError):
        raise ValueError(
            f"its signature's algorithm ({certificate.signature_algorithm_oid.dotted_string}) is "
            "not supported: have it issued anew, signed over SHA-256"
        ) from None


def path_length(authority: x509.Certificate) -> int | None:
    """How many CAs may stand below a CA (RFC 5280, 4.2.1.9); None: any number."""
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return None  # A version 1 certificate.
    return constraints.path_length


def allows_below(authority: x509.Certificate, number: int) -> bool:
    """Whether that many CAs may stand between this one and a leaf (RFC 5280, 4.2.1.9)."""
    longest = path_length(authority)
    return longest is None or longest >= number


def authority_key_id(certificate: x509.Certificate) -> str:
    """The key identifier of who signed it (RFC 5280, 4.2.1.1), hex; empty if it does not say."""
    try:
        kind = x509.AuthorityKeyIdentifier
        identifier = certificate.extensions.get_extension_for_class(kind).value.key_identifier
    except x509.ExtensionNotFound:
        return ""
    return identifier.hex() if identifier else ""


def _issue(
    profile: Profile,
    issuer: Issuer,
    subject: x509.Name,
    key: PublicKey,
    *,
    window: Window,
    names: Sequence[x509.GeneralName],
    serial_number: int | None = None,
) -> x509.Certificate:
    constraints = name_constraints.of(issuer.certificate)
    if not profile.basic_constraints.ca:
        name_constraints.require_within(constraints, common_name(subject), names)
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        key_identifier(issuer.certificate)
    )
    builder = (
        _builder(
            profile,
            subject,
            key,
            window.within(issuer.certificate.not_valid_after_utc),
            serial_number,
        )
        .issuer_name(issuer.certificate.subject)
        .add_extension(authority, critical=False)
    )
    if profile.basic_constraints.ca:
        builder = _constrained(builder, constraints)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer.signing_key(), hashes.SHA256())


def _constrained(
    builder: x509.CertificateBuilder, constraints: x509.NameConstraints | None
) -> x509.CertificateBuilder:
    # Critical, so that a verifier that cannot apply them refuses (RFC 5280, 4.2.1.10).
    return builder if constraints is None else builder.add_extension(constraints, critical=True)


@contextlib.contextmanager
def lenient() -> Iterator[None]:
    """Take in silence what the library warns of: whoever brings it along cannot mend it.

    A name longer than RFC 5280's upper bounds (appendix A.1), which OpenSSL and Go take as it is; a
    serial number that is not positive; a policy's text of another type.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning)
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def _builder(
    profile: Profile,
    subject: x509.Name,
    key: PublicKey,
    window: Window,
    serial_number: int | None = None,
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        # 159 random bits: RFC 5280, 4.1.2.2 allows 20 octets.
        .serial_number(x509.random_serial_number() if serial_number is None else serial_number)
        .not_valid_before(window.not_before)
        .not_valid_after(window.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    for extension, critical in profiles.extensions(profile, key):
        builder = builder.add_extension(extension, critical=critical)
    return builder
