"""What a run of the tests takes along, leaves to others, and does not forgive."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import psutil
import pytest

from operations.project import PROJECT
from tests import processes, selection

IN_ORDER = """
import pytest

pytestmark = pytest.mark.in_order
seen = []

def test_first():
    seen.append(1)

@pytest.mark.long
def test_long():
    seen.append(2)

def test_last():
    assert seen == [1]
"""

LEAVES_ONE = """
import subprocess, sys

def test_leaves_a_process(tmp_path):
    command = f"'{sys.executable}' -c 'import time; time.sleep(600)' '{tmp_path}/it' >&- 2>&- &"
    subprocess.run(command, shell=True, check=True)
"""


def run(folder, text, *options):
    """A run of its own, with the hooks of this one."""
    path = folder / "test_it.py"
    path.write_text(text)
    project = ("--rootdir", PROJECT, "-c", PROJECT / "pyproject.toml")
    plain = ("-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--basetemp", folder / "base")
    return processes.run(
        [sys.executable, "-m", "pytest", *project, *plain, *(options or (path,))], cwd=PROJECT
    )


@pytest.mark.parametrize("options", [("--random-order",), ("-k", "last")])
def test_a_test_that_goes_on_from_others_brings_them_along(tmp_path, options):
    name = f"{tmp_path / 'test_it.py'}::test_last" if options[0] != "-k" else tmp_path
    done = run(tmp_path, IN_ORDER, name, *options)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_a_run_that_leaves_a_process_behind_fails_and_ends_it(tmp_path):
    done = run(tmp_path, LEAVES_ONE)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("left behind: ")]
    psutil.wait_procs(processes.running_below(tmp_path), timeout=5)
    assert "time.sleep" in line
    assert not processes.running_below(tmp_path)


def item(file):
    return SimpleNamespace(path=PROJECT / file)


def test_slices_share_out_all_files():
    items = [item(f"tests/engine/test_{number}.py") for number in range(7) for _ in range(2)]
    texts = [f"{number:x}" for number in range(40)]
    slices = {tuple(one.path for one in selection.in_slice(items, f"{text}/3")) for text in texts}
    assert len(slices) == 3
    assert sorted(path for slice_ in slices for path in slice_) == sorted(one.path for one in items)


@pytest.mark.parametrize("text", ["", "3", "a/", "a/0", "a/b", "a/-1"])
def test_a_slice_that_is_none_is_refused(text):
    with pytest.raises(pytest.UsageError, match="TEXT/COUNT"):
        selection.in_slice([], text)
