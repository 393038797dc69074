"""The record of the CA's and the servers' certificates as a dynamic resource.

Those of clients are in the register. A CA or a server forgets its certificate when the next one is
made, and is itself gone when it is replaced: whoever asks what may still be shown to somebody
needs a memory that outlives both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, TypedDict

import pulumi
from pulumi.dynamic import (
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pydantic import BeforeValidator

from ..pki import certificates
from ..pki.record import RecordedCertificate, record
from ..pki.windows import show_time
from . import state
from .properties import Properties, is_unknown, now, pack, unpack
from .state import Form, State, WindowState


class Present(TypedDict):
    """A certificate that is in use: PEM, the leaf first; empty for one that Alibaba Cloud keeps."""

    role: Literal["ca", "server"]
    name: str
    certificate: pulumi.Input[str]


class EntryState(WindowState):
    """A certificate that was recorded."""

    role: Literal["ca", "server"]
    name: str
    subject: str
    serial_number: str
    fingerprint_sha256: str
    status: Literal["valid", "superseded"]
    key: str | None = None

    def recorded(self) -> RecordedCertificate:
        """Make what `record` works with."""
        return RecordedCertificate(
            self.role,
            self.name,
            self.serial_number,
            self.fingerprint_sha256,
            self.not_before,
            self.not_after,
            self.subject,
            self.status,
            self.key,
        )


class InUse(Form):
    """A certificate of the inputs."""

    role: Literal["ca", "server"]
    name: str
    certificate: state.Pem | Literal[""]


class RecordInputs(State):
    """Inputs of a certificate record, as the state keeps them."""

    resource = "CertificateRecord"

    certificates: list[InUse]


class RecordOutputs(State):
    """Outputs of a certificate record: the certificates that were recorded."""

    resource = "CertificateRecord"

    entries: Annotated[list[EntryState], BeforeValidator(state.from_json)]


class Provider(ResourceProvider):
    """Keeps the record. State refers to this class by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse a state that cannot be built on."""
        _, failures = state.read_previous(RecordInputs, _olds)
        return CheckResult(dict(news), failures)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Another certificate is in use."""
        recorded = state.require(RecordOutputs, _olds).entries
        if is_unknown(_news["certificates"]):
            return DiffResult(changes=True)
        before = [entry.recorded() for entry in recorded if entry.status == "valid"]
        return DiffResult(changes=_keys(before) != _keys(_in_use(_news)))

    def create(self, props: Properties) -> CreateResult:
        """Record what is in use."""
        return CreateResult("record", _outputs(_in_use(props)))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Record what is in use now, and keep of the others what has not expired."""
        before = [entry.recorded() for entry in state.require(RecordOutputs, _olds).entries]
        return UpdateResult(_outputs(record(before, _in_use(_news), now())))


class CertificateRecord(Resource, module="pki", name="CertificateRecord"):
    """The certificates of the CA and of the servers, those of before too until they expire.

    Attributes:
        entries: JSON; `read_entries` reads it.
    """

    entries: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        certificates: Sequence[Present],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {"certificates": [dict(one) for one in certificates], "entries": None},
            opts,
        )


def read_entries(output: Any) -> list[dict[str, str]]:
    """Entries, those of before first.

    Each has `role` (ca or server), `name`, `subject`, `serial_number`, `fingerprint_sha256`,
    `not_before`, `not_after`, `status` (valid or superseded), and `key` unless an earlier version
    recorded it.
    """
    entries: list[dict[str, str]] = unpack(output)
    return entries


def _in_use(props: Properties) -> list[RecordedCertificate]:
    """The certificates of the inputs, but those that Alibaba Cloud keeps."""
    return [
        _recorded(used["role"], used["name"], used["certificate"])
        for used in props["certificates"]
        if used["certificate"]
    ]


def _recorded(role: Literal["ca", "server"], name: str, text: str) -> RecordedCertificate:
    certificate = certificates.load(text)
    return RecordedCertificate(
        role,
        name,
        subject=certificate.subject.rfc4514_string(),
        serial_number=certificates.serial_number(certificate),
        fingerprint_sha256=certificates.fingerprint_sha256(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=certificates.key_words(certificate),
    )


def _outputs(entries: Iterable[RecordedCertificate]) -> dict[str, str]:
    return {"entries": pack([_shown(entry) for entry in entries])}


def _shown(entry: RecordedCertificate) -> dict[str, str]:
    key = {} if entry.key is None else {"key": entry.key}
    return {
        "role": entry.role,
        "name": entry.name,
        "subject": entry.subject,
        "serial_number": entry.serial_number,
        "fingerprint_sha256": entry.fingerprint_sha256,
        "not_before": show_time(entry.not_before),
        "not_after": show_time(entry.not_after),
        "status": entry.status,
        **key,
    }


def _keys(entries: Iterable[RecordedCertificate]) -> set[tuple[str, str, str]]:
    """Certificates with their roles: a prepared CA's certificate may become the CA's."""
    return {(entry.role, entry.name, entry.fingerprint_sha256) for entry in entries}
