"""The component package: hosts the service for programs in any language of Pulumi."""

from __future__ import annotations

from importlib.metadata import version

from pulumi.provider.experimental import component_provider_host

from slb_mutual_tls import MutualTlsService

if __name__ == "__main__":
    component_provider_host(
        name="slb-mutual-tls",
        version=version("slb-mutual-tls"),
        components=[MutualTlsService],
    )
