"""The CA's revocation list as a dynamic resource: numbered, and renewed ahead of its end.

A list is a CA's, and a CA is its name (RFC 5280, 5 and 6.3.3: issuer names are compared, and a full
list has all unexpired certificates "issued by a CA"). So after a change of the key alone, the list
of the new key goes on naming what the old one had signed: serial numbers are unique under the name
(4.1.2.2), nobody else can sign a list any more, and whoever trusts both keys is told. OpenSSL looks
for a list of the very key; for it, the old key has none, and it accepts nothing without one. After
a change of the name, a rotation's among them, the list says nothing of what is not its CA's: it is
no indirect one (5.2.5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pydantic import AfterValidator, BeforeValidator, model_validator

from ..pki import certificates, durations, revocation_list, uploaded_keys
from ..pki.certificates import Issuer
from ..pki.revocation_list import Revoked
from ..pki.windows import ChosenWindow, Lengths, Window, choose_window, read_time, show_time
from . import state
from .properties import (
    CA_ID,
    WINDOW,
    Properties,
    changed,
    differing,
    is_replaced,
    is_unknown,
    now,
    packed,
    unpacked,
)
from .state import (
    Form,
    Length,
    Reason,
    SerialNumber,
    State,
    Time,
    from_json,
    require_all,
    require_order,
)

LONGEST_NUMBER = 20 * 8 - 1
"""Bits of a CRL number: RFC 5280, 5.2.3."""

CONTENT = ("revision", "ca_key_id", "next_ca_key_id")
"""A change of these issues another list at once; known in preview too."""

LISTED = ("serial_number", "revoked_at", "reason", "not_after", "authority_key_id")
"""Fields of a register's entry that lists need; the first version's registers lack the last one."""

MEMORY = ("listed", "issuers", "scheduled")
"""Outputs on which the next list builds: entries, the CA's names by key, and when it is due."""


def _crl_number(value: str) -> str:
    if not re.fullmatch("[0-9]{1,48}", value) or int(value).bit_length() > LONGEST_NUMBER:
        raise ValueError("it is no CRL number in decimal")
    return value


class ListInputs(State):
    """Inputs of a revocation list, as the state keeps them.

    Without the CA's key there is no list, and no window either.
    """

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
            require_all(self, "not_before", "not_after")
        require_order(self.not_before, self.not_after)
        return self

    def chosen_window(self) -> ChosenWindow | None:
        """The window of the last list; None if there was none."""
        if self.not_before is None or self.not_after is None:
            return None
        window = Window(self.not_before, self.not_after)
        return ChosenWindow(window, self.validity, self.issued_because)


class Listed(Form):
    """An entry of the last list."""

    serial_number: SerialNumber
    revoked_at: Time
    not_after: Time
    reason: Reason
    authority_key_id: str = ""
    beyond: bool = False


def _list(value: str) -> str:
    revocation_list.load(value)
    return value


List = Annotated[str, AfterValidator(_list)]


class ListOutputs(ListInputs):
    """Outputs of a revocation list: its inputs and the lists that were signed."""

    number: Annotated[str, AfterValidator(_crl_number)]
    revocation_list: List | None = None
    next_revocation_list: List | None = None
    listed: Annotated[list[Listed], BeforeValidator(from_json)] | None = None
    issuers: Annotated[dict[str, str], BeforeValidator(from_json)] | None = None
    scheduled: Time | None = None


