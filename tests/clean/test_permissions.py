"""No file of the project, of the per-user cache or of a running stack is open to other users."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import platformdirs
import pytest

from operations.project import PROJECT
from tests import processes

OTHERS = stat.S_IRWXG | stat.S_IRWXO
WRITABLE = stat.S_IWGRP | stat.S_IWOTH


def below(folder):
    """Files and folders, without following links; with the folder itself."""
    yield folder
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(place, name)


def reachable(folder):
    """What other users get at: it is not closed itself, nor is a folder above it."""
    open_folders = {folder.parent}
    for path in below(folder):
        mode = path.lstat().st_mode
        if path.parent in open_folders and mode & OTHERS:
            yield path
            if stat.S_ISDIR(mode):
                open_folders.add(path)


def test_git_has_plain_files_and_no_link():
    listed = processes.printed(["git", "ls-files", "--stage"], cwd=PROJECT).splitlines()
    modes = {line.split("\t")[1]: line.split()[0] for line in listed}
    assert len(modes) > 300
    executable = {name for name, mode in modes.items() if mode == "100755"}
    assert set(modes.values()) == {"100644", "100755"}
    assert all((PROJECT / name).read_bytes().startswith(b"#!") for name in executable)


def test_nothing_private_is_in_git():
    names = processes.run(
        ["git", "grep", "-lE", "^-----BEGIN [A-Z ]*PRIVATE KEY-----$"], cwd=PROJECT
    ).stdout.splitlines()
    assert [name for name in names if not name.startswith("tests/")] == []


def test_the_cache_is_its_owners_alone():
    cache = platformdirs.user_cache_path("slb-mutual-tls")
    if not cache.is_dir():
        pytest.skip("there is no cache yet")
    assert {path for part in cache.iterdir() for path in reachable(part)} == set()


@pytest.mark.engine
def test_a_running_stack_shows_nothing_to_others(service):
    home = service.bundle.parent
    for private in (home / "local", service.bundle):
        assert set(reachable(private)) == set()
    # Nor would anything be open to others if its folder were.
    secrets = [
        service.bundle,
        *(home / "local").glob("**/*.pem"),
        *(home / "local").glob("**/*.key"),
    ]
    assert len(secrets) > 2
    for path in (one for folder in secrets for one in below(folder)):
        assert not path.lstat().st_mode & OTHERS, path


def test_what_the_project_writes_cannot_be_written_by_others():
    cache = platformdirs.user_cache_path("slb-mutual-tls")
    loose = [
        path
        for path in (below(cache) if cache.is_dir() else ())
        if not path.is_symlink() and path.lstat().st_mode & WRITABLE
    ]
    assert loose == []
