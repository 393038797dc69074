"""A stack: the Pulumi CLI on it, its state, its history, and the lock that an engine may leave.

An engine that is ended before it can take its lock away leaves it: it handles signals only while it
works on resources, not between taking the lock and that, and not while it asks. Of backends, those
in folders (`file://`) can be looked into from here.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from operations.errors import OperationError
from operations.project import PROJECT
from operations.stacks import pulumi_cli
from toolchain.install import Toolchain

LockHolder = Mapping[str, Any]
"""Holder of a lock: hostname, pid, username."""


def in_order_until(
    deployment: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> datetime | None:
    """Time until which the stack was in order, if the last `up` did not end well; else None.

    Args:
        deployment: Answer of `pulumi stack export`; empty for a new stack.
        history: Answer of `pulumi stack history --json`, the newest first.
    """
    resources = deployment.get("resources") or []
    updates = [update for update in history if update["kind"] in {"update", "destroy"}]
    failed = list(takewhile(lambda update: update["result"] != "succeeded", updates))
    half_made = any(resource.get("initErrors") for resource in resources)
    if not (failed or half_made or deployment.get("pending_operations")):
        return None
    if len(failed) < len(updates):
        return datetime.fromisoformat(updates[len(failed)]["endTime"])
    # It never was: not before the first resource of the first attempt, or the state itself.
    times = [resource["created"] for resource in resources if "created" in resource]
    times += [update["startTime"] for update in failed]
    return min(parse_time(time) for time in times or [deployment["manifest"]["time"]])


def unfinished_types(deployment: Mapping[str, Any]) -> list[str]:
    """Types of the resources that an `up` began to make, change or remove, and did not finish."""
    resources = deployment.get("resources") or []
    pending = deployment.get("pending_operations") or []
    types = [
        *(resource["type"] for resource in resources if resource.get("initErrors")),
        *(operation["resource"]["type"] for operation in pending),
    ]
    return sorted(set(types))


def parse_time(value: str | int) -> datetime:
    """Read a time of the API or the state: RFC 3339, of nanoseconds too, or milliseconds."""
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC)
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))


def lock_holders(backend: str, project: Path, stack: str) -> list[LockHolder]:
    """List who holds a stack's lock; nobody if the backend is not a folder.

    Args:
        backend: URL of the backend.
        project: Folder that a relative URL starts from.
        stack: Name of the stack.
    """
    if not backend.startswith("file://"):
        return []
    folder = urlsplit(backend)._replace(query="").geturl().removeprefix("file://")
    locks = project / Path(folder).expanduser() / ".pulumi" / "locks"
    return [
        json.loads(lock.read_text(encoding="utf-8")) for lock in locks.glob(f"**/{stack}/*.json")
    ]


def taken_by(pid: int) -> Callable[[LockHolder], bool]:
    """Make a predicate: whether a lock's holder is the process `pid` of this machine."""
    return lambda holder: _is_here(holder) and holder["pid"] == pid


def taken_by_the_dead(holder: LockHolder) -> bool:
    """Tell whether a lock's holder was an engine of this machine that has ended.

    To be asked of a backend that no other machine, and no container, can be using.
    """
    if not _is_here(holder):
        return False
    try:
        # Another program may have got its number.
        return "pulumi" not in psutil.Process(holder["pid"]).name()
    except psutil.NoSuchProcess:
        return True


def _is_here(holder: LockHolder) -> bool:
    return bool(holder["hostname"] == socket.gethostname())


