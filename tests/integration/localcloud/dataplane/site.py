"""Two such backends behind a listener, and the time until they are there."""

from __future__ import annotations

import itertools
import os
import ssl
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from localcloud.dataplane.model import (
    BackendSpec,
    HealthCheck,
    InstanceSpec,
    ListenerSpec,
    SocketAddress,
)
from localcloud.dataplane.plane import DataPlane
from tests.integration.localcloud.dataplane.echo import answers, echo_user_data, get


def wait_until(reached: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


_hosts = itertools.count(1)


def loopback() -> str:
    """An address that no other test run of this machine is likely to use."""
    pid = os.getpid()
    return f"127.{100 + pid % 100}.{pid // 100 % 250}.{next(_hosts)}"


def start_backends(plane: DataPlane) -> None:
    for instance_id in ("i-a", "i-b"):
        plane.start_instance(InstanceSpec(instance_id, loopback(), echo_user_data(8080)))
    for instance_id in ("i-a", "i-b"):
        wait_until(partial(answers, plane.backend_socket(instance_id, 8080)))


def listener_of(plane: DataPlane, address: str, **options: Any) -> ListenerSpec:
    settings: dict[str, Any] = {
        "load_balancer_id": "lb-test",
        "address": address,
        "port": 8443,
        "protocol": "http",
        "backends": tuple(
            BackendSpec(instance_id, plane.backend_socket(instance_id, 8080))
            for instance_id in ("i-a", "i-b")
        ),
        "health_check": HealthCheck(
            uri="/healthz", interval=1, healthy_threshold=2, unhealthy_threshold=2
        ),
    }
    return ListenerSpec(**{**settings, **options})


def wait_healthy(plane: DataPlane, listener: ListenerSpec) -> None:
    wait_until(lambda: set(plane.health(listener.key).values()) == {"normal"})


def health(plane: DataPlane, listener: ListenerSpec) -> dict[str, str]:
    """By instance, of a listener that has each on one port."""
    return {server: status for (server, _), status in plane.health(listener.key).items()}


def haproxy_pid(plane: DataPlane) -> int:
    return int((plane._home / "haproxy.pid").read_text())


def instances(address: SocketAddress, count: int, **options: Any) -> Counter[str]:
    """Who answers how many of some requests."""
    return Counter(get(address, **options).json["instance"] for _ in range(count))


HERE, THERE, FAR = "127.201.0.7", "127.202.0.7", "127.203.0.7"


def admitted(address: SocketAddress, **options: Any) -> set[str]:
    """Which of three client addresses get an answer."""
    found: set[str] = set()
    for source in (HERE, THERE, FAR):
        try:
            assert get(address, source=source, **options).status in {200, 302}
        except (OSError, ssl.SSLError):
            continue
        found.add(source)
    return found
