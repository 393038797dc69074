"""The CA with all that hangs on it, of settings that the environment has as JSON."""

from __future__ import annotations

import json
import os

from components.assembly import authority_arguments
from components.dynamic.server_certificate import ServerCertificate
from components.private_ca import PrivateCertificateAuthority
from configuration.settings import parse

settings = parse(
    json.loads(os.environ["KEPT_STATE_ASKED"]),
    file="Pulumi.kept.yaml",
    secret_keys={"clients"},
)
authority = PrivateCertificateAuthority("kept", authority_arguments(settings))
ServerCertificate(
    "kept",
    ca_certificate=authority.certificate,
    ca_private_key=authority.private_key,
    ca_key_id=authority.key_id,
    ca_id=authority.id,
    common_name="www.example.com",
    dns_names=["www.example.com"],
    ip_addresses=["203.0.113.10"],
    key_bits=settings.server.key_bits,
    validity=settings.server.validity,
    renew_before=settings.server.renew_before,
    constraints=authority.name_constraints,
)
