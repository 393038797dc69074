"""State of a register: judged, read, and written.

Large outputs are JSON texts: the engine copies every value within an object by itself, at each of
its levels. The first version kept them as objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, model_validator

from ..pki import bundles, certificates, keys, windows
from ..pki.bundles import BundleEncoding
from ..pki.keys import Curve
from ..pki.register import IssuedCertificate, Register, Request
from ..pki.revocation_list import REASONS
from ..pki.windows import show_time
from . import state
from .properties import Properties, pack, unpack
from .state import ChosenWindowState, Form, Number, Pem, State, WindowState

SECRETS = frozenset({"pass_phrase"})
"""Fields of a client that outputs do not repeat."""


def _bundles_from_json(value: Any) -> Any:
    return state.from_json(value) if isinstance(value, str) else {"chains": [], "clients": value}


def _with_times(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() - {field.name for field in fields(IssuedCertificate)}:
        raise ValueError("it has a field that this version does not know")
    entry = dict(value)
    if entry.get("imported") and entry.get("not_before") == "":
        entry["not_before"] = None
    for name in ("not_before", "not_after", "revoked_at"):
        if entry.get(name) is None:
            continue
        try:
            entry[name] = state.moment(entry[name])
        except ValueError as error:
            raise ValueError(f"its {name}: {error}") from None
    return entry


def _as_a_whole(entry: IssuedCertificate) -> IssuedCertificate:
    if not certificates.SERIAL_NUMBER.fullmatch(entry.serial_number):
        raise ValueError("its serial_number is not hex")
    if entry.not_before is None and not entry.imported:
        raise ValueError("its not_before is missing")
    if entry.status == "revoked":
        if entry.reason not in {*REASONS, "unspecified"}:
            raise ValueError("its reason is none of RFC 5280, 5.3.1")
        if entry.revoked_at is None:
            raise ValueError("its revoked_at is missing")
    return entry


Issued = Annotated[IssuedCertificate, BeforeValidator(_with_times), AfterValidator(_as_a_whole)]


class ClientState(WindowState):
    """Certificate of a client, as the register's outputs keep it."""

    subject: dict[str, str]
    key_algorithm: Literal["ECDSA"] | None = None
    key_bits: Number | None = None
    key_curve: Curve | None = None
    bundle_encoding: BundleEncoding = "modern"
    pass_phrase: str | None = None
    signing_request: str | None = None
    certificate: str | None = None

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        self.key()
        return self

    def key(self) -> keys.Kind:
        """Algorithm and size.

        Raises:
            ValueError: They do not go together.
        """
        return keys.kind_of_properties(self.model_dump(include=set(keys.PROPERTIES)))

    def request(self, certificate: str) -> Request:
        """Request that led to a certificate (PEM).

        The window is the certificate's: versions before wrote the dates that were asked for, and
        the CA's end cut some short.
        """
        return Request(
            subject=self.subject,
            key=self.key(),
            window=windows.Window.of_certificate(certificates.load(certificate)),
            bundle_encoding=self.bundle_encoding,
            pass_phrase=self.pass_phrase,
            signing_request=self.signing_request,
            certificate=self.certificate,
        )


class AskedClientState(ClientState, ChosenWindowState):
    """Request of a client, as the register's inputs keep it."""


class BundleState(Form):
    """Bundle of a client, as the register's outputs keep it.

    `chain` is a PEM text, or its place among the chains.
    """

    model_config = ConfigDict(extra="forbid")

    certificate: Pem
    chain: Any
    pkcs12: str | None = None
    pass_phrase: str | None = None
    private_key: str | None = None

    def bundle(self, chains: Sequence[str]) -> bundles.Bundle:
        """Make a bundle with its chain as text."""
        chain = self.chain if isinstance(self.chain, str) else chains[int(self.chain)]
        return bundles.Bundle(
            self.certificate, chain, self.pkcs12, self.pass_phrase, self.private_key
        )

    @model_validator(mode="after")
    def _as_a_whole(self) -> Self:
        if len({self.pkcs12 is None, self.pass_phrase is None, self.private_key is None}) > 1:
            raise ValueError("a part of pkcs12, pass_phrase and private_key is missing")
        return self


