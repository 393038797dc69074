"""Cloud-init user data that installs `serve.py` as a service."""

from __future__ import annotations

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
    script = Path(__file__).with_name("serve.py").read_text(encoding="utf-8")
    config = {
        "write_files": [
            {"path": SCRIPT, "permissions": "0644", "content": script},
            {"path": UNIT, "permissions": "0644", "content": unit},
        ],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "instance-page.service"],
        ],
    }
    return "#cloud-config\n" + yaml.safe_dump(config, sort_keys=False)
