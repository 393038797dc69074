"""Resources as the first version that had them kept them in the state, as of 14 March 2026.

The files in `state/` are not to be regenerated. Key material, and what follows from it, is a
placeholder in them that is filled here.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from components.dynamic import (
    certificate_authority,
    certificate_record,
    certificate_register,
    revocation_list,
    server_certificate,
)
from components.pki import bundles, certificates, keys
from components.pki import revocation_list as lists
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.revocation_list import Revoked
from components.pki.windows import Window
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.pki.material import small_key

STATE = Path(__file__).parent / "state"
PROVIDERS = {
    "certificate_authority": certificate_authority.Provider,
    "certificate_record": certificate_record.Provider,
    "certificate_register": certificate_register.Provider,
    "revocation_list": revocation_list.Provider,
    "server_certificate": server_certificate.Provider,
}
BEGIN, END = "2026-03-14T00:00:00Z", "2027-03-13T23:59:59Z"
PHONE = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
"""Serial number of a client's certificate that is revoked."""


CHOSEN = {"not_before", "not_after", "key_id"}
"""What `check` adds to a program's inputs."""


def _described(place: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> dict[str, str]:
    return {
        f"{place} certificate": certificates.pem(certificate),
        f"{place} key": keys.pkcs1(key),
        f"{place} fingerprint": certificates.fingerprint_sha256(certificate),
        f"{place} serial number": certificates.serial_number(certificate),
        f"{place} public key digest": certificates.public_key_sha256(certificate),
    }


@functools.cache
def material() -> dict[str, str]:
    """What the placeholders stand for."""
    ca_key, server_key, client_key = (small_key() for _ in range(3))
    name = distinguished_name({"common_name": "Example CA", "country": "CN"})
    authority = certificates.issue_authority(
        name, ca_key, Window.of_properties(BEGIN, "2036-03-10T23:59:59Z")
    )
    issuer, window = Issuer(authority, ca_key), Window.of_properties(BEGIN, END)
    server = certificates.issue_server(
        issuer,
        distinguished_name({"common_name": "www.example.com"}),
        server_key.public_key(),
        window,
        certificates.alternative_names(["www.example.com"], ["203.0.113.10"]),
    )
    browser = certificates.issue_client(
        issuer, distinguished_name({"common_name": "browser"}), client_key.public_key(), window
    )
    bundle = bundles.make_bundle(
        "browser", client_key, browser, authority, pass_phrase="a phrase", encoding="modern"
    )
    phone = Revoked(PHONE, "2026-03-14T15:09:26Z", "cessationOfOperation")
    listed = lists.issue(issuer, 1, Window.of_properties(BEGIN, "2026-04-12T23:59:59Z"), [phone])
    return {
        **_described("ca", authority, ca_key),
        **_described("server", server, server_key),
        **_described("browser", browser, client_key),
        "bundle pkcs12": bundle.pkcs12,
        "bundle pass phrase": bundle.pass_phrase,
        "bundle private key": bundle.private_key,
        "ca revocation list": lists.pem(listed),
    }


def kept(kind: str) -> Kept:
    """A resource as the state holds it."""
    text = (STATE / f"{kind}.json").read_text()
    filled = re.sub(r"<([^<>]+)>", lambda found: json.dumps(material()[found[1]])[1:-1], text)
    state = json.loads(filled)
    return Kept(PROVIDERS[kind](), state["inputs"], state["outputs"], state["id"])


def asked_for(resource: Kept, **changes: Any) -> dict[str, Any]:
    """The inputs of the program that made a resource."""
    inputs = {name: value for name, value in resource.inputs.items() if name not in CHOSEN}
    if "clients" in inputs:
        inputs["clients"] = {
            client: {name: value for name, value in own.items() if name not in CHOSEN}
            for client, own in inputs["clients"].items()
        }
    return inputs | changes
