"""The record of the CA's and the servers' certificates as a dynamic resource.

Those of clients are in the register. A CA or a server forgets its certificate when the next one is
made, and is itself gone when it is replaced: whoever asks what may still be shown to somebody
needs a memory that outlives both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
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
from ..pki.windows import Window, read_time
from . import state
from .properties import Properties, is_unknown, now, packed, unpacked
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
        state.require(RecordOutputs, _olds)
        if is_unknown(_news["certificates"]):
            return DiffResult(changes=True)
        before = [entry for entry in unpacked(_olds["entries"]) if entry["status"] == "valid"]
        return DiffResult(changes=_keys(before) != _keys(_entries(_news)))

    def create(self, props: Properties) -> CreateResult:
        """Record what is in use."""
        return CreateResult("record", {"entries": packed(_entries(props))})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Record what is in use now, and keep of the others what has not expired."""
        state.require(RecordOutputs, _olds)
        entries = recorded(unpacked(_olds["entries"]), _entries(_news), now())
        return UpdateResult({"entries": packed(entries)})


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


def recorded(
    before: Iterable[dict[str, str]], present: Sequence[dict[str, str]], moment: datetime
) -> list[dict[str, str]]:
    """What was recorded, has not expired and is not in use any more, and what is in use."""
    in_use = {entry["fingerprint_sha256"] for entry in present}
    past = [
        {**entry, "status": "superseded"}
        for entry in before
        if entry["fingerprint_sha256"] not in in_use and read_time(entry["not_after"]) >= moment
    ]
    return [*past, *present]


def read_entries(output: Any) -> list[dict[str, str]]:
    """Entries, those of before first.

    Each has `role` (ca or server), `name`, `subject`, `serial_number`, `fingerprint_sha256`,
    `not_before`, `not_after`, `status` (valid or superseded), and `key` unless an earlier version
    recorded it.
    """
    found: list[dict[str, str]] = unpacked(output)
    return found


def _entries(props: Properties) -> list[dict[str, str]]:
    return [
        _entry(one["role"], one["name"], one["certificate"])
        for one in props["certificates"]
        if one["certificate"]
    ]


def _entry(role: str, name: str, text: str) -> dict[str, str]:
    certificate = certificates.load(text)
    return {
        "role": role,
        "name": name,
        "subject": certificate.subject.rfc4514_string(),
        "serial_number": certificates.serial_number(certificate),
        "fingerprint_sha256": certificates.fingerprint_sha256(certificate),
        **Window.of_certificate(certificate).properties(),
        "status": "valid",
        "key": certificates.key_words(certificate),
    }


def _keys(entries: Iterable[dict[str, str]]) -> set[tuple[str, str, str]]:
    """What was in use, and as what: a prepared CA's certificate may become the CA's."""
    return {(one["role"], one["name"], one["fingerprint_sha256"]) for one in entries}
