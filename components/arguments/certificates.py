"""Arguments about certificates: the CA's, the server's and those of clients.

`args.py` describes them.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from cryptography import x509
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from ..pki import (
    brought_along,
    certificates,
    dns_names,
    keys,
    name_constraints,
    names,
    openssl_database,
    purposes,
    signing_requests,
    uploaded_keys,
)
from ..pki.durations import parse as parse_duration
from ..pki.keys import Algorithm, Ecdsa, Kind, Rsa
from ..pki.mistakes import WrongValueError
from ..pki.register import CLIENT_NAME
from ..pki.windows import require_lasting
from .late import InputOf, is_known
from .model import MissingPartError, Model


def _duration(value: str) -> str:
    parse_duration(value)
    return value


def _certificate(value: str) -> str:
    return brought_along.certificate_chain(value, datetime.now(UTC))


def _private_key(value: SecretStr) -> SecretStr:
    return SecretStr(brought_along.private_key(value.get_secret_value()))


def _authority(value: str) -> str:
    return brought_along.authority_certificate(value)


def _client_certificate(value: str) -> str:
    return brought_along.client_certificate(value)


def _index(value: str) -> str:
    openssl_database.entries(value)
    return value


def _signing_request(value: str) -> str:
    signing_requests.public_key(value)
    return signing_requests.normal(value)


def _ip_address(value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise WrongValueError.of(
            value, " is no IP address, such as 203.0.113.10 or 2001:db8::10"
        ) from None
    if "%" in value:
        raise WrongValueError.of(value, " has a zone, which no certificate can name: leave %… out")
    return str(address)


def _pass_phrase(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text:
        raise ValueError("the pass phrase is empty: leave the key out, and one is generated")
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError(
            "the pass phrase has control characters, such as a line break at its end, which "
            "cannot be typed: give it without, e.g. by `printf %s`"
        )
    return value


def _client_name(value: str) -> str:
    # Some file systems hold capital and small letters the same.
    if value.lower() in SHARED_NAMES:
        raise ValueError(
            f"its certificate would overwrite its bundle's own {value.lower()}.crt: give the "
            "client another name"
        )
    return value


SHARED_NAMES = frozenset({"ca", "chain"})
"""Names of files that every client's bundle has."""

DnsName = Annotated[str, AfterValidator(dns_names.a_labels)]
"""A DNS name as certificates hold it."""

Duration = Annotated[str, AfterValidator(_duration)]
"""A length of time such as 365d, 12h, 30m or 90s."""


def _subject_field(field: str) -> AfterValidator:
    def check(value: str) -> str:
        if value:
            names.require_field(field, value)
        return value

    return AfterValidator(check)


def _email(value: str) -> str:
    certificates.mailbox_names(value)
    return value


class SubjectArguments(Model):
    """A distinguished name (RFC 5280, 4.1.2.6); empty fields are left out of it."""

    common_name: Annotated[str, _subject_field("common_name")] | None = None
    organization: Annotated[str, _subject_field("organization")] | None = None
    organizational_unit: Annotated[str, _subject_field("organizational_unit")] | None = None
    country: Annotated[str, _subject_field("country")] | None = None
    province: Annotated[str, _subject_field("province")] | None = None
    locality: Annotated[str, _subject_field("locality")] | None = None
    email: Annotated[str, AfterValidator(_email)] | None = None

    def values(self) -> dict[str, str]:
        """The fields that are set."""
        return self.model_dump(exclude_none=True)


class ValidityArguments(Model):
    """How long a certificate lives, and how long before its end it is renewed."""

    validity: Duration
    renew_before: Duration

    @property
    def lifetime(self) -> timedelta:
        """The validity as a length of time."""
        return parse_duration(self.validity)

    @model_validator(mode="after")
    def _window_within_validity(self) -> Self:
        try:
            require_lasting(self.lifetime, parse_duration(self.renew_before))
        except ValueError as error:
            raise ValueError(
                f"renew_before is {self.renew_before} and validity is {self.validity}: {error}"
            ) from None
        return self


