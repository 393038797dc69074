"""The workflows of GitHub Actions and GitLab CI: what they run, and who gets which secret."""

from __future__ import annotations

import fnmatch
import itertools
import json
import os
import re
import shlex
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from string import Template

import pytest
import yaml

from operations import cloud_api
from operations.project import PROJECT
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


def merged(base, over):
    """As GitLab's `extends` merges: hashes into each other, everything else is replaced."""
    return {
        **base,
        **{
            key: merged(base[key], value)
            if isinstance(value, dict) and isinstance(base.get(key), dict)
            else value
            for key, value in over.items()
        },
    }


def extended(name):
    job = GITLAB[name]
    return merged(extended(job["extends"]), job) if "extends" in job else job


def gitlab_jobs():
    hashes = [name for name, job in GITLAB.items() if isinstance(job, dict) and name[0] != "."]
    found = {name: extended(name) for name in hashes}
    return {name: job for name, job in found.items() if "script" in job}


def steps(job):
    """A job's steps, with those of this repository's actions in their place."""
    for step in job.get("steps", []):
        yield step
        if str(step.get("uses")).startswith("./.github/actions/"):
            yield from read(PROJECT / step["uses"] / "action.yml")["runs"]["steps"]


def commands(job):
    return [step["run"] for step in job.get("steps", []) if "run" in step] + job.get("script", [])


def has_credentials(job):
    """Whether RAM takes its token, or a secret of an environment is for it."""
    return bool({"environment", "id_tokens"} & set(job)) or "id-token" in job.get("permissions", {})


def publishes(job):
    """Whether its token is for the repository's Pages: RAM trusts no such environment."""
    return job.get("environment") == "github-pages"


def after(documents, name):
    """Every job that a job waits for, by `needs`."""
    needs = documents[name].get("needs", [])
    needs = [needs] if isinstance(needs, str) else needs
    return set(needs).union(*(after(documents, need) for need in needs))


def made(job):
    """The calls of make that a job makes, one for each job of its matrix, ready for a shell."""
    if "script" in job:
        (matrix,) = job.get("parallel", {}).get("matrix", [{}])
        rendered = [({**job.get("variables", {}), **one}, job["script"]) for one in each(matrix)]
    else:
        rendered = [
            ({name: in_matrix(value, one) for name, value in variables.items()}, [step["run"]])
            for one in each(job.get("strategy", {}).get("matrix", {}))
            for step in job.get("steps", [])
            if "run" in step
            for variables in [{**job.get("env", {}), **step.get("env", {})}]
        ]
    for variables, lines in rendered:
        for line in lines:
            if line.startswith("make ") and "make -C" not in line:
                yield Template(line).safe_substitute(variables)


def each(matrix):
    return [
        dict(zip(matrix, values, strict=True)) for values in itertools.product(*matrix.values())
    ]


def in_matrix(value, one):
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda name: one[name[1]], str(value))


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
    others = [action for action in used if not action.startswith("./.github/")]
    pinned = r"[\w-]+(/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert [action for action in others if not re.fullmatch(pinned, action)] == []


def test_every_command_is_one_of_make_s():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    for job in [*jobs().values(), *gitlab_jobs().values()]:
        for command in [*commands(job), *made(job)]:
            target = re.match(r"make(?: -C \S+)? (\S+)", command)
            if target and not target[1].startswith('"$'):
                assert target[1].strip('"') in targets, command


def test_both_systems_check_the_same_and_deploy_the_same_way():
    (matrix,) = GITLAB["check"]["parallel"]["matrix"]
    assert matrix["CHECK"] == GITHUB["checks"]["jobs"]["check"]["strategy"]["matrix"]["check"]
    assert GITLAB[".deploy"]["script"][-1] == commands(GITHUB["deploy"]["jobs"]["prod"])[-1]
    assert GITLAB["preview"]["script"] == commands(GITHUB["preview"]["jobs"]["account"])
    assert GITLAB["drift"]["script"] == commands(GITHUB["drift"]["jobs"]["look"])
    (here,), (there,) = GITLAB["long"]["script"], commands(GITHUB["nightly"]["jobs"]["long"])
    assert here.split("=")[0] == there.split("=")[0] == "make test-long BUDGET"
    for name in ("audit", "newer"):
        assert GITLAB[name]["script"] == commands(GITHUB["weekly"]["jobs"][name])


