"""Homes of the stack `local` as tests copy them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from localcloud import control
from localcloud.home import Home
from operations.stacks.environment import LocalEnvironment


def dump_of(local: LocalEnvironment) -> str:
    """All resources of a home's local cloud as JSON, as `python -m localcloud dump` prints them."""
    return json.dumps(control.ask(Home(local.cloud), "GET", "/dump"), indent=2)


def copy_home(source: Path, target: Path) -> None:
    """Copy a home whose local cloud is at rest, without the sockets in it."""

    def sockets(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if (Path(folder) / name).is_socket()}

    shutil.copytree(source, target, ignore=sockets)
