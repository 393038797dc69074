"""HTTPS with mutual authentication on Alibaba Cloud's load balancer: the tutorial as a stack."""

from __future__ import annotations

import json

import pulumi

from components.backend_servers import BackendServers
from components.base_name import OUTPUT, base_name
from components.load_balancer import MutualTlsLoadBalancer
from components.private_ca import PrivateCertificateAuthority
from configuration.loading import load
from settings import summaries

settings, region = load()
name = base_name()
tags = settings.resource_tags(pulumi.get_project(), pulumi.get_stack())

# Steps 2 and 3: the CA, and a certificate for each client.
authority = PrivateCertificateAuthority(name, settings=settings)

# Step 6, its servers.
backends = BackendServers(name, backends=settings.backends, network=settings.network, tags=tags)

additional_listeners = settings.completed_listeners()

# Steps 1, 4 and 6: the load balancer, both certificates, and the listener that asks for a client's.
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
    additional_listeners=additional_listeners,
)
server_certificate = load_balancer.server_certificate

port = settings.published_port or settings.listener.port
# A wildcard is no host's name.
hosts = [domain for domain in settings.server.domains if not domain.startswith("*")]
served_by_name = server_certificate.issuer == "other" and hosts
address = load_balancer.address.apply(lambda ip: f"[{ip}]" if ":" in ip else ip)
host = hosts[0] if served_by_name else address

pulumi.export(OUTPUT, name)
pulumi.export("url", pulumi.Output.concat("https://", host, "" if port == 443 else f":{port}", "/"))
pulumi.export("address", load_balancer.address)
pulumi.export("region", region)
pulumi.export("load_balancer_id", load_balancer.load_balancer_id)
pulumi.export("listener_port", settings.listener.port)
pulumi.export("listeners", summaries(settings.listener, additional_listeners))
pulumi.export("redirect_port", settings.listener.redirect_port or 0)
pulumi.export(
    "backends", [{"server_id": one.server_id, "weight": one.weight} for one in backends.backends]
)
pulumi.export("ca_certificate", authority.certificate)
pulumi.export("server_certificate", server_certificate.certificate)
pulumi.export("server_certificate_issuer", server_certificate.issuer)
pulumi.export("server_names", server_certificate.names)
pulumi.export(
    "domain_certificates",
    {
        domain: {"certificate": one.certificate, "issuer": one.issuer}
        for domain, one in load_balancer.domain_certificates.items()
    },
)
pulumi.export("clients", authority.clients)
pulumi.export("issued", authority.issued)
pulumi.export("certificate_record", load_balancer.certificate_record)
pulumi.export("renewal", {"certificate_authority": authority.renew_before, **settings.renewal()})
pulumi.export("certificate_revocation_list", authority.revocation_list)
# Steps 3 and 5: what each client needs; `make client NAME=…` hands it over.
# One text: of an object, the engine copies every value by itself, at each preview. Not by
# `Output.json_dumps`, which makes an output of each value first.
bundles = authority.client_bundles.apply(json.dumps)
pulumi.export("client_bundles", pulumi.Output.secret(bundles))
if authority.expired_probe is not None:
    pulumi.export("expired_probe", pulumi.Output.secret(authority.expired_probe))
if authority.next_certificate is not None:
    pulumi.export("next_ca_certificate", authority.next_certificate)
