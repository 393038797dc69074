"""What `make` says before it can do anything."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
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


def test_what_python_compiles_is_kept_for_the_next_process(clone, monkeypatch):
    makefile = clone / "Makefile"
    ask = 'python3 -c "import sys; print(sys.dont_write_bytecode)"'
    makefile.write_text(f"{makefile.read_text()}\nshow:\n\t@{ask}\n")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert make(clone, "show").stdout == "False\n"


def test_clean_stops_the_cloud_also_where_no_python_is_left_to_ask(clone):
    home = clone.resolve() / ".local" / "cloud"
    home.mkdir(parents=True)
    # What is left of an environment: a Python without packages, and the stamps.
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "runtime").touch()
    name = ["localcloud", "serve", "--home", str(home), "--port", "0"]
    with subprocess.Popen(["sleep", "120"], executable="/bin/sleep") as other:
        line = [sys.executable, "-c", "import time; time.sleep(120)", *name]
        with subprocess.Popen(line) as cloud:
            try:
                (home / "running.json").write_text(f'{{"pid": {other.pid}, "port": 1}}')
                assert make(clone, "clean").returncode == 0
                assert other.poll() is None, "another program had its number"
                home.mkdir(parents=True)
                (home / "running.json").write_text(f'{{"pid": {cloud.pid}, "port": 1}}')
                # Whoever started it takes the zombie away.
                waiter = threading.Thread(target=cloud.wait)
                waiter.start()
                answer = make(clone, "clean")
                waiter.join(60)
                assert (answer.returncode, answer.stderr) == (0, "Stopped.\n")
                assert cloud.returncode == -signal.SIGTERM
            finally:
                other.kill()
                cloud.kill()
    assert not (clone / ".venv").exists()
    assert not (clone / ".local").exists()
    assert make(clone, "clean").returncode == 0


@pytest.mark.parametrize(("stamp", "options"), [(True, ""), (False, "--clear ")])
def test_what_an_interrupted_clean_left_is_no_environment(clone, stamp, options):
    python = clone / "python3.12"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] || {{ echo "$@" > {clone}/asked; exit 1; }}\n')
    python.chmod(0o755)
    (clone / ".venv").mkdir()
    if stamp:
        (clone / ".venv" / "runtime").touch()
        os.utime(clone / ".venv" / "runtime", (0, 0))
    assert make(clone, ".venv/runtime", f"PYTHON={python}").returncode != 0
    assert (clone / "asked").read_text() == f"-m venv {options}.venv\n"
