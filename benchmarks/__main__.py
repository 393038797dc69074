"""`make bench`: figures, one a line, `name: value unit`, and a table, all in Markdown."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import api, issuing, load, scale, stack
from benchmarks.figures import print_text
from benchmarks.quoted import AT_LEAST, UNDER
from benchmarks.trial import local_cloud
from toolchain.install import Toolchain, ensure
from toolchain.progress import Reporter


def main() -> None:
    """Measure everything in a folder of its own, and leave nothing behind.

    Arguments are numbers of clients, in place of `scale.SIZES`.
    """
    sizes = [int(argument) for argument in sys.argv[1:]] or scale.SIZES
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        with Reporter() as reporter:
            toolchain = ensure(reporter)
        print_text(_head(toolchain))
        print_text("```\n")
        issuing.run()
        home = folder / "home"
        with local_cloud(home):
            stack.run(home)
            api.run(home)
            stack.down(home)
        scale.run(folder, sizes)
        print_text("```\n\n")
        load.run(folder / "load", toolchain)


def _head(toolchain: Toolchain) -> str:
    pulumi = subprocess.run(
        [toolchain.pulumi, "version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return (
        f"# Figures of {datetime.now(UTC):%Y-%m-%d}\n\n"
        f"By `make bench`, in one run, on {os.cpu_count()} cores: Pulumi {pulumi}, Python "
        f"{platform.python_version()}, cryptography {version('cryptography')}. Times differ from "
        "machine to machine and from run to run; ratios less.\n\n"
        "`clients_N`: a CA and a register of N clients, by the real engine, in one resource. "
        "`openssl_commands_to_up`: how many times as long the tutorial's commands take in a "
        f"loop, by what {2 * scale.BY_HAND} clients take with half of N in the CA's index. "
        "`up_spent_on_keys`: the part of `up` that making as many keys takes by itself, on all "
        "cores. `clients_on_p_256_N`: the same with keys on P-256, beside the commands with such "
        "keys; `faster_than_rsa`: how many times as long `up` takes with RSA keys. "
        "`client_on_p_256_…`: what the work on one such client goes into, on one core. "
        "`one_resource_each_N`: a resource for each client with the same signing code, "
        f"up to {max(scale.ONE_EACH_SIZES)}: with 1000, the engine held more than 14 GB before it "
        "was done. Meant for 1000 clients: "
        f"{AT_LEAST['clients_1000_openssl_commands_to_up']:g} times as fast as the "
        f"commands, {AT_LEAST['clients_1000_up_spent_on_keys']:g} % of `up` spent on keys, an "
        f"unchanged preview in less than {UNDER['clients_1000_preview_without_change']:g} s, one "
        f"more in less than {UNDER['clients_1000_one_more']:g} s; with keys on P-256, `up` "
        f"{AT_LEAST['clients_on_p_256_1000_faster_than_rsa']:g} times as fast as with RSA's and "
        f"{AT_LEAST['clients_on_p_256_1000_openssl_commands_to_up']:g} times as fast as the "
        "commands.\n\n"
    )


if __name__ == "__main__":
    main()
