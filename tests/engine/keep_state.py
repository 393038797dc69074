"""Keeps stacks of this version for the tests of later ones: `python -m tests.engine.keep_state`.

It writes each of `STACKS` that `kept_state/` does not have yet, with what was asked for and the
state as the engine exports it: secrets encrypted, under the pass phrase of `KeptStack`. What is
there is never written again: a new format of the state gets new names here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from components.pki.keys import Ecdsa, Kind, Rsa
from components.pki.names import distinguished_name
from tests.engine.kept_stack import KeptStack
from toolchain.install import ensure
from toolchain.progress import Reporter

RSA = Rsa(2048)

FOLDER = Path(__file__).parent / "kept_state"


def signing_request(kind: Kind = RSA) -> str:
    """Signing request of a client whose key nobody else has."""
    subject = distinguished_name({"common_name": "gateway"})
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = request.sign(kind.generate(), hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def steps_to_settled() -> list[dict[str, Any]]:
    """Three clients, of which one has its own key and another is removed afterwards."""
    clients = {
        "browser": {"pass_phrase": "a phrase of the test", "subject": {"email": "b@example.com"}},
        "gateway": {"signing_request": signing_request()},
    }
    authority = {"subject": {"country": "CN", "organization": "Example Ltd"}}
    both = {"certificate_authority": authority}
    return [{**both, "clients": {**clients, "leaver": {}}}, {**both, "clients": clients}]


def steps_to_rotating() -> list[dict[str, Any]]:
    """The same, in the middle of a rotation of the CA."""
    before = steps_to_settled()
    authority = {**before[-1]["certificate_authority"], "next_generation": 2}
    return [*before, {**before[-1], "certificate_authority": authority}]


def steps_to_elliptic() -> list[dict[str, Any]]:
    """The same three clients as at first, each with a key on another curve."""
    on_p_256, on_p_384 = {"key_algorithm": "ECDSA"}, {"key_curve": "P-384"}
    clients = {
        "browser": {"pass_phrase": "a phrase of the test", **on_p_256},
        "gateway": {"signing_request": signing_request(Ecdsa("P-521"))},
    }
    return [{"clients": {**clients, "leaver": {**on_p_256, **on_p_384}}}, {"clients": clients}]


STACKS = {
    "settled": steps_to_settled,
    "rotating": steps_to_rotating,
    "elliptic": steps_to_elliptic,
}
"""By name, what is asked for, step after step; the last is what is kept."""


def keep(folder: Path, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a file of `kept_state/` says."""
    with Reporter() as reporter:
        stack = KeptStack(ensure(reporter), folder, FOLDER)
    stack.run("stack", "init", "kept")
    for asked in steps:
        stack.asked = asked
        stack.up()
    state = json.loads(stack.run("stack", "export", "--stack", "kept"))
    for resource in state["deployment"]["resources"]:
        # Paths of the machine on which it was made, for messages alone.
        for name in ("sourcePosition", "stackTrace"):
            resource.pop(name, None)
    return {"asked": stack.asked, "state": state}


if __name__ == "__main__":
    for name, steps_to in STACKS.items():
        path = FOLDER / f"{name}.json"
        if not path.exists():
            with tempfile.TemporaryDirectory() as scratch:
                path.write_text(f"{json.dumps(keep(Path(scratch), steps_to()), indent=1)}\n")
