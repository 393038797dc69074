"""Change under load: what clients notice while `pulumi up` changes the service.

Clients with valid certificates ask all the time, over short connections and over kept ones, while
each change of `CHANGES` is made; others without a valid certificate try all the time as well.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import print_table, print_text
from benchmarks.streams import Tally, Visitor, list_strangers, run_streams, wait_until_served
from benchmarks.trial import Trial, local_cloud
from configuration.outputs import StackOutputs
from operations.clb.api import SlbHealth
from operations.verification import probes
from operations.verification.identity import Identity, bundle_identity
from toolchain.install import Toolchain

SHORT, KEPT = 3, 3
"""Number of streams over short connections, and over kept ones."""

UNTIL_HEALTHY = 120.0
"""Seconds within which a backend that was started again is asked again."""

SETTLING = 2.0
"""Seconds of load before and after a change."""

BY_NATURE = {
    "backend killed": "a request that it was answering at that moment is answered by 502",
    "CA rotated: complete": "what was handed out before the rotation stops working",
    "local cloud restarted": "the load balancer and the instances are on this machine, and stop",
}
"""Reasons for which requests fail by nature, by change."""

OLD = "old bundle"
"""Name of the visitor with what was handed out before the rotation."""


class ServiceUnderLoad(Trial):
    """Service that is changed under load."""

    handed_out: Identity | None = None
    """Identity that a client was handed before the present rotation began."""

    def change(self, **settings: Any) -> None:
        """Set keys of the configuration, and bring it up.

        A map is merged into the one there is, but clients; None takes a key out of it.

        Raises:
            RuntimeError: The change fails; the message is what was printed.
        """
        config = self.values["config"]
        for name, value in settings.items():
            if isinstance(value, Mapping) and name != "clients":
                merged = {**config.get(f"slb-mutual-tls:{name}", {}), **value}
                settings[name] = {k: v for k, v in merged.items() if v is not None}
        self.configure(**settings)
        self.up()

    def instances(self) -> list[str]:
        """List the ids of the backends' instances."""
        return [instance["id"] for instance in self.local.cloud_status()["instances"]]

    def wait_until_healthy(self) -> None:
        """Wait until the load balancer finds every backend healthy.

        Raises:
            TimeoutError: One is still not healthy.
        """
        slb = SlbHealth(self.outputs(), {**os.environ, **self.stack.variables})
        deadline = time.monotonic() + UNTIL_HEALTHY
        while {backend.status for backend in slb.backends()} != {"normal"}:
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {UNTIL_HEALTHY:.0f} s, not every backend is healthy")
            time.sleep(0.5)

    def kill_instance(self, instance_id: str) -> None:
        """End an instance's process as a crash does."""
        pid = self.local.cloud / "data-plane" / "instances" / instance_id / "pid"
        psutil.Process(int(pid.read_text(encoding="utf-8"))).kill()

    def restart_cloud(self) -> None:
        """Stop the local cloud and start it again."""
        self.local.stop_cloud()
        self.local.start_cloud(0)


def _prepare(service: ServiceUnderLoad) -> None:
    service.handed_out = bundle_identity(service.outputs().client_bundles["browser"])
    service.change(certificate_authority={"next_generation": 2})


def _kill(service: ServiceUnderLoad) -> None:
    service.kill_instance(service.instances()[0])
    service.up()


def _bring_back(service: ServiceUnderLoad) -> None:
    # The local cloud has started it again. To stop it once more would cut what it already answers.
    service.wait_until_healthy()
    service.up()


def _restart(service: ServiceUnderLoad) -> None:
    service.restart_cloud()
    wait_until_served(service.outputs())
    service.up()


BOTH: Mapping[str, Any] = {"browser": {}, "partner": {}}

START: Mapping[str, Any] = {"listener": {"tls_cipher_policy": "tls_cipher_policy_1_2"}}
"""Configuration before the first change."""

