"""Print this environment's packages as JSON, with what their pulumi-plugin.json says."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import pathlib
from typing import Any


def declared(name: str) -> dict[str, Any] | None:
    """Return the content of a package's pulumi-plugin.json; None where it has none."""
    try:
        spec = importlib.util.find_spec(name.replace("-", "_"))
    except (ImportError, ValueError):
        return None
    for folder in (spec and spec.submodule_search_locations) or ():
        file = pathlib.Path(folder, "pulumi-plugin.json")
        if file.is_file():
            content: dict[str, Any] = json.loads(file.read_text("utf-8"))
            return content
    return None


# Each look at `metadata` reads the file.
metadata = [distribution.metadata for distribution in importlib.metadata.distributions()]
packages = {one["Name"]: one["Version"] for one in metadata}
print(
    json.dumps(
        [
            {"name": name, "version": version, "plugin": declared(name)}
            for name, version in packages.items()
            if name
        ]
    )
)
