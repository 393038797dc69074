"""Every dependency is used, says what for, and is pinned with hashes; and the bill of materials."""

from __future__ import annotations

import ast
import functools
import json
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from operations.project import PROJECT
from tests import processes

FILES = ("requirements", "requirements-dev", "requirements-docs", "policy/requirements")
PROGRAM = (
    "acceptance",
    "benchmarks",
    "components",
    "configuration",
    "localcloud",
    "operations",
    "toolchain",
    "__main__.py",
)
OWN = {"adapter", "documentation", "policy", "rules", "slb_mutual_tls", "tests"}
"""Modules of the project beside those of the program."""

COMMANDS = {
    "bandit": "tests/clean/test_bandit.py",
    "check-jsonschema": "Makefile",
    "cyclonedx-bom": "Makefile",
    "mypy": "Makefile",
    "pip-audit": "Makefile",
    "pytest-cov": "Makefile",
    "pytest-random-order": "tests/conftest.py",
    "pytest-xdist": "Makefile",
    "pkilint": "tests/conformance/test_pkilint.py",
    "ruff": "Makefile",
    "setuptools": "pyproject.toml",
    "types-psutil": "requirements.in",
    "types-pyyaml": "requirements.in",
    "uv": "Makefile",
    "zizmor": "Makefile",
}
"""Those that are run, or read by mypy, and not imported; and where that is seen."""


def canonical(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(file: str) -> dict[str, str]:
    """Reasons by canonical name, as a file of direct dependencies has them."""
    found = {}
    for line in (PROJECT / f"{file}.in").read_text().splitlines():
        if line and not line.startswith(("#", "-")):
            name, _, reason = line.partition("#")
            # Without its version, and the platforms that have it.
            found[canonical(re.split("[<=;]", name)[0].strip())] = reason.strip()
    return found


@functools.cache
def imported(*places: str) -> frozenset[str]:
    """Distributions that the code there imports."""
    # The namespace google is shared; the code imports protobuf's part.
    known = {**packages_distributions(), "google": ["protobuf"]}
    files = [
        path
        for place in places
        for path in (
            [PROJECT / place] if place.endswith(".py") else (PROJECT / place).rglob("*.py")
        )
        if ".venv" not in path.parts
    ]
    modules = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    own = {Path(place).stem for place in PROGRAM} | OWN
    return frozenset(
        canonical(name)
        for module in modules - own - sys.stdlib_module_names
        for name in known.get(module, [f"?{module}"])
    )


@pytest.mark.parametrize("file", FILES)
def test_every_direct_dependency_says_what_for(file):
    reasons = wanted(file)
    assert reasons
    assert [name for name, reason in reasons.items() if len(reason) < 5] == []


def test_the_program_imports_what_is_named_and_nothing_else():
    assert imported(*PROGRAM) == set(wanted("requirements"))


def test_tests_use_what_is_named_and_nothing_else():
    named = set(wanted("requirements-dev"))
    seen = imported("tests", "docs/clients") - set(wanted("requirements"))
    unused = named - seen - COMMANDS.keys()
    assert unused == set()
    assert seen - named == set()
    for name, place in COMMANDS.items():
        assert name in named
        said = name.removeprefix("types-").removesuffix("-bom").removesuffix("-py")
        assert said.lower() in (PROJECT / place).read_text().lower(), name


def test_the_site_is_built_with_what_is_named_and_nothing_else():
    used = {"mkdocs-material": "name: material", "mkdocs-static-i18n": "- i18n:"}
    assert set(wanted("requirements-docs")) == used.keys()
    for setting in used.values():
        assert setting in (PROJECT / "mkdocs.yml").read_text()


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_pinned_with_hashes(file):
    text = (PROJECT / f"{file}.txt").read_text()
    pins = re.findall(
        r"^([A-Za-z0-9_.-]+)==\S+(?: ;[^\\]*)? \\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.M
    )
    names = re.findall(r"^[A-Za-z0-9].*$", text, re.M)
    assert len(pins) == len(names) > 5
    assert wanted(file).keys() <= {canonical(name) for name, _ in pins}


@pytest.mark.parametrize("file", FILES)
def test_the_bill_of_materials_has_every_package(tmp_path, file):
    """`make sbom`, for one of the files."""
    makefile = (PROJECT / "Makefile").read_text()
    (options,) = re.findall(r"cyclonedx-py requirements (.*) -o ", makefile)
    command = Path(sys.executable).with_name("cyclonedx-py")
    made = tmp_path / "sbom.cdx.json"
    words = [word for word in options.split() if not word.startswith('"')]
    processes.printed([command, "requirements", *words, f"{file}.txt", "-o", made], cwd=PROJECT)
    document = json.loads(made.read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    text = (PROJECT / f"{file}.txt").read_text()
    pins = set(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", text, re.M))
    found = {(one["name"], one["version"]) for one in document["components"]}
    assert {(canonical(n), v) for n, v in found} == {(canonical(n), v) for n, v in pins}
    for one in document["components"]:
        assert one["purl"].startswith("pkg:pypi/")
        assert one["externalReferences"][0]["hashes"]
