"""HAProxy from Debian's or Ubuntu's package archive: installed by root, or unpacked in the cache.

apt checks the archive's signature and the package's hash either way.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import platformdirs
from filelock import FileLock

_TIMEOUT = 600
"""Seconds for one command of apt; a package takes two."""

_LAUNCHER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu* "$here"/lib/*-linux-gnu* | tr ' ' ':')
export LD_LIBRARY_PATH
exec "$here/usr/sbin/haproxy" "$@"
"""


class _CommandError(Exception):
    """A command failed; the message is its last line of error output."""


def directory() -> Path:
    """Where unpacked packages are, one folder a version, for their owner only."""
    root = platformdirs.user_cache_path("slb-mutual-tls") / "haproxy"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def cached() -> list[Path]:
    """Executables that earlier runs unpacked, finished ones only."""
    return sorted(directory().glob("[0-9]*/haproxy"), reverse=True)


def install() -> str:
    """Install the package as root; return what was tried and how it went.

    Where systemd runs, the package would start a service that nobody asked for: not tried there.
    """
    if shutil.which("apt-get") is None:
        return "no apt-get"
    if os.geteuid() != 0:
        return "apt-get install needs root"
    if Path("/run/systemd/system").exists():
        return "apt-get install would start the package's service"
    with FileLock(directory() / "install.lock"):
        try:
            try:
                _install()
            except _CommandError:  # the package lists are missing, or older than the archive
                _run("apt-get", "update")
                _install()
        except _CommandError as error:
            return f"apt-get install failed: {error}"
    return "apt-get install"


def _install() -> None:
    _run("apt-get", "install", "-y", "--no-install-recommends", "haproxy")


def unpack() -> str:
    """Download the package and the libraries it misses, and unpack them; return how it went."""
    for tool in ("apt-get", "apt-cache", "dpkg-deb", "dpkg-query"):
        if shutil.which(tool) is None:
            return f"no {tool}"
    root = directory()
    with FileLock(root / "unpack.lock"):
        for abandoned in root.glob("partial-*"):
            shutil.rmtree(abandoned)
        scratch = Path(tempfile.mkdtemp(prefix="partial-", dir=root))
        try:
            _fill(scratch)
            version = _run("dpkg-deb", "-f", str(next(scratch.glob("haproxy_*.deb"))), "Version")
            for archive in scratch.glob("*.deb"):
                archive.unlink()
            finished = root / version.strip()
            shutil.rmtree(finished, ignore_errors=True)  # it is there, yet could not be used
            scratch.rename(finished)
        except _CommandError as error:
            return f"apt-get download failed: {error}"
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return "apt-get download"


def _fill(folder: Path) -> None:
    try:
        packages = ["haproxy", *_missing_libraries()]
        _run("apt-get", "download", *packages, folder=folder)
    except _CommandError:
        if os.geteuid() != 0:
            raise
        _run("apt-get", "update")
        _run("apt-get", "download", "haproxy", *_missing_libraries(), folder=folder)
    for archive in folder.glob("*.deb"):
        _run("dpkg-deb", "-x", str(archive), str(folder))
    launcher = folder / "haproxy"
    launcher.write_text(_LAUNCHER)
    launcher.chmod(0o700)


def _missing_libraries() -> list[str]:
    """Libraries that the package needs, itself or through others, and that are not installed."""
    kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    options = [f"--no-{kind}" for kind in kinds]
    needed = libraries(_run("apt-cache", "depends", "--recurse", *options, "haproxy"), "haproxy")
    states = _run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n").splitlines()
    present = {line.split()[0] for line in states if line.endswith(" installed")}
    return sorted(needed - present)


def libraries(listing: str, package: str) -> set[str]:
    """Read `apt-cache depends --recurse`: the lib packages reached through lib packages alone."""
    depends: dict[str, list[str]] = {}
    current = ""
    for line in listing.splitlines():
        if not line.startswith(" "):
            current = line.strip()
        elif dependency := re.fullmatch(r" [ |](?:Pre)?Depends: (lib[a-z0-9.+-]+)", line):
            depends.setdefault(current, []).append(dependency[1])
    found: set[str] = set()
    open_names = [package]
    while open_names:
        new = set(depends.get(open_names.pop(), ())) - found
        found |= new
        open_names += new
    return found


def _run(*command: str, folder: Path | None = None) -> str:
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "DEBIAN_FRONTEND": "noninteractive",
        "RUNLEVEL": "1",  # init scripts do not start services in it
    }
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _CommandError(str(error)) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"{command[0]} exits with {done.returncode}"]
        raise _CommandError(lines[-1])
    return done.stdout
