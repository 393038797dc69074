from __future__ import annotations

from pathlib import Path

import pytest

from localcloud import debian_package
from localcloud.dataplane import haproxy_binary
from localcloud.dataplane.model import DataPlaneError

GOOD = (
    "HAProxy version 2.6.12-1 2023/12/16 - https://haproxy.org/\nBuilt with OpenSSL version : 3\n"
)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """No HAProxy on PATH, an empty cache, and no settings of the machine."""
    monkeypatch.delenv("SLB_MUTUAL_TLS_HAPROXY", raising=False)
    monkeypatch.setenv("SLB_MUTUAL_TLS_HAPROXY_SOURCE", "unpack")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kind = debian_package.DebianPackage
    monkeypatch.setattr(kind, "install", lambda _: "apt-get install was tried")
    monkeypatch.setattr(kind, "unpack", lambda _: "apt-get download was tried")


def fake(path: Path, output: str = GOOD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'E'\n{output}E\n")
    path.chmod(0o700)
    return path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD, None),
        (GOOD.replace("OpenSSL version", "SSL library version"), None),
        (GOOD.replace("2.6.12", "3.2.1"), None),
        (GOOD.replace("2.6.12", "2.4.0"), None),
        (GOOD.replace("2.6.12", "2.3.9"), "is HAProxy 2.3, older than 2.4"),
        ("HA-Proxy version 1.8.4\n", "is HAProxy 1.8, older than 2.4"),
        (GOOD.splitlines()[0], "is built without TLS"),
        ("nginx version 2.6\n", "is not HAProxy"),
    ],
)
def test_a_build_is_judged_by_its_version_and_tls(text, problem):
    assert haproxy_binary.find_version_problem(text) == problem


def test_the_environment_decides_first(monkeypatch, tmp_path):
    given = fake(tmp_path / "mine")
    fake(haproxy_binary.PACKAGE.directory() / "2.6" / "haproxy")
    monkeypatch.setenv("SLB_MUTUAL_TLS_HAPROXY", str(given))
    assert haproxy_binary.find() == given


def test_an_unusable_executable_in_the_environment_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("SLB_MUTUAL_TLS_HAPROXY", str(tmp_path / "missing"))
    with pytest.raises(DataPlaneError, match="SLB_MUTUAL_TLS_HAPROXY names"):
        haproxy_binary.ensure(print)


def test_path_comes_before_the_cache_unless_it_is_too_old(monkeypatch, tmp_path):
    monkeypatch.delenv("SLB_MUTUAL_TLS_HAPROXY_SOURCE")
    cached = fake(haproxy_binary.PACKAGE.directory() / "2.6" / "haproxy")
    on_path = fake(tmp_path / "bin" / "haproxy")
    monkeypatch.setenv("PATH", f"{on_path.parent}:/usr/bin:/bin")
    assert haproxy_binary.find() == on_path
    fake(on_path, GOOD.replace("2.6.12", "2.2.0"))
    assert haproxy_binary.find() == cached


def test_unfinished_folders_of_the_cache_are_not_used():
    fake(haproxy_binary.PACKAGE.directory() / "partial-x" / "haproxy")
    assert haproxy_binary.find() is None


def test_nothing_to_be_had_says_what_was_tried_and_what_to_do():
    said = []
    with pytest.raises(DataPlaneError) as error:
        haproxy_binary.ensure(said.append)
    assert said == ["Unpacking the distribution's HAProxy package for this user."]
    assert "apt-get download was tried" in str(error.value)
    assert "apt-get install was tried" not in str(error.value)
    for hint in ("apt-get install haproxy", "dnf install haproxy", "brew install haproxy"):
        assert hint in str(error.value)


def test_a_package_that_was_unpacked_is_used(monkeypatch):
    executable = haproxy_binary.PACKAGE.directory() / "2.6" / "haproxy"
    monkeypatch.setattr(debian_package.DebianPackage, "unpack", lambda _: str(fake(executable)))
    assert haproxy_binary.ensure(lambda _: None) == executable


def test_only_libraries_of_the_package_are_downloaded():
    listing = """haproxy
  PreDepends: dpkg
  Depends: libc6
 |Depends: libsystemd0
  Depends: <libvirtual>
  Depends: adduser
libc6
  Depends: libgcc-s1
libgcc-s1
  Depends: libc6
adduser
  Depends: libperl5
"""
    reached = debian_package.read_libraries(listing, "haproxy")
    assert reached == {"libc6", "libsystemd0", "libgcc-s1"}


def test_the_cache_is_private():
    assert haproxy_binary.PACKAGE.directory().stat().st_mode & 0o777 == 0o700
