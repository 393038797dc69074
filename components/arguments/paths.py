"""Places of values in the configuration, as `pulumi config set --path` writes them."""

from __future__ import annotations

import re
import shlex

from .model import NAMESPACE


def path(*parts: str | int) -> str:
    """The place of a value: `clients["alice.smith"].pass_phrase`, `server.ip_addresses[0]`."""
    written = ""
    for part in parts:
        if isinstance(part, int):
            written += f"[{part}]"
        elif not part or re.search(r'[.\["\]\\]', part):
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            written += f'["{escaped}"]'
        else:
            written += f".{part}" if written else part
    return written


def command(place: str, *options: str) -> str:
    """The command that sets a value, which it takes from standard input."""
    key = shlex.quote(f"{NAMESPACE}:{place}")
    quoted = key if key.startswith("'") else f"'{key}'"
    return " ".join(["`pulumi config set", *options, "--path", f"{quoted}`"])
