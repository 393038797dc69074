"""`python -m toolchain`: see to the toolchain, say where it is."""

from __future__ import annotations

import sys

from toolchain.errors import ToolchainError
from toolchain.install import ensure
from toolchain.progress import Reporter


def main() -> int:
    """Return the exit status."""
    with Reporter() as reporter:
        try:
            toolchain = ensure(reporter)
        except ToolchainError as error:
            reporter.say(f"Toolchain: {error}")
            return 1
    sys.stdout.write(f"{toolchain.pulumi}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
