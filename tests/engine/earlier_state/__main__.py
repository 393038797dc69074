"""The dynamic resources of one stack, with the inputs that the environment has as JSON."""

from __future__ import annotations

import json
import os

from components.dynamic.certificate_authority import CertificateAuthority
from components.dynamic.certificate_record import CertificateRecord
from components.dynamic.certificate_register import CertificateRegister
from components.dynamic.register_state import read_issued
from components.dynamic.revocation_list import RevocationList
from components.dynamic.server_certificate import ServerCertificate

asked = json.loads(os.environ["KEPT_STATE_ASKED"])

authority = CertificateAuthority("kept", **asked["certificate_authority"])
signer = {
    "ca_certificate": authority.certificate,
    "ca_private_key": authority.private_key,
    "ca_key_id": authority.key_id,
    "ca_id": authority.id,
}
register = CertificateRegister("kept", **signer, **asked["certificate_register"])
server = ServerCertificate("kept", **signer, **asked["server_certificate"])
CertificateRecord(
    "kept",
    certificates=[
        {"role": "ca", "name": "CA", "certificate": authority.certificate},
        {"role": "server", "name": "server", "certificate": server.certificate},
    ],
)
RevocationList(
    "kept",
    **signer,
    issued=register.issued.apply(
        lambda issued: [entry for entry in read_issued(issued) if entry["status"] == "revoked"]
    ),
    revision=register.revision,
    **asked["revocation_list"],
)
