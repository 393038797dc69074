"""A package of the distribution is unpacked with the libraries that it misses, for its user."""

from __future__ import annotations

import os
import subprocess
import textwrap

import pytest

from localcloud import debian_package
from localcloud.debian_package import DebianPackage

PACKAGE = DebianPackage("greeter", ("greet", "wave"))


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def apt(monkeypatch, tmp_path):
    """Stands for apt and dpkg: a package whose program is in the folder that is given."""
    programs = tmp_path / "programs"
    programs.mkdir()

    def made(place="usr/bin", commands=PACKAGE.commands):
        scripts = {
            "apt-cache": "printf 'greeter\\n  Depends: libgreet1\\n  Depends: libc6\\n'",
            "dpkg-query": "printf 'libc6 installed\\n'",
            "apt-get": 'echo "$@" >> "$LOG"; [ "$1" != download ] || touch greeter_1.deb',
            "dpkg-deb": textwrap.dedent(f"""\
                [ "$1" != -f ] || {{ echo 2:1.0-1; exit; }}
                mkdir -p "$3/{place}"
                for command in {" ".join(commands)}; do
                  printf '#!/bin/sh\\necho "$0" "$LD_LIBRARY_PATH" "$@"' > "$3/{place}/$command"
                  chmod 700 "$3/{place}/$command"
                done"""),
        }
        for name, script in scripts.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o700)
        monkeypatch.setenv("LOG", str(tmp_path / "log"))
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        return tmp_path / "log"

    return made


@pytest.mark.parametrize("place", ["usr/bin", "usr/sbin", "bin"])
def test_every_command_starts_with_the_packages_libraries(apt, place):
    log = apt(place)
    assert PACKAGE.unpack() == "apt-get download"
    assert log.read_text() == "download greeter libgreet1\n"
    (folder,) = PACKAGE.find_cached()
    assert folder.name == "2-1.0-1"
    for command in PACKAGE.commands:
        done = subprocess.run([folder / command, "a b"], capture_output=True, text=True, check=True)
        program, libraries, *arguments = done.stdout.split(" ", 2)
        assert program == f"{folder}/{place}/{command}"
        assert libraries.startswith(f"{folder}/usr/lib/")
        assert arguments == ["a b\n"]


def test_a_package_without_a_command_is_not_kept(apt):
    apt(commands=["greet"])
    assert PACKAGE.unpack() == "apt-get download failed: greeter has no wave"
    assert PACKAGE.find_cached() == []
    assert not list(PACKAGE.directory().glob("partial-*"))


def test_root_installs_it_and_reads_the_lists_only_where_that_fails(apt, monkeypatch):
    log = apt()
    monkeypatch.setattr(debian_package.os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian_package.Path, "exists", lambda _: False)
    said: list[str] = []

    def say(line):
        assert not log.exists()  # the line comes first
        said.append(line)

    assert PACKAGE.install(say) == "apt-get install"
    assert said == [
        "Installing the package greeter for the whole system by apt-get "
        "(SLB_MUTUAL_TLS_NO_INSTALL=1 forbids it: then it is unpacked into the cache)."
    ]
    assert log.read_text() == (
        "install -y --no-install-recommends -o DPkg::Lock::Timeout=900 greeter\n"
    )


def test_others_do_not_install_it(apt, monkeypatch):
    log = apt()
    monkeypatch.setattr(debian_package.os, "geteuid", lambda: 1000)
    assert PACKAGE.install(pytest.fail) == "apt-get install needs root"
    assert not log.exists()


def test_a_variable_forbids_installing_and_leaves_unpacking(apt, monkeypatch):
    log = apt()
    monkeypatch.setattr(debian_package.os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian_package.Path, "exists", lambda _: False)
    monkeypatch.setenv(debian_package.FORBIDDEN, "1")
    assert PACKAGE.install(pytest.fail) == "SLB_MUTUAL_TLS_NO_INSTALL forbids apt-get install"
    assert not log.exists()
    monkeypatch.setattr(debian_package.os, "geteuid", lambda: 1000)
    assert PACKAGE.unpack() == "apt-get download"