def _uploaded_key(value: Any) -> Any:
    # The type has its own words for what is no whole number. The value is not repeated: beside a
    # key that is a secret, it may be one.
    if isinstance(value, int | float) and value not in uploaded_keys.SIZES:
        raise ValueError(f"this is not one of {uploaded_keys.SIZE_WORDS}: {uploaded_keys.WHY}")
    return value


KeyBits = Annotated[Literal[2048, 4096], BeforeValidator(_uploaded_key)]
"""RSA modulus length of a certificate that is uploaded to the load balancer."""

ClientKeyBits = Literal[2048, 3072, 4096]
"""RSA modulus length of a client's key, which the load balancer never gets."""

ClientKeyCurve = Literal["P-256", "P-384"]
"""Elliptic curve of a client's key."""


Generation = Annotated[int, Field(ge=1, le=1000)]
"""Counts the keys of the CA."""


class NameSubtreesArguments(Model):
    """Names of three forms, each with all that is below it."""

    domains: tuple[Annotated[str, AfterValidator(name_constraints.domain)], ...] = ()
    email_domains: tuple[Annotated[str, AfterValidator(name_constraints.email_domain)], ...] = ()
    ip_ranges: tuple[Annotated[str, AfterValidator(name_constraints.ip_range)], ...] = ()

    def values(self) -> dict[str, list[str]]:
        """The forms that have any, in an order of their own: the configuration's says nothing."""
        return {form: sorted(set(found)) for form, found in self if found}


class NameConstraintsArguments(Model):
    """Which names the CA may certify (RFC 5280, 4.2.1.10); a form without any is free."""

    permitted: NameSubtreesArguments = NameSubtreesArguments()
    excluded: NameSubtreesArguments = NameSubtreesArguments()

    def values(self) -> dict[str, dict[str, list[str]]]:
        """The subtrees by `permitted` and `excluded`, where there are any."""
        return {side: found for side, subtrees in self if (found := subtrees.values())}


class CertificateAuthorityArguments(ValidityArguments):
    """The private CA whose certificate the listener checks clients against."""

    subject: SubjectArguments = SubjectArguments()
    key_bits: KeyBits = 2048
    validity: Duration = "3650d"
    renew_before: Duration = "730d"
    generation: Generation = 1
    next_generation: Generation | None = None
    certificate: InputOf[Annotated[str, AfterValidator(_authority)]] | None = None
    private_key: InputOf[Annotated[SecretStr, AfterValidator(_private_key)]] | None = None
    index: Annotated[str, AfterValidator(_index)] | None = None
    # The engine carries numbers as floats.
    crl_number: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = None
    name_constraints: NameConstraintsArguments = NameConstraintsArguments()
    accept_lockout: bool = False

    @property
    def adopted(self) -> bool:
        """Whether the present CA is the one that was made elsewhere."""
        return self.certificate is not None and self.generation == 1

    @property
    def can_issue(self) -> bool:
        """Whether the CA's key is here."""
        return not self.adopted or self.private_key is not None

    @property
    def cannot_sign_lists(self) -> bool:
        """Whether nobody would take the revocation list of a CA that was made elsewhere."""
        if not self.adopted or not self.can_issue or not is_known(self.certificate):
            return False
        if self.next_generation is not None:  # The next CA's list can be read.
            return False
        return not purposes.signs_lists(certificates.load(self.certificate))

    def constraints(self) -> x509.NameConstraints | None:
        """Names that the CA may certify: as set, or as an adopted CA has it; None for all."""
        configured = name_constraints.extension(self.name_constraints.values())
        if configured is None and self.adopted and is_known(self.certificate):
            return name_constraints.of(certificates.load(self.certificate))
        return configured

    def with_certificate(self, certificate: str) -> Self:
        """Copy these with a certificate that is known by now."""
        return self.model_copy(update={"certificate": certificate})

    def distinguished_name(self, default: str) -> dict[str, str]:
        """The fields of its name; `default` is its common name unless it has another.

        Of one that was made elsewhere as they are; later generations have what fits of them.
        """
        if is_known(self.certificate):
            fields = names.fields(certificates.load(self.certificate).subject)
            return fields if self.adopted else names.fit_subject(fields) or {"common_name": default}
        return {"common_name": default, **self.subject.values()}

    @model_validator(mode="after")
    def _generations(self) -> Self:
        if self.next_generation is not None and self.next_generation <= self.generation:
            raise ValueError(
                f"next_generation is {self.next_generation}, and generation {self.generation} is "
                f"in force: prepare {self.generation + 1}"
            )
        return self

    @model_validator(mode="after")
    def _brought_along(self) -> Self:
        if self.certificate is None:
            for name in ("private_key", "index", "crl_number"):
                if getattr(self, name) is not None:
                    raise MissingPartError(
                        f"{name} belongs to a CA that was made elsewhere, and its certificate is "
                        "missing",
                        "certificate",
                    )
            return self
        if self.subject.values():
            raise ValueError(
                "subject and certificate are both set, and the certificate has a subject: leave "
                "subject out"
            )
        if self.adopted and is_known(self.certificate):
            brought_along.require_begun(self.certificate, datetime.now(UTC))
        if self.private_key is not None:
            if is_known(self.certificate) and is_known(self.private_key):
                brought_along.require_match(self.certificate, self.private_key.get_secret_value())
        elif self.adopted and self.next_generation is not None:
            raise ValueError(
                "next_generation needs the present CA's private_key, which signs the next one"
            )
        elif self.adopted and self.name_constraints.values():
            raise ValueError(
                "name_constraints make another certificate of the CA, and its private_key, which "
                "signs it, is not here: give it, or leave name_constraints out"
            )
        elif self.adopted and is_known(self.certificate):
            brought_along.require_in_force(self.certificate, datetime.now(UTC))
        return self


