"""What `make` says before it can do anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import processes

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path):
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return processes.run(["make", *arguments], cwd=folder, env=processes.of_a_fresh_shell())


def test_a_python_too_old_is_one_sentence(clone):
    old = clone / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2"\nexit 1\n')
    old.chmod(0o755)
    answer = make(clone, "up", f"PYTHON={old}")
    assert answer.returncode != 0
    assert (
        f"error: {old} is Python 3.9.2: Python 3.11 or newer is needed; say which: "
        "make PYTHON=python3.12 up" in answer.stderr
    )
    assert not (clone / ".venv").exists()


def test_a_missing_python_is_one_sentence(clone):
    answer = make(clone, "test", "PYTHON=python-that-is-not-there")
    assert answer.returncode != 0
    assert "error: python-that-is-not-there is not on PATH: install Python 3.11" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_packages_that_cannot_be_installed_leave_no_stamp(clone):
    (clone / "requirements.txt").write_text("no-such-package==1 --hash=sha256:00\n")
    answer = make(clone, ".venv/runtime", "PYTHON=python3", "PIP_NO_INDEX=1")
    assert answer.returncode != 0
    assert not (clone / ".venv" / "runtime").exists()


def test_help_names_every_command(clone):
    listed = {line.split()[0] for line in make(clone).stdout.splitlines()}
    text = (clone / "Makefile").read_text()
    phony = text.split(".PHONY:")[1].split("\n\n")[0].replace("\\\n", " ").split()
    assert listed == set(phony)


def test_the_options_of_one_command_do_not_reach_another(clone):
    makefile = clone / "Makefile"
    makefile.write_text(f"{makefile.read_text()}\nshow:\n\t@echo [$${{ARGS-}}]\n")
    assert make(clone, "show", "ARGS=--seed=0").stdout == "[]\n"
