"""Places in the configuration, as messages name them."""

from __future__ import annotations

import re


def write_key(name: str) -> str:
    """Write a key in a path of the configuration, as `pulumi config set --path` reads it."""
    return f".{name}" if re.fullmatch("[A-Za-z0-9_-]+", name) else f'["{name}"]'
