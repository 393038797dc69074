"""Builds the tests from the module that the toolchain builds, once a version and user."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import psutil

from acceptance import sources
from toolchain import cache, go_build, versions
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter

MODULE = "github.com/aliyun/terraform-provider-alicloud"

PACKAGE = f"{MODULE}/alicloud"

COMMAND = go_build.Command(
    name="acceptance-tests",
    package="slb-mutual-tls/toolchain/acceptance",
    variables=(),
    sources=(),
)

HERE = Path(__file__).parent

INGREDIENTS = (HERE / "sources.py", HERE / "binary.py", HERE / "command" / "main.go")
"""Files that decide on the tests' binary, beside those that decide on the toolchain's provider."""


def cache_key() -> str:
    """Key of the tests' binary in the cache: it changes with anything that goes into the build."""
    digest = hashlib.sha256(go_build.ALICLOUD.cache_key.encode())
    for path in INGREDIENTS:
        digest.update(path.read_bytes())
    return f"{COMMAND.name}-{versions.PROVIDER}-go-{digest.hexdigest()[:12]}"


def ensure(reporter: Reporter) -> Path:
    """Find the command that runs the tests, or build it.

    Raises:
        ToolchainError: The build fails, or the sources are not those that were looked through.
    """
    name = cache_key()
    if not cache.has(name):
        go = go_build.require_go()
        with cache.scratch("acceptance-build") as scratch:
            module = scratch / "module"
            output = scratch / "bin"
            output.mkdir()
            lay_module(go_build.module_directory(go, MODULE) / "alicloud", module)
            memory = psutil.virtual_memory().available
            reporter.say("Building the provider's acceptance tests, once: this takes minutes.")
            go_build.build_cut(go, module, COMMAND, output, memory=memory, reporter=reporter)
            cache.ensure_part(name, lambda folder: _move(output / COMMAND.name, folder))
    return cache.directory() / name / COMMAND.name


def _move(executable: Path, folder: Path) -> None:
    executable.rename(folder / executable.name)


def lay_module(package: Path, module: Path) -> None:
    """Write the module to build: the toolchain's, with the tests in the provider's package.

    Args:
        package: Folder of the provider's package.
        module: Folder to write to.

    Raises:
        ToolchainError: The sources are not those that were looked through.
    """
    module.mkdir()
    for shared in go_build.SHARED:
        origin = go_build.MODULES / shared
        copy = shutil.copytree if origin.is_dir() else shutil.copyfile
        copy(origin, module / shared)
    command = module / "acceptance"
    command.mkdir()
    shutil.copyfile(HERE / "command" / "main.go", command / "main.go")
    provider = go_build.MODULES / "alicloud-provider" / "main.go"
    served = sources.read_served(provider.read_text(encoding="utf-8"))
    (command / "keys.go").write_text(sources.write_keys(served), encoding="utf-8")
    _choose_keys(module / "cut.json")
    _lay_package(package, module / "stand-ins" / PACKAGE)


def _choose_keys(config: Path) -> None:
    text = json.loads(config.read_text(encoding="utf-8"))
    for table in text["tables"]:
        table["keysPackage"] = COMMAND.package
    config.write_text(json.dumps(text), encoding="utf-8")


def _lay_package(package: Path, folder: Path) -> None:
    """Write the provider's own files as they are, and its tests as they may be built."""
    folder.mkdir(parents=True)
    methods: set[str] = set()
    for path in package.glob("*.go"):
        if not path.name.endswith("_test.go"):
            (folder / path.name).symlink_to(path)
            methods.update(sources.DESCRIBING.findall(path.read_text(encoding="utf-8")))
    helpers, tests = sources.find_test_files(package)
    names: list[str] = []
    for path in (*helpers, *tests):
        text = sources.remove_reaching_out(path.name, path.read_text(encoding="utf-8"))
        target = folder / sources.compiled_name(path.name)
        if target.is_symlink():
            raise ToolchainError(f"The provider's package has a file {target.name} of its own.")
        target.write_text(text, encoding="utf-8")
        names += sources.find_test_names(text) if path in tests else []
    text = sources.write_list_of_tests(names, sorted(methods))
    (folder / "acceptance_tests.go").write_text(text, encoding="utf-8")
