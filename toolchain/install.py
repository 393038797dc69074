"""Brings together the Pulumi CLI, the Python language host and the alicloud provider.

Each part comes from PATH, else from the official download, else from its Go modules.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from toolchain import cache, download, go_build, versions
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter

SOURCE_VARIABLE = "SLB_MUTUAL_TLS_TOOLCHAIN"
"""Set to path, download or build to allow one source only; empty or unset: in that order."""

SOURCES = ("path", "download", "build")

BUILT = (go_build.ALICLOUD, go_build.PULUMI, go_build.LANGUAGE_PYTHON)
"""What is built where nothing can be downloaded; the longest first, and the language host after
the CLI, with which it shares most of what is compiled."""


@dataclass(frozen=True)
class Toolchain:
    """A Pulumi CLI that works, and where its plugins are."""

    pulumi: Path
    folders: tuple[Path, ...]
    """Go first on PATH when the CLI runs; empty where the user's own PATH has everything."""

    def environment(self) -> dict[str, str]:
        """Variables to add to those of the process that runs the CLI."""
        # Where Pulumi.yaml names no virtual environment, `python3` is this one.
        here = Path(sys.executable).parent
        path = os.pathsep.join([*map(str, (here, *self.folders)), os.environ.get("PATH", "")])
        return {"PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def ensure(reporter: Reporter) -> Toolchain:
    """Find or make every part.

    Raises:
        ToolchainError: A part cannot be had from any source.
    """
    allowed = _allowed_sources()
    if "path" in allowed and (found := _cli_on_path(reporter)):
        folders: tuple[Path, ...] = ()
        cli = found
    elif "build" in allowed and all(cache.has(command.cache_key) for command in BUILT):
        return _built(reporter)  # an earlier run could not download: don't try each time
    elif "download" in allowed and (folder := _downloaded(reporter, last="build" not in allowed)):
        folders = (folder,)
        cli = folder / "pulumi"
    elif "build" in allowed:
        return _built(reporter)
    else:
        raise ToolchainError(
            f"{SOURCE_VARIABLE}={os.environ[SOURCE_VARIABLE]} allows no other source, and no "
            f"Pulumi CLI of version {versions.dotted(versions.PULUMI_MINIMUM)} or newer is on "
            "PATH: install it (https://www.pulumi.com/docs/install/) or unset the variable."
        )
    toolchain = Toolchain(cli, folders)
    if _has_provider(toolchain) or _installs_provider(toolchain, reporter):
        return toolchain
    (provider,) = _build([go_build.ALICLOUD], reporter)
    return Toolchain(cli, (*folders, provider))


def _allowed_sources() -> tuple[str, ...]:
    wanted = os.environ.get(SOURCE_VARIABLE, "")
    if not wanted:
        return SOURCES
    if wanted not in SOURCES:
        raise ToolchainError(
            f"{SOURCE_VARIABLE} is set to {wanted!r} in the environment; it can be one of "
            f"{', '.join(SOURCES)}, or unset."
        )
    return (wanted,)


def _cli_on_path(reporter: Reporter) -> Path | None:
    found = shutil.which("pulumi")
    if found is None:
        return None
    answer = subprocess.run(
        [found, "version"], capture_output=True, text=True, check=False, timeout=60
    )
    numbers = re.match(r"v(\d+)\.(\d+)\.(\d+)", answer.stdout.strip())
    version = tuple(map(int, numbers.groups())) if numbers else (0, 0, 0)
    wanted = versions.dotted(versions.PULUMI_MINIMUM)
    if version < versions.PULUMI_MINIMUM:
        reporter.say(f"pulumi on PATH is {answer.stdout.strip() or 'unknown'}, older than {wanted}")
        return None
    if shutil.which("pulumi-language-python") is None:
        reporter.say(f"pulumi on PATH ({found}) has no pulumi-language-python beside it")
        return None
    return Path(found)


def _downloaded(reporter: Reporter, *, last: bool) -> Path | None:
    version = versions.PULUMI
    try:
        name = download.archive_name(version).removesuffix(".tar.gz")
        return cache.part(name, lambda to: download.fetch_cli(version, to, reporter)) / "bin"
    except ToolchainError as error:
        if last:
            raise
        reporter.say(f"{error} Building it from its Go modules instead.")
        return None


def _has_provider(toolchain: Toolchain) -> bool:
    if shutil.which("pulumi-resource-alicloud"):
        return True
    answer = _pulumi(toolchain, "plugin", "ls", "--json")
    return answer.returncode == 0 and any(
        plugin.get("name") == "alicloud" and plugin.get("version") == versions.ALICLOUD
        for plugin in json.loads(answer.stdout)
    )


def _installs_provider(toolchain: Toolchain, reporter: Reporter) -> bool:
    reporter.update("pulumi-resource-alicloud", "downloading")
    answer = _pulumi(toolchain, "plugin", "install", "resource", "alicloud", versions.ALICLOUD)
    reporter.done("pulumi-resource-alicloud")
    if answer.returncode != 0:
        reporter.say("The alicloud provider could not be downloaded; building it from Go modules.")
    return answer.returncode == 0


def _pulumi(toolchain: Toolchain, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [toolchain.pulumi, *arguments],
        env={**os.environ, **toolchain.environment()},
        capture_output=True,
        text=True,
        check=False,
    )


def with_nodejs(toolchain: Toolchain, reporter: Reporter) -> Toolchain:
    """The same toolchain with a language host for TypeScript, built if it has none.

    Raises:
        ToolchainError: It cannot be built.
    """
    name = go_build.LANGUAGE_NODEJS.name
    if shutil.which(name, path=toolchain.environment()["PATH"]):
        return toolchain
    (folder,) = _build([go_build.LANGUAGE_NODEJS], reporter)
    return Toolchain(toolchain.pulumi, (*toolchain.folders, folder))


def _built(reporter: Reporter) -> Toolchain:
    provider, cli, language = _build(BUILT, reporter)
    toolchain = Toolchain(cli / "pulumi", (cli, language, provider))
    # Once it was asked for, it belongs to the toolchain.
    wanted = cache.has(go_build.LANGUAGE_NODEJS.cache_key)
    return with_nodejs(toolchain, reporter) if wanted else toolchain


def _build(commands: Sequence[go_build.Command], reporter: Reporter) -> list[Path]:
    """Build commands, side by side as far as memory allows; return their folders in order."""
    missing = [
        command for command in commands if not (cache.directory() / command.cache_key).is_dir()
    ]
    if not missing:
        return [cache.directory() / command.cache_key / "bin" for command in commands]
    go = go_build.require_go()
    memory = psutil.virtual_memory().available
    names = ", ".join(command.name for command in missing)
    reporter.say(
        f"Building {names} from Go modules, once: this takes {_duration(missing)} and "
        f"{_size(memory)} of memory are free for it."
    )
    side_by_side = sum(command.peak_memory for command in missing) <= memory

    def one(command: go_build.Command) -> Path:
        optimise = side_by_side or command.peak_memory <= memory
        if not optimise and command.peak_memory_unoptimised > memory:
            reporter.say(
                f"{command.name} needs about {_size(command.peak_memory_unoptimised)} of memory to "
                f"build and {_size(memory)} are free: if this fails, free some, or install the "
                "official plugin."
            )

        def make(folder: Path) -> None:
            output = folder / "bin" / command.name
            go_build.build(go, command, output, optimise=optimise, reporter=reporter)
            for script in _scripts(go, command):
                copied = output.parent / script.name
                shutil.copyfile(script, copied)
                copied.chmod(0o755)

        return cache.part(command.cache_key, make) / "bin"

    # Two at a time, so that the language host waits for the CLI.
    with _workers(2 if side_by_side else 1) as workers:
        return list(workers.map(one, commands))


@contextmanager
def _workers(count: int) -> Iterator[ThreadPoolExecutor]:
    workers = ThreadPoolExecutor(count)
    try:
        yield workers
    finally:
        workers.shutdown(cancel_futures=True)


def _scripts(go: Path, command: go_build.Command) -> list[Path]:
    """Scripts of the Python SDK that the CLI and the language host start by name."""
    if command is go_build.PULUMI:
        sdk = go_build.module_directory(go, command.module, "github.com/pulumi/pulumi/sdk/v3")
        return [sdk / "python/dist/pulumi-resource-pulumi-python"]
    if command is go_build.LANGUAGE_PYTHON:
        # Of the release whose options our language host passes.
        sdk = go_build.module_directory(go, command.module, "github.com/pulumi/pulumi/sdk/v3")
        return [sdk / "python/cmd/pulumi-language-python-exec"]
    return []


def _duration(commands: Sequence[go_build.Command]) -> str:
    """How long commands take to build; a language host by itself has its packages from the CLI."""
    heavy = {go_build.PULUMI, go_build.ALICLOUD}
    return "10 to 20 minutes" if heavy.intersection(commands) else "up to 2 minutes"


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GB"
