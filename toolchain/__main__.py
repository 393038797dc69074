"""`python -m toolchain [--nodejs]`: see to the toolchain, say where it is."""

from __future__ import annotations

import argparse
import sys

from toolchain.errors import ToolchainError
from toolchain.install import add_nodejs, ensure
from toolchain.progress import Reporter


def main() -> int:
    """Find or make the toolchain and print where it is; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m toolchain", description=__doc__)
    parser.add_argument("--nodejs", action="store_true", help="with a host for TypeScript programs")
    arguments = parser.parse_args()
    with Reporter() as reporter:
        try:
            toolchain = ensure(reporter)
            if arguments.nodejs:
                toolchain = add_nodejs(toolchain, reporter)
        except ToolchainError as error:
            reporter.say(f"Toolchain: {error}")
            return 1
    sys.stdout.write(f"{toolchain.pulumi}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