def stacks(name):
    (matrix,) = gitlab_jobs()[name]["parallel"]["matrix"]
    return set(matrix["STACK"])


def test_every_environment_is_previewed_deployed_and_watched():
    for workflow, job in (("preview", "account"), ("preview", "local-cloud"), ("drift", "look")):
        assert set(GITHUB[workflow]["jobs"][job]["strategy"]["matrix"]["stack"]) == ENVIRONMENTS
    assert list(GITHUB["deploy"]["jobs"]) == ["checks", "dev", "staging", "prod"]
    assert stacks("drift") == ENVIRONMENTS
    # Before the merge, prod's secrets are out of a branch's reach on GitLab.
    assert stacks("preview") == stacks("preview-on-the-local-cloud") == ENVIRONMENTS - {"prod"}
    assert stacks("preview-prod-on-the-local-cloud") == {"prod"}
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
    for name in ("preview-on-the-local-cloud", "preview-prod-on-the-local-cloud"):
        assert not has_credentials(gitlab_jobs()[name])


@pytest.mark.parametrize("name", GITHUB)
def test_a_workflow_starts_without_permissions_and_never_as_the_target_of_a_fork(name):
    document = GITHUB[name]
    assert document["permissions"] == {}
    triggers = document[True]
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)
    for job in document["jobs"].values():
        assert job["permissions"]["contents"] == "read"


OPTIONS_THAT_SELECT = re.compile(
    r"-[km]|--(deselect|ignore|ignore-glob|lf|last-failed|co|collect-only|slice)(=|$)"
)


def selections(jobs):
    """Where the runs of pytest that jobs start look for tests, and whether they want long ones."""
    for command in sorted({line for job in jobs for line in made(job)}):
        shown = processes.printed(
            [*shlex.split(command), "--dry-run"], cwd=PROJECT, env=processes.of_a_fresh_shell()
        )
        for run in re.findall(r"-m pytest(.*)", shown):
            words = shlex.split(run)
            assert not list(filter(OPTIONS_THAT_SELECT.match, words)), run
            named = [PROJECT / word for word in words if (PROJECT / word).exists()]
            yield named or [PROJECT / path for path in TEST_PATHS], "--long" in words


TEST_PATHS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "pytest"
]["ini_options"]["testpaths"]


@pytest.mark.parametrize("system", ["GitHub", "GitLab"])
def test_every_test_is_run_on_each_change_or_at_night(system):
    if system == "GitHub":
        changes = list(GITHUB["checks"]["jobs"].values())
        night = list(GITHUB["nightly"]["jobs"].values())
    else:
        changes, night = [gitlab_jobs()["check"]], [gitlab_jobs()["long"]]
    quick = [place for places, long in selections(changes) for place in places if not long]
    slow = [place for places, long in selections(night) for place in places if long]
    folders = {path.parent for path in (PROJECT / "tests").rglob("test_*.py")}
    assert len({folder.relative_to(PROJECT / "tests").parts[0] for folder in folders}) > 8
    for folder in folders:
        assert any(folder.is_relative_to(place) for place in quick), folder
        text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
        if "pytest.mark.long" in text:
            assert any(folder.is_relative_to(place) for place in slow), folder


def test_the_long_tests_end_by_their_budget_and_not_by_the_job_s_time_out():
    hub, lab = GITHUB["nightly"]["jobs"]["long"], GITLAB["long"]
    for job, limit in ((hub, hub["timeout-minutes"] * 60), (lab, seconds(lab["timeout"]))):
        (command,) = commands(job)
        # With time for the test that is being run by then, the installation and the toolchain.
        assert int(command.rpartition("=")[2]) + 1200 <= limit


