"""Error of a part of the toolchain that cannot be had, the only one of this package."""

from __future__ import annotations


class ToolchainError(Exception):
    """A part of the toolchain cannot be had; the message says why and what to install."""
