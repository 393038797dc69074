"""The certificate that the load balancer shows, uploaded to its region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_alicloud as alicloud

from ..args import ServerCertificateArgs
from ..arguments.certificates import ServerArguments
from ..arguments.service import ServerCertificateArguments
from ..dynamic.server_certificate import ServerCertificate as IssuedServerCertificate
from ..inputs import read_arguments, secret_text
from ..names import LONGEST_TO_COMPLETE, bound_name
from ..private_ca import PrivateCertificateAuthority

PARTS = {"authority": "the PrivateCertificateAuthority that issues the certificate"}


class ServerCertificate(pulumi.ComponentResource):
    """A server certificate of the load balancer's region, from one of three sources.

    Issued by the private CA for the configured names and, if given, the load balancer's address,
    or a PEM pair brought along, or a certificate of Certificate Management Service by id.

    ```python
    certificate = ServerCertificate(
        "shop-example-com", {"authority": authority, "server": {"domains": ["shop.example.com"]}}
    )
    pulumi.export("server_certificate", certificate.certificate)
    ```

    Attributes:
        id: Id of the uploaded certificate, for listeners.
        certificate: PEM, leaf first; empty for one that Alibaba Cloud keeps.
        issuer: `private` if it comes from the private CA, else `other`.
        names: DNS names and IP addresses that were asked for.
    """

    id: pulumi.Output[str]
    certificate: pulumi.Output[str]
    issuer: str
    names: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        args: ServerCertificateArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Issue the certificate, or take the one that is given, and upload it.

        Args:
            name: Name of the component and of its children.
            args: The CA that issues it, and what differs from the defaults.
            opts: The component's options.

        Raises:
            pulumi.RunError: Something in `args` is wrong; one sentence for each mistake.
        """
        settings = read_arguments(ServerCertificateArguments, args, name, PARTS)
        server, authority, address = settings.server, args["authority"], settings.address
        super().__init__("slb-mutual-tls:index:ServerCertificate", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.issuer = "other"
        self.names = _names(server, None)
        private_key: pulumi.Output[str] | None = None
        if server.alicloud_certificate_id is not None:
            self.certificate = pulumi.Output.from_input("")
        elif server.certificate is not None:
            self.certificate = pulumi.Output.from_input(server.certificate)
            private_key = secret_text(server.private_key)
        else:
            addresses: list[pulumi.Input[str]] = [] if address is None else [address]
            names: list[pulumi.Input[str]] = [*_common_names(server.domains), *addresses]
            issued = IssuedServerCertificate(
                name,
                ca_certificate=authority.certificate,
                ca_private_key=authority.private_key,
                ca_key_id=authority.key_id,
                ca_id=authority.id,
                common_name=next(iter(names), ""),
                dns_names=list(server.domains),
                ip_addresses=[*addresses, *server.ip_addresses],
                key_bits=server.key_bits,
                validity=server.validity,
                renew_before=server.renew_before,
                constraints=authority.name_constraints,
                opts=child,
            )
            self.certificate = issued.certificate
            private_key = issued.private_key
            self.issuer = "private"
            self.names = _names(server, address)
        # No name of its own: with one, the provider would delete the certificate that the listener
        # still uses before it uploads the next.
        uploaded = alicloud.slb.ServerCertificate(
            bound_name(name, LONGEST_TO_COMPLETE),
            server_certificate=None if server.alicloud_certificate_id else self.certificate,
            private_key=private_key,
            alicloud_certificate_id=server.alicloud_certificate_id,
            tags=dict(settings.tags),
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["private_key"]),
        )
        self.id = uploaded.id
        self.register_outputs({"id": self.id, "certificate": self.certificate})


def compose_arguments(
    server: ServerArguments,
    authority: PrivateCertificateAuthority,
    tags: Mapping[str, pulumi.Input[str]],
    *,
    address: pulumi.Input[str] | None = None,
) -> ServerCertificateArgs:
    """Put arguments together of which those that are settings were checked before."""
    args: dict[str, Any] = {
        "authority": authority,
        "server": server,
        "address": address,
        "tags": tags,
    }
    return cast("ServerCertificateArgs", args)


def _names(server: ServerArguments, address: pulumi.Input[str] | None) -> pulumi.Output[list[str]]:
    """The names that are asked for, each once: domains, the load balancer's address, others."""
    addresses = [] if address is None else [address]
    return pulumi.Output.all(*server.domains, *addresses, *server.ip_addresses).apply(
        lambda known: list(dict.fromkeys(known))
    )


def _common_names(domains: Sequence[str]) -> list[str]:
    """The domains that fit into a common name: 64 characters (RFC 5280, appendix A.1)."""
    return [domain for domain in domains if len(domain.encode()) <= 64]
