"""The CA's register as a dynamic resource: all clients of a stack, and what was issued to them."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from ..pki import certificates, client_keys, keys, openssl_database, signing_requests, uploaded_keys
from ..pki import register as registers
from ..pki.certificates import Issuer
from ..pki.names import distinguished_name
from ..pki.register import IssuedCertificate, Register, Request
from ..pki.windows import ChosenWindow, Lengths, Window, choose_window
from . import register_state, state
from .properties import (
    CA_ID,
    Properties,
    end_of,
    explain_change,
    failures_of,
    is_replaced,
    is_unknown,
    list_differences,
    now,
)
from .register_state import RegisterInputs, RegisterOutputs

CONTENT = ("subject", *keys.PROPERTIES, "signing_request", "certificate")
"""A change of these issues a client's certificate anew."""


LEFT = "left"
"""Property that check adds: names that were clients once, which check is told by nothing else."""


class Provider(ResourceProvider):
    """Keeps the register. State refers to this class by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose each client's validity window."""
        inputs = dict(news)
        previous, failures = state.read_previous(RegisterInputs, _olds)
        if failures:
            return CheckResult(inputs, failures)
        if is_unknown(news["clients"]):
            return CheckResult(inputs, [])
        rekeyed = explain_change(_olds, news, ["ca_key_id"])
        # What the next CA issues is under its cross-certificate, which the present CA's end cuts.
        end = end_of(news["ca_certificate"], news.get("present_ca_certificate"))
        clients = {}
        for name, client in news["clients"].items():
            before = _olds.get("clients", {}).get(name, {})
            held = previous.clients.get(name) if previous else None
            clients[name], mistakes = _check_client(
                f"clients.{name}",
                client,
                held.chosen_window() if held else None,
                rekeyed or explain_change(before, client, _content(before, client)),
                end,
            )
            failures += mistakes
        index = news.get("index", "")
        failures += failures_of("index", lambda: openssl_database.entries(index))
        if not failures:
            inputs |= _left(_olds, news)
            failures += failures_of("", lambda: _require_somebody(_olds, inputs))
        revision = _revision(_olds, news)
        return CheckResult({**inputs, "clients": clients, "revision": revision}, failures)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare the clients with what was issued; a CA that was merely renewed moves nothing."""
        register = register_state.read(_olds)
        if is_unknown(_news["clients"]):
            return DiffResult(changes=True)
        requests = _requests(_news["clients"])
        _require_keys(register, requests)
        changes = (
            registers.to_issue(register, requests)
            or registers.to_bundle(register, requests)
            or registers.to_revoke(register, requests, _news.get("revoked", {}))
            or registers.to_import(register, _imported(_news), now())
            or registers.to_forget(register, _news.get("others", ()))
            or _rekeyed(_olds, _news)
        )
        return DiffResult(changes=bool(changes))

    def create(self, props: Properties) -> CreateResult:
        """Issue the first certificates."""
        outs = _carried_out(Register(), props, rekeyed=False)
        return CreateResult(f"register-of-{outs['ca_public_key_sha256'][:16]}", outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Issue what is new or due, revoke what is gone, keep the rest as it is."""
        register = register_state.read(_olds)
        _require_keys(register, _requests(_news["clients"]))
        rekeyed = _rekeyed(_olds, _news)
        return UpdateResult(_carried_out(register, _news, rekeyed=rekeyed))


