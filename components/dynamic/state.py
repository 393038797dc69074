"""What the state says of the dynamic resources, as far as the next update builds on it.

`require` is the one place that judges it. It lets pass what every version of the program has
written, and refuses the rest before anything is made of it: a state that was edited by hand, cut
short, or written by a later version.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from pulumi.dynamic import CheckFailure
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    model_validator,
)

from components.dynamic.properties import Properties, failure
from pki import certificates, durations, keys
from pki.bundles import BundleEncoding
from pki.names import distinguished_name
from pki.register import Entry
from pki.revocation_list import REASONS
from pki.windows import read_time

FIRST_YEAR = 1950
"""RFC 5280, 4.1.2.5: no certificate is older. Dates that are cannot be reckoned with."""

LONGEST_NUMBER = 20 * 8 - 1
"""Bits of a CRL number: RFC 5280, 5.2.3."""

WORDS = {
    "missing": "it is missing",
    "missing_argument": "it is missing",
    "extra_forbidden": "this version does not know it",
    "unexpected_keyword_argument": "this version does not know it",
    "dataclass_type": "it is no object",
    "dict_type": "it is no object",
    "model_type": "it is no object",
    "string_type": "it is no text",
}
"""For the kinds of error of which pydantic speaks to programmers."""

SHOWN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a message repeats of a path: fields and clients are called so. In a spoilt text, anything
can have come to stand where names do."""


class UnreadableStateError(ValueError):
    """The state of a resource is none that a version of this program has written."""


def require(form: type[State], properties: Properties) -> None:
    """Refuse old inputs or outputs that cannot be built on.

    Raises:
        UnreadableStateError: With the property, what is wrong, and the way on. It repeats no value,
            which may be a secret.
    """
    try:
        form.model_validate(properties)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        reason = WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise unreadable(form, _path(first["loc"]), reason) from None


def failures(form: type[State], olds: Properties) -> list[CheckFailure]:
    """What a check says of old inputs; nothing if there are none, because nothing is there yet.

    The failure names no property: the engine would print its new value.
    """
    return failure("", lambda: require(form, olds)) if olds else []


def unreadable(form: type[State], place: str, reason: str) -> UnreadableStateError:
    """What is raised of a property that cannot be built on; `place` is its path and a colon."""
    return UnreadableStateError(
        f"the stack's state of this {form.resource} cannot be read: {place}{reason}. It was "
        "edited or damaged, or a later version wrote it. Put an earlier state back: README, "
        '"Restoring a state"'
    )


def _path(location: tuple[int | str, ...]) -> str:
    parts = [str(part) if SHOWN.fullmatch(str(part)) else "…" for part in location]
    return "".join([".".join(parts), ": " if parts else ""])


def _number(value: Any) -> Any:
    # The engine makes a float of each. A text would differ from every number it is compared with.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it is no number")  # noqa: TRY004 - pydantic takes no other
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it is no text")  # noqa: TRY004 - pydantic takes no other
    return value


def _time(value: Any) -> datetime:
    try:
        moment = read_time(_text(value))
    except ValueError:
        raise ValueError("it is no time in RFC 3339") from None
    if moment.tzinfo is None or moment.year < FIRST_YEAR:
        raise ValueError("it is a time without a time zone, or before 1950")
    return moment


def _length_of_time(value: str) -> str:
    try:
        durations.parse(value)
    except ValueError:
        raise ValueError("it is no length of time such as 365d") from None
    return value


def _subject(value: dict[str, str]) -> dict[str, str]:
    try:
        distinguished_name(value)
    except ValueError:
        raise ValueError("it is no subject of a certificate") from None
    return value


def _key(value: Any) -> rsa.RSAPrivateKey:
    return keys.load(_text(value))


def _certificate(value: Any) -> x509.Certificate:
    found = certificates.load(_text(value))
    try:
        # The library reads these when they are asked for.
        if found.subject and found.issuer and found.serial_number and found.extensions:
            certificates.public_key_sha256(found)
        _require_order(found.not_valid_before_utc, found.not_valid_after_utc)
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ):
        raise ValueError("this is a certificate that cannot be read") from None
    return found


