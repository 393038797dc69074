"""The Pulumi project that the operations work on."""

from __future__ import annotations

from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parent.parent
"""Folder of Pulumi.yaml."""

POLICY_PACK = PROJECT / "policy"
"""Rules that every stack obeys."""


def project_name() -> str:
    """The Pulumi project's name: `pulumi new` gives a copy another one."""
    program = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text(encoding="utf-8"))
    return str(program["name"])