CHANGES: Mapping[str, Callable[[ServiceUnderLoad], None]] = {
    "server certificate renewed": lambda s: s.change(server={"validity": "200d"}),
    "CA's certificate renewed": lambda s: s.change(certificate_authority={"validity": "4000d"}),
    "client added": lambda s: s.change(clients={**BOTH, "auditor": {}}),
    "client removed": lambda s: s.change(clients={"browser": {}, "auditor": {}}),
    "listener's options changed": lambda s: s.change(
        listener={
            "scheduler": "wrr",
            "idle_timeout": 30,
            "gzip": False,
            "forwarded_headers": {"slb_id": True},
        }
    ),
    "TLS policy raised": lambda s: s.change(
        listener={"tls_cipher_policy": "tls_cipher_policy_1_2_strict_with_1_3"}
    ),
    "backend added": lambda s: s.change(backends={"count": 3}),
    "backend drained": lambda s: s.change(backends={"count": 3, "weights": [100, 100, 0]}),
    "backend removed": lambda s: s.change(backends={"count": 2, "weights": []}),
    "backend killed": _kill,
    "backend brought back": _bring_back,
    "CA rotated: prepare": _prepare,
    "CA rotated: complete": lambda s: s.change(
        certificate_authority={"generation": 2, "next_generation": None}
    ),
    "local cloud restarted": _restart,
}


@dataclass(frozen=True)
class ObservedChange:
    """Effect of a change on the requests under way.

    Attributes:
        change: Name of the change.
        seconds: Time that the change took.
        clients: Requests over short connections.
        kept: Requests over kept connections.
        intruders: Requests without a valid certificate.
        old: Requests with what was handed out before the rotation, while there is one.
    """

    change: str
    seconds: float
    clients: Tally
    kept: Tally
    intruders: Tally
    old: Tally

    @property
    def requests(self) -> int:
        """Number of requests of clients with valid certificates."""
        return self.clients.requests + self.kept.requests

    @property
    def failures(self) -> int:
        """Number of failed requests of clients with valid certificates."""
        return self.clients.failed + self.kept.failed

    @property
    def gap(self) -> float:
        """Seconds for which a client with a valid certificate had no answer, at most."""
        return max(self.clients.gap, self.kept.gap)


def observe(service: ServiceUnderLoad, change: str) -> ObservedChange:
    """Make a change under load and tell what was noticed of it."""
    before = service.outputs()
    with run_streams(dict(_visitors(service, before))) as tallies:
        time.sleep(SETTLING)
        began = time.monotonic()
        CHANGES[change](service)
        seconds = time.monotonic() - began
        time.sleep(SETTLING)
    by_kind = {
        kind: _together(tally for name, tally in tallies.items() if name.startswith(kind))
        for kind in ("short", "kept", "intruder", OLD)
    }
    return ObservedChange(
        change, seconds, by_kind["short"], by_kind["kept"], by_kind["intruder"], by_kind[OLD]
    )


@contextlib.contextmanager
def bring_up(home: Path, toolchain: Toolchain) -> Iterator[ServiceUnderLoad]:
    """Bring up a service that answers, before the first change."""
    with local_cloud(home) as local:
        service = ServiceUnderLoad(local, toolchain)
        service.change(**START)
        wait_until_served(service.outputs())
        yield service


def run(home: Path, toolchain: Toolchain) -> None:
    """Make all changes, one after the other, and print a table."""
    with bring_up(home, toolchain) as service:
        rows = [observe(service, change) for change in CHANGES]
    print_table(
        "Change under load",
        ("change", "s", "requests", "failed", "reconnected", "longest gap, s", "refused"),
        [
            (
                row.change,
                f"{row.seconds:.0f}",
                str(row.requests),
                str(row.failures),
                str(row.clients.reconnected + row.kept.reconnected),
                f"{row.gap:.2f}",
                f"{row.intruders.failed} of {row.intruders.requests}",
            )
            for row in rows
        ],
    )
    print_text("\nWhat fails by nature:\n\n")
    print_text("".join(f"- {change}: {reason}\n" for change, reason in BY_NATURE.items()))


def _visitors(service: ServiceUnderLoad, outputs: StackOutputs) -> Iterator[tuple[str, Visitor]]:
    target = probes.target_of(outputs)
    anchors = outputs.ca_certificate + outputs.next_ca_certificate
    holder = bundle_identity(outputs.client_bundles["browser"])
    for number in range(SHORT):
        yield f"short {number}", Visitor(target, anchors, holder)
    for number in range(KEPT):
        yield f"kept {number}", Visitor(target, anchors, holder, keeps_connections=True)
    for name, stranger in list_strangers(outputs).items():
        yield f"intruder {name}", stranger
    if service.handed_out is not None:
        yield OLD, Visitor(target, anchors, service.handed_out)


def _together(tallies: Iterable[Tally]) -> Tally:
    all_of_them = list(tallies)
    outcomes: Counter[str] = Counter()
    for tally in all_of_them:
        outcomes.update(tally.outcomes)
    return Tally(
        outcomes,
        sum(tally.reconnected for tally in all_of_them),
        max((tally.gap for tally in all_of_them), default=0.0),
    )
