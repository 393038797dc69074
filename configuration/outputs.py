"""The stack's outputs: what the program tells its commands, other stacks and people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from components.assembly import Assembly
from components.clb.listener_arguments import summaries
from configuration.settings import Settings


class ProgramOutputs(TypedDict):
    """Outputs of the program by name; `operations.outputs.StackOutputs` reads them."""

    name: str
    """Name that the stack's resources begin with."""
    url: pulumi.Output[str]
    """Address of the service, `https://…/`."""
    address: pulumi.Output[str]
    """IP address of the load balancer."""
    region: str
    """Region of all of the stack's resources."""
    load_balancer_id: pulumi.Output[str]
    """Id of the load balancer, `lb-…`."""
    listener_port: int
    """Port of the main listener."""
    listeners: Sequence[Mapping[str, Any]]
    """Settings of each HTTPS listener, as far as whoever tries it from outside has to know."""
    redirect_port: int
    """Port of the HTTP listener that redirects; 0 if there is none."""
    backends: Sequence[Mapping[str, Any]]
    """Ids and weights of the instances that answer."""
    ca_certificate: pulumi.Output[str]
    """Certificate of the CA, PEM."""
    server_certificate: pulumi.Output[str]
    """Certificate that the listener presents, PEM, leaf first."""
    server_certificate_issuer: str
    """Issuer of the server's certificate: `private` for the private CA, else `other`."""
    server_names: pulumi.Output[list[str]]
    """Names that the certificate was asked for."""
    domain_certificates: Mapping[str, Mapping[str, Any]]
    """Certificates for additional domains, and who issued them, by domain."""
    clients: pulumi.Output[dict[str, Any]]
    """Newest certificate of each client, by name."""
    issued: pulumi.Output[list[dict[str, Any]]]
    """Every client certificate that has not expired, in order of issue."""
    certificate_record: pulumi.Output[list[dict[str, str]]]
    """Every certificate of the CA and of servers that has not expired."""
    renewal: Mapping[str, Any]
    """Renewal periods: how long before its end each certificate is renewed."""
    certificate_revocation_list: pulumi.Output[str]
    """Revocation list of each key of the CA in use, PEM."""
    client_bundles: pulumi.Output[str]
    """Bundles that clients are handed, JSON by name; secret."""
    expired_probe: NotRequired[pulumi.Output[Any]]
    """Client certificate that has expired, for the verification; secret."""
    next_ca_certificate: NotRequired[pulumi.Output[str]]
    """Certificate of the CA that a rotation prepares, PEM."""


def outputs_of(name: str, region: str, settings: Settings, service: Assembly) -> ProgramOutputs:
    """Gather the outputs of a stack.

    Args:
        name: Name that the stack's resources begin with.
        region: Region of everything.
        settings: The stack's configuration.
        service: What the program has made of it.
    """
    authority, load_balancer = service.authority, service.load_balancer
    certificate = load_balancer.server_certificate
    # One text: of an object, the engine copies every value by itself, at each preview. Not by
    # `Output.json_dumps`, which makes an output of each value first.
    bundles = authority.client_bundles.apply(json.dumps)
    outputs: ProgramOutputs = {
        "name": name,
        "url": _url(settings, service),
        "address": load_balancer.address,
        "region": region,
        "load_balancer_id": load_balancer.load_balancer_id,
        "listener_port": settings.listener.port,
        "listeners": summaries(settings.listener, settings.completed_listeners()),
        "redirect_port": settings.listener.redirect_port or 0,
        "backends": [
            {"server_id": backend.server_id, "weight": backend.weight}
            for backend in service.backends.backends
        ],
        "ca_certificate": authority.certificate,
        "server_certificate": certificate.certificate,
        "server_certificate_issuer": certificate.issuer,
        "server_names": certificate.names,
        "domain_certificates": {
            domain: {"certificate": extension.certificate, "issuer": extension.issuer}
            for domain, extension in load_balancer.domain_certificates.items()
        },
        "clients": authority.clients,
        "issued": authority.issued,
        "certificate_record": load_balancer.certificate_record,
        "renewal": {"certificate_authority": authority.renew_before, **settings.renewal()},
        "certificate_revocation_list": authority.revocation_list,
        "client_bundles": pulumi.Output.secret(bundles),
    }
    if authority.expired_probe is not None:
        outputs["expired_probe"] = pulumi.Output.secret(authority.expired_probe)
    if authority.next_certificate is not None:
        outputs["next_ca_certificate"] = authority.next_certificate
    return outputs


def _url(settings: Settings, service: Assembly) -> pulumi.Output[str]:
    """The service's address: by name where a certificate from elsewhere has one, else by IP."""
    port = settings.published_port or settings.listener.port
    # A wildcard is no host's name.
    hosts = [domain for domain in settings.server.domains if not domain.startswith("*")]
    by_name = service.load_balancer.server_certificate.issuer == "other" and hosts
    address = service.load_balancer.address.apply(lambda ip: f"[{ip}]" if ":" in ip else ip)
    host = hosts[0] if by_name else address
    return pulumi.Output.concat("https://", host, "" if port == 443 else f":{port}", "/")
