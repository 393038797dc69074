"""Switch of the listener's CA for a while, which is undone however that ends."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from components.pki import certificates, keys, names
from components.pki.windows import BACKDATE, Window
from operations.cloud_api import CloudApiError, CloudApiUnavailableError
from operations.errors import OperationError, undisturbed
from operations.outputs import StackOutputs
from operations.probing.throwaway import LIFETIME
from operations.slb import SlbApi

BUSY_SECONDS = 120
"""Seconds after which an API that is busy is given up."""

IN_USE_SECONDS = 30
"""Seconds after which a certificate that is still said to be in use is left behind."""


@contextlib.contextmanager
def another_ca(
    api: SlbApi,
    outputs: StackOutputs,
    stack: str,
    now: datetime,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Have the stack's main listener trust a CA whose key nobody has, for the block.

    Args:
        api: Of SLB, in the stack's region.
        outputs: Of the stack.
        stack: Its name.
        now: When the run began.
        wait: Sleeps for some seconds between two tries.

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
    made = certificates.self_signed_authority(subject, keys.generate(2048), window)
    return certificates.pem(made)
