"""The CA's revocation list as a dynamic resource: numbered, and renewed ahead of its end."""

from __future__ import annotations

from collections.abc import Mapping
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

from components.dynamic.properties import WINDOW, Properties, is_unknown, now, window
from pki import certificates, keys, revocation_list
from pki.certificates import Issuer
from pki.revocation_list import Revoked
from pki.windows import Window


class Provider(ResourceProvider):
    """Issues the list. State refers to this class by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose the window; a list with other entries begins a new one."""
        inputs = dict(news)
        if is_unknown([news["validity"], news["renew_before"]]):
            return CheckResult(inputs, [])
        try:
            chosen = window(_olds, news, now(), restart=_differs(_olds, news))
        except ValueError as error:
            return CheckResult(inputs, [CheckFailure("validity", str(error))])
        return CheckResult({**inputs, **chosen.properties()}, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Issue anew if somebody was revoked, the window moved, or the CA has another key."""
        moved = any(_olds.get(name) != _news.get(name) for name in WINDOW)
        return DiffResult(changes=moved or _differs(_olds, _news))

    def create(self, props: Properties) -> CreateResult:
        """Issue list number 1."""
        outs = _issued(props, 1)
        return CreateResult(f"list-of-{outs['ca_key_id']}", outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Issue the next list; numbers rise for as long as the resource lives."""
        return UpdateResult(_issued(_news, int(_olds["number"]) + 1))


class RevocationList(Resource, module="pki", name="RevocationList"):
    """The revocation list of a CA.

    Attributes:
        revocation_list: PEM.
        number: CRL number, decimal.
        not_before: thisUpdate at the earliest, RFC 3339.
        not_after: The last second before nextUpdate, RFC 3339.
    """

    revocation_list: pulumi.Output[str]
    number: pulumi.Output[str]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        ca_certificate: pulumi.Input[str],
        ca_private_key: pulumi.Input[str],
        ca_key_id: pulumi.Input[str],
        issued: pulumi.Input[list[dict[str, Any]]],
        revision: pulumi.Input[str],
        validity: str,
        renew_before: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {
                "ca_certificate": ca_certificate,
                "ca_private_key": pulumi.Output.secret(ca_private_key),
                "ca_key_id": ca_key_id,
                "issued": issued,
                "revision": revision,
                "validity": validity,
                "renew_before": renew_before,
                "revocation_list": None,
                "number": None,
                "not_before": None,
                "not_after": None,
            },
            opts,
        )


def _differs(olds: Properties, news: Properties) -> bool:
    """Whether a list made of `olds` lacks what `news` has: known in preview too."""
    return any(olds.get(name) != news[name] for name in ("revision", "ca_key_id"))


def _issued(props: Properties, number: int) -> dict[str, Any]:
    issuer = Issuer(certificates.load(props["ca_certificate"]), keys.load(props["ca_private_key"]))
    revoked: list[Mapping[str, str]] = [
        entry for entry in props["issued"] if entry["status"] == "revoked"
    ]
    signer = certificates.authority_key_id(issuer.certificate)
    made = revocation_list.issue(
        issuer,
        number,
        Window.of_properties(props["not_before"], props["not_after"]),
        [
            Revoked(entry["serial_number"], entry["revoked_at"], entry["reason"])
            for entry in revoked
            # A new key of the CA answers for its own certificates; the old ones are out anyway.
            if entry.get("authority_key_id") in {None, "", signer}
        ],
    )
    inputs = ("ca_key_id", "revision", "validity", "renew_before", *WINDOW)
    return {
        **{name: props[name] for name in inputs},
        "revocation_list": revocation_list.pem(made),
        "number": str(number),
    }
