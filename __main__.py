"""HTTPS with mutual authentication on Alibaba Cloud's load balancer: the tutorial as a stack."""

from __future__ import annotations

import pulumi

from components.assembly import assemble
from components.base_name import base_name
from configuration.loading import load
from configuration.program_outputs import gather_outputs

settings, region = load()
name = base_name()

# Steps 1 to 4 and 6 of the tutorial: the CA, certificates of server and clients, the load balancer
# with its uploads, backends, and the listener that asks for a client's certificate.
service = assemble(name, settings)

# Steps 5 and 7 are commands that read these: `make client NAME=…` and `make verify`.
for output, value in gather_outputs(name, region, settings, service).items():
    pulumi.export(output, value)
