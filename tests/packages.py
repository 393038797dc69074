"""Gets commands that tests need from Debian's or Ubuntu's packages."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections.abc import Sequence

from localcloud.debian_package import DebianPackage


def _package(name: str, *commands: str) -> dict[str, DebianPackage]:
    """A package under each of its commands."""
    return dict.fromkeys(commands, DebianPackage(name, commands))


PACKAGES = {
    **_package("curl", "curl"),
    **_package("dash", "dash"),
    **_package("gnutls-bin", "certtool"),
    **_package("libnss3-tools", "certutil", "crlutil", "pk12util"),
    **_package("openssl", "openssl"),
    **_package("zsh", "zsh"),
}
"""By command: installed for root, else unpacked for this user."""

INSTALLED = {
    **_package("chromium", "chromium"),
    **_package("chromium-driver", "chromedriver"),
    **_package("default-jdk-headless", "java", "keytool"),
    **_package("nginx-light", "nginx"),
    **_package("maven", "mvn"),
    **_package("nodejs", "node"),
}
"""Those that need more than to be unpacked."""


def find(command: str) -> str | None:
    """Path of a command, on PATH or where servers are."""
    folders = [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]
    return shutil.which(command, path=os.pathsep.join(folders))


def lacking(commands: Sequence[str]) -> str | None:
    """Get what is missing; say why something still is, or None."""
    missing = [command for command in commands if find(command) is None]
    reasons = {command: _get(command) for command in missing}
    still = [command for command in missing if find(command) is None]
    if not still:
        return None
    return "; ".join(f"no {command} ({reasons[command]})" for command in still)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@functools.cache
def _get(command: str) -> str:
    """Install or unpack a command's package; return how it went."""
    package = {**PACKAGES, **INSTALLED}.get(command)
    if package is None:
        return "install it"
    tried = [package.install(_say)]
    if find(command) is None and command in PACKAGES:
        if not package.find_cached():
            tried.append(package.unpack())
        os.environ["PATH"] = os.pathsep.join(
            [os.environ["PATH"], *map(str, package.find_cached()[:1])]
        )
    return "; ".join([f"package {package.name}", *tried])
