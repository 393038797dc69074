"""The whole service as one component: for programs other than this repository's own."""

# No postponed annotations: Pulumi reads the types of a component package's arguments from them.

from typing import TYPE_CHECKING, Any

import pulumi

from components.arguments import arguments
from components.backend_servers import BackendServers
from components.load_balancer import MutualTlsLoadBalancer
from components.private_ca import PrivateCertificateAuthority
from configuration.loading import require_present_time
from settings import Settings, SettingsError, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    MutualTlsServiceArgs = Mapping[str, Any]
else:
    MutualTlsServiceArgs = arguments(Settings, "MutualTlsServiceArgs")


class MutualTlsService(pulumi.ComponentResource):
    """A private CA, backends, and a load balancer that admits holders of a client certificate."""

    address: pulumi.Output[str]
    """The IP address that clients connect to."""

    load_balancer_id: pulumi.Output[str]
    """`lb-…`."""

    ca_certificate: pulumi.Output[str]
    """The CA's certificate, PEM: what clients trust."""

    server_certificate: pulumi.Output[str]
    """What the listener shows, PEM."""

    client_bundles: pulumi.Output[dict[str, dict[str, str]]]
    """By client name: `pkcs12` (base64), `pass_phrase`, `private_key` (encrypted), `certificate`,
    `chain`; secret."""

    certificate_revocation_list: pulumi.Output[str]
    """PEM."""

    def __init__(
        self,
        name: str,
        args: MutualTlsServiceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make it.

        Args:
            name: Of the component and of its children.
            args: What a stack of this repository has as configuration, checked as it is.
            opts: The component's options.

        Raises:
            pulumi.RunError: Something in `args` is wrong; one sentence for each mistake.
        """
        try:
            require_present_time()
            settings = parse(args, file=name, secret_keys=args)
        except SettingsError as error:
            raise pulumi.RunError(str(error)) from None
        super().__init__("slb-mutual-tls:index:MutualTlsService", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = settings.resource_tags(pulumi.get_project(), pulumi.get_stack())
        authority = PrivateCertificateAuthority(name, settings=settings, opts=child)
        backends = BackendServers(
            name, backends=settings.backends, network=settings.network, tags=tags, opts=child
        )
        load_balancer = MutualTlsLoadBalancer(
            name,
            load_balancer=settings.load_balancer,
            listener=settings.listener,
            server=settings.server,
            authority=authority,
            backends=backends.backends,
            backend_port=settings.backends.port,
            vswitch_id=backends.vswitch_id,
            tags=tags,
            additional_listeners=settings.completed_listeners(),
            opts=child,
        )
        self.address = load_balancer.address
        self.load_balancer_id = load_balancer.load_balancer_id
        self.ca_certificate = authority.certificate
        self.server_certificate = load_balancer.server_certificate.certificate
        self.client_bundles = pulumi.Output.secret(authority.client_bundles)
        self.certificate_revocation_list = authority.revocation_list
        self.register_outputs(
            {
                "address": self.address,
                "load_balancer_id": self.load_balancer_id,
                "ca_certificate": self.ca_certificate,
                "server_certificate": self.server_certificate,
                "client_bundles": self.client_bundles,
                "certificate_revocation_list": self.certificate_revocation_list,
            }
        )
