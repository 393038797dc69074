"""One provider: what is built, downloaded, taken from PATH, and what the SDK is generated from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

from toolchain import go_build, versions

PROJECT = Path(__file__).resolve().parents[3]

WRAPPED = {"3.105.0": "1.285.0"}
"""By release of pulumi-alicloud, the upstream provider in its own provider/go.mod."""


def read(name):
    return (PROJECT / name).read_text(encoding="utf-8")


def required(module):
    """The version of a module that the commands are built from."""
    return re.search(rf"^\t?{re.escape(module)} v(\S+)$", read("toolchain/modules/go.mod"), re.M)[1]


def test_the_provider_is_the_one_that_the_sdk_is_generated_from():
    pinned = re.findall(r"^pulumi-alicloud==(\S+)", read("requirements.txt"), re.MULTILINE)
    assert pinned == re.findall(r"^pulumi-alicloud==(\S+)", read("requirements.in"), re.MULTILINE)
    assert pinned == [versions.ALICLOUD]
    assert WRAPPED[versions.ALICLOUD] == versions.PROVIDER
    assert required("github.com/aliyun/terraform-provider-alicloud") == versions.PROVIDER
    assert ("main.version", versions.ALICLOUD) in go_build.ALICLOUD.variables


def test_the_engine_is_one():
    for module in ("github.com/pulumi/pulumi/pkg/v3", "github.com/pulumi/pulumi/sdk/v3"):
        assert required(module) == versions.PULUMI
    assert versions.write_dotted(versions.PULUMI_MINIMUM) == versions.PULUMI


def test_what_pip_installs_elsewhere_admits_what_is_proven():
    dependencies = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    wanted = {"pulumi": versions.PULUMI, "pulumi-alicloud": versions.ALICLOUD}
    found = dict(re.match(r"([\w-]+)(.*)", dependency).groups() for dependency in dependencies)
    for name, version in wanted.items():
        assert SpecifierSet(found[name]).contains(version)


def test_both_languages_name_these_versions():
    for language in ("en", "zh"):
        text = "".join(
            path.read_text("utf-8") for path in (PROJECT / "docs" / language).glob("*.md")
        )
        assert set(re.findall(r"resource alicloud ([\d.]+)", text)) == {versions.ALICLOUD}
        assert f"alicloud provider {versions.ALICLOUD}" in text
        major, minor, _ = versions.PROVIDER.split(".")
        assert re.search(rf"provider\W+{major}\.{minor}\D", text)