class RevocationListArguments(ValidityArguments):
    """The CA's revocation list, for those who read one; the load balancer does not."""

    validity: Duration = "30d"
    renew_before: Duration = "10d"


class ServedCertificateArguments(ValidityArguments):
    """A certificate that the load balancer shows; from the private CA unless given."""

    key_bits: KeyBits = 2048
    validity: Duration = "365d"
    renew_before: Duration = "30d"
    certificate: InputOf[Annotated[str, AfterValidator(_certificate)]] | None = None
    private_key: InputOf[Annotated[SecretStr, AfterValidator(_private_key)]] | None = None
    alicloud_certificate_id: InputOf[str] | None = None

    @property
    def issued_here(self) -> bool:
        """Whether the certificate comes from the private CA."""
        return self.certificate is None and self.alicloud_certificate_id is None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            missing = "private_key" if self.private_key is None else "certificate"
            raise MissingPartError(
                f"certificate and private_key belong together, and {missing} is missing",
                missing,
                secret=missing == "private_key",
            )
        if self.certificate is not None and self.alicloud_certificate_id is not None:
            raise ValueError(
                "certificate and alicloud_certificate_id are both set: keep the one to serve"
            )
        if is_known(self.certificate) and is_known(self.private_key):
            brought_along.require_match(self.certificate, self.private_key.get_secret_value())
        return self


def other_names(certificate: str, domain: str) -> str | None:
    """Names that a certificate, PEM, is for if not for a domain, in words; None if it is."""
    held = certificates.dns_names_of(certificates.load(certificate))
    if any(dns_names.covers(name, domain) for name in held):
        return None
    return ", ".join(held) or "no DNS name"


class ServerArguments(ServedCertificateArguments):
    """The certificate of the load balancer itself."""

    domains: tuple[DnsName, ...] = ()
    ip_addresses: tuple[InputOf[Annotated[str, AfterValidator(_ip_address)]], ...] = ()

    @model_validator(mode="after")
    def _of_the_certificate(self) -> Self:
        """Refuse names that a certificate that was brought along does not have."""
        if is_known(self.certificate):
            for domain in self.domains:
                if other := other_names(self.certificate, domain):
                    raise ValueError(
                        f"domains has {domain}, and certificate is for {other}, so clients would "
                        "refuse it: leave the domain out, or give a certificate for it"
                    )
        return self

    def require_within(self, constraints: x509.NameConstraints) -> None:
        """Refuse names that the CA may not certify.

        The load balancer's address, which is not known here, is checked with the certificate.

        Raises:
            ValueError: With the name.
        """
        addresses = [address for address in self.ip_addresses if is_known(address)]
        wanted = certificates.alternative_names(self.domains, addresses)
        name_constraints.require_within(constraints, None, wanted)
        if not self.domains and name_constraints.permits_domains(constraints):
            raise ValueError(
                "domains is empty, so the load balancer's address becomes the common name, which "
                "is read as a DNS name where there is no other, and outside of the CA's permitted "
                "domains: set domains to one that is permitted"
            )


