"""How modules hang together: who imports whom, and that a class's name means one thing."""

from __future__ import annotations

import ast
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "-z", "*.py"], cwd=PROJECT, check=True, capture_output=True, text=True
).stdout.split("\0")
FILES = {
    name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): PROJECT / name
    for name in filter(None, TRACKED)
    if (PROJECT / name).is_file()
}
"""Files by the modules that they are."""

OPERATIONS = [module for module in FILES if module.split(".")[0] == "operations"]
CLB = "operations.clb"
COMPONENTS = [module for module in FILES if module.split(".")[0] == "components"]
WITH_CLB = (
    "components.args",
    "components.arguments.service",
    "components.assembly",
    "components.clb",
    "components.service",
)
"""Components, and arguments, of a whole service, whose load balancer is CLB."""

SAME_NAMES = {
    "Handler": "the page of the instances, and the short form of it that they run",
    "Server": "the same",
    "Provider": "each dynamic resource has one, and states refer to it by this name",
    "ServerCertificate": "the component, and the resource in it whose type token has the name",
}
"""Names that several classes have, with the reason why they do."""


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def absolute(module: str, node: ast.ImportFrom) -> str:
    """Module that a `from` import names, from the project's folder."""
    if not node.level:
        return node.module or ""
    package = module.split(".")
    if FILES[module].name != "__init__.py":
        package = package[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])


@cache
def imported(module: str) -> frozenset[str]:
    """Modules of the project that one imports, at its top or later."""
    names = set()
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = absolute(module, node)
            members = {f"{source}.{alias.name}" for alias in node.names}
            names |= (members & FILES.keys()) or {source}
    return frozenset(names & FILES.keys())


def reached(module: str) -> set[str]:
    """Modules of the project that one imports, or that those import."""
    known: set[str] = set()
    pending = [module]
    while pending:
        new = imported(pending.pop()) - known
        known |= new
        pending += new
    return known


def under(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_operations_import_each_other_in_no_circle() -> None:
    TopologicalSorter({module: imported(module) for module in OPERATIONS}).prepare()


def test_ca_clients_certificates_and_backends_know_nothing_of_clb() -> None:
    independent = [module for module in COMPONENTS if not any(under(module, w) for w in WITH_CLB)]
    assert {"components.private_ca", "components.backend_servers"} <= set(independent)
    assert len(independent) > 45
    for module in independent:
        known = [other for other in imported(module) if under(other, "components.clb")]
        assert not known, module
        text = FILES[module].read_text(encoding="utf-8")
        assert "alicloud.slb" not in text, module


def test_verification_and_hand_over_know_nothing_of_clb() -> None:
    independent = [
        module
        for module in OPERATIONS
        for package in ("operations.verification", "operations.certificates", "operations.report")
        if under(module, package)
    ]
    assert len(independent) > 10
    for module in independent:
        assert not [other for other in reached(module) if under(other, CLB)], module
        sdk = [
            node
            for node in ast.walk(parsed(module))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("alibabacloud_")
        ]
        assert not sdk, module


def test_commands_alone_know_of_clb() -> None:
    for module in OPERATIONS:
        if not under(module, CLB) and not under(module, "operations.commands"):
            assert not [other for other in imported(module) if under(other, CLB)], module


def classes() -> Iterator[tuple[str, str]]:
    """Name and module of every class, but of those that a file of tests has for itself.

    The local cloud's services name a request after its action, and products share some.
    """
    for module, file in FILES.items():
        if not file.name.startswith("test_") and not under(module, "localcloud.services"):
            for node in ast.walk(parsed(module)):
                if isinstance(node, ast.ClassDef):
                    yield node.name, module


def test_no_two_classes_have_one_name() -> None:
    modules = defaultdict(set)
    for name, module in classes():
        modules[name].add(module)
    shared = {name: found for name, found in modules.items() if len(found) > 1}
    assert {name: found for name, found in shared.items() if name not in SAME_NAMES} == {}
