"""The tests are built once a version, from the sources that were looked through."""

from __future__ import annotations

import json
from pathlib import Path

import platformdirs
import pytest

from acceptance import binary, sources
from tests.unit.acceptance.test_sources import PROVIDER
from toolchain import cache, go_build
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter


@pytest.fixture
def package(tmp_path) -> Path:
    """The provider's package, as far as it is looked at."""
    folder = tmp_path / "alicloud"
    folder.mkdir()
    (folder / "provider.go").write_text(
        "package alicloud\n\nfunc (s *SlbService) DescribeSlbRule(id string) {}\n"
    )
    for name in sources.HELPERS:
        (folder / name).write_text("package alicloud\n")
    (folder / "provider_test.go").write_text(PROVIDER)
    for number, pattern in enumerate(sources.TESTED):
        text = f"package alicloud\n\nfunc TestAccA{number}(t *testing.T) {{\n}}\n"
        (folder / pattern.replace("*", "a")).write_text(text)
    return folder


def test_the_module_has_the_tests_in_the_provider_s_package(package, tmp_path) -> None:
    binary.lay_module(package, tmp_path / "module")
    laid = tmp_path / "module" / "stand-ins" / binary.PACKAGE
    listed = (laid / "acceptance_tests.go").read_text()
    assert listed.count("{Name:") == len(sources.TESTED)
    assert '"DescribeSlbRule"' in listed
    assert not list(laid.glob("*_test.go"))
    assert "oss.New" not in (laid / "provider_acceptance.go").read_text()
    assert (laid / "provider.go").resolve() == package / "provider.go"
    config = json.loads((tmp_path / "module" / "cut.json").read_text())
    assert {one["keysPackage"] for one in config["tables"]} == {binary.COMMAND.package}
    assert (
        '"alicloud_slb_listener": true'
        in (tmp_path / "module" / "acceptance" / "keys.go").read_text()
    )


@pytest.mark.parametrize("missing", [sources.HELPERS[1], sources.TESTED[0], sources.TESTED[6]])
def test_a_module_without_a_file_that_is_known_is_not_built(package, tmp_path, missing) -> None:
    (package / missing.replace("*", "a")).unlink()
    with pytest.raises(ToolchainError, match="has no"):
        binary.lay_module(package, tmp_path / "module")


def test_what_was_built_stays_when_another_version_is_built(package, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path / "cache")
    monkeypatch.setattr(go_build, "require_go", lambda: None)
    monkeypatch.setattr(go_build, "module_directory", lambda _go, _path: package.parent)
    monkeypatch.setattr(
        go_build,
        "build_cut",
        lambda _go, _module, command, output, **_: (output / command.name).touch(),
    )
    keys = iter(["acceptance-tests-1", "acceptance-tests-2", "acceptance-tests-1"])
    monkeypatch.setattr(binary, "cache_key", lambda: next(keys))
    with Reporter() as reporter:
        first, second, again = (binary.ensure(reporter) for _ in range(3))
    assert first == again != second
    assert first.is_file()
    assert cache.has("acceptance-tests-2")