def test_only_what_passed_the_checks_is_deployed():
    deploy = GITHUB["deploy"]["jobs"]
    assert deploy["checks"]["uses"] == "./.github/workflows/checks.yml"
    for name in ENVIRONMENTS:
        assert "checks" in after(deploy, name)
        # Then it runs without them.
        assert not re.search(r"always\(|failure\(|cancelled\(", deploy[name].get("if", ""))
        # Of the run's own commit, which is what the checks saw.
        assert not [step for step in deploy[name]["steps"] if "ref" in step.get("with", {})]
    assert "github.ref == 'refs/heads/main'" in deploy["dev"]["if"]
    # On GitLab a job without `needs` waits for every job of the stages before its own.
    stage = GITLAB["stages"].index
    checks = gitlab_jobs()["check"]
    for name in ENVIRONMENTS:
        first = {f"deploy-{name}"} | after(gitlab_jobs(), f"deploy-{name}")
        roots = [job for job in map(gitlab_jobs().get, first) if "needs" not in job]
        assert [stage(checks["stage"]) < stage(job["stage"]) for job in roots] == [True]
    assert "allow_failure" not in checks
    (ran,) = (rule["if"] for rule in checks["rules"])
    assert ran == '$CI_PIPELINE_SOURCE != "schedule" || $SCHEDULE == "renew"'


def test_each_deployment_keeps_a_report_with_its_verification(tmp_path):
    (of_lab,) = GITLAB[".deploy"]["script"]
    for name in ENVIRONMENTS:
        job = GITHUB["deploy"]["jobs"][name]
        (script,) = commands(job)
        assert script == of_lab
        upload = job["steps"][-1]
        assert upload["uses"].startswith("actions/upload-artifact@")
        assert upload["if"] == "${{ !cancelled() }}"
        assert upload["with"] == {
            "name": f"report-{name}",
            "path": "out/report.html",
            "if-no-files-found": "error",
        }
        kept = gitlab_jobs()[f"deploy-{name}"]["artifacts"]
        assert (kept["paths"], kept["when"]) == (["out/report.html"], "always")
    assert not gitlab_jobs()["preview-prod"]["artifacts"]
    # As either system runs it: all of it, and what fails first or later fails the job.
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "$@" >&2\necho "[$@]"\n[ "$1" != "$FAILS" ]\n')
    make.chmod(0o755)
    for fails in ("", "up", "verify", "report"):
        done = processes.run(
            ["bash", "-e", "-c", of_lab],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "STACK": "dev", "FAILS": fails},
        )
        ran = [line.split()[0] for line in done.stderr.splitlines()]
        assert ran == ["up", "verify", "report"]
        assert (done.returncode == 0) == (not fails)
        assert (tmp_path / "verification.json").read_text() == "[verify STACK=dev ARGS=--json]\n"


