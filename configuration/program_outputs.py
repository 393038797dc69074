"""Makes a stack's outputs of what the program has made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pulumi

from components.assembly import Assembly
from configuration.outputs import ListenerSettings
from configuration.settings import Settings


def gather_outputs(
    name: str, region: str, settings: Settings, service: Assembly
) -> dict[str, pulumi.Input[Any]]:
    """Gather the outputs of a stack, by the fields of `StackOutputs`.

    Args:
        name: Name that the stack's resources begin with.
        region: Region of everything.
        settings: The stack's configuration.
        service: Resources that the program has made.
    """
    authority, load_balancer = service.authority, service.load_balancer
    certificate = load_balancer.server_certificate
    # One text: of an object, the engine copies every value by itself, at each preview. Not by
    # `Output.json_dumps`, which makes an output of each value first.
    bundles = authority.client_bundles.apply(json.dumps)
    outputs: dict[str, pulumi.Input[Any]] = {
        "name": name,
        "url": _url(settings, service),
        "address": load_balancer.address,
        "region": region,
        "load_balancer_id": load_balancer.load_balancer_id,
        "listener_port": settings.listener.port,
        "listeners": [listener.model_dump() for listener in _listeners(settings)],
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


def _listeners(settings: Settings) -> Iterator[ListenerSettings]:
    """Each HTTPS listener: its key in the configuration, its port and settings."""
    yield ListenerSettings(port=settings.listener.port, **settings.listener.summary())
    for name, listener in settings.completed_listeners().items():
        yield ListenerSettings(
            name=f"additional_listeners.{name}",
            port=listener.port,
            server_group_id=listener.server_group_id or "",
            **listener.summary(),
        )


def _url(settings: Settings, service: Assembly) -> pulumi.Output[str]:
    """The service's address: by name where a certificate from elsewhere has one, else by IP."""
    port = settings.published_port or settings.listener.port
    # A wildcard is no host's name.
    hosts = [domain for domain in settings.server.domains if not domain.startswith("*")]
    by_name = service.load_balancer.server_certificate.issuer == "other" and hosts
    address = service.load_balancer.address.apply(lambda ip: f"[{ip}]" if ":" in ip else ip)
    host = hosts[0] if by_name else address
    return pulumi.Output.concat("https://", host, "" if port == 443 else f":{port}", "/")
