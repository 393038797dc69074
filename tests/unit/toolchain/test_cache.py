"""The cache holds finished parts only, whatever happens while they are made."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import platformdirs
import pytest

from toolchain import cache


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path)
    return tmp_path / "toolchain"


def write(folder):
    (folder / "file").write_text("done")


def test_a_part_is_made_once():
    made = []

    def make(folder):
        made.append(folder)
        write(folder)

    first = cache.ensure_part("part-1", make)
    assert cache.ensure_part("part-1", make) == first
    assert (first / "file").read_text() == "done"
    assert len(made) == 1


def test_a_failure_leaves_nothing_behind(root):
    def fail(folder):
        write(folder)
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        cache.ensure_part("part-1", fail)
    assert not cache.has("part-1")
    assert [path.name for path in root.iterdir()] == ["part-1.lock"]


def _hang(folder):
    write(folder)
    (folder / "reached").touch()
    time.sleep(60)


def test_a_run_that_is_killed_leaves_nothing_that_looks_finished(root):
    process = multiprocessing.get_context("fork").Process(
        target=cache.ensure_part, args=("part-1", _hang), daemon=True
    )
    process.start()
    while not list(root.glob("part-1.partial-*/reached")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not cache.has("part-1")
    cache.ensure_part("part-1", write)
    assert sorted(path.name for path in root.iterdir()) == ["part-1", "part-1.lock"]


def _slow(folder):
    with (folder.parent / "made").open("a") as file:
        file.write("x")
    time.sleep(0.2)
    write(folder)


def test_two_runs_at_once_make_it_once(root):
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=cache.ensure_part, args=("part-1", _slow)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert (root / "made").read_text() == "x"