class ClientDefaultsArguments(ValidityArguments):
    """Defaults of every client, for what its own entry leaves out."""

    key_algorithm: Algorithm = "RSA"
    key_bits: ClientKeyBits = 2048
    key_curve: ClientKeyCurve = "P-256"
    validity: Duration = "365d"
    renew_before: Duration = "30d"
    bundle_encoding: Literal["modern", "legacy"] = "modern"

    @property
    def key(self) -> Kind:
        """The kind of the key."""
        return Ecdsa(self.key_curve) if self.key_algorithm == "ECDSA" else Rsa(self.key_bits)

    @model_validator(mode="after")
    def _size_of_the_algorithm(self) -> Self:
        require_size_of(self.key_algorithm, self.model_fields_set)
        return self


def require_size_of(algorithm: Algorithm, given: Collection[str]) -> None:
    """Refuse the size of a key of the other algorithm, which would have no effect.

    Args:
        algorithm: Algorithm of the key.
        given: Names of the keys that are set beside it.

    Raises:
        ValueError: With what would be right.
    """
    if algorithm == "ECDSA" and "key_bits" in given:
        raise ValueError(
            "key_bits is the length of an RSA key, and key_algorithm is ECDSA, whose size is "
            "key_curve: leave key_bits out, or set key_algorithm to RSA"
        )
    if algorithm == "RSA" and "key_curve" in given:
        raise ValueError(
            "key_curve is of an ECDSA key, and key_algorithm is RSA: set key_algorithm to ECDSA, "
            "or leave key_curve out"
        )


Reason = Literal[
    "keyCompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
]


class ClientArguments(Model):
    """A holder of a client certificate; what is unset comes from client_defaults and the CA."""

    subject: SubjectArguments = SubjectArguments()
    key_bits: ClientKeyBits | None = None
    validity: Duration | None = None
    renew_before: Duration | None = None
    key_algorithm: Algorithm | None = None
    key_curve: ClientKeyCurve | None = None
    bundle_encoding: Literal["modern", "legacy"] | None = None
    pass_phrase: InputOf[Annotated[SecretStr, AfterValidator(_pass_phrase)]] | None = None
    signing_request: InputOf[Annotated[str, AfterValidator(_signing_request)]] | None = None
    certificate: InputOf[Annotated[str, AfterValidator(_client_certificate)]] | None = None
    revoked: Reason | None = None

    def require_within(self, constraints: x509.NameConstraints, name: str) -> None:
        """Refuse names that the CA may not certify.

        Raises:
            ValueError: With the name.
        """
        wanted = certificates.mailbox_names(self.subject.email)
        common_name = self.subject.common_name or name
        name_constraints.require_within(constraints, common_name, wanted)

    @model_validator(mode="after")
    def _own_key(self) -> Self:
        own = "signing_request" if self.signing_request is not None else "certificate"
        if getattr(self, own) is None:
            return self
        if self.signing_request is not None and self.certificate is not None:
            raise ValueError("signing_request and certificate are both set: keep the one to use")
        fixed = ("subject", "validity", "renew_before") if own == "certificate" else ()
        for name in (*keys.PROPERTIES, "bundle_encoding", "pass_phrase", *fixed):
            if name in self.model_fields_set:
                raise ValueError(
                    f"{name} has no effect beside {own}: the client has its key already"
                    f"{', and its certificate is as it is' if fixed else ''}; leave it out"
                )
        return self


ClientName = Annotated[
    str,
    Field(pattern=CLIENT_NAME),
    AfterValidator(_client_name),
]
"""Becomes a file name and, by default, the certificate's common name."""
