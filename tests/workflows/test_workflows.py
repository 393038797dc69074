"""The workflows of GitHub Actions and GitLab CI: what they run, and who gets which secret."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from operations.project import PROJECT
from operations.stacks import oidc
from tests import go, processes

SOURCE = Path(__file__).parent / "actionlint"
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
ENVIRONMENTS = {"dev", "staging", "prod"}


def read(path):
    # In YAML 1.1 the key `on` is true.
    return yaml.safe_load(path.read_text(encoding="utf-8"))


GITHUB = {path.stem: read(path) for path in WORKFLOWS}
GITLAB = read(PROJECT / ".gitlab-ci.yml")


def jobs():
    return {
        (workflow, name): job
        for workflow, document in GITHUB.items()
        for name, job in document["jobs"].items()
    }


def gitlab_jobs():
    return {name: job for name, job in GITLAB.items() if isinstance(job, dict) and "script" in job}


def commands(job):
    return [step["run"] for step in job.get("steps", []) if "run" in step] + job.get("script", [])


@pytest.fixture(scope="module")
def actionlint():
    """Runs actionlint."""
    package = "github.com/rhysd/actionlint/cmd/actionlint"
    command = go.program("actionlint", SOURCE, ("go.mod", "go.sum"), package)

    def run(*paths):
        # Without the linters that it runs if they happen to be on PATH.
        options = ["-no-color", "-shellcheck=", "-pyflakes="]
        return processes.run([command, *options, *paths], cwd=PROJECT)

    return run


def test_actionlint_finds_nothing(actionlint):
    found = actionlint(*WORKFLOWS)
    assert (found.returncode, found.stdout) == (0, "")


def test_actionlint_would_find_something(actionlint, tmp_path):
    text = WORKFLOWS[0].read_text(encoding="utf-8").replace("${{ matrix.check }}", "${{ matrx.c }}")
    (tmp_path / "broken.yml").write_text(text, encoding="utf-8")
    assert 'undefined variable "matrx"' in actionlint(tmp_path / "broken.yml").stdout


@pytest.mark.parametrize("path", sorted((PROJECT / ".github").rglob("*.yml")), ids=lambda p: p.name)
def test_actions_are_pinned_by_commit_with_their_version_beside_it(path):
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    others = [action for action in used if not action.startswith("./.github/actions/")]
    pinned = r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert [action for action in others if not re.fullmatch(pinned, action)] == []


def test_every_command_is_one_of_make_s():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    for job in [*jobs().values(), *gitlab_jobs().values()]:
        for command in commands(job):
            target = re.match(r"make(?: -C \S+)? (\S+)", command)
            if target and not target[1].startswith('"$'):
                assert target[1] in targets, command
    assert set(GITHUB["checks"]["jobs"]["check"]["strategy"]["matrix"]["check"]) <= targets


def test_both_systems_check_the_same_and_deploy_the_same_way():
    (matrix,) = GITLAB["check"]["parallel"]["matrix"]
    assert matrix["CHECK"] == GITHUB["checks"]["jobs"]["check"]["strategy"]["matrix"]["check"]
    assert GITLAB[".deploy"]["script"][-1] == commands(GITHUB["deploy"]["jobs"]["prod"])[-1]
    assert GITLAB["preview"]["script"] == commands(GITHUB["preview"]["jobs"]["account"])
    assert GITLAB["drift"]["script"] == commands(GITHUB["drift"]["jobs"]["look"])


def test_every_environment_is_previewed_deployed_and_watched():
    for workflow, job in (("preview", "account"), ("preview", "local-cloud"), ("drift", "look")):
        assert set(GITHUB[workflow]["jobs"][job]["strategy"]["matrix"]["stack"]) == ENVIRONMENTS
    assert list(GITHUB["deploy"]["jobs"]) == ["dev", "staging", "prod"]
    for job in ("preview", "preview-on-the-local-cloud", "drift"):
        (matrix,) = GITLAB[job]["parallel"]["matrix"]
        assert set(matrix["STACK"]) == ENVIRONMENTS
    for name in ENVIRONMENTS:
        assert (PROJECT / f"Pulumi.{name}.yaml").is_file()
        job = GITHUB["deploy"]["jobs"][name]
        assert job["environment"] == job["env"]["STACK"] == name
        assert job["concurrency"] == {"group": f"deploy-{name}", "cancel-in-progress": False}
        assert GITLAB[f"deploy-{name}"]["variables"] == {"STACK": name}


def test_secrets_are_for_jobs_of_an_environment_and_never_for_forks():
    for (workflow, name), job in jobs().items():
        text = yaml.safe_dump(job)
        if "secrets." in text or "id-token" in text:
            assert "environment" in job, (workflow, name)
    conditions = {name: job["if"] for name, job in GITHUB["preview"]["jobs"].items()}
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert conditions["account"].endswith(f"&& {own}")
    assert conditions["local-cloud"].endswith(f"|| {own.replace('==', '!=')}")
    local = yaml.safe_dump(GITHUB["preview"]["jobs"]["local-cloud"])
    assert "secrets." not in local
    assert "id_tokens" not in GITLAB["preview-on-the-local-cloud"]
    assert not GITLAB["preview-on-the-local-cloud"].get("extends")


@pytest.mark.parametrize("name", GITHUB)
def test_a_workflow_starts_without_permissions_and_never_as_the_target_of_a_fork(name):
    document = GITHUB[name]
    assert document["permissions"] == {}
    triggers = document[True]
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)
    for job in document["jobs"].values():
        assert job["permissions"]["contents"] == "read"


def test_gitlab_hands_a_job_s_token_over_in_a_file_that_nobody_else_reads(tmp_path):
    install, *script = GITLAB[".account"]["before_script"]
    assert install == "make toolchain"
    seen = 'import os, stat; p = os.environ["ALIBABA_CLOUD_OIDC_TOKEN_FILE"]; '
    seen += "print(oct(stat.S_IMODE(os.stat(p).st_mode)), open(p).read())"
    script.append(shlex.join([sys.executable, "-c", seen]))
    # As GitLab's runner joins them.
    answer = processes.printed(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join(script)],
        env={**os.environ, "ALIBABA_CLOUD_OIDC_TOKEN": "a.%s.c", "TMPDIR": str(tmp_path)},
    )
    assert answer == "0o600 a.%s.c\n"
    assert oidc.TOKEN_FILE in "".join(script)


def test_no_job_holds_a_key_of_the_account():
    for path in [*WORKFLOWS, PROJECT / ".gitlab-ci.yml"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"ACCESS_KEY|SECRET_KEY", text)
