"""Counterpart of the register: one dynamic resource for each client, with the same signing code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

from components.pki import certificates, keys, register, uploaded_keys
from components.pki.certificates import Issuer
from components.pki.register import Register, Request
from components.pki.windows import Window


class ClientProvider(ResourceProvider):
    """Dynamic provider that issues one client's certificate."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: Mapping[str, Any], _news: Mapping[str, Any]) -> DiffResult:
        """Compare the names, and nothing else."""
        return DiffResult(changes=_olds["name"] != _news["name"])

    def create(self, props: Mapping[str, Any]) -> CreateResult:
        """Issue the client's certificate as the register does."""
        issuer = Issuer(
            certificates.load(props["ca_certificate"]), uploaded_keys.load(props["ca_private_key"])
        )
        now, name = datetime.now(UTC), props["name"]
        window = Window.opening(now, timedelta(days=365))
        request = Request({"common_name": name}, keys.Rsa(2048), window)
        changed = register.carry_out(Register(), {name: request}, issuer, now)
        return CreateResult(name, {"name": name, "bundle": changed.bundles[name].properties()})


class Client(Resource, module="benchmark", name="Client"):
    """Client as a resource by itself."""

    bundle: pulumi.Output[dict[str, str]]

    def __init__(
        self, name: str, ca_certificate: pulumi.Input[str], ca_private_key: pulumi.Input[str]
    ) -> None:
        super().__init__(
            ClientProvider(),
            name,
            {
                "name": name,
                "ca_certificate": ca_certificate,
                "ca_private_key": pulumi.Output.secret(ca_private_key),
                "bundle": None,
            },
            pulumi.ResourceOptions(additional_secret_outputs=["bundle"]),
        )
