"""The cloud that the API's actions work on: what is remembered, and what runs for it."""

from __future__ import annotations

import base64
import ipaddress
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from localcloud import serving
from localcloud.dataplane import model, ports
from localcloud.dataplane.plane import DataPlane
from localcloud.documents import Instance, Listener, LoadBalancer
from localcloud.errors import ApiError, not_emulated
from localcloud.store import Store

log = logging.getLogger("localcloud")

IPV6_ADDRESS = "::1"
"""Address of every IPv6 load balancer: loopback has only this one, and ports keep them apart."""


@dataclass(frozen=True)
class MemberHealth:
    """A server on one port behind a listener, as its checks see it."""

    server_id: str
    port: int
    status: model.ServerHealth


@dataclass(frozen=True)
class _Aside:
    """A listener that could not be served when the local cloud started."""

    seen: model.ListenerSpec | None
    why: str


class Cloud:
    """Documents and the processes that serve them.

    Args:
        store: Store of the documents and other things remembered.
        plane: Data plane that serves listeners and runs instances.
        networks: First three octets of the loopback networks for load balancers and instances.
        now: Clock that gives seconds since the epoch.
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
        self._not_started: dict[str, str] = {}
        self._aside: dict[str, _Aside] = {}

    def restore(self) -> None:
        """Start what ran when the local cloud was stopped; what cannot be started is a problem."""
        for instance in self.store.all(Instance, stopped=False):
            try:
                self.start(instance)
            except Exception as error:  # whatever is wrong with it, others can run
                self._not_started[instance.id] = _reason(error)
        self._aside = {}
        self._set_aside(self._wanted(), [])
        self.store.everything()  # finds what cannot be read
        for problem in self.problems():
            log.error("%s", problem)

    def start(self, instance: Instance) -> None:
        """Run an instance's user data."""
        user_data = base64.b64decode(instance.user_data).decode()
        self.plane.start_instance(model.InstanceSpec(instance.id, instance.host, user_data))
        self._not_started.pop(instance.id, None)

    def apply(self) -> None:
        """Have the data plane serve the listeners that are running, and no others.

        Those that could not be served when the local cloud started are tried again; as long as
        they stay as they were, they keep nobody else from being served.

        Raises:
            DataPlaneError: A listener cannot be served; what served before serves on.
        """
        wanted = self._wanted()
        try:
            self.sockets = self.plane.apply_listeners(
                [self._specify(listener) for listener in wanted]
            )
        except Exception:
            aside = {listener.id for listener in wanted if self._is_aside(listener)}
            if not aside:
                raise
            rest = [self._specify(listener) for listener in wanted if listener.id not in aside]
            self.sockets = self.plane.apply_listeners(rest)
            self._aside = {key: self._aside[key] for key in aside}
        else:
            self._aside = {}

    def problems(self) -> list[str]:
        """List what is remembered and not at work, with the reason; one sentence each."""
        return [
            *self.store.problems(),
            *(
                f"Instance {key} could not be started: {why}"
                for key, why in self._not_started.items()
            ),
            *(
                f"Listener {key} could not be served: {aside.why}"
                for key, aside in self._aside.items()
            ),
            *self.plane.problems(),
        ]

    def require_served(self, listener: Listener) -> None:
        """Check that a listener is not one that could not be served.

        Raises:
            ApiError: The listener could not be served; the message says why.
        """
        if listener.id in self._aside:
            raise not_emulated(f"this listener: {self._aside[listener.id].why}")

    def is_stopped(self, instance: Instance) -> bool:
        """Tell whether an instance was stopped, or could not be started with the local cloud."""
        return instance.stopped or instance.id in self._not_started

    def listener_status(self, listener: Listener) -> str:
        """Status of a listener, as it is: `starting` while the data plane is brought back."""
        if not listener.running or listener.id in self._aside:
            return "stopped"
        if not self._forwards(listener):
            return "running"  # its load balancer's status says that it forwards nothing
        return "running" if self.plane.is_serving(serving.key(listener)) else "starting"

    def _wanted(self) -> list[Listener]:
        return [
            listener
            for listener in self.store.all(Listener, running=True)
            if self._forwards(listener)
        ]

    def _forwards(self, listener: Listener) -> bool:
        """Tell whether a listener's load balancer lets it forward; a missing one is an error."""
        balancer = self.store.get(LoadBalancer, listener.load_balancer_id)
        return balancer is None or balancer.status == "active"

    def _specify(self, listener: Listener) -> model.ListenerSpec:
        return serving.specify_listener(self.store, listener, self._socket)

    def _set_aside(self, group: list[Listener], good: list[model.ListenerSpec]) -> None:
        """Serve the listeners of a group that can be served, beside `good`, which grows by them."""
        try:
            both = [*good, *(self._specify(listener) for listener in group)]
            self.sockets = self.plane.apply_listeners(both)
        except Exception as error:  # whatever is wrong with one, others can serve
            if len(group) == 1:
                self._aside[group[0].id] = _Aside(self._seen(group[0]), _reason(error))
                return
            half = len(group) // 2
            for part in (group[:half], group[half:]):
                if part:
                    self._set_aside(part, good)
        else:
            good[:] = both

    def _is_aside(self, listener: Listener) -> bool:
        """Tell whether a listener could not be served and has not changed since."""
        aside = self._aside.get(listener.id)
        return aside is not None and aside.seen == self._seen(listener)

    def _seen(self, listener: Listener) -> model.ListenerSpec | None:
        try:
            return self._specify(listener)
        except Exception:
            return None

    def health(self, listener: Listener) -> list[MemberHealth]:
        """Health of each backend of a listener, as the data plane measures it."""
        checked = listener.running and listener.attributes.get("HealthCheck") == "on"
        measured = self.plane.health(serving.key(listener)) if checked else {}
        return [
            MemberHealth(
                member.server_id,
                member.port,
                measured.get(
                    (member.server_id, self._socket(member.server_id, member.port)), "unavailable"
                ),
            )
            for member in serving.list_members(self.store, listener)
        ]

    def choose_load_balancer_address(self, version: Literal["ipv4", "ipv6"]) -> str:
        """Choose a loopback address that no load balancer has; of IPv6, the only one there is.

        Raises:
            ApiError: No address is left, or this machine has no IPv6.
        """
        if version == "ipv6":
            if not ports.is_usable(IPV6_ADDRESS):
                raise not_emulated(f"IPv6 on a machine without {IPV6_ADDRESS}")
            return IPV6_ADDRESS
        return _first_free_address(
            self._load_balancers, (lb.address for lb in self.store.all(LoadBalancer))
        )

    def choose_instance_address(self) -> str:
        """Choose a loopback address that no instance has.

        Raises:
            ApiError: No address is left.
        """
        return _first_free_address(self._instances, (i.host for i in self.store.all(Instance)))

    def reset(self) -> None:
        """Remove all resources, as if each had been deleted."""
        instances = self.store.all(Instance)
        with self.store.transaction():
            self.store.clear()
        self._not_started, self._aside = {}, {}
        self.apply()
        for instance in instances:
            self.plane.stop_instance(instance.id)

    def _socket(self, server_id: str, port: int) -> model.SocketAddress:
        instance = self.store.get(Instance, server_id)
        if instance is None:
            # What is remembered of it cannot be read: nobody answers there.
            return model.SocketAddress(f"{self._instances}.255", port)
        if instance.stopped or instance.id in self._not_started:
            # After a restart the data plane knows only those that run.
            return model.SocketAddress(instance.host, port)
        return self.plane.backend_socket(server_id, port)


def _reason(error: Exception) -> str:
    if isinstance(error, (ApiError, model.DataPlaneError)):
        return str(error)
    return f"what is remembered of it cannot be used ({type(error).__name__}: {error})."


def _first_free_address(network: str, taken: Iterable[str]) -> str:
    used = set(taken)
    for last in range(1, 255):
        if (address := f"{network}.{last}") not in used:
            return address
    raise not_emulated("more than 254 load balancers, or instances")


def choose_private_ip(cidr_block: str, taken: Iterable[str]) -> str | None:
    """Choose a block's first host address that is not taken; Alibaba Cloud keeps the last three."""
    used = set(taken)
    block = ipaddress.ip_network(cidr_block)
    hosts = (str(block[place]) for place in range(1, block.num_addresses - 4))
    return next((host for host in hosts if host not in used), None)
