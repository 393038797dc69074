"""The Pulumi project that the operations work on."""

from __future__ import annotations

from pathlib import Path

from operations.stacks import engine_yaml

PROJECT = Path(__file__).resolve().parent.parent
"""Folder of the Pulumi project, where Pulumi.yaml is."""

POLICY_PACK = PROJECT / "policy"
"""Folder of the policy pack, with the rules that every stack obeys."""


def project_name() -> str:
    """The Pulumi project's name: `pulumi new` gives a copy another one."""
    node = engine_yaml.compose((PROJECT / "Pulumi.yaml").read_text(encoding="utf-8"))
    # As the engine reads it, for which `no` is a text.
    names = [value.value for key, value in node.value if key.value == "name"] if node else []
    return str(names[0])
