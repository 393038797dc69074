"""Every version of the toolchain, in one place."""

from __future__ import annotations

PULUMI_MINIMUM = (3, 276, 0)
"""Oldest Pulumi CLI on PATH that is taken as it is: the one that the tests know. Before 3.269, logs
at level 9 hold secrets."""

PULUMI = "3.276.0"
"""Pulumi CLI that is downloaded as an official release, or else built; `modules/` repeats it."""

ALICLOUD = "3.105.0"
"""Version of the alicloud provider's plugin, which pulumi-alicloud in requirements.txt asks for."""

PROVIDER = "1.285.0"
"""Version of the upstream provider that this pulumi-alicloud wraps: `modules/go.mod` has it."""

GO_MINIMUM = (1, 21, 0)
"""Oldest Go that fetches the newer one which the modules ask for by itself."""


def write_dotted(version: tuple[int, ...]) -> str:
    """Write (3, 276, 0) as 3.276.0."""
    return ".".join(map(str, version))