class CertificateRegister(Resource, module="pki", name="CertificateRegister"):
    """The register of a CA. `register_state` reads its large outputs.

    Attributes:
        issued: Every certificate that has not expired, in order of issue.
        revision: Changes when somebody is revoked; known in preview.
        bundles: Bundle of each client; secret.
    """

    # Texts, in states of the first version objects: the SDK would refuse one or the other.
    issued: pulumi.Output[Any]
    revision: pulumi.Output[str]
    bundles: pulumi.Output[Any]

    def __init__(
        self,
        name: str,
        *,
        ca_certificate: pulumi.Input[str],
        ca_private_key: pulumi.Input[str] | None,
        ca_key_id: pulumi.Input[str],
        ca_id: pulumi.Input[str],
        clients: Mapping[str, Any],
        revoked: Mapping[str, str] | None = None,
        index: str | None = None,
        others: pulumi.Input[Sequence[str]] | None = None,
        adopted_key_id: pulumi.Input[str] | None = None,
        present_ca_certificate: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {
                "ca_certificate": ca_certificate,
                "ca_private_key": None
                if ca_private_key is None
                else pulumi.Output.secret(ca_private_key),
                "ca_key_id": ca_key_id,
                CA_ID: ca_id,
                "clients": dict(clients),
                "revoked": dict(revoked or {}),
                "index": index,
                "others": others or None,
                "adopted_key_id": adopted_key_id,
                "present_ca_certificate": present_ca_certificate,
                "issued": None,
                "revision": None,
                "bundles": None,
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["bundles"])
            ),
        )


def _check_client(
    place: str,
    news: Properties,
    previous: ChosenWindow | None,
    anew: str | None,
    end: datetime | None,
) -> tuple[dict[str, Any], list[CheckFailure]]:
    """A client's inputs with its window, and what is wrong with them."""
    inputs = dict(news)
    if "key_bits" in news:
        inputs["key_bits"] = int(news["key_bits"])
    failures = [
        *failures_of(f"{place}.subject", lambda: distinguished_name(news["subject"])),
        *failures_of(
            f"{place}.subject.email",
            lambda: certificates.mailbox_names(news["subject"].get("email")),
        ),
    ]
    if not (news.get("signing_request") or news.get("certificate")):
        wrong = "key_curve" if "key_curve" in news else "key_bits"
        failures += failures_of(
            f"{place}.{wrong}",
            lambda: client_keys.require_made_here(keys.kind_of_properties(inputs)),
        )
    if request := news.get("signing_request"):
        failures += failures_of(
            f"{place}.signing_request", lambda: signing_requests.public_key(request)
        )
    if entered := news.get("certificate"):
        own = Window.of_certificate(certificates.load(entered))
        return {**inputs, **own.properties()}, failures
    lengths = Lengths(news["validity"], news["renew_before"])
    try:
        window = choose_window(previous, lengths, now(), anew=anew, end=end)
        return {**inputs, **window.properties()}, failures
    except ValueError as error:
        return inputs, [*failures, CheckFailure(f"{place}.validity", str(error))]


def _content(olds: Properties, news: Properties) -> list[str]:
    """`CONTENT`, of which a key of another algorithm has one name: its size is another anyway."""
    another = bool(list_differences(olds, news, ["key_algorithm"]))
    sizes = {"key_bits", "key_curve"} if another else set[str]()
    return [name for name in CONTENT if name not in sizes]


def _left(olds: Properties, news: Properties) -> dict[str, list[str]]:
    """Names that were clients once; nothing if there are none."""
    names = {*olds.get(LEFT, []), *olds.get("clients", {})}
    if olds.get("index", "") != news.get("index", ""):  # It goes when the CA gets another key.
        names |= {text for one in _imported(olds) for text in (one.name, one.serial_number)}
    names -= news["clients"].keys()
    return {LEFT: sorted(names)} if names else {}


def _require_somebody(olds: Properties, news: Properties) -> None:
    """Refuse to revoke whom nobody knows: a name that was misspelt revokes nothing.

    Here and not in diff, which is told what was issued, but shows a traceback of what it refuses.

    Raises:
        ValueError: With the names, and those that are close.
    """
    clients = {*news["clients"], *news.get(LEFT, [])}
    earlier = clients | olds.get("revoked", {}).keys()
    asked = [
        name
        for name in news.get("revoked", {})
        if not earlier & {name, registers.serial_number(name)}
    ]
    for name in registers.unknown_names(_imported(news), asked):
        close = difflib.get_close_matches(name, clients, n=1)
        hint = f"did you mean {close[0]}? If not, take it out" if close else "take it out"
        raise ValueError(
            f"clients.{name} is revoked, and there is no client of that name: neither the "
            "configuration nor the register nor certificate_authority.index has ever had it, or a "
            f"certificate of that serial number; {hint}"
        )


