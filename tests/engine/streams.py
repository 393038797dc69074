"""Requests without pause while a stack is changed, by holders of certificates and by others."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from operations import probes
from operations.identity import Identity, impostor_of, of_bundle
from operations.outputs import StackOutputs

Visitors = Mapping[str, Identity | None]


def strangers(found: StackOutputs) -> Visitors:
    """Who must never get through."""
    return {"impostor": impostor_of(found.ca), "nobody": None}


@contextmanager
def streams(
    found: StackOutputs, visitors: Visitors, context: Callable[[], ssl.SSLContext]
) -> Iterator[dict[str, Counter[int | str]]]:
    """Requests of each visitor, each over a connection of its own.

    Args:
        found: Where to.
        visitors: Identities by name; None for no certificate.
        context: Makes a visitor's TLS context.

    Yields:
        A count of the outcomes by visitor: HTTP statuses, or what went wrong.
    """
    seen: dict[str, Counter[int | str]] = {name: Counter() for name in visitors}
    done = threading.Event()

    def ask(name: str) -> None:
        target, trusting = probes.target_of(found), context()
        while not done.is_set():
            outcome = probes.probe(target, trusting, visitors[name])
            status = outcome.status if isinstance(outcome, probes.Answered) else str(outcome)
            seen[name][status] += 1
            done.wait(0.02)

    threads = [threading.Thread(target=ask, args=(name,)) for name in visitors]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join()


def wait_until_served(found: StackOutputs) -> None:
    """Wait until the health checks of a new listener have passed."""
    target, context = probes.target_of(found), probes.stack_context(found)
    identity = of_bundle(found.client_bundles["browser"])
    deadline = threading.Event()
    for _ in range(300):
        if getattr(probes.probe(target, context, identity), "status", None) == 200:
            return
        deadline.wait(0.1)
    raise AssertionError("the listener does not serve")
