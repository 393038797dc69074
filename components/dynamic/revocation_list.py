"""The CA's revocation list as a dynamic resource: numbered, and renewed ahead of its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

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
from pydantic import AfterValidator, model_validator

from components.dynamic import state
from components.dynamic.properties import (
    WINDOW,
    Properties,
    changed,
    chosen,
    differing,
    is_unknown,
    now,
)
from components.dynamic.state import Length, State, Time, require_all, require_order
from pki import certificates, keys, revocation_list
from pki.certificates import Issuer
from pki.revocation_list import Revoked
from pki.windows import Window

LONGEST_NUMBER = 20 * 8 - 1
"""Bits of a CRL number: RFC 5280, 5.2.3."""

CONTENT = ("revision", "ca_key_id", "next_ca_key_id")
"""A change of these issues another list at once; known in preview too."""


def _crl_number(value: str) -> str:
    if not re.fullmatch("[0-9]{1,48}", value) or int(value).bit_length() > LONGEST_NUMBER:
        raise ValueError("it is no CRL number in decimal")
    return value


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
            require_all(self, "not_before", "not_after")
        require_order(self.not_before, self.not_after)
        return self


class ListOutputs(ListInputs):
    """Likewise with what was made."""

    number: Annotated[str, AfterValidator(_crl_number)]
    revocation_list: str | None = None
    next_revocation_list: str | None = None


class Provider(ResourceProvider):
    """Issues the list. State refers to this class by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose the window; a list with other entries begins a new one."""
        inputs = dict(news)
        if failures := state.failures(ListInputs, _olds):
            return CheckResult(inputs, failures)
        if is_unknown([news["validity"], news["renew_before"]]):
            return CheckResult(inputs, [])
        if "ca_private_key" not in news:
            return CheckResult(inputs, [])
        try:
            window = chosen(_olds, news, now(), anew=changed(_olds, news, CONTENT))
        except ValueError as error:
            return CheckResult(inputs, [CheckFailure("validity", str(error))])
        return CheckResult({**inputs, **window}, [])

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
        return DiffResult(changes=bool(differing(_olds, _news, names)))

    def create(self, props: Properties) -> CreateResult:
        """Issue the first list: number 1, or the one after those of a CA that was brought along."""
        outs = _issued(props, 0)
        return CreateResult(f"list-of-{outs['ca_key_id']}", outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Issue the next list; numbers rise for as long as the resource lives."""
        state.require(ListOutputs, _olds)
        return UpdateResult(_issued(_news, int(_olds["number"])))


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


def _issued(props: Properties, last: int) -> dict[str, Any]:
    """The outputs with the list after number `last`, or with that number alone."""
    inputs = (*CONTENT, "validity", "renew_before", *WINDOW)
    outs = {name: props[name] for name in inputs if name in props}
    number = max(last + 1, int(props.get("first_number", 1)))
    if "ca_private_key" not in props:
        return {**outs, "number": str(last)}
    signers = {
        f"{role}revocation_list": Issuer(
            certificates.load(props[f"{role}ca_certificate"]),
            keys.load(props[f"{role}ca_private_key"]),
        )
        for role in ("", "next_")
        if props.get(f"{role}ca_key_id") is not None
    }
    window = Window.of_properties(props["not_before"], props["not_after"])
    lists = {
        place: revocation_list.pem(
            revocation_list.issue(issuer, number, window, _revoked(props, place, issuer))
        )
        for place, issuer in signers.items()
    }
    return {**outs, **lists, "number": str(number)}


def _revoked(props: Properties, place: str, issuer: Issuer) -> list[Revoked]:
    """What a CA's key answers for: the certificates that it signed.

    Registers of the first version do not say who did; then it was the CA that is in force.
    """
    signer = certificates.key_identifier(issuer.certificate).digest.hex()
    unsaid = {None, ""} if place == "revocation_list" else set()
    entries: list[Mapping[str, str]] = props["issued"]
    return [
        Revoked(entry["serial_number"], entry["revoked_at"], entry["reason"])
        for entry in entries
        if entry["status"] == "revoked" and entry.get("authority_key_id") in {signer, *unsaid}
    ]
