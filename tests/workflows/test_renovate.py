"""Renovate: that its configuration reaches every file with versions, and what it reads in them."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from operations.project import PROJECT
from tests import processes

CONFIGURATION = json.loads((PROJECT / "renovate.json").read_text(encoding="utf-8"))
COMPILED = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-docs.txt",
    "policy/requirements.txt",
)


def test_no_folder_is_left_out():
    # `config:recommended` leaves out tests/**, and four modules of Go with them, unless told.
    assert CONFIGURATION["ignorePaths"] == []


def test_every_kind_of_file_with_versions_has_its_manager():
    names = processes.printed(["git", "ls-files"], cwd=PROJECT).splitlines()
    (pattern,) = CONFIGURATION["pip-compile"]["managerFilePatterns"]
    matched = [name for name in names if re.search(pattern.strip("/"), name)]
    assert sorted(matched) == sorted(COMPILED)
    # The package's own has no `.in`: what pip installs for it is not pinned by us.
    others = [name for name in names if re.search(r"requirements.*\.txt$", name)]
    assert {name for name in others if f"{name[:-4]}.in" in names} == set(matched)
    kinds = {"gomod": r"(^|/)go\.mod$", "gitlabci": r"^\.gitlab-ci\.yml$"}
    kinds["github-actions"] = r"^\.github/(workflows|actions)/"
    for manager, kind in kinds.items():
        assert [name for name in names if re.search(kind, name)]
        assert manager in CONFIGURATION["enabledManagers"]


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_file_begins_with_the_command_that_renovate_runs_again(name):
    """As its manager pip-compile takes it, by its source: with `=` before an option's value."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    command = re.match(r"(?:#.*?\r?\n)+# {4}(?P<command>\S*)(?P<arguments> .*?)?\r?\n", text)
    assert command["command"] == "uv"
    first, second, *arguments = shlex.split(command["arguments"])
    assert (first, second) == ("pip", "compile")
    allowed = {"--universal", "--generate-hashes", "--python-version", "--output-file"}
    options = [word for word in arguments if word.startswith("-")]
    assert {option.split("=")[0] for option in options} == allowed
    assert f"--output-file={name}" in options
    assert "--python-version=3.11" in options
    assert [word for word in arguments if word not in options] == [name.replace(".txt", ".in")]


def test_make_lock_writes_that_command():
    shown = processes.printed(["make", "--dry-run", "lock"], cwd=PROJECT)
    (command,) = re.findall(r"uv (pip compile .*?)\n *done", shown, re.DOTALL)
    written = command.replace("\\\n", " ").replace("$name", "requirements").split()
    header = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()[1]
    wanted = header.removeprefix("#    uv ").split()
    silent = ("--quiet", "--upgrade")
    assert [word.strip('"').replace('="', "=") for word in written if word not in silent] == wanted