def _crl_number(value: str) -> str:
    if not re.fullmatch("[0-9]{1,48}", value) or int(value).bit_length() > LONGEST_NUMBER:
        raise ValueError("it is no CRL number in decimal")
    return value


def _from_json(value: Any) -> Any:
    """A packed output; the first version kept the same as objects."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None


def _bundles_from_json(value: Any) -> Any:
    return _from_json(value) if isinstance(value, str) else {"chains": [], "clients": value}


def _known_fields(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() - {field.name for field in fields(Entry)}:
        raise ValueError("it has a field that this version does not know")
    return value


def _entry(entry: Entry) -> Entry:
    if not re.fullmatch("[0-9A-Fa-f]{1,40}", entry.serial_number):
        raise ValueError("its serial_number is not hex")
    times = {"not_before": entry.not_before, "not_after": entry.not_after}
    if entry.imported:
        del times["not_before"]
    if entry.status == "revoked":
        times["revoked_at"] = entry.revoked_at or ""
        if entry.reason not in {*REASONS, "unspecified"}:
            raise ValueError("its reason is none of RFC 5280, 5.3.1")
    for name, value in times.items():
        try:
            _time(value)
        except ValueError as error:
            raise ValueError(f"its {name}: {error}") from None
    return entry


Number = Annotated[int, BeforeValidator(_number)]
Time = Annotated[datetime, BeforeValidator(_time)]
Length = Annotated[str, AfterValidator(_length_of_time)]
Subject = Annotated[dict[str, str], AfterValidator(_subject)]
Certificate = Annotated[x509.Certificate, BeforeValidator(_certificate)]
Key = Annotated[rsa.RSAPrivateKey, BeforeValidator(_key)]
Issued = Annotated[Entry, BeforeValidator(_known_fields), AfterValidator(_entry)]


class Form(BaseModel):
    """A part of the state. What is not named here is not read."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )


class State(Form):
    """Old inputs, or old outputs, of a resource."""

    resource: ClassVar[str]


class Window(Form):
    """First and last moment of validity."""

    not_before: Time
    not_after: Time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _require_order(self.not_before, self.not_after)
        return self


class ChosenWindow(Window):
    """A window with what `check` chose it by."""

    validity: Length
    issued_because: str | None = None


class AuthorityInputs(State, ChosenWindow):
    """Of a CA; the CA that a rotation prepares is there as a whole or not at all."""

    resource = "CertificateAuthority"

    subject: dict[str, str]
    key_bits: Number
    generation: Number | None = None
    key_id: str
    certified_subject: Subject | None = None
    adopted_certificate: str | None = None
    adopted_key_sha256: str | None = None
    name_constraints: dict[str, Any] | None = None
    next_generation: Number | None = None
    next_subject: Subject | None = None
    next_key_bits: Number | None = None
    next_key_id: str | None = None
    next_not_before: Time | None = None
    next_not_after: Time | None = None

    @model_validator(mode="after")
    def _next_as_a_whole(self) -> Self:
        if self.next_generation is not None:
            _require_all(self, "next_subject", "next_key_bits", "next_key_id")
            _require_all(self, "next_not_before", "next_not_after")
            _require_order(self.next_not_before, self.next_not_after)
        return self


class Probe(Form):
    """The expired client certificate."""

    certificate: Certificate
    private_key: str


class AuthorityOutputs(AuthorityInputs):
    """Likewise with what was made. A CA that was brought along may be without its key."""

    certificate: Certificate
    private_key: Key | None = None
    expired_probe: Probe | None = None
    next_certificate: Certificate | None = None
    cross_certificate: Certificate | None = None
    next_private_key: Key | None = None

    @model_validator(mode="after")
    def _keys_with_certificates(self) -> Self:
        if self.adopted_certificate is None:
            _require_all(self, "private_key")
        _require_pair(self.certificate, self.private_key, "")
        if self.next_generation is not None:
            _require_all(self, "next_certificate", "cross_certificate", "next_private_key")
            _require_pair(self.next_certificate, self.next_private_key, "next_")
        return self


