"""Many clients: a stack of the CA and its clients alone, by the real engine."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import yaml

from benchmarks.figures import seconds, show
from operations.stack import PROJECT
from settings import NAMESPACE
from toolchain.install import Toolchain, ensure
from toolchain.progress import Reporter

SIZES = (10, 100, 1000)

PROGRAM = """
import pulumi
from components.private_ca import PrivateCertificateAuthority
from settings import parse

clients = {f"client-{n}": {} for n in range(pulumi.Config().require_int("clients"))}
authority = PrivateCertificateAuthority("scale", settings=parse({"clients": clients}, file="-"))
pulumi.export("clients", authority.clients)
"""


def run(folder: Path) -> None:
    """For each number of clients: up, preview without a change, one more client, state's size."""
    with Reporter() as reporter:
        toolchain = ensure(reporter)
    for clients in SIZES:
        stack = _Stack(folder / str(clients), toolchain)
        stack.configure(clients)
        up = seconds(lambda: stack.run("up", "--yes", "--skip-preview"))  # noqa: B023 - called here
        show(f"clients_{clients}_up", up, "s")
        show(f"clients_{clients}_up_per_client", up / clients * 1000, "ms")
        unchanged = seconds(lambda: stack.run("preview", "--expect-no-changes"))  # noqa: B023
        show(f"clients_{clients}_preview_without_change", unchanged, "s")
        stack.configure(clients + 1)
        one_more = seconds(lambda: stack.run("up", "--yes", "--skip-preview"))  # noqa: B023
        show(f"clients_{clients}_one_more", one_more, "s")
        show(f"clients_{clients}_state", stack.state_bytes() / 1024, "KiB")


class _Stack:
    """A stack with a folder, a state and a pass phrase of its own."""

    def __init__(self, folder: Path, toolchain: Toolchain) -> None:
        self._folder = folder
        self._toolchain = toolchain
        (folder / "state").mkdir(parents=True)
        (folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
        project = {"name": NAMESPACE, "runtime": {"name": "python"}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
        self.run("stack", "init", "scale", stack=False)

    def configure(self, clients: int) -> None:
        """Set the number of clients."""
        self.run("config", "set", "clients", str(clients))

    def run(self, *arguments: str, stack: bool = True) -> str:
        """Run the CLI."""
        chosen = ["--stack", "scale"] if stack else []
        return subprocess.run(
            [str(self._toolchain.pulumi), *arguments, *chosen],
            cwd=self._folder,
            env={
                **os.environ,
                **self._toolchain.environment(),
                "PYTHONPATH": str(PROJECT),
                "PULUMI_BACKEND_URL": f"file://{self._folder / 'state'}",
                "PULUMI_CONFIG_PASSPHRASE": "benchmark",
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def state_bytes(self) -> int:
        """Size of the state, secrets encrypted."""
        return len(json.dumps(json.loads(self.run("stack", "export"))))
