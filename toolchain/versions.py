"""Every version of the toolchain, in one place."""

from __future__ import annotations

PULUMI_MINIMUM = (3, 259, 0)
"""Oldest Pulumi CLI on PATH that is taken as it is."""

PULUMI_DOWNLOAD = "3.272.0"
"""Official CLI release that is downloaded: that of the Python SDK in requirements.txt."""

PULUMI_BUILD = "3.259.0"
"""CLI that is built; `modules/` repeats it. 3.276.0 is published too, and logs no key by itself up
to level 10: it waits for `operations.stacks.log_levels` to tell `--logflow` apart, with which the
provider logs its inputs from level 9 on."""

ALICLOUD = "4.0.0"
"""The alicloud provider: the plugin version that pulumi-alicloud in requirements.txt asks for."""

GO_MINIMUM = (1, 21, 0)
"""Oldest Go that fetches the newer one which the modules ask for by itself."""


def dotted(version: tuple[int, ...]) -> str:
    """Write (3, 259, 0) as 3.259.0."""
    return ".".join(map(str, version))
