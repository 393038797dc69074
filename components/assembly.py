"""The service, put together: a step of the tutorial at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pulumi

from .args import BackendServersArgs, MutualTlsLoadBalancerArgs, PrivateCertificateAuthorityArgs
from .arguments.service import MutualTlsServiceArguments
from .backend_servers import BackendServers
from .clb.load_balancer import MutualTlsLoadBalancer
from .private_ca import PrivateCertificateAuthority


@dataclass(frozen=True)
class Assembly:
    """The parts of a service.

    Attributes:
        authority: The CA and what it has issued to clients.
        backends: The instances that answer.
        load_balancer: The load balancer with its certificates and listeners.
    """

    authority: PrivateCertificateAuthority
    backends: BackendServers
    load_balancer: MutualTlsLoadBalancer


def assemble(
    name: str, service: MutualTlsServiceArguments, opts: pulumi.ResourceOptions | None = None
) -> Assembly:
    """Make a service of arguments that were checked.

    Args:
        name: Name of each part and of most of its resources.
        service: The arguments.
        opts: Options of each part.
    """
    tags = service.resource_tags(pulumi.get_project(), pulumi.get_stack())

    # Steps 2 and 3: the CA, and a certificate for each client. Before step 1, as the CA issues the
    # server's certificate too unless one is given.
    authority = PrivateCertificateAuthority(name, authority_arguments(service), opts)

    # The servers of step 6.
    backends = BackendServers(name, _backend_arguments(service, tags), opts)

    # Step 1, the server's certificate; step 4, the upload of both; step 6, the listener that asks
    # for a client's. Steps 5 and 7, handing bundles over and trying them, are `make client` and
    # `make verify`.
    load_balancer = MutualTlsLoadBalancer(
        name, _load_balancer_arguments(service, authority, backends, tags), opts
    )
    return Assembly(authority, backends, load_balancer)


def authority_arguments(service: MutualTlsServiceArguments) -> PrivateCertificateAuthorityArgs:
    """Choose what the CA takes of a service's arguments."""
    args: dict[str, Any] = {
        "certificate_authority": service.certificate_authority,
        "revocation_list": service.revocation_list,
        "client_defaults": service.client_defaults,
        "clients": service.clients,
        "other_certificates": service.served_certificates(),
    }
    return cast("PrivateCertificateAuthorityArgs", args)


def _backend_arguments(
    service: MutualTlsServiceArguments, tags: dict[str, pulumi.Input[str]]
) -> BackendServersArgs:
    args = {"backends": service.backends, "network": service.network, "tags": tags}
    return cast("BackendServersArgs", args)


def _load_balancer_arguments(
    service: MutualTlsServiceArguments,
    authority: PrivateCertificateAuthority,
    backends: BackendServers,
    tags: dict[str, pulumi.Input[str]],
) -> MutualTlsLoadBalancerArgs:
    args: dict[str, Any] = {
        "authority": authority,
        "backends": backends.backends,
        "backend_port": service.backends.port,
        "vswitch_id": backends.vswitch_id,
        "load_balancer": service.load_balancer,
        "server": service.server,
        "listener": service.listener,
        "additional_listeners": service.additional_listeners,
        "tags": tags,
    }
    return cast("MutualTlsLoadBalancerArgs", args)
