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
from datetime import datetime, timedelta
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
from ..pki.revocation_list import Listed, ListHistory, ListOrder
from ..pki.windows import ChosenWindow, Lengths, Window, choose_window, show_time
from . import state
from .properties import (
    CA_ID,
    WINDOW,
    Properties,
    explain_change,
    is_replaced,
    is_unknown,
    list_differences,
    now,
    pack,
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

REPEATED = (*CONTENT, "validity", "renew_before", *WINDOW)
"""Inputs that outputs repeat: not the CA's key."""


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


class ListedState(Form):
    """An entry of the last list, or of the register.

    Registers of the first version do not say whose it is.
    """

    serial_number: SerialNumber
    revoked_at: Time
    not_after: Time
    reason: Reason
    authority_key_id: str = ""
    beyond: bool = False

    def listed(self) -> Listed:
        """Make what `revocation_list` works with."""
        return Listed(
            self.serial_number,
            self.revoked_at,
            self.reason,
            self.not_after,
            self.authority_key_id,
            self.beyond,
        )


def _list(value: str) -> str:
    revocation_list.load(value)
    return value


List = Annotated[str, AfterValidator(_list)]


class ListOutputs(ListInputs):
    """Outputs of a revocation list: its inputs and the lists that were signed."""

    number: Annotated[str, AfterValidator(_crl_number)]
    revocation_list: List | None = None
    next_revocation_list: List | None = None
    listed: Annotated[list[ListedState], BeforeValidator(from_json)] | None = None
    issuers: Annotated[dict[str, str], BeforeValidator(from_json)] | None = None
    scheduled: Time | None = None

    def history(self, renew_before: timedelta, moment: datetime) -> ListHistory:
        """Make what `revocation_list` works with.

        Args:
            renew_before: How long before its end a list is issued whatever happens.
            moment: Now: when certificates of lists of which nothing else is known have ended.
        """
        told = ListHistory()
        if self.listed is None or self.issuers is None:
            told = revocation_list.history_of(self.lists(), moment)
        due = self.scheduled
        if due is None and self.not_after is not None:
            # An earlier version's: its last list counts.
            due = self.not_after - renew_before
        return ListHistory(
            int(self.number),
            told.listed if self.listed is None else tuple(e.listed() for e in self.listed),
            told.issuers if self.issuers is None else self.issuers,
            due,
        )

    def lists(self) -> list[x509.CertificateRevocationList]:
        """The lists that there are: the CA's, and that of the next one."""
        texts = (self.revocation_list, self.next_revocation_list)
        return [revocation_list.load(text) for text in texts if text]


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
                anew=explain_change(_olds, news, CONTENT),
            )
        except ValueError as error:
            return CheckResult(inputs, [CheckFailure("validity", str(error))])
        return CheckResult({**inputs, **window.properties()}, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Issue anew if somebody was revoked, the window moved, or the CA has another key.

        Without the CA's key there is no list, and the number waits for its return.
        """
        present = state.require(ListOutputs, _olds)
        if "ca_private_key" not in _news:
            return DiffResult(changes=present.revocation_list is not None)
        names = {*CONTENT, *WINDOW}
        if _olds.get("revision") is None and is_unknown(_news.get("revision")):
            # The register is as the first version kept it, and stays so: nobody is revoked.
            names.remove("revision")
        differs = bool(list_differences(_olds, _news, names))
        return DiffResult(changes=differs or _signed_by_another(present, _news))

    def create(self, props: Properties) -> CreateResult:
        """Issue the first list: number 1, or the one after those of a CA that was brought along."""
        outs = _carry_out(None, props)
        return CreateResult(f"list-of-{outs['ca_key_id']}", outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Issue the next list; numbers rise for as long as the resource lives."""
        return UpdateResult(_carry_out(state.require(ListOutputs, _olds), _news))


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


def _signed_by_another(present: ListOutputs, news: Properties) -> bool:
    """Whether the CA has another key although its id is the same: it was replaced by hand."""
    if is_replaced(news):
        return True
    signed = {"": present.revocation_list, "next_": present.next_revocation_list}
    for role, text in signed.items():
        authority = news.get(f"{role}ca_certificate")
        if authority is None or text is None or is_unknown(authority):
            continue
        key = certificates.load(authority).public_key()
        signed_list = revocation_list.load(text)
        if not isinstance(key, rsa.RSAPublicKey) or not signed_list.is_signature_valid(key):
            return True
    return False


def _carry_out(present: ListOutputs | None, news: Properties) -> dict[str, Any]:
    """The outputs with the list after the last one, or with its number alone."""
    moment, renew_before = now(), durations.parse(news["renew_before"])
    history = present.history(renew_before, moment) if present else ListHistory()
    outs = {name: news[name] for name in REPEATED if name in news}
    if "ca_private_key" not in news:
        return {**outs, **_memory(history)}
    issuers = {
        f"{role}revocation_list": Issuer(
            certificates.load(news[f"{role}ca_certificate"]),
            uploaded_keys.load(news[f"{role}ca_private_key"]),
        )
        for role in ("", "next_")
        if news.get(f"{role}ca_key_id") is not None
    }
    order = ListOrder(
        Window.of_properties(news["not_before"], news["not_after"]),
        renew_before,
        int(news.get("first_number", 1)),
    )
    revoked = [
        ListedState.model_validate(entry).listed()
        for entry in news["issued"]
        if entry["status"] == "revoked"
    ]
    lists, after = revocation_list.issue_next(history, issuers, revoked, order, moment)
    texts = {place: revocation_list.pem(made) for place, made in lists.items()}
    return {**outs, **texts, **_memory(after)}


def _memory(history: ListHistory) -> dict[str, str]:
    """The outputs on which the next list builds."""
    outs = {"number": str(history.number)}
    if history.issuers:
        outs["listed"] = pack([_shown(each) for each in history.listed])
        outs["issuers"] = pack(history.issuers)
    if history.due is not None:
        outs["scheduled"] = show_time(history.due)
    return outs


def _shown(listed: Listed) -> dict[str, Any]:
    """An entry's fields, those that say something."""
    shown = {
        "serial_number": listed.serial_number,
        "revoked_at": show_time(listed.revoked_at),
        "reason": listed.reason,
        "not_after": show_time(listed.not_after),
        "authority_key_id": listed.authority_key_id,
        "beyond": listed.beyond,
    }
    return {name: value for name, value in shown.items() if value not in ("", False)}
