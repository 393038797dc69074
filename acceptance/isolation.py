"""A network namespace with loopback alone: nothing that a test does can leave this machine.

Linux only. Root makes one; any other user does where the kernel lets users have namespaces.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
"""Numbers that linux/sockios.h and linux/if.h give."""

INTERFACE_REQUEST = "16sh22x"

OTHERS_PREFIXES = ("ALICLOUD_", "ALIBABA_", "ALIYUN_", "TF_")
"""Variables by which the provider would find other credentials, endpoints or options."""

OTHERS_SUFFIXES = ("_ENDPOINT", "_PROXY", "_proxy")


class IsolationError(Exception):
    """Network namespace cannot be had; the message is one sentence for a person."""


def command(arguments: Sequence[str]) -> list[str]:
    """The command line that runs another one in a namespace of its own.

    Raises:
        IsolationError: `unshare` is not on PATH.
    """
    unshare = shutil.which("unshare")
    if unshare is None:
        raise IsolationError(
            "The acceptance tests run in a network namespace of their own, which `unshare` makes: "
            "it belongs to util-linux, on Linux alone."
        )
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return [unshare, "--net", *user, "--", *arguments]


def require() -> None:
    """Check that a network namespace with loopback alone can be had.

    Raises:
        IsolationError: A network namespace cannot be had.
    """
    tried = subprocess.run(
        command(["true"]), capture_output=True, text=True, check=False, timeout=60
    )
    if tried.returncode != 0:
        raise IsolationError(
            "The acceptance tests run in a network namespace of their own, and this machine gives "
            f"none ({tried.stderr.strip()}): run them as root, or let users have namespaces "
            "(on Ubuntu: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0)."
        )


def enter() -> None:
    """Bring loopback up, if this process is in a namespace of its own.

    Raises:
        IsolationError: The process is not in a namespace of its own: there is a way to the network.
    """
    others = [
        name for name, status in psutil.net_if_stats().items() if status.isup and name != "lo"
    ]
    if others:
        raise IsolationError(
            f"This process reaches the network by {', '.join(others)}: acceptance tests start only "
            "in a network namespace of their own (`make conformance` makes it)."
        )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack(INTERFACE_REQUEST, b"lo", 0)
        _, flags = struct.unpack(INTERFACE_REQUEST, fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
        request = struct.pack(INTERFACE_REQUEST, b"lo", flags | IFF_UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def clean_environment(scratch: Path) -> dict[str, str]:
    """Make this process's environment without anybody's credentials, options or files in a home."""
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(OTHERS_PREFIXES) and not name.endswith(OTHERS_SUFFIXES)
    }
    return {**kept, "HOME": str(home), "SSL_CERT_DIR": str(home)}
