"""State of the dynamic resources, as far as the next update builds on it.

`require` is the one place that judges it. It lets pass what every version of the program has
written, and refuses the rest before anything is made of it: a state that was edited by hand, cut
short, or written by a later version.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self, TypeVar

from cryptography import x509
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

from ..pki import certificates, durations, uploaded_keys
from ..pki.names import distinguished_name
from ..pki.revocation_list import REASONS
from ..pki.windows import ChosenWindow, Window, read_time
from .properties import Properties, unpack

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
"""Words for kinds of error of which pydantic speaks to programmers."""

SHOWN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Parts of a path that a message repeats: names of fields and clients. In a spoilt text, anything
can have come to stand where names do."""


Known = TypeVar("Known", bound="State")


class UnreadableStateError(ValueError):
    """The state of a resource is none that a version of this program has written."""


def require(form: type[Known], properties: Properties) -> Known:
    """Read old inputs or outputs, and refuse those that cannot be built on.

    Raises:
        UnreadableStateError: With the property, what is wrong, and the way on. It repeats no value,
            which may be a secret.
    """
    try:
        return form.model_validate(properties)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        reason = WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise unreadable(form, path(first["loc"]), reason) from None


def read_previous(form: type[Known], olds: Properties) -> tuple[Known | None, list[CheckFailure]]:
    """Read the old inputs of a check, and say what is wrong with them.

    Returns:
        The inputs, or None where there are none because nothing is there yet, or they are wrong.
        A failure names no property: the engine would print its new value.
    """
    if not olds:
        return None, []
    try:
        return require(form, olds), []
    except UnreadableStateError as error:
        return None, [CheckFailure("", str(error))]


def unreadable(form: type[State], place: str, reason: str) -> UnreadableStateError:
    """Error about a property that cannot be built on; `place` is its path and a colon."""
    return UnreadableStateError(
        f"the stack's state of this {form.resource} cannot be read: {place}{reason}. It was "
        "edited or damaged, or a later version wrote it. Put an earlier state back: "
        'docs/en/troubleshooting.md, "Restoring a state"'
    )


def path(location: tuple[int | str, ...]) -> str:
    """A property's path and a colon, for a message; nothing for the whole."""
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


def moment(value: Any) -> datetime:
    """Read a time of a certificate, in RFC 3339; ValueError says what is wrong with it."""
    try:
        time = read_time(_text(value))
    except ValueError:
        raise ValueError("it is no time in RFC 3339") from None
    if time.tzinfo is None or time.year < certificates.FIRST_YEAR:
        raise ValueError("it is a time without a time zone, or before 1950")
    return time


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
    return uploaded_keys.load(_text(value))


def certificate(value: Any) -> x509.Certificate:
    """Read a certificate in PEM; ValueError says what is wrong with it."""
    read = certificates.load(_text(value))
    try:
        certificates.require_sound(read)
    except ValueError:
        raise ValueError("this is a certificate that cannot be read") from None
    return read


def from_json(value: Any) -> Any:
    """Read an output that was packed; ValueError if it cannot be."""
    try:
        return unpack(value)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None


def _readable(value: str) -> str:
    certificate(value)
    return value


def _serial_number(value: str) -> str:
    if not certificates.SERIAL_NUMBER.fullmatch(value):
        raise ValueError("it is no serial number in hex")
    return value


def _reason(value: str) -> str:
    if value not in {*REASONS, "unspecified"}:
        raise ValueError("it is none of RFC 5280, 5.3.1")
    return value


SerialNumber = Annotated[str, AfterValidator(_serial_number)]
Reason = Annotated[str, AfterValidator(_reason)]
Number = Annotated[int, BeforeValidator(_number)]
Time = Annotated[datetime, BeforeValidator(moment)]
Length = Annotated[str, AfterValidator(_length_of_time)]
Subject = Annotated[dict[str, str], AfterValidator(_subject)]
Pem = Annotated[str, AfterValidator(_readable)]
"""A certificate that was read, as text."""

Certificate = Annotated[x509.Certificate, BeforeValidator(certificate)]
Key = Annotated[rsa.RSAPrivateKey, BeforeValidator(_key)]


class Form(BaseModel):
    """A part of the state. What is not named here is not read."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )


class State(Form):
    """Old inputs, or old outputs, of a resource."""

    resource: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, properties: Properties) -> Properties:
        # The engine keeps no null. Who reads a property asks whether it is there.
        for name, value in properties.items():
            if value is None:
                raise ValueError(f"{path((name,))}it is null")
        return properties


class WindowState(Form):
    """First and last moment of validity."""

    not_before: Time
    not_after: Time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        require_order(self.not_before, self.not_after)
        return self


class ChosenWindowState(WindowState):
    """A window with what `check` chose it by."""

    validity: Length
    issued_because: str | None = None

    def chosen_window(self) -> ChosenWindow:
        """Make a window of it."""
        window = Window(self.not_before, self.not_after)
        return ChosenWindow(window, self.validity, self.issued_because)


def require_all(form: Form, *names: str) -> None:
    """Refuse a form in which one of these is missing, by ValueError."""
    for name in names:
        if getattr(form, name) is None:
            raise ValueError(f"{name} is missing")


def require_order(not_before: datetime | None, not_after: datetime | None) -> None:
    """Refuse a window that ends before it begins, by ValueError; what is missing is in order."""
    if not_before and not_after and not_before > not_after:
        raise ValueError("not_after is before not_before")


def require_pair(
    certificate: x509.Certificate | None, key: rsa.RSAPrivateKey | None, place: str
) -> None:
    """Refuse a key of another certificate, by ValueError; `place` begins both names."""
    if certificate and key and key.public_key() != certificate.public_key():
        raise ValueError(f"{place}private_key is not the key of {place}certificate")
