"""`make conformance`: the provider's own acceptance tests, run against the local cloud.

They are built from the module that the toolchain builds, without what reaches out, and run in a
network namespace with loopback alone. Each must end as `expectations.toml` says.
"""

from __future__ import annotations

import argparse
import os
import sys

from acceptance import binary, isolation, page
from localcloud.dataplane.haproxy_binary import ensure as ensure_haproxy
from operations.project import PROJECT
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter

AT_ONCE = 6
"""Number of tests at a time: each mostly waits, for the provider's steps of five seconds or so."""


def main() -> int:
    """Build the tests and run them, or print the page about them."""
    parser = argparse.ArgumentParser(prog="make conformance ARGS=…", description=__doc__)
    parser.add_argument("names", nargs="*", help="of tests; all if none is given")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="tests side by side")
    parser.add_argument("--page", action="store_true", help="print docs/provider-tests.md instead")
    arguments = parser.parse_args()
    if arguments.page:
        sys.stdout.write(page.write_page())
        return 0
    logs = PROJECT / ".local" / "acceptance"
    logs.mkdir(parents=True, exist_ok=True)
    try:
        isolation.require()
        with Reporter() as reporter:
            tests = binary.ensure(reporter)
            ensure_haproxy(reporter.say)  # inside, nothing can be fetched
        options = ["--binary", str(tests), "--logs", str(logs)]
        options += ["--at-once", str(arguments.at_once), *arguments.names]
        inside = [sys.executable, "-m", "acceptance.inside", *options]
        command = isolation.command(inside)
        os.chdir(PROJECT)
        # In place of this process, so that what ends it ends what is inside.
        os.execv(command[0], command)
    except (ToolchainError, isolation.IsolationError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
