"""The preview of a change from a fork: the pipelines' own commands, without any secret."""

from __future__ import annotations

import socket
from pathlib import Path
from string import Template

import pytest
import yaml

from localcloud import control
from localcloud.home import Home
from operations.project import PROJECT
from tests import processes
from tests.engine.conftest import copy_of_the_project, link_environments

pytestmark = pytest.mark.in_order


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def with_a_guest(checkout: Path) -> None:
    edit(checkout / "Pulumi.dev.yaml", "    browser: {}\n", "    browser: {}\n    guest: {}\n")


def run(commands: list[str], folder: Path, variables: dict[str, str]) -> str:
    """What the last command prints; all run in one shell, as in a step or in a job."""
    return processes.printed(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join(commands)],
        cwd=folder,
        env={**processes.of_a_fresh_shell(), **variables},
    )


def test_a_fork_s_change_is_told_against_what_it_would_change(tmp_path, toolchain, port):
    base, change = (copy_of_the_project(tmp_path / name) for name in ("base", "change"))
    for checkout in (base, change):
        edit(checkout / "Pulumi.local.yaml", "127.0.0.1:7443", f"127.0.0.1:{port}")
    with_a_guest(change)
    workflow = yaml.safe_load((PROJECT / ".github/workflows/preview.yml").read_text())
    job = workflow["jobs"]["local-cloud"]
    home = tmp_path / "local"
    variables = {**job["env"], "STACK": "dev", "SLB_MUTUAL_TLS_HOME": str(home)}
    try:
        for command in [step["run"] for step in job["steps"] if "run" in step]:
            answer = run([command], tmp_path, variables)
    finally:
        control.stop(Home(home / "cloud"))
    assert "**1 to update;" in answer
    assert "| client `guest` | — |" in answer


def git(folder: Path, *arguments: str) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    processes.printed(["git", *author, *arguments], cwd=folder)


def test_gitlab_tells_a_fork_s_change_in_the_job_s_log(tmp_path, toolchain, port):
    target, change = copy_of_the_project(tmp_path / "target"), tmp_path / "change"
    for link in (target / ".venv", target / "policy" / ".venv"):
        link.unlink()
    edit(target / "Pulumi.local.yaml", "127.0.0.1:7443", f"127.0.0.1:{port}")
    git(target, "init", "--quiet", "--initial-branch=main")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message=The project")
    git(tmp_path, "clone", "--quiet", str(target), str(change))
    link_environments(change)
    with_a_guest(change)
    job = yaml.safe_load((PROJECT / ".gitlab-ci.yml").read_text())["preview-on-the-local-cloud"]
    given = {
        "CI_PROJECT_DIR": str(change),
        "CI_MERGE_REQUEST_PROJECT_URL": target.as_uri(),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "STACK": "dev",
    }
    own = {name: Template(value).substitute(given) for name, value in job["variables"].items()}
    checked_out = next(n for n, line in enumerate(job["script"], 1) if "worktree add" in line)
    # So that `make` need not install the packages in both working trees: they are here already,
    # and older than what was just checked out.
    ready = [
        "ln -s ../change/.venv ../base/.venv",
        "ln -s ../../change/policy/.venv ../base/policy/.venv",
        "touch -d @0 {.,../base}/{.,policy}/requirements.txt",
    ]
    script = [*job["script"][:checked_out], *ready, *job["script"][checked_out:]]
    try:
        answer = run(script, change, {**given, **own})
    finally:
        control.stop(Home(change / ".local" / "cloud"))
    assert "**1 to update;" in answer
    assert "| client `guest` | — |" in answer