def test_checks_of_main_are_never_cancelled():
    concurrency = GITHUB["checks"]["concurrency"]
    assert concurrency["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    # A group of one run: in a shared one a third run would take the place of the waiting second.
    assert concurrency["group"].endswith("|| github.run_id }}")
    for name in ("deploy", "nightly", "weekly"):
        assert not GITHUB[name].get("concurrency", {}).get("cancel-in-progress")
    for rule in GITLAB["workflow"]["rules"]:
        of_main = "CI_DEFAULT_BRANCH" in rule["if"]
        assert rule["auto_cancel"] == {"on_new_commit": "none" if of_main else "interruptible"}


def test_a_job_with_credentials_takes_nothing_from_a_cache():
    for (workflow, name), job in jobs().items():
        used = [step for step in steps(job) if "cache" in str(step.get("uses"))]
        used += [step for step in steps(job) if "cache" in step.get("with", {})]
        if has_credentials(job):
            assert used == [], (workflow, name)
    assert "cache" not in GITLAB
    assert "cache" not in GITLAB["default"]
    for name, job in gitlab_jobs().items():
        assert has_credentials(job) != ("cache" in job), name


def test_the_toolchain_s_cache_is_named_by_what_determines_it_and_written_by_main_alone():
    toolchain = read(PROJECT / ".github/actions/toolchain/action.yml")["runs"]["steps"]
    preview = GITHUB["preview"]["jobs"]["local-cloud"]["steps"]
    restores = [step for step in (*toolchain, *preview) if "cache/restore@" in step.get("uses", "")]
    assert len(restores) == 2
    for step in restores:
        assert re.search(r"hashFiles\('(base/)?toolchain/\*\*'\)", step["with"]["key"])
        assert step["with"]["path"] == restores[0]["with"]["path"]
        assert "restore-keys" not in step["with"]
    (save,) = (step for step in toolchain if "cache/save@" in step.get("uses", ""))
    assert save["if"].startswith("github.ref == 'refs/heads/main' &&")
    assert save["with"]["path"] == restores[0]["with"]["path"]
    cached = {
        name
        for name, job in jobs().items()
        if any("cache" in str(step.get("uses")) for step in steps(job))
    }
    assert cached == {
        ("checks", "check"),
        ("nightly", "conformance"),
        ("nightly", "long"),
        ("preview", "local-cloud"),
    }
    key = GITLAB[".without-credentials"]["cache"]["key"]
    assert key == {"prefix": "toolchain", "files": ["toolchain/*", "toolchain/**/*"]}


def test_gitlab_brings_back_what_it_kept_and_keeps_what_is_there(tmp_path):
    job = GITLAB[".without-credentials"]
    (kept,) = job["cache"]["paths"]
    lines = job["before_script"]
    moves = lines[1 + next(n for n, line in enumerate(lines) if line.startswith("export PATH")) :]
    home, project = tmp_path / "home", tmp_path / "project"
    for folder in (home, project):
        folder.mkdir()

    def run(script):
        processes.printed(
            ["bash", "-eo", "pipefail", "-c", "\n".join(script)],
            cwd=project,
            env={**os.environ, "HOME": str(home)},
        )

    def parts():
        return [home / ".cache/slb-mutual-tls/toolchain/part", home / ".pulumi/plugins/part"]

    run(moves)
    assert not (project / kept).exists()
    for part in parts():
        part.mkdir(parents=True)
    run(job["after_script"])
    assert [path for path in parts() if path.exists()] == []
    run(moves)
    assert all(path.is_dir() for path in parts())
    assert (home / ".cache/slb-mutual-tls").stat().st_mode & 0o077 == 0


def seconds(text):
    """GitLab's durations, as far as they are used here."""
    count, unit = text.split()
    return timedelta(**{unit: int(count)}).total_seconds()


def test_a_session_outlasts_the_job_that_holds_it():
    for (workflow, name), job in jobs().items():
        if has_credentials(job) and not publishes(job):
            (session,) = (
                step["with"]["role-session-expiration"]
                for step in steps(job)
                if "role-session-expiration" in step.get("with", {})
            )
            assert job["timeout-minutes"] * 60 < session == cloud_api.OIDC_SESSION_SECONDS, (
                workflow,
                name,
            )
    for name, job in gitlab_jobs().items():
        if has_credentials(job):
            limit = job.get("timeout", GITLAB["default"]["timeout"])
            assert seconds(limit) < cloud_api.OIDC_SESSION_SECONDS, name


def test_only_the_documentation_is_published_of_main_and_by_a_job_without_an_account():
    (place,) = [where for where, job in jobs().items() if publishes(job)]
    job = jobs()[place]
    assert place == ("docs", "publish")
    assert "github.ref == 'refs/heads/main'" in job["if"]
    text = yaml.safe_dump(job)
    assert "secrets." not in text
    assert "account" not in text
    assert "environment:github-pages" not in DOCUMENT
    others = [other for where, other in jobs().items() if where != place]
    assert not any("pages" in other["permissions"] for other in others)


def test_gitlab_deploys_prod_by_hand_and_each_stack_once_at_a_time():
    found = gitlab_jobs()
    for rule in found["deploy-prod"]["rules"]:
        assert rule["when"] == "manual"
    # With what it would do before the eyes of whoever starts it.
    assert found["deploy-prod"]["needs"] == ["preview-prod"]
    assert found["preview-prod"]["script"] == ['make review STACK="$STACK"']
    for name in ENVIRONMENTS:
        job = found[f"deploy-{name}"]
        assert job["resource_group"] == "deploy-$STACK"
        assert job["environment"] == {"name": "$STACK"}
        assert job["interruptible"] is False


def test_a_branch_s_pipeline_on_gitlab_has_no_job_that_needs_prod_s_secrets():
    for name, job in gitlab_jobs().items():
        (matrix,) = job.get("parallel", {}).get("matrix", [{}])
        of = {*matrix.get("STACK", []), job.get("variables", {}).get("STACK")}
        merge_request = [rule for rule in job["rules"] if "merge_request_event" in rule["if"]]
        if has_credentials(job) and "prod" in of:
            assert merge_request == [], name


def test_gitlab_s_image_is_pinned_by_digest_and_go_by_its_sum():
    image = GITLAB["default"]["image"]
    assert re.fullmatch(r"python:3\.11-bookworm@sha256:[0-9a-f]{64}", image)
    assert not [name for name, job in gitlab_jobs().items() if "image" in job]
    assert re.fullmatch(r"[0-9a-f]{64}", GITLAB["variables"]["GO_SHA256"])
    assert any("sha256sum --check" in line for line in extended("check")["before_script"])


DOCUMENT = (PROJECT / "docs" / "en" / "continuous-delivery.md").read_text(encoding="utf-8")
OPERATORS = {"StringEquals": str.__eq__, "StringLike": fnmatch.fnmatchcase}
TRUST_POLICIES = [
    policy
    for policy in map(json.loads, re.findall(r"```json\n(\{.*?\})\n```", DOCUMENT, re.DOTALL))
    if "Statement" in policy
]


def conditions(policy):
    """Operator, key and values of each condition, of which one value has to fit."""
    (statement,) = policy["Statement"]
    for operator, by_key in statement["Condition"].items():
        for key, values in by_key.items():
            yield operator, key, [values] if isinstance(values, str) else values


def trusted(subject, issuer):
    """Whether a policy of the document lets in a token, as RAM compares."""

    def by(policy):
        claims = {"oidc:iss": issuer, "oidc:aud": "sts.aliyuncs.com", "oidc:sub": subject}
        return all(
            any(OPERATORS[operator](claims[key], value) for value in values)
            for operator, key, values in conditions(policy)
        )

    return sum(map(by, TRUST_POLICIES))


def test_trust_policies_compare_by_what_their_values_are():
    assert len(TRUST_POLICIES) == 4
    for policy in TRUST_POLICIES:
        (statement,) = policy["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        found = {key: (operator, values) for operator, key, values in conditions(policy)}
        assert set(found) == {"oidc:iss", "oidc:aud", "oidc:sub"}
        # RAM takes nothing else for these two.
        assert {found[key][0] for key in ("oidc:iss", "oidc:aud")} == {"StringEquals"}
        audience = GITLAB[".account"]["id_tokens"]["ALIBABA_CLOUD_OIDC_TOKEN"]["aud"]
        assert found["oidc:aud"][1] == [audience]
        for operator, values in found.values():
            for value in values:
                assert (operator == "StringLike") == bool(set("*?") & set(value)), value


def test_trust_policies_let_in_what_they_are_for_and_nobody_else():
    github, gitlab = "https://token.actions.githubusercontent.com", "https://gitlab.com"
    repository, project = "repo:OWNER/REPOSITORY", "project_path:GROUP/PROJECT:ref_type"
    for subject, issuer, count in (
        (f"{repository}:environment:prod", github, 1),
        (f"{repository}:environment:prod-preview", github, 1),
        (f"{repository}:environment:prod-drift", github, 1),
        (f"{repository}:environment:dev", github, 0),
        (f"{repository}:environment:production", github, 0),
        (f"{repository}:ref:refs/heads/main", github, 0),
        (f"{repository}:pull_request", github, 0),
        (f"{repository}-fork:environment:prod", github, 0),
        (f"{repository}:environment:prod", gitlab, 0),
        # Main is a branch.
        (f"{project}:branch:ref:main", gitlab, 2),
        (f"{project}:branch:ref:feature/1", gitlab, 1),
        (f"{project}:tag:ref:main", gitlab, 0),
        (f"{project}:branch:ref:main", github, 0),
        ("project_path:GROUP/PROJECT-2:ref_type:branch:ref:main", gitlab, 0),
    ):
        assert trusted(subject, issuer) == count, (subject, issuer)


def test_every_environment_has_its_subject_in_the_document():
    named = set()
    for job in jobs().values():
        if "environment" in job and not publishes(job):
            matrix = job.get("strategy", {}).get("matrix", {})
            named |= {in_matrix(job["environment"], one) for one in each(matrix)}
    assert len(named) == 9
    listed = set(re.findall(r"[`\"]repo:OWNER/REPOSITORY:environment:([\w-]+)[`\"]", DOCUMENT))
    assert listed == {name for name in named if name.startswith("prod")}
    for name in named:
        assert f"`{name}`" in DOCUMENT


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
    assert cloud_api.OIDC_TOKEN_FILE in "".join(script)


def test_no_job_holds_a_key_of_the_account():
    for path in [*WORKFLOWS, PROJECT / ".gitlab-ci.yml"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"ACCESS_KEY|SECRET_KEY", text)
