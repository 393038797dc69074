"""Homes of the stack `local` as tests copy them."""

from __future__ import annotations

import shutil
from pathlib import Path


def copy_home(source: Path, target: Path) -> None:
    """Copy a home whose local cloud is at rest, without the sockets in it."""

    def sockets(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if (Path(folder) / name).is_socket()}

    shutil.copytree(source, target, ignore=sockets)
