"""The cloud that the API's actions work on: what is remembered, and what runs for it."""

from __future__ import annotations

import base64
import ipaddress
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from localcloud import serving
from localcloud.dataplane import model, ports
from localcloud.dataplane.plane import DataPlane
from localcloud.documents import Instance, Listener, LoadBalancer
from localcloud.errors import not_emulated
from localcloud.store import Store

ACCOUNT_ID = "1000000000000001"

IPV6_ADDRESS = "::1"
"""Of every IPv6 load balancer: loopback has no other, and their listeners' ports keep apart."""


@dataclass(frozen=True)
class MemberHealth:
    """A server on one port behind a listener, as its checks see it."""

    server_id: str
    port: int
    status: model.ServerHealth


class Cloud:
    """Documents and the processes that serve them.

    Args:
        store: What is remembered.
        plane: What serves listeners and runs instances.
        networks: First three octets of the loopback networks for load balancers and instances.
        now: Seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        plane: DataPlane,
        *,
        networks: tuple[str, str] = ("127.88.0", "127.77.0"),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.plane = plane
        self.now = now
        self.sockets: Mapping[model.ListenerKey, model.SocketAddress] = {}
        self._load_balancers, self._instances = networks

    def restore(self) -> None:
        """Start what ran when the local cloud was stopped."""
        for instance in self.store.all(Instance, stopped=False):
            self.start(instance)
        self.apply()

    def start(self, instance: Instance) -> None:
        """Run an instance from its user data."""
        user_data = base64.b64decode(instance.user_data).decode()
        self.plane.start_instance(model.InstanceSpec(instance.id, instance.host, user_data))

    def apply(self) -> None:
        """Have the data plane serve the listeners that are running, and no others."""
        running = self.store.all(Listener, running=True)
        self.sockets = self.plane.apply_listeners(
            [serving.served(self.store, one, self._socket) for one in running]
        )

    def health(self, listener: Listener) -> list[MemberHealth]:
        """Each backend's health at a listener, as the data plane measures it."""
        checked = listener.running and listener.attributes.get("HealthCheck") == "on"
        found = self.plane.health(serving.key(listener)) if checked else {}
        return [
            MemberHealth(
                one.server_id,
                one.port,
                found.get((one.server_id, self._socket(one.server_id, one.port)), "unavailable"),
            )
            for one in serving.members(self.store, listener)
        ]

    def free_load_balancer_address(self, version: Literal["ipv4", "ipv6"]) -> str:
        """A loopback address that no load balancer has; of IPv6, the only one there is.

        Raises:
            ApiError: There is none left, or no IPv6 on this machine.
        """
        if version == "ipv6":
            if not ports.usable(IPV6_ADDRESS):
                raise not_emulated(f"IPv6 on a machine without {IPV6_ADDRESS}")
            return IPV6_ADDRESS
        return _free(self._load_balancers, (lb.address for lb in self.store.all(LoadBalancer)))

    def free_instance_address(self) -> str:
        """A loopback address that no instance has.

        Raises:
            ApiError: There is none left.
        """
        return _free(self._instances, (i.host for i in self.store.all(Instance)))

    def reset(self) -> None:
        """Remove everything, as if all of it had been deleted."""
        instances = self.store.all(Instance)
        with self.store.transaction():
            self.store.clear()
        self.apply()
        for instance in instances:
            self.plane.stop_instance(instance.id)

    def _socket(self, server_id: str, port: int) -> model.SocketAddress:
        instance = self.store.get(Instance, server_id)
        if instance is not None and instance.stopped:
            # After a restart the data plane knows only those that run.
            return model.SocketAddress(instance.host, port)
        return self.plane.backend_socket(server_id, port)


def _free(network: str, taken: Iterable[str]) -> str:
    used = set(taken)
    for last in range(1, 255):
        if (address := f"{network}.{last}") not in used:
            return address
    raise not_emulated("more than 254 load balancers, or instances")


def random_network() -> str:
    """First three octets of a loopback network, at random so that two clouds do not meet."""
    return f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(254) + 1}"


def free_private_ip(cidr_block: str, taken: Iterable[str]) -> str | None:
    """The first host address of a block that is not taken; Alibaba Cloud keeps the last three."""
    used = set(taken)
    block = ipaddress.ip_network(cidr_block)
    hosts = (str(block[place]) for place in range(1, block.num_addresses - 4))
    return next((host for host in hosts if host not in used), None)
