"""Where the parts come from, and what is said where none can be had."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys

import platformdirs
import pytest

from toolchain import cache, go_build, install, versions
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter


@pytest.fixture(autouse=True)
def _own_cache_and_path(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv(install.SOURCE_VARIABLE, raising=False)
    (tmp_path / "bin").mkdir()


@pytest.fixture
def put_on_path(tmp_path):
    def put(name, says):
        script = tmp_path / "bin" / name
        script.write_text(f"#!/bin/sh\necho '{says}'\n")
        script.chmod(0o755)

    return put


@pytest.fixture
def no_download(monkeypatch):
    def refuse(*_arguments, **_options):
        raise ToolchainError("Pulumi could not be downloaded.")

    monkeypatch.setattr(install.download, "fetch_cli", refuse)


def ensure():
    with Reporter() as reporter:
        return install.ensure(reporter)


def test_what_is_on_path_is_taken(put_on_path):
    put_on_path("pulumi", "v3.300.0")
    put_on_path("pulumi-language-python", "")
    put_on_path("pulumi-resource-alicloud", versions.ALICLOUD)
    toolchain = ensure()
    assert toolchain.pulumi.name == "pulumi"
    assert toolchain.folders == ()


@pytest.mark.parametrize("says", ["v3.105.0", "3.105.0"])
def test_a_provider_of_the_sdk_s_version_on_path_is_taken(put_on_path, says):
    put_on_path("pulumi", "v3.300.0")
    put_on_path("pulumi-language-python", "")
    put_on_path("pulumi-resource-alicloud", says)
    assert ensure().folders == ()


@pytest.mark.parametrize(
    ("says", "told"),
    [("v4.0.0", "4.0.0"), ("3.105.1", "3.105.1"), ("usage:", "of unknown version")],
)
def test_another_provider_on_path_is_not_taken_without_a_word(put_on_path, says, told):
    put_on_path("pulumi", "v3.300.0")
    put_on_path("pulumi-language-python", "")
    put_on_path("pulumi-resource-alicloud", says)
    wanted = rf"on PATH \(.*\) is {re.escape(told)}.*made for {re.escape(versions.ALICLOUD)}"
    with pytest.raises(ToolchainError, match=wanted):
        ensure()


def cli(tmp_path, plugins, install="exit 1"):
    """A Pulumi CLI whose plugin folder holds some versions of the provider."""
    listed = json.dumps([{"name": "alicloud", "version": version} for version in plugins])
    script = tmp_path / "bin" / "pulumi"
    script.write_text(f"""#!/bin/sh
case "$1 $2" in
  "version ") echo v3.300.0;;
  "plugin ls") echo '{listed}';;
  "plugin install") {install};;
