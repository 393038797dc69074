"""Commands from Debian's or Ubuntu's package archive: installed by root, or unpacked in the cache.

apt checks the archive's signature and the package's hash either way.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

FORBIDDEN = "SLB_MUTUAL_TLS_NO_INSTALL"
"""Environment variable that, set to anything, forbids installing for the whole system."""

_TIMEOUT = 900
"""Seconds for one command of apt; most packages take two, a browser with its libraries 60."""

_LAUNCHER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu* "$here"/lib/*-linux-gnu* | tr ' ' ':')
export LD_LIBRARY_PATH
exec "$here/{executable}" "$@"
"""


_PLACES = ("usr/bin", "usr/sbin", "bin", "sbin")
"""Folders in which packages have their commands."""


class _CommandError(Exception):
    """A command failed; the message is its last line of error output."""


@dataclass(frozen=True)
class DebianPackage:
    """A package of the distribution.

    Attributes:
        name: Name of the package.
        commands: Commands that are wanted of the package.
    """

    name: str
    commands: tuple[str, ...]

    def directory(self) -> Path:
        """Folder in which the package is unpacked, one below it a version, for their owner only."""
        root = platformdirs.user_cache_path("slb-mutual-tls") / self.name
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return root

    def find_cached(self) -> list[Path]:
        """Find folders with the commands that earlier runs unpacked, finished ones only."""
        executables = self.directory().glob(f"[0-9]*/{self.commands[0]}")
        return sorted((path.parent for path in executables), reverse=True)

    def install(self, say: Callable[[str], None]) -> str:
        """Install the package as root, for the whole system; return what was tried and how it went.

        Args:
            say: Function that is told in one line, before anything is installed.

        Where systemd runs, a package may start a service that nobody asked for: not tried there.
        """
        if shutil.which("apt-get") is None:
            return "no apt-get"
        if os.environ.get(FORBIDDEN):
            return f"{FORBIDDEN} forbids apt-get install"
        if os.geteuid() != 0:
            return "apt-get install needs root"
        if Path("/run/systemd/system").exists():
            return "apt-get install would start the package's service"
        say(
            f"Installing the package {self.name} for the whole system by apt-get "
            f"({FORBIDDEN}=1 forbids it: then it is unpacked into the cache)."
        )
        with FileLock(self.directory() / "install.lock"):
            try:
                try:
                    self._install()
                except _CommandError:  # the package lists are missing, or older than the archive
                    _run("apt-get", "update")
                    self._install()
            except _CommandError as error:
                return f"apt-get install failed: {error}"
        return "apt-get install"

    def _install(self) -> None:
        wait = ("-o", f"DPkg::Lock::Timeout={_TIMEOUT}")
        _run("apt-get", "install", "-y", "--no-install-recommends", *wait, self.name)

    def unpack(self) -> str:
        """Download and unpack the package with the libraries that it misses; return how it went."""
        for tool in ("apt-get", "apt-cache", "dpkg-deb", "dpkg-query"):
            if shutil.which(tool) is None:
                return f"no {tool}"
        root = self.directory()
        with FileLock(root / "unpack.lock"):
            for abandoned in root.glob("partial-*"):
                shutil.rmtree(abandoned)
            scratch = Path(tempfile.mkdtemp(prefix="partial-", dir=root))
            try:
                self._fill(scratch)
                archive = next(scratch.glob(f"{self.name}_*.deb"))
                version = _run("dpkg-deb", "-f", str(archive), "Version")
                for archive in scratch.glob("*.deb"):
                    archive.unlink()
                # Of an epoch's colon, LD_LIBRARY_PATH would make two folders.
                finished = root / version.strip().replace(":", "-")
                shutil.rmtree(finished, ignore_errors=True)  # it is there, yet could not be used
                scratch.rename(finished)
            except _CommandError as error:
                return f"apt-get download failed: {error}"
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        return "apt-get download"

    def _fill(self, folder: Path) -> None:
        try:
            _run("apt-get", "download", self.name, *self._missing_libraries(), folder=folder)
        except _CommandError:
            if os.geteuid() != 0:
                raise
            _run("apt-get", "update")
            _run("apt-get", "download", self.name, *self._missing_libraries(), folder=folder)
        for archive in folder.glob("*.deb"):
            _run("dpkg-deb", "-x", str(archive), str(folder))
        for command in self.commands:
            paths = [f"{place}/{command}" for place in _PLACES]
            executables = [path for path in paths if (folder / path).is_file()]
            if not executables:
                raise _CommandError(f"{self.name} has no {command}")
            launcher = folder / command
            launcher.write_text(_LAUNCHER.format(executable=executables[0]))
            launcher.chmod(0o700)

    def _missing_libraries(self) -> list[str]:
        """Libraries that the package needs, itself or through others, and that are missing."""
        kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
        options = [f"--no-{kind}" for kind in kinds]
        listing = _run("apt-cache", "depends", "--recurse", *options, self.name)
        states = _run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n").splitlines()
        present = {line.split()[0] for line in states if line.endswith(" installed")}
        return sorted(read_libraries(listing, self.name) - present)


def read_libraries(listing: str, package: str) -> set[str]:
    """Read `apt-cache depends --recurse`: the lib packages reached through lib packages alone."""
    depends: dict[str, list[str]] = {}
    current = ""
    for line in listing.splitlines():
        if not line.startswith(" "):
            current = line.strip()
        elif dependency := re.fullmatch(r" [ |](?:Pre)?Depends: (lib[a-z0-9.+-]+)", line):
            depends.setdefault(current, []).append(dependency[1])
    reached: set[str] = set()
    open_names = [package]
    while open_names:
        new = set(depends.get(open_names.pop(), ())) - reached
        reached |= new
        open_names += new
    return reached


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
