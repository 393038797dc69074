"""A program that is not this repository's, with the installed package."""

import pulumi

import components
from slb_mutual_tls import MutualTlsService

service = MutualTlsService(
    "partner-api",
    {
        "certificate_authority": {"subject": {"common_name": "Partner CA"}},
        "clients": {"partner": {"validity": "90d"}},
        "backends": {"count": 1},
        "tags": {"owner": components.OWNER.replace(" ", "-")},
    },
)
pulumi.export("address", service.address)
pulumi.export("ca_certificate", service.ca_certificate)
pulumi.export("client_bundles", service.client_bundles)