class ServerInputs(State, ChosenWindow):
    """Of the server's certificate."""

    resource = "ServerCertificate"

    ca_key_id: str
    common_name: str
    dns_names: list[str]
    ip_addresses: list[str]
    key_bits: Number


class ServerOutputs(ServerInputs):
    """Likewise with what was made."""

    certificate: Certificate
    private_key: Key
    ca_public_key_sha256: str | None = None

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        _require_pair(self.certificate, self.private_key, "")
        return self


class ListInputs(State):
    """Of a revocation list; without the CA's key there is none, and no window either."""

    resource = "RevocationList"

    ca_key_id: str
    next_ca_key_id: str | None = None
    revision: str | None = None
    ca_private_key: str | None = None
    not_before: Time | None = None
    not_after: Time | None = None
    validity: Length
    issued_because: str | None = None

    @model_validator(mode="after")
    def _window_with_key(self) -> Self:
        if self.ca_private_key is not None:
            _require_all(self, "not_before", "not_after")
        _require_order(self.not_before, self.not_after)
        return self


class ListOutputs(ListInputs):
    """Likewise with what was made."""

    number: Annotated[str, AfterValidator(_crl_number)]
    revocation_list: str | None = None
    next_revocation_list: str | None = None


class Client(Window):
    """What was issued to a client, in the register's outputs."""

    subject: dict[str, str]
    key_bits: Number
    bundle_encoding: BundleEncoding = "modern"
    pass_phrase: str | None = None
    signing_request: str | None = None
    certificate: str | None = None


class AskedClient(Client, ChosenWindow):
    """What was asked for a client, in the register's inputs."""


class Bundle(Form):
    """What a client was handed; `chain` is a PEM text, or its place among the chains."""

    model_config = ConfigDict(extra="forbid")

    certificate: Certificate
    chain: Any
    pkcs12: str | None = None
    pass_phrase: str | None = None
    private_key: str | None = None

    @model_validator(mode="after")
    def _as_a_whole(self) -> Self:
        if len({self.pkcs12 is None, self.pass_phrase is None, self.private_key is None}) > 1:
            raise ValueError("a part of pkcs12, pass_phrase and private_key is missing")
        return self


class Bundles(Form):
    """Every client's, with each chain once."""

    chains: list[Certificate]
    clients: dict[str, Bundle]

    @model_validator(mode="after")
    def _with_chains(self) -> Self:
        for name, bundle in self.clients.items():
            if isinstance(bundle.chain, str):
                _certificate(bundle.chain)
            elif bundle.chain not in range(len(self.chains)):
                raise ValueError(f"{_path((name,))}its chain is not among chains")
        return self


class RegisterInputs(State):
    """Of a register."""

    resource = "CertificateRegister"

    clients: dict[str, AskedClient]
    ca_key_id: str
    revision: str | None = None
    revoked: dict[str, str] | None = None
    index: str | None = None


class RegisterOutputs(State):
    """Likewise with what was made."""

    resource = "CertificateRegister"

    clients: Annotated[dict[str, Client], BeforeValidator(_from_json)]
    issued: Annotated[list[Issued], BeforeValidator(_from_json)]
    bundles: Annotated[Bundles, BeforeValidator(_bundles_from_json)]
    ca_key_id: str
    ca_public_key_sha256: str
    revision: str | None = None

    @model_validator(mode="after")
    def _bundle_for_each(self) -> Self:
        if self.clients.keys() != self.bundles.clients.keys():
            raise ValueError("clients and bundles are not of the same clients")
        return self


def _require_all(form: Form, *names: str) -> None:
    for name in names:
        if getattr(form, name) is None:
            raise ValueError(f"{name} is missing")


def _require_order(not_before: datetime | None, not_after: datetime | None) -> None:
    if not_before and not_after and not_before > not_after:
        raise ValueError("not_after is before not_before")


def _require_pair(
    certificate: x509.Certificate | None, key: rsa.RSAPrivateKey | None, place: str
) -> None:
    if certificate and key and key.public_key() != certificate.public_key():
        raise ValueError(f"{place}private_key is not the key of {place}certificate")