@dataclass(frozen=True)
class Stack:
    """A stack with all that the Pulumi CLI needs to work on it.

    Attributes:
        name: Name of the stack, e.g. `dev`.
        toolchain: The CLI and its plugins.
        config_file: File of its configuration, if not `Pulumi.NAME.yaml`.
        variables: Environment of the CLI beside this process's own and the toolchain's.
        policy_pack: Folder of the rules that its previews and updates obey.
    """

    name: str
    toolchain: Toolchain
    config_file: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    policy_pack: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the CLI."""
        return {**os.environ, **self.toolchain.environment(), **self.variables}

    def run(self, command: str, *arguments: str, apart: bool = False) -> int:
        """Run up, preview, refresh, destroy or import on the terminal; return its exit status.

        Args:
            command: Command of the CLI.
            arguments: Further arguments.
            apart: Whether it runs apart from the terminal, as `pulumi_cli.run` takes it.
        """
        # Of outputs a person needs two or three lines, and the CLI prints every certificate.
        shown = ["--suppress-outputs"] if command == "up" else []
        line = self.command_line(command, *shown, *arguments)
        return pulumi_cli.run(
            line, cwd=PROJECT, env=self.environment, apart=apart, ended=self._engine_ended
        )

    def command_line(self, command: str, *arguments: str) -> list[str]:
        """The CLI's command line for a command that reads the stack's configuration.

        Raises:
            OperationError: The rules that it has to obey cannot be run.
        """
        options = [f"--config-file={self.config_file}"] if self.config_file else []
        if command in {"up", "preview"}:
            options += [f"--{name}={value}" for name, value in self.policy_options().items()]
        return [str(self.toolchain.pulumi), command, "--stack", self.name, *options, *arguments]

    def policy_options(self) -> dict[str, str]:
        """Options, by name, with which a preview or an update obeys the policy pack.

        Raises:
            OperationError: The pack's environment is missing.
        """
        if self.policy_pack is None:
            return {}
        python = self.policy_pack / ".venv/bin/python"
        if not python.exists():
            raise OperationError(
                f"The policy pack's environment is missing ({python}): `make preview` makes it."
            )
        return {
            "policy-pack": str(self.policy_pack),
            "policy-pack-config": str(self.policy_pack / "configuration.json"),
        }

    def exports(self) -> dict[str, str]:
        """Environment variables with which the CLI, run by hand, works on this stack.

        Raises:
            OperationError: The rules that it has to obey cannot be run.
        """
        exported = {**self.toolchain.environment(), **self.variables, "PULUMI_STACK": self.name}
        if self.config_file is not None:
            # The CLI takes any option from the environment, and then leaves the tracked file alone.
            exported["PULUMI_OPTION_CONFIG_FILE"] = str(self.config_file)
        for option, value in self.policy_options().items():
            exported[f"PULUMI_OPTION_{option.replace('-', '_').upper()}"] = value
        return exported

    def preview_events(self, *arguments: str) -> tuple[int, str]:
        """Run preview with its display on standard error; return exit status and event log.

        The log is one JSON object a line, with secrets blinded (`operations.review.plan` reads it).
        """
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "events.json"
            status = pulumi_cli.run(
                self.command_line("preview", "--event-log", str(log), *arguments),
                cwd=PROJECT,
                # The option belongs to the Automation API, which sets this as well.
                env={**self.environment, "PULUMI_DEBUG_COMMANDS": "true"},
                display=sys.stderr,
                ended=self._engine_ended,
            )
            return status, log.read_text(encoding="utf-8") if log.exists() else ""

    def deployment(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's state, secrets encrypted unless they are to show; empty for a new stack."""
        answer = self.capture("stack", "export", *(["--show-secrets"] if show_secrets else []))
        if answer.returncode != 0:
            return {}
        deployment: dict[str, Any] = json.loads(answer.stdout)["deployment"] or {}
        return deployment

    def history(self) -> list[dict[str, Any]]:
        """The last updates with kind, result and times, the newest first."""
        answer = self.capture("stack", "history", "--json", "--page-size", "20")
        updates: list[dict[str, Any]] = json.loads(answer.stdout) if answer.returncode == 0 else []
        return updates

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets included.

        Raises:
            OperationError: The stack is not there, or its secrets cannot be decrypted.
        """
        answer = self.capture("stack", "output", "--json", "--show-secrets")
        if answer.returncode != 0:
            reason = answer.stderr.strip().removeprefix("error: ")
            raise OperationError(
                f"The outputs of stack {self.name} cannot be read ({reason}); "
                f"`make up STACK={self.name}` makes it."
            )
        outputs: dict[str, Any] = json.loads(answer.stdout)
        return outputs

    def release_lock(self, is_over: Callable[[LockHolder], bool]) -> bool:
        """Take away the stack's lock; tell whether there was one.

        Args:
            is_over: Whether a holder needs it no more. Where one does, all is left as it is.
        """
        holders = lock_holders(self._backend(), PROJECT, self.name)
        if not holders or not all(is_over(holder) for holder in holders):
            return False
        return self.capture("cancel", "--yes").returncode == 0

    def _engine_ended(self, pid: int, status: int) -> None:
        if status != 0:
            self.release_lock(taken_by(pid))

    def _backend(self) -> str:
        """URL of the backend; empty if nobody is logged in."""
        if backend := self.environment.get("PULUMI_BACKEND_URL"):
            return backend
        answer = self._answer("whoami", "--verbose", "--json")
        return str(json.loads(answer.stdout)["url"]) if answer.returncode == 0 else ""

    def capture(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI on the stack that needs no terminal, and keep what it prints."""
        return self._answer(*command, "--stack", self.name)

    def _answer(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.toolchain.pulumi, *command],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