def _revision(olds: Properties, news: Properties) -> str:
    """A value that changes when somebody is revoked, and is known before that is done."""
    old = str(olds.get("revision", "0"))
    removed = sorted(olds.get("clients", {}).keys() - news["clients"].keys())
    reasons = dict(news.get("revoked", {}))
    index = news.get("index", "")
    if not removed and reasons == olds.get("revoked", {}) and index == olds.get("index", ""):
        return old
    return hashlib.sha256(json.dumps([old, removed, reasons, index]).encode()).hexdigest()[:16]


def _requests(clients: Mapping[str, Properties]) -> dict[str, Request]:
    return {
        name: Request(
            subject=client["subject"],
            key=keys.kind_of_properties(client),
            window=Window.of_properties(client["not_before"], client["not_after"]),
            bundle_encoding=client.get("bundle_encoding", "modern"),
            pass_phrase=client.get("pass_phrase"),
            signing_request=client.get("signing_request"),
            certificate=client.get("certificate"),
        )
        for name, client in clients.items()
    }


def _require_keys(register: Register, requests: Mapping[str, Request]) -> None:
    """Refuse a state in which a key does not open, or is another's, that another bundle is for."""
    for name in registers.to_bundle(register, requests):
        bundle = register.bundles[name]
        place = f"bundles.clients.{name}: "
        try:
            key = keys.load(bundle.private_key or "", bundle.pass_phrase)
        except ValueError:
            reason = "pass_phrase does not open private_key"
            raise state.unreadable(RegisterOutputs, place, reason) from None
        if key.public_key() != certificates.load(bundle.certificate).public_key():
            reason = "private_key is not the key of certificate"
            raise state.unreadable(RegisterOutputs, place, reason)


def _imported(news: Properties) -> Sequence[IssuedCertificate]:
    """Certificates that the CA had issued, or revoked, before there was this register."""
    others = news.get("others", ())
    return [
        entry
        for entry in openssl_database.entries(news.get("index", ""))
        if entry.status == "revoked" or entry.serial_number not in others
    ]


def _carried_out(before: Register, props: Properties, *, rekeyed: bool) -> dict[str, Any]:
    key = props.get("ca_private_key")
    issuer = Issuer(
        certificates.load(props["ca_certificate"]), uploaded_keys.load(key) if key else None
    )
    # Not the issuer's, which in a rotation is the next CA.
    adopted_key_id = props.get("adopted_key_id", "")
    present = props.get("present_ca_certificate")
    after = registers.carry_out(
        before,
        _requests(props["clients"]),
        issuer,
        now(),
        reasons=props.get("revoked", {}),
        imported=[replace(entry, authority_key_id=adopted_key_id) for entry in _imported(props)],
        others=props.get("others", ()),
        adopted_key_id=adopted_key_id,
        present_ca=certificates.load(present) if present else None,
        rekeyed=rekeyed,
    )
    return {
        **register_state.write(after, props["clients"]),
        "revision": props.get("revision", "0"),
        "ca_key_id": props["ca_key_id"],
        "ca_public_key_sha256": certificates.public_key_sha256(issuer.certificate),
    }


def _rekeyed(olds: Properties, news: Properties) -> bool:
    """Whether the CA has another key than the one that signed what was issued."""
    if is_unknown(news["ca_certificate"]):
        # Its id is an input of the CA, and so known while the CA waits for its own update.
        # Where the id is unknown too, the CA may well be another.
        return bool(olds["ca_key_id"] != news["ca_key_id"]) or is_replaced(news)
    present = certificates.public_key_sha256(certificates.load(news["ca_certificate"]))
    return bool(olds["ca_public_key_sha256"] != present)
