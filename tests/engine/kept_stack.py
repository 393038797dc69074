"""A stack whose state was kept in a file: it is brought in, and the clock stands where it stood."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.pki.clock import CLOCK_OFFSET
from operations.project import PROJECT
from tests import processes
from tests.engine.leaks import SIGNATURE
from tests.unit.components.dynamic.earlier_state import PROVIDERS
from tests.unit.components.pki.material import NOW

TYPES = {f"pulumi-python:dynamic/pki:{name.title().replace('_', '')}": name for name in PROVIDERS}

SECRET = "1b47061264138c4ac30d75fd1eb44270"


def offset_to(moment: datetime) -> str:
    """The clock's offset by which it is `moment` now: the files' dates hold for ever."""
    return f"{round((moment - datetime.now(UTC)).total_seconds() / 60) or 1}m"


def type_of(urn: str) -> str:
    """A resource's own type, without its parents'."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def secret(value: Any) -> dict[str, str]:
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


class KeptStack:
    """A stack with a state of its own, of a program that reads what it is asked for as JSON."""

    def __init__(self, toolchain, folder: Path, program: Path) -> None:
        self._toolchain = toolchain
        self._program = program
        self._environment = {
            "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": "of a test",
            "PYTHONPATH": str(PROJECT),
        }
        config = str(folder / "Pulumi.kept.yaml")
        self._options = ("--stack", "kept", "--config-file", config, "--color", "never")
        self.asked: dict[str, Any] = {}
        self.moment = NOW

    def run(self, *command: str, text: str = "") -> str:
        done = self._done(*command, text=text)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _done(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return processes.run(
            [self._toolchain.pulumi, *command],
            cwd=self._program,
            env={
                **self._toolchain.environment(),
                **self._environment,
                "KEPT_STATE_ASKED": json.dumps(self.asked),
                CLOCK_OFFSET: offset_to(self.moment),
                "HOME": str(Path.home()),
            },
            text=text,
        )

    def change(self, command: str, *options: str) -> str:
        """A command that reads the stack's configuration."""
        return self.run(command, *self._options, *options)

    def fail(self, command: str, *options: str) -> str:
        """Likewise, where the engine refuses it; all that it says."""
        done = self._done(command, *self._options, *options)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def up(self, *options: str) -> str:
        return self.change("up", "--yes", "--skip-preview", *options)

    def steps(self) -> dict[str, str]:
        """What a preview would do, by resource, without what stays."""
        steps = json.loads(self.change("preview", "--json"))["steps"]
        found = {TYPES.get(type_of(step["urn"])): step["op"] for step in steps}
        return {name: step for name, step in found.items() if name and step != "same"}

    def state(self) -> dict:
        return json.loads(self.run("stack", "export", "--stack", "kept", "--show-secrets"))

    def outputs(self) -> dict:
        """The resources' outputs by their names in `TYPES`, with secrets as they are."""
        return {
            TYPES[one["type"]]: {name: shown(value) for name, value in one["outputs"].items()}
            for one in self.state()["deployment"]["resources"]
            if one["type"] in TYPES
        }


def shown(value: Any) -> Any:
    if isinstance(value, dict):
        if SIGNATURE in value:
            return shown(json.loads(value["plaintext"]))
        return {name: shown(item) for name, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value
