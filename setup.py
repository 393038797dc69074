"""Builds the package `slb_mutual_tls`: this repository's components, for other programs.

The repository's top-level names are too common for an environment that others share. So they go
below one name, and the imports by which they know each other with them.
"""

from __future__ import annotations

import ast
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

ROOT = "slb_mutual_tls"

MOVED = ("components", "configuration", "pki", "settings")
"""What the components consist of: packages, and the module `settings`."""


class BuildPy(build_py):
    """Copies modules with their imports adapted."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """List a package's modules; of those beside this file, only what is meant."""
        modules: list[tuple[str, str, str]] = super().find_package_modules(package, package_dir)
        return [one for one in modules if package != ROOT or one[1] in MOVED]

    def build_module(
        self, module: str, module_file: str, package: str
    ) -> tuple[str, bool | int | str]:
        """Copy a module."""
        built: tuple[str, bool | int | str] = super().build_module(module, module_file, package)
        path = Path(built[0])
        path.write_text(below_root(path.read_text(encoding="utf-8")), encoding="utf-8")
        return built


def below_root(source: str) -> str:
    """The source of a module whose imports find the packages below `ROOT`.

    Raises:
        ValueError: It imports one in a way that would bind another name.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(_moved(alias.name) for alias in node.names):
            raise ValueError(f"line {node.lineno}: write `from … import …` for what moves")
        if isinstance(node, ast.ImportFrom) and not node.level and _moved(node.module or ""):
            line = lines[node.lineno - 1]
            lines[node.lineno - 1] = line.replace("from ", f"from {ROOT}.", 1)
    return "".join(lines)


def _moved(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in MOVED


if __name__ == "__main__":
    names = find_namespace_packages(
        include=[pattern for name in MOVED for pattern in (name, f"{name}.*")]
    )
    setup(
        cmdclass={"build_py": BuildPy},
        packages=[ROOT, *(f"{ROOT}.{name}" for name in names)],
        package_dir={ROOT: ".", **{f"{ROOT}.{name}": name for name in MOVED}},
        py_modules=[],
    )
