"""The TCP port of the API."""

from __future__ import annotations

import socket


class PortError(Exception):
    """TCP port of the API cannot be had."""


def listening_socket(port: int, *, or_another: bool = False) -> socket.socket:
    """Listen at the API's port on loopback, or at any: for 0, and where the port is not free.

    Raises:
        PortError: The port is in use, or not for this user.
    """
    if or_another:
        try:
            return listening_socket(port)
        except PortError:
            port = 0
    # With the protocol said, asyncio turns Nagle's algorithm off: else an answer takes 40 ms.
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(("127.0.0.1", port))
        taken.listen(128)
    except OSError as error:
        taken.close()
        raise PortError(str(error.strerror or error)) from error
    return taken