class Provider(ResourceProvider):
    """Issues the list. State refers to this class by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose the window; a list with other entries begins a new one."""
        inputs = dict(news)
        previous, failures = state.read_previous(ListInputs, _olds)
        if failures:
            return CheckResult(inputs, failures)
        if is_unknown([news["validity"], news["renew_before"]]):
            return CheckResult(inputs, [])
        if "ca_private_key" not in news:
            return CheckResult(inputs, [])
        try:
            window = choose_window(
                previous.chosen_window() if previous else None,
                Lengths(news["validity"], news["renew_before"]),
                now(),
                anew=changed(_olds, news, CONTENT),
            )
        except ValueError as error:
            return CheckResult(inputs, [CheckFailure("validity", str(error))])
        return CheckResult({**inputs, **window.properties()}, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Issue anew if somebody was revoked, the window moved, or the CA has another key.

        Without the CA's key there is no list, and the number waits for its return.
        """
        state.require(ListOutputs, _olds)
        if "ca_private_key" not in _news:
            return DiffResult(changes="revocation_list" in _olds)
        names = {*CONTENT, *WINDOW}
        if _olds.get("revision") is None and is_unknown(_news.get("revision")):
            # The register is as the first version kept it, and stays so: nobody is revoked.
            names.remove("revision")
        differs = bool(differing(_olds, _news, names))
        return DiffResult(changes=differs or _signed_by_another(_olds, _news))

    def create(self, props: Properties) -> CreateResult:
        """Issue the first list: number 1, or the one after those of a CA that was brought along."""
        outs = _issued(props, {})
        return CreateResult(f"list-of-{outs['ca_key_id']}", outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Issue the next list; numbers rise for as long as the resource lives."""
        state.require(ListOutputs, _olds)
        return UpdateResult(_issued(_news, _olds))


class RevocationList(Resource, module="pki", name="RevocationList"):
    """The revocation list of a CA; during a rotation also that of the next one.

    Attributes:
        revocation_list: PEM; missing without the CA's key.
        next_revocation_list: PEM, of the next CA; missing if there is none.
        number: CRL number, decimal; both lists have the same. Without the CA's key, that of the
            last list: RFC 5280, 5.2.3 has them rise for as long as the CA lives.
        not_before: thisUpdate at the earliest, RFC 3339.
        not_after: The last second before nextUpdate, RFC 3339.
    """

    revocation_list: pulumi.Output[str]
    next_revocation_list: pulumi.Output[str]
    number: pulumi.Output[str]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        ca_certificate: pulumi.Input[str],
        ca_private_key: pulumi.Input[str] | None,
        ca_key_id: pulumi.Input[str],
        ca_id: pulumi.Input[str],
        issued: pulumi.Input[list[dict[str, Any]]],
        revision: pulumi.Input[str],
        validity: str,
        renew_before: str,
        first_number: int | None = None,
        next_ca_certificate: pulumi.Input[str] | None = None,
        next_ca_private_key: pulumi.Input[str] | None = None,
        next_ca_key_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {
                "ca_certificate": ca_certificate,
                "ca_private_key": pulumi.Output.secret(ca_private_key) if ca_private_key else None,
                "ca_key_id": ca_key_id,
                CA_ID: ca_id,
                "next_ca_certificate": next_ca_certificate,
                "next_ca_private_key": pulumi.Output.secret(next_ca_private_key)
                if next_ca_private_key
                else None,
                "next_ca_key_id": next_ca_key_id,
                "issued": issued,
                "revision": revision,
                "validity": validity,
                "renew_before": renew_before,
                "first_number": first_number,
                "revocation_list": None,
                "next_revocation_list": None,
                "number": None,
                "not_before": None,
                "not_after": None,
            },
            opts,
        )


def _signed_by_another(olds: Properties, news: Properties) -> bool:
    """Whether the CA has another key although its id is the same: it was replaced by hand."""
    if is_replaced(news):
        return True
    for role in ("", "next_"):
        authority, listed = news.get(f"{role}ca_certificate"), olds.get(f"{role}revocation_list")
        if authority is None or listed is None or is_unknown(authority):
            continue
        key = certificates.load(authority).public_key()
        made = revocation_list.load(listed)
        if not isinstance(key, rsa.RSAPublicKey) or not made.is_signature_valid(key):
            return True
    return False