class BundlesState(Form):
    """Bundles of all clients, with each chain once."""

    chains: list[Pem]
    clients: dict[str, BundleState]

    @model_validator(mode="after")
    def _with_chains(self) -> Self:
        for name, bundle in self.clients.items():
            if isinstance(bundle.chain, str):
                state.certificate(bundle.chain)
            elif bundle.chain not in range(len(self.chains)):
                raise ValueError(f"{state.path((name,))}its chain is not among chains")
        return self


class RegisterInputs(State):
    """Inputs of a certificate register, as the state keeps them."""

    resource = "CertificateRegister"

    clients: dict[str, AskedClientState]
    ca_key_id: str
    revision: str | None = None
    revoked: dict[str, str] | None = None
    index: str | None = None
    left: list[str] | None = None


class RegisterOutputs(State):
    """Outputs of a certificate register: its inputs, and what was issued and bundled."""

    resource = "CertificateRegister"

    clients: Annotated[dict[str, ClientState], BeforeValidator(state.from_json)]
    issued: Annotated[list[Issued], BeforeValidator(state.from_json)]
    bundles: Annotated[BundlesState, BeforeValidator(_bundles_from_json)]
    ca_key_id: str
    ca_public_key_sha256: str
    revision: str | None = None

    @model_validator(mode="after")
    def _bundle_for_each(self) -> Self:
        if self.clients.keys() != self.bundles.clients.keys():
            raise ValueError("clients and bundles are not of the same clients")
        return self


def read(outs: Properties) -> Register:
    """Read the register from a resource's outputs.

    Raises:
        UnreadableStateError: They are none that a version of this program has written.
    """
    outputs = state.require(RegisterOutputs, outs)
    chains = outputs.bundles.chains
    return Register(
        requests={
            name: client.request(outputs.bundles.clients[name].certificate)
            for name, client in outputs.clients.items()
        },
        issued=tuple(outputs.issued),
        bundles={name: held.bundle(chains) for name, held in outputs.bundles.clients.items()},
    )


def write(register: Register, clients: Mapping[str, Properties]) -> dict[str, str]:
    """The outputs that `read` reads, of the clients that were asked for."""
    return {
        "clients": pack(
            {
                name: {field: value for field, value in client.items() if field not in SECRETS}
                for name, client in clients.items()
            }
        ),
        "issued": pack([_shown(entry) for entry in register.issued]),
        "bundles": _packed_bundles(register.bundles),
    }


def read_issued(output: Any) -> list[dict[str, Any]]:
    """Entries, in order of issue.

    Each has `name`, `serial_number`, `fingerprint_sha256`, `subject`, `not_before`, `not_after`,
    `status` and `authority_key_id`, and `key` unless an earlier version issued it; of a revoked one
    `revoked_at` and `reason`; `imported`, if it was, and then neither beginning nor fingerprint.
    """
    entries: list[dict[str, Any]] = unpack(output)
    return entries


def read_bundles(output: Any) -> dict[str, dict[str, str]]:
    """Bundles by client name.

    Each has `certificate` and `chain`, and unless the client keeps its key to itself `pkcs12`
    (base64), `pass_phrase` and `private_key` (encrypted).
    """
    if not isinstance(output, str):
        return dict(output)  # By the first version, each with its chain.
    bundles = unpack(output)
    return {
        name: {**bundle, "chain": bundles["chains"][int(bundle["chain"])]}
        for name, bundle in bundles["clients"].items()
    }


def _packed_bundles(by_name: Mapping[str, bundles.Bundle]) -> str:
    """The bundles, with every chain once: nearly all are the same."""
    chains = sorted({bundle.chain for bundle in by_name.values()})
    places = {chain: place for place, chain in enumerate(chains)}
    clients = {
        name: {**bundle.properties(), "chain": places[bundle.chain]}
        for name, bundle in by_name.items()
    }
    return pack({"chains": chains, "clients": clients})


def _shown(entry: IssuedCertificate) -> dict[str, Any]:
    """An entry's fields, those that say something."""
    times = {
        "not_before": show_time(entry.not_before) if entry.not_before else "",
        "not_after": show_time(entry.not_after),
        "revoked_at": show_time(entry.revoked_at) if entry.revoked_at else None,
    }
    shown = {field.name: getattr(entry, field.name) for field in fields(entry)} | times
    return {name: value for name, value in shown.items() if value not in {None, False}}
