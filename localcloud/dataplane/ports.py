"""Choice of the port that a service really gets on this machine."""

from __future__ import annotations

import errno
import socket

from localcloud.dataplane.model import DataPlaneError, SocketAddress

UNPRIVILEGED_OFFSET = 8000
"""Number added to a port that cannot be had: 443 becomes 8443."""


def choose(host: str, port: int, taken: frozenset[SocketAddress] = frozenset()) -> SocketAddress:
    """Return `port` on `host` if it can be bound, else `port` + 8000, else any free port.

    Args:
        host: Loopback address.
        port: TCP port that is wanted.
        taken: Addresses already promised to others, whether or not they are bound yet.

    Raises:
        DataPlaneError: `host` is not an address of this machine.
    """
    for candidate in (port, port + UNPRIVILEGED_OFFSET):
        address = SocketAddress(host, candidate)
        if candidate <= 65535 and address not in taken and _is_bindable(address):
            return address
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        return SocketAddress(host, probe.getsockname()[1])


def is_usable(host: str) -> bool:
    """Tell whether this machine has an address."""
    try:
        with socket.socket(_family(host)) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def _is_bindable(address: SocketAddress) -> bool:
    with socket.socket(_family(address.host)) as probe:
        # Connections of an earlier run that linger in TIME_WAIT do not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise DataPlaneError(f"{address.host} is not an address of this machine.") from None
            return False
    return True


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
