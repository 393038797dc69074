"""Cloud-init user data that installs `serve.py` as a service.

Other user data replaces an instance. So as long as `serve.py` behaves like `installed.py`, the text
that running instances have, that text is what new ones get: whoever writes a better comment into
`serve.py` replaces nothing. Whoever changes what it does copies it over `installed.py`.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import yaml

SCRIPT = "/opt/instance-page/serve.py"
UNIT = "/etc/systemd/system/instance-page.service"


def render(port: int) -> str:
    """Return `#cloud-config` text for an instance that serves the page on `port`.

    Source: cloud-init's modules write_files and runcmd.
    """
    unit = f"""[Unit]
Description=Page that names this instance
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/usr/bin/python3 -I {SCRIPT} --port {port}
Restart=always
DynamicUser=yes
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
"""
    config = {
        "write_files": [
            {"path": SCRIPT, "permissions": "0644", "content": script()},
            {"path": UNIT, "permissions": "0644", "content": unit},
        ],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "instance-page.service"],
        ],
    }
    return "#cloud-config\n" + yaml.safe_dump(config, sort_keys=False)


def script() -> str:
    """Return the text of the page's program: the installed one, unless `serve.py` does more."""
    installed, present = (
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in ("installed.py", "serve.py")
    )
    return installed if behaviour(installed) == behaviour(present) else present


@functools.cache
def behaviour(source: str) -> str:
    """Syntax tree of a program, in which there are neither comments nor docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.Pass()
    return ast.dump(tree)
