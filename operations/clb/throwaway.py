"""Throwaway material of one run of the experiment: client certificates, and another CA.

The certificates are of the stack's CA, and entered in no register. The listener's CA is switched
for a while, which is undone however that ends.
"""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from components.pki import certificates, keys, name_constraints, names, profiles
from components.pki.certificates import Issuer
from components.pki.profiles import Profile
from components.pki.windows import BACKDATE, Window
from configuration.outputs import StackOutputs
from operations.clb.api import SlbApi
from operations.cloud_api import CloudApiError, CloudApiUnavailableError
from operations.errors import OperationError, undisturbed
from operations.verification.identity import Identity, encrypt_identity

AUTHORITY_TYPE = "pulumi-python:dynamic/pki:CertificateAuthority"
LIFETIME = timedelta(hours=1)

RSA_KEY = keys.Rsa(2048)
"""The default kind of key of clients."""

BUSY_SECONDS = 120
"""Seconds after which an API that is busy is given up."""

IN_USE_SECONDS = 30
"""Seconds after which a certificate that is still said to be in use is left behind."""


def stack_issuer(deployment: Mapping[str, Any], ca: x509.Certificate) -> Issuer | None:
    """The stack's CA with its key; None where the program does not hold the key.

    Args:
        deployment: The stack's state, with secrets in the clear.
        ca: Certificate of the CA.
    """
    for resource in deployment.get("resources") or []:
        if resource["type"] != AUTHORITY_TYPE:
            continue
        text = _plain(resource.get("outputs", {}).get("private_key"))
        try:
            key = keys.load(text) if text else None
        except ValueError:
            continue
        if key is not None and key.public_key() == ca.public_key():
            return Issuer(ca, key)
    return None


def _plain(value: Any) -> str | None:
    """Read a text of the state, as it is or as `pulumi stack export --show-secrets` wraps it."""
    if isinstance(value, dict):
        value = json.loads(value["plaintext"]) if "plaintext" in value else None
    return value if isinstance(value, str) else None


@dataclass(frozen=True)
class Throwaways:
    """Issuer of client certificates that are valid for an hour from now.

    Attributes:
        ca: The stack's, with its key.
        now: Time at which the run began.
    """

    ca: Issuer
    now: datetime

    def client(
        self,
        kind: keys.Kind = RSA_KEY,
        names: Sequence[x509.GeneralName] = (),
        below: Issuer | None = None,
    ) -> Identity:
        """Issue a client certificate.

        Args:
            kind: Kind of the client's key.
            names: Alternative names.
            below: A CA below the stack's that issues it, and is sent along.
        """
        key = self._client_key if kind == RSA_KEY else kind.generate()
        subject = _name(f"probe {secrets.token_hex(4)}")
        extra = [x509.SubjectAlternativeName(names)] if names else []
        leaf = self._issue(below or self.ca, subject, key, profiles.CLIENT, extra)
        chain = [leaf, below.certificate] if below else [leaf]
        return encrypt_identity("".join(map(certificates.pem, chain)), key)

    @functools.cached_property
    def _client_key(self) -> keys.PrivateKey:
        return RSA_KEY.generate()

    @functools.cached_property
    def _lower_key(self) -> rsa.RSAPrivateKey:
        return keys.generate(RSA_KEY.bits)

    @property
    def lower_ca_is_self_issued(self) -> bool:
        """Tell whether a CA below the stack's has to have the same name.

        Where the path length is 0, only one of the same name may stand there: it does not count
        (RFC 5280, 4.2.1.9 and 6.1.4 (l)).
        """
        return not certificates.allows_below(self.ca.certificate, 1)

    def lower_ca(self, constraints: x509.NameConstraints | None = None) -> Issuer:
        """Issue a CA below the stack's, with these name constraints beside the stack's own."""
        own = self.lower_ca_is_self_issued
        subject = self.ca.certificate.subject if own else _name(f"probe CA {secrets.token_hex(4)}")
        key = self._lower_key
        extra = [constraints] if constraints else []
        profile = profiles.authority(0)
        return Issuer(self._issue(self.ca, subject, key, profile, extra), key)

    def constraints(self) -> x509.NameConstraints | None:
        """Name constraints of the stack's CA."""
        return name_constraints.of(self.ca.certificate)

    def _issue(
        self,
        issuer: Issuer,
        subject: x509.Name,
        key: keys.PrivateKey,
        profile: Profile,
        extra: Sequence[x509.ExtensionType],
    ) -> x509.Certificate:
        held = certificates.key_identifier(issuer.certificate)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(held)
        public_key = key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - BACKDATE)
            .not_valid_after(self.now - BACKDATE + LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(identifier, critical=False)
        )
        for extension, critical in profiles.extensions(profile, public_key):
            builder = builder.add_extension(extension, critical=critical)
        for extension in extra:
            critical = isinstance(extension, x509.NameConstraints)
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(issuer.signing_key(), hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@contextlib.contextmanager
def switch_ca(
    api: SlbApi,
    outputs: StackOutputs,
    stack: str,
    now: datetime,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Have the stack's main listener trust a CA whose key nobody has, for the block.

    Args:
        api: API of SLB in the stack's region.
        outputs: Outputs of the stack.
        stack: Name of the stack.
        now: Time at which the run began.
        wait: Function that sleeps for some seconds between two tries.

    Raises:
        OperationError: The API refuses; the message says what is left.
    """
    listener = {
        "load_balancer_id": outputs.load_balancer_id,
        "listener_port": outputs.listener_port,
    }
    before = api.ask("DescribeLoadBalancerHTTPSListenerAttribute", **listener).cacertificate_id
    if not before:
        raise OperationError("The listener has no CA, and asks no client for a certificate.")

    def set_ca(identifier: str) -> None:
        patiently(
            lambda: api.ask(
                "SetLoadBalancerHTTPSListenerAttribute", **listener, cacertificate_id=identifier
            )
        )

    def patiently(
        ask: Callable[[], object],
        seconds: float = BUSY_SECONDS,
        passing: type[CloudApiError] = CloudApiUnavailableError,
    ) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                ask()
            except passing:
                if time.monotonic() > deadline:
                    raise
                wait(2)
            else:
                return

    name = f"probe-{secrets.token_hex(4)}"
    pem = _keyless_ca(name, now)
    uploaded = api.ask(
        "UploadCACertificate", cacertificate=pem, cacertificate_name=name
    ).cacertificate_id
    try:
        set_ca(uploaded)
        yield
    finally:
        with undisturbed():
            try:
                set_ca(before)
            except CloudApiError as error:
                raise OperationError(
                    f"{error} The listener still has the CA certificate {name}, and refuses every "
                    f"client: `make up STACK={stack} ARGS=--refresh` gives it the stack's again. "
                    "Delete the other in the console."
                ) from None
            try:
                patiently(
                    lambda: api.ask("DeleteCACertificate", cacertificate_id=uploaded),
                    IN_USE_SECONDS,
                    CloudApiError,
                )
            except CloudApiError as error:
                raise OperationError(
                    f"{error} The listener has its CA again. Left is the CA certificate {name}: "
                    "delete it in the console."
                ) from None


def _keyless_ca(name: str, now: datetime) -> str:
    """The certificate of a CA whose key is gone when this returns, in PEM."""
    window = Window(now - BACKDATE, now - BACKDATE + LIFETIME)
    subject = names.distinguished_name({"common_name": name})
    authority = certificates.issue_authority(subject, keys.generate(2048), window)
    return certificates.pem(authority)
