"""A stack on a local cloud of its own, as measurements and tests try it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from configuration.outputs import StackOutputs
from operations.clb.api import SlbHealth
from operations.outputs import parse
from operations.project import PROJECT
from operations.stacks import environment
from operations.stacks.environment import LocalEnvironment
from operations.verification import verification
from operations.verification.report import Report
from toolchain.install import Toolchain


@contextlib.contextmanager
def local_cloud(home: Path) -> Iterator[LocalEnvironment]:
    """A local cloud on free ports, until the end of the block.

    Args:
        home: Folder for it and for the stacks on it.
    """
    local = LocalEnvironment(home)
    local.start_cloud(0)
    try:
        yield local
    finally:
        local.stop_cloud()


class Trial:
    """A stack that is driven as a user would, with its output at hand.

    Args:
        local: Local cloud that the stack is on.
        toolchain: Pulumi CLI and its plugins.
        name: Name of the stack.
        values: Content of the stack's configuration file; that of `Pulumi.local.yaml` by default.
    """

    def __init__(
        self,
        local: LocalEnvironment,
        toolchain: Toolchain,
        name: str = "test",
        values: dict[str, Any] | None = None,
    ) -> None:
        self.local = local
        self.values = environment.read_configuration("local") if values is None else values
        self._name = name
        self._toolchain = toolchain
        self.begin()

    def begin(self) -> None:
        """Open the stack on what its home has now, or make it there."""
        self.stack = self.local.stack(self._name, self._toolchain, self.values)
        self._read: tuple[bytes, StackOutputs] | None = None

    def configure(self, **settings: Any) -> None:
        """Set keys of this project's namespace."""
        for key, value in settings.items():
            self.values["config"][f"slb-mutual-tls:{key}"] = value
        self.local.configure(self.stack, self.values)

    def run(
        self, command: str, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI that reads the configuration, however it ends."""
        return subprocess.run(
            self.stack.command_line(command, "--color", "never", *arguments),
            cwd=PROJECT,
            env={**self.stack.environment, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def succeed(
        self, command: str, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> str:
        """Run a command of the CLI that must succeed; return what it prints on standard output.

        Raises:
            RuntimeError: The command fails; the message is what was printed.
        """
        done = self.run(command, *arguments, variables=variables)
        if done.returncode != 0:
            raise RuntimeError(f"pulumi {command} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def up(self, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
        """Bring the stack to its configuration."""
        return self.succeed("up", "--yes", "--skip-preview", *arguments, variables=variables)

    def outputs(self) -> StackOutputs:
        """Read the stack's outputs; the CLI is asked once for each state."""
        files = self.local.home.glob(f"state/.pulumi/stacks/*/{self._name}.json")
        state = b"".join(file.read_bytes() for file in files)
        if self._read is None or self._read[0] != state:
            self._read = state, parse(self.stack.outputs())
        return self._read[1]

    def verify(self) -> Report:
        """Verify the service from outside, once the backends are healthy."""
        outputs = self.outputs()
        return verification.verify(outputs, SlbHealth(outputs, self.stack.variables))
