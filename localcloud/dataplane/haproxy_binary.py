"""Finds HAProxy, or gets it from the distribution's packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from localcloud.dataplane.model import DataPlaneError
from localcloud.debian_package import DebianPackage

MINIMUM = (2, 4)
"""Oldest HAProxy release that is used."""

HINT = "apt-get install haproxy, dnf install haproxy, or brew install haproxy"

BINARY = "SLB_MUTUAL_TLS_HAPROXY"
"""Environment variable that names the HAProxy executable to use."""

SOURCE = "SLB_MUTUAL_TLS_HAPROXY_SOURCE"
"""Environment variable that leaves only one source open: path, apt or unpack."""

PACKAGE = DebianPackage("haproxy", ("haproxy",))

_TIMEOUT = 20


def find() -> Path | None:
    """Find the HAProxy to use, or None: the environment's, PATH and sbin folders, then the cache.

    Raises:
        DataPlaneError: The environment names an executable that cannot be used.
    """
    named = os.environ.get(BINARY)
    if named:
        path = Path(named)
        reason = find_problem(path)
        if reason:
            raise DataPlaneError(f"{BINARY} names {path}, which {reason}.")
        return path
    source = os.environ.get(SOURCE)
    if source in {None, "", "path", "apt"}:
        folders = [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]
        on_path = shutil.which("haproxy", path=os.pathsep.join(folders))
        if on_path and find_problem(Path(on_path)) is None:
            return Path(on_path)
    if source in {None, "", "unpack"}:
        for folder in PACKAGE.find_cached():
            if find_problem(folder / "haproxy") is None:
                return folder / "haproxy"
    return None


def ensure(say: Callable[[str], None]) -> Path:
    """Find HAProxy, else install the distribution's package, else unpack it for this user.

    Args:
        say: Function that is told what takes time, one line each.

    Raises:
        DataPlaneError: HAProxy cannot be had; the message says what was tried and what to install.
    """
    executable = find()
    if executable is not None:
        return executable
    tried = []
    source = os.environ.get(SOURCE) or "any"
    if source in {"any", "apt"}:
        tried.append(PACKAGE.install(say))
        executable = find()
    if executable is None and source in {"any", "unpack"}:
        say("Unpacking the distribution's HAProxy package for this user.")
        tried.append(PACKAGE.unpack())
        executable = find()
    if executable is None:
        done = "; ".join([f"no usable haproxy {dotted_minimum()} or newer on PATH", *tried])
        raise DataPlaneError(f"HAProxy is missing ({done}): run {HINT}.")
    return executable


def dotted_minimum() -> str:
    """Write the oldest HAProxy release that is used, such as 2.4."""
    return ".".join(map(str, MINIMUM))


def find_problem(path: Path) -> str | None:
    """Explain why an executable cannot be used, or None: it must be new enough and have OpenSSL."""
    try:
        answer = subprocess.run(
            [str(path), "-vv"], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run ({error})"
    return find_version_problem(answer.stdout) if answer.returncode == 0 else "does not run"


def find_version_problem(text: str) -> str | None:
    """Explain why a build cannot be used, by its `haproxy -vv`; None if it can."""
    version = re.search(r"^HA-?Proxy version (\d+)\.(\d+)", text, re.MULTILINE)
    if version is None:
        return "is not HAProxy"
    if (int(version[1]), int(version[2])) < MINIMUM:
        return f"is HAProxy {version[1]}.{version[2]}, older than {dotted_minimum()}"
    if not re.search(r"^Built with (OpenSSL|SSL library) version", text, re.MULTILINE):
        return "is built without TLS"
    return None
