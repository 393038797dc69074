"""The real engine, the real provider, and a local cloud of the tests' own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.trial import Trial, local_cloud
from localcloud import control
from localcloud.home import Home
from operations.project import PROJECT
from tests import processes
from tests.homes import copy_home

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.engine)


class Engine(Trial):
    """The stack of a test."""

    def run(
        self, command: str, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; it lives for three seconds, so it collects its garbage seldom."""
        return super().run(command, *arguments, variables={"GOGC": "400", **(variables or {})})

    def fail(self, command: str, *arguments: str, **options: Any) -> str:
        answer = self.run(command, *arguments, **options)
        assert answer.returncode != 0, answer.stdout
        return answer.stdout + answer.stderr

    def refused(self, **settings: Any) -> str:
        """What `up` says of settings that it does not take; they are as before again."""
        before = {key: self.values["config"][f"slb-mutual-tls:{key}"] for key in settings}
        self.configure(**settings)
        try:
            return self.fail("up", "--yes", "--skip-preview")
        finally:
            self.configure(**before)

    def steps(self, *arguments: str, **options: Any) -> dict[str, str]:
        """What a preview would do: resource type and name to operation, without what stays.

        Nor what was only looked at, with `--refresh`.
        """
        plan = json.loads(self.succeed("preview", "--json", *arguments, **options))
        return {
            "::".join(step["urn"].split("::")[2:]).rsplit("$", 1)[-1]: step["op"]
            for step in plan["steps"]
            if step["op"] not in {"same", "refresh"}
        }

    def state(self, *, show_secrets: bool = False) -> str:
        command = [self.stack.toolchain.pulumi, "stack", "export", "--stack", self.stack.name]
        if show_secrets:
            command.append("--show-secrets")
        return processes.printed(command, cwd=PROJECT, env=self.stack.environment)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A running local cloud on free ports."""
    with local_cloud(tmp_path_factory.mktemp("home") / "local") as running:
        yield running


@pytest.fixture(scope="module")
def engine(local, toolchain):
    """A new stack, configured as `Pulumi.local.yaml` says."""
    return Engine(local, toolchain)


@pytest.fixture(scope="module")
def deployed(engine, brought_up):
    """The same, brought up."""
    engine.local.stop_cloud()
    shutil.rmtree(engine.local.home)
    copy_home(brought_up, engine.local.home)
    engine.local.start_cloud(0)
    engine.begin()
    return engine


def copy_of_the_project(folder: Path) -> Path:
    """The project's files in another folder, with the environments of this one."""
    unwanted = shutil.ignore_patterns(".*", "tests", "docs", "__pycache__", "out")
    shutil.copytree(PROJECT, folder, ignore=unwanted)
    shutil.copytree(PROJECT / ".github", folder / ".github")
    link_environments(folder)
    return folder


def link_environments(folder: Path) -> None:
    """Give a copy the virtual environments of this project."""
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "policy" / ".venv").symlink_to(PROJECT / "policy" / ".venv")


@pytest.fixture(scope="module")
def project(tmp_path_factory, toolchain):
    """A copy of the project with a local cloud of its own, for commands that change its files."""
    copy = copy_of_the_project(tmp_path_factory.mktemp("copy") / "project")
    control.start(Home(copy / ".local" / "cloud"), 0, print)
    yield copy
    control.stop(Home(copy / ".local" / "cloud"))


@pytest.fixture(scope="module")
def run(project):
    """Runs a command in the copy as a person does."""

    def run(command: str, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if k != "SLB_MUTUAL_TLS_HOME"}
        return processes.run(
            [sys.executable, "-m", "operations", command, "--stack", "local", *arguments],
            cwd=project,
            env=environment,
            text=answer,
        )

    return run
