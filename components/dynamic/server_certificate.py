"""The server's certificate as a dynamic resource, issued by the private CA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

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
from pydantic import model_validator

from ..pki import certificates, keys, name_constraints, uploaded_keys
from ..pki.certificates import Issuer
from ..pki.name_constraints import Subtrees
from ..pki.names import distinguished_name
from ..pki.windows import Lengths, Window, choose_window
from . import state
from .properties import (
    CA_ID,
    WINDOW,
    Properties,
    end_of,
    explain_change,
    failures_of,
    is_replaced,
    is_unknown,
    keep_reason_of_replacement,
    list_differences,
    now,
)
from .state import (
    Certificate,
    ChosenWindowState,
    Key,
    Number,
    State,
    require_pair,
)

CONTENT = ("ca_key_id", "common_name", "dns_names", "ip_addresses", "key_bits")
"""A change of these issues another certificate at once."""

INPUTS = (*CONTENT, "validity", "renew_before", *WINDOW)
"""Inputs that outputs repeat: not the CA's key."""


class ServerInputs(State, ChosenWindowState):
    """Inputs of a server certificate, as the state keeps them."""

    resource = "ServerCertificate"

    ca_key_id: str
    common_name: str
    dns_names: list[str]
    ip_addresses: list[str]
    key_bits: Number


class ServerOutputs(ServerInputs):
    """Outputs of a server certificate: its inputs, the certificate and its key."""

    certificate: Certificate
    private_key: Key
    ca_public_key_sha256: str | None = None

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        require_pair(self.certificate, self.private_key, "")
        return self


class Provider(ResourceProvider):
    """Issues server certificates. State refers to this class by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose the validity window."""
        inputs = dict(news)
        previous, failures = state.read_previous(ServerInputs, _olds)
        if failures:
            return CheckResult(inputs, failures)
        if any(is_unknown(news.get(name)) for name in ("key_bits", "validity", "renew_before")):
            return CheckResult(inputs, [])
        inputs["key_bits"] = int(news["key_bits"])
        failures = failures_of("key_bits", lambda: uploaded_keys.require_size(inputs["key_bits"]))
        if not is_unknown(news["common_name"]):
            subject = {"common_name": news["common_name"]}
            failures += failures_of("common_name", lambda: distinguished_name(subject))
        if not is_unknown([news["dns_names"], news["ip_addresses"]]):
            failures += failures_of(
                "dns_names",
                lambda: certificates.alternative_names(news["dns_names"], news["ip_addresses"]),
            )
        if not failures:
            failures = failures_of("name_constraints", lambda: _require_within_constraints(news))
        try:
            window = choose_window(
                previous.chosen_window() if previous else None,
                Lengths(news["validity"], news["renew_before"]),
                now(),
                anew=explain_change(_olds, inputs, CONTENT),
                end=end_of(news["ca_certificate"]),
            )
        except ValueError as error:
            return CheckResult(inputs, [*failures, CheckFailure("validity", str(error))])
        checked = CheckResult({**inputs, **window.properties()}, failures)
        return keep_reason_of_replacement(_olds, news, checked, None)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Issue anew if the content or the window differs, or the CA has another key."""
        present = state.require(ServerOutputs, _olds).certificate
        # Versions before wrote the dates that were asked for, and the CA's end cut some short.
        in_force = {**_olds, **Window.of_certificate(present).properties()}
        # A window is missing where what decides on it is unknown in this preview.
        differs = bool(list_differences(in_force, _news, (*CONTENT, *WINDOW)))
        return DiffResult(changes=differs or _signed_by_another(_olds, _news))

    def create(self, props: Properties) -> CreateResult:
        """Make a key and its certificate."""
        outs = _issued(props)
        return CreateResult(outs["serial_number"], outs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Make another key and its certificate; the id stays that of the first."""
        return UpdateResult(_issued(_news))


class ServerCertificate(Resource, module="pki", name="ServerCertificate"):
    """A TLS server certificate.

    Attributes:
        certificate: PEM.
        private_key: PKCS#1 PEM, the form that the load balancer takes; secret.
        fingerprint_sha256: Hex.
        serial_number: Hex.
        not_before: RFC 3339.
        not_after: RFC 3339.
    """

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    serial_number: pulumi.Output[str]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        ca_certificate: pulumi.Input[str],
        ca_private_key: pulumi.Input[str],
        ca_key_id: pulumi.Input[str],
        ca_id: pulumi.Input[str],
        common_name: pulumi.Input[str],
        dns_names: Sequence[str],
        ip_addresses: Sequence[pulumi.Input[str]],
        key_bits: int,
        validity: str,
        renew_before: str,
        constraints: Mapping[str, Subtrees] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {
                "ca_certificate": ca_certificate,
                "ca_private_key": pulumi.Output.secret(ca_private_key),
                "ca_key_id": ca_key_id,
                CA_ID: ca_id,
                "common_name": common_name,
                "dns_names": list(dns_names),
                "ip_addresses": list(ip_addresses),
                "key_bits": key_bits,
                "validity": validity,
                "renew_before": renew_before,
                "name_constraints": dict(constraints) if constraints else None,
                "certificate": None,
                "private_key": None,
                "fingerprint_sha256": None,
                "serial_number": None,
                "not_before": None,
                "not_after": None,
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["private_key"])
            ),
        )


def _require_within_constraints(news: Properties) -> None:
    """Refuse names that the CA may not certify, and an address that is still open.

    Raises:
        ValueError: With the name, or with what to do first.
    """
    constraints: Mapping[str, Subtrees] = news.get("name_constraints", {})
    if not constraints or is_unknown(news["dns_names"]):
        return
    ranges = any("ip_ranges" in subtrees for subtrees in constraints.values())
    if ranges and is_unknown(news["ip_addresses"]):
        raise ValueError(
            "the load balancer's address is not known before it exists, so neither is whether "
            "ip_ranges permit it in the server's certificate: bring the stack up without "
            "ip_ranges, and set them then"
        )
    common_name = None if is_unknown(news["common_name"]) else news["common_name"]
    addresses = [] if is_unknown(news["ip_addresses"]) else news["ip_addresses"]
    names = certificates.alternative_names(news["dns_names"], addresses)
    name_constraints.require_within(name_constraints.extension(constraints), common_name, names)


def _issued(props: Properties) -> dict[str, Any]:
    issuer = Issuer(
        certificates.load(props["ca_certificate"]), uploaded_keys.load(props["ca_private_key"])
    )
    key = keys.generate(int(props["key_bits"]))
    certificate = certificates.issue_server(
        issuer,
        distinguished_name({"common_name": props["common_name"]}),
        key.public_key(),
        Window.of_properties(props["not_before"], props["not_after"]),
        certificates.alternative_names(props["dns_names"], props["ip_addresses"]),
    )
    return {
        **{name: props[name] for name in INPUTS},
        **Window.of_certificate(certificate).properties(),
        "certificate": certificates.pem(certificate),
        "private_key": keys.pkcs1(key),
        "fingerprint_sha256": certificates.fingerprint_sha256(certificate),
        "serial_number": certificates.serial_number(certificate),
        "ca_public_key_sha256": certificates.public_key_sha256(issuer.certificate),
    }


def _signed_by_another(olds: Properties, news: Properties) -> bool:
    """Whether the CA has another key although its id is the same: it was replaced by hand."""
    if is_unknown(news["ca_certificate"]):
        return is_replaced(news)
    present = certificates.public_key_sha256(certificates.load(news["ca_certificate"]))
    return bool(olds.get("ca_public_key_sha256") != present)