esac
""")
    script.chmod(0o755)


def test_another_provider_in_the_plugin_folder_is_told_and_the_right_one_installed(
    put_on_path, tmp_path, capfd
):
    put_on_path("pulumi-language-python", "")
    cli(tmp_path, ["4.0.0"], install="exit 0")
    assert ensure().folders == ()
    told = " ".join(capfd.readouterr().err.split())
    assert f"plugin folder is 4.0.0, and this program is made for {versions.ALICLOUD}" in told


def test_a_cli_that_gives_no_answer_is_ended(put_on_path, tmp_path, monkeypatch, fake_go, capfd):
    """As where `pulumi plugin install` asks a server that accepts and never answers."""
    put_on_path("pulumi-language-python", "")
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        port = black_hole.getsockname()[1]
        asks = f"import socket; socket.create_connection(('127.0.0.1', {port})).recv(1)"
        cli(tmp_path, [], install=f'{sys.executable} -c "{asks}"')
        monkeypatch.setattr(install, "INSTALL_SECONDS", 3)
        ensure()
    assert fake_go == ["pulumi-resource-alicloud"]
    assert "could not be downloaded" in capfd.readouterr().err


@pytest.mark.parametrize("version", ["v3.100.0", "dev"])
def test_an_old_cli_on_path_is_not_taken(put_on_path, no_download, version, capfd):
    put_on_path("pulumi", version)
    put_on_path("pulumi-language-python", "")
    with pytest.raises(ToolchainError):
        ensure()
    assert f"{version}, older than 3.276.0" in capfd.readouterr().err


def test_without_go_and_download_it_says_what_to_install(no_download):
    with pytest.raises(ToolchainError, match=r"Go is not on PATH.*install the.*built here, Go"):
        ensure()


def test_a_go_that_is_too_old_is_named(put_on_path, no_download):
    put_on_path("go", "go1.19.8")
    with pytest.raises(ToolchainError, match=r"is go1\.19\.8: building needs 1\.21\.0 or newer"):
        ensure()


def test_a_source_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setenv(install.SOURCE_VARIABLE, "docker")
    with pytest.raises(ToolchainError, match=r"'docker'.*one of path, download, build"):
        ensure()


def test_only_path_allowed_and_nothing_there(monkeypatch):
    monkeypatch.setenv(install.SOURCE_VARIABLE, "path")
    with pytest.raises(ToolchainError, match=r"no Pulumi CLI of version 3\.276\.0 or newer"):
        ensure()


@pytest.fixture
def fake_go(put_on_path, monkeypatch, tmp_path):
    """A Go that "builds", and a record of what."""
    put_on_path("go", "go1.26.8")
    built = []

    def build(_go, commands, output, *, memory, reporter):
        for command in commands:
            (output / command.name).write_text(command.name)
            built.append(command.name)

    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "helper").write_text("")
    monkeypatch.setattr(go_build, "build", build)
    monkeypatch.setattr(install, "_scripts", lambda _go, _command: [scripts / "helper"])
    return built


def test_parts_that_were_built_once_are_used_without_asking_anybody(
    fake_go, no_download, monkeypatch
):
    first = ensure()
    assert sorted(fake_go) == sorted(c.name for c in install.BUILT)
    fake_go.clear()

    def unexpected(*_arguments, **_options):
        raise AssertionError("looked for a download though everything is built")

    monkeypatch.setattr(install.download, "fetch_cli", unexpected)
    assert ensure() == first
    assert fake_go == []


def test_a_build_that_fails_leaves_the_others_and_is_told(fake_go, no_download, monkeypatch):
    works = go_build.build

    def fail(go, commands, output, **options):
        works(go, [c for c in commands if c is not go_build.PULUMI], output, **options)
        raise ToolchainError("pulumi could not be built")

    monkeypatch.setattr(go_build, "build", fail)
    with pytest.raises(ToolchainError, match=r"pulumi could not be built"):
        ensure()
    assert cache.has(go_build.ALICLOUD.cache_key)
    assert not cache.has(go_build.PULUMI.cache_key)
    fake_go.clear()
    monkeypatch.setattr(go_build, "build", works)
    ensure()
    assert fake_go == ["pulumi"]


def test_the_environment_puts_the_parts_before_the_users_path(fake_go, no_download):
    path = ensure().environment()["PATH"].split(":")
    assert shutil.which("pulumi", path=":".join(path)) is None  # the fakes are no executables
    assert [p for p in path if "pulumi-resource-alicloud" in p]


def with_nodejs(toolchain):
    with Reporter() as reporter:
        return install.add_nodejs(toolchain, reporter)


def test_a_language_host_for_typescript_is_built_when_it_is_asked_for_and_kept(
    fake_go, no_download
):
    first = ensure()
    assert "pulumi-language-nodejs" not in fake_go
    extended = with_nodejs(first)
    assert extended.folders[:-1] == first.folders
    assert (extended.folders[-1] / "pulumi-language-nodejs").is_file()
    assert ensure() == extended


def test_an_official_language_host_for_typescript_is_taken(put_on_path, fake_go):
    for name in ("pulumi-language-python", "pulumi-language-nodejs"):
        put_on_path(name, "")
    put_on_path("pulumi-resource-alicloud", versions.ALICLOUD)
    put_on_path("pulumi", "v3.300.0")
    toolchain = ensure()
    assert with_nodejs(toolchain) == toolchain
    assert fake_go == []


def test_how_long_it_takes_is_said_of_what_is_missing(fake_go, no_download, capfd):
    first = ensure()
    assert "this takes 4 to 10 minutes" in capfd.readouterr().err
    with_nodejs(first)
    assert "this takes up to 2 minutes" in capfd.readouterr().err
