"""The whole service as one component: for programs other than this repository's own."""

# No postponed annotations: Pulumi reads the types of a component package's arguments from them.

import os

import pulumi

from .args import MutualTlsServiceArgs
from .arguments.service import MutualTlsServiceArguments
from .assembly import assemble
from .inputs import read_arguments
from .pki import clock


class MutualTlsService(pulumi.ComponentResource):
    """A private CA, backends, and a load balancer that admits holders of a client certificate.

    ```python
    service = MutualTlsService("shop", {"clients": {"partner": {}}})
    pulumi.export("address", service.address)
    ```
    """

    address: pulumi.Output[str]
    """IP address that clients connect to."""

    load_balancer_id: pulumi.Output[str]
    """Id of the load balancer, `lb-…`."""

    ca_certificate: pulumi.Output[str]
    """Certificate of the CA, PEM: what clients trust."""

    server_certificate: pulumi.Output[str]
    """Certificate that the listener presents to clients, PEM, leaf first."""

    client_bundles: pulumi.Output[dict[str, dict[str, str]]]
    """Bundle of each client, by its name: `pkcs12` (base64), `pass_phrase`, `private_key`
    (encrypted), `certificate` and `chain`; secret."""

    certificate_revocation_list: pulumi.Output[str]
    """The CA's revocation list, PEM."""

    def __init__(
        self,
        name: str,
        args: MutualTlsServiceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the CA, the backends and the load balancer, and admit the clients.

        Args:
            name: Name of the component and of its children.
            args: Arguments that differ from the defaults.
            opts: The component's options.

        Raises:
            pulumi.RunError: Something in `args` is wrong; one sentence for each mistake.
        """
        require_present_time()
        service = read_arguments(MutualTlsServiceArguments, args, name)
        super().__init__("slb-mutual-tls:index:MutualTlsService", name, None, opts)
        parts = assemble(name, service, pulumi.ResourceOptions(parent=self))
        self.address = parts.load_balancer.address
        self.load_balancer_id = parts.load_balancer.load_balancer_id
        self.ca_certificate = parts.authority.certificate
        self.server_certificate = parts.load_balancer.server_certificate.certificate
        self.client_bundles = pulumi.Output.secret(parts.authority.client_bundles)
        self.certificate_revocation_list = parts.authority.revocation_list
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


def require_present_time() -> None:
    """Check that certificates are issued as of now, unless this is a preview.

    Raises:
        pulumi.RunError: They would be issued for another time, or it is none.
    """
    try:
        if pulumi.runtime.is_dry_run():
            clock.offset(os.environ)
        else:
            clock.require_present(os.environ)
    except ValueError as error:
        raise pulumi.RunError(str(error)) from None