def _issued(props: Properties, olds: Properties) -> dict[str, Any]:
    """The outputs with the list after the last one, or with its number alone."""
    inputs = (*CONTENT, "validity", "renew_before", *WINDOW)
    outs = {name: props[name] for name in inputs if name in props}
    last = int(olds.get("number", 0))
    number = max(last + 1, int(props.get("first_number", 1)))
    if "ca_private_key" not in props:
        memory = {name: olds[name] for name in MEMORY if name in olds}
        return {**outs, **memory, "number": str(last)}
    signers = {
        f"{role}revocation_list": Issuer(
            certificates.load(props[f"{role}ca_certificate"]),
            uploaded_keys.load(props[f"{role}ca_private_key"]),
        )
        for role in ("", "next_")
        if props.get(f"{role}ca_key_id") is not None
    }
    window = Window.of_properties(props["not_before"], props["not_after"])
    names = _issuer_names(olds) | {
        _key_of(issuer): revocation_list.issuer_name(issuer) for issuer in signers.values()
    }
    schedule = _Schedule.after(olds, window, props["renew_before"], now())
    entries = _entries(props["issued"], olds, window if schedule.regular else None)
    lists = {}
    for place, issuer in signers.items():
        unsaid = {""} if place == "revocation_list" else set()
        named = {key for key, name in names.items() if name == names[_key_of(issuer)]}
        revoked = [
            Revoked(entry["serial_number"], _until_now(entry["revoked_at"]), entry["reason"])
            for entry in entries
            if entry.get("authority_key_id", "") in named | unsaid
        ]
        made = revocation_list.issue(issuer, number, window, revoked)
        lists[place] = revocation_list.pem(made)
    memory = {"listed": packed(entries), "issuers": packed(names), "scheduled": schedule.next}
    return {**outs, **lists, **memory, "number": str(number)}


@dataclass(frozen=True)
class _Schedule:
    """When lists are issued whatever happens; one that is issued in between does not move it."""

    regular: bool
    next: str

    @classmethod
    def after(cls, olds: Properties, window: Window, renew_before: str, moment: datetime) -> Self:
        """The schedule with a list that is issued now."""
        due = olds.get("scheduled")
        if due is None and "not_after" in olds:
            # An earlier version's: its last list counts.
            due = show_time(read_time(olds["not_after"]) - durations.parse(renew_before))
        following = show_time(window.not_after - durations.parse(renew_before))
        regular = due is not None and moment >= read_time(due)
        return cls(regular, following if regular or due is None else due)


def _entries(
    issued: Sequence[Mapping[str, Any]], olds: Properties, regular: Window | None
) -> list[dict[str, Any]]:
    """What lists name: who is revoked, and who was when the certificate ended.

    RFC 5280, 3.3: an entry must not be removed until it appears on one regularly scheduled list
    that is issued beyond the revoked certificate's validity. The register forgets it as it ends.

    Args:
        issued: What the register has of those that are revoked.
        olds: The outputs with the last list; empty for the first.
        regular: The window of this list, if it is a regular one.
    """
    known = {_place(entry): entry for entry in _listed(olds) if not entry.get("beyond")}
    current = {
        _place(entry): {name: entry[name] for name in LISTED if name in entry}
        for entry in issued
        if entry["status"] == "revoked"
    }
    return [
        {**entry, "beyond": True}
        if regular and regular.not_before > read_time(entry["not_after"])
        else entry
        for entry in (known | current).values()
    ]


def _place(entry: Mapping[str, Any]) -> tuple[str, str]:
    """What tells an entry from all others."""
    return entry.get("authority_key_id", ""), entry["serial_number"]


def _listed(olds: Properties) -> list[dict[str, Any]]:
    """The entries of the last list; earlier versions kept them in the list alone."""
    if "listed" in olds:
        found: list[dict[str, Any]] = unpacked(olds["listed"])
        return found
    moment = show_time(now())
    return [
        {
            "serial_number": entry.serial_number,
            "revoked_at": entry.revoked_at,
            "reason": entry.reason,
            # What the register still has says better; what it has not has ended.
            "not_after": moment,
            "authority_key_id": revocation_list.key_id(made),
        }
        for made in _last_lists(olds)
        for entry in revocation_list.entries(made)
    ]


def _issuer_names(olds: Properties) -> dict[str, str]:
    """Names of the CAs by the identifiers of their keys, as far as there were lists of theirs."""
    if "issuers" in olds:
        found: dict[str, str] = unpacked(olds["issuers"])
        return found
    return {
        revocation_list.key_id(made): revocation_list.issuer_name(made)
        for made in _last_lists(olds)
    }


def _last_lists(olds: Properties) -> list[x509.CertificateRevocationList]:
    return [
        revocation_list.load(olds[place])
        for place in ("revocation_list", "next_revocation_list")
        if olds.get(place)
    ]


def _key_of(issuer: Issuer) -> str:
    return certificates.key_identifier(issuer.certificate).digest.hex()


def _until_now(revoked_at: str) -> str:
    """A time of revocation; now for one that is still to come, as whoever is listed is revoked."""
    return show_time(min(read_time(revoked_at), now()))
