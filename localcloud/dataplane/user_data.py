"""Reading of an instance's user data: which script it runs as a service, and on which port.

Commands of the user data are never run; a service of one known form is recognised instead:
`write_files` holds a systemd unit and a Python script, and `runcmd` enables the unit.
Source: cloud-init's modules write_files and runcmd.
"""

from __future__ import annotations

import base64
import configparser
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from localcloud.dataplane.model import DataPlaneError

HEADER = "#cloud-config"
UNIT_FOLDER = "/etc/systemd/system/"


@dataclass(frozen=True)
class InstanceService:
    """A Python script that serves on a port."""

    script: PurePosixPath
    """Path of the script, relative to the instance's root."""
    content: str
    port: int


@dataclass(frozen=True)
class UserData:
    """Service that an instance runs by its user data, and what it leaves out."""

    service: InstanceService | None = None
    skipped: tuple[tuple[str, ...], ...] = ()
    """Commands that a cloud instance would run and this one does not."""


def parse(text: str) -> UserData:
    """Read decoded user data; anything but cloud-config makes an instance that does nothing.

    Raises:
        DataPlaneError: It says cloud-config and is not, or its script's path leaves the instance.
    """
    first = text.lstrip("\ufeff").split("\n", 1)[0].strip()
    if first != HEADER:
        return UserData()
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataPlaneError("The user data is no valid YAML.") from error
    config = {} if config is None else config
    if not isinstance(config, dict):
        raise DataPlaneError("The user data is no mapping.")
    written = dict(map(_file, _list(config, "write_files")))
    service: InstanceService | None = None
    skipped = []
    for command in map(_command, _list(config, "runcmd")):
        if command == ("systemctl", "daemon-reload"):
            continue
        started = _service(command, written) if service is None else None
        if started is None:
            skipped.append(command)
        service = service or started
    return UserData(service, tuple(skipped))


def _list(config: dict[Any, Any], name: str) -> list[Any]:
    entries = config.get(name) or []
    if not isinstance(entries, list):
        raise DataPlaneError(f"{name} of the user data is no list.")
    return entries


def _file(entry: Any) -> tuple[str, str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise DataPlaneError("An entry of write_files in the user data has no path.")
    content, encoding = entry.get("content") or "", entry.get("encoding") or "text/plain"
    if encoding not in {"text/plain", "b64", "base64"}:
        raise DataPlaneError(f"The encoding {encoding!r} in the user data is not supported.")
    if encoding != "text/plain":
        try:
            content = base64.b64decode(content).decode()
        except (ValueError, TypeError) as error:
            raise DataPlaneError(f"The content of {entry['path']!r} is not base64.") from error
    return entry["path"], str(content)


def _command(entry: Any) -> tuple[str, ...]:
    """Read a command: a list is one, a string a line of shell, kept whole unless it is simple."""
    if isinstance(entry, list):
        return tuple(map(str, entry))
    try:
        return tuple(shlex.split(str(entry)))
    except ValueError:
        return (str(entry),)


def _service(command: tuple[str, ...], written: dict[str, str]) -> InstanceService | None:
    match command:
        case ("systemctl", "enable", "--now", name):
            unit = written.get(f"{UNIT_FOLDER}{name}")
        case _:
            return None
    match _exec_start(unit or ""):
        case ("/usr/bin/python3", "-I", script, "--port", port) if port.isascii():
            if script not in written or not port.isdigit() or not 0 < int(port) < 65536:
                return None
            return InstanceService(_inside(script), written[script], int(port))
    return None


def _exec_start(unit: str) -> tuple[str, ...]:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(unit)
        return tuple(shlex.split(parser.get("Service", "ExecStart", fallback="")))
    except (configparser.Error, ValueError):
        return ()


def _inside(path: str) -> PurePosixPath:
    absolute = PurePosixPath(path)
    parts = absolute.parts[1:]
    if not absolute.is_absolute() or not parts or ".." in parts or not path.isprintable():
        raise DataPlaneError(f"{path!r} is no path within an instance.")
    return PurePosixPath(*parts)
