"""Brings together the Pulumi CLI, the Python language host and the alicloud provider.

Each part comes from PATH, else from the official download, else from its Go modules.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from toolchain import cache, download, go_build, processes, versions
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter

SOURCE_VARIABLE = "SLB_MUTUAL_TLS_TOOLCHAIN"
"""Variable that allows one source only: path, download or build; empty or unset: in that order."""

SOURCES = ("path", "download", "build")

PROVIDER = go_build.ALICLOUD.name

ANSWER_SECONDS = 60
INSTALL_SECONDS = 600
"""Seconds that the Pulumi CLI has for a question, and for downloading the provider."""

BUILT = (go_build.ALICLOUD, go_build.PULUMI, go_build.LANGUAGE_PYTHON)
"""Commands that are built, together, where nothing can be downloaded."""


@dataclass(frozen=True)
class Toolchain:
    """A Pulumi CLI that works, and where its plugins are."""

    pulumi: Path
    folders: tuple[Path, ...]
    """Folders that go first on PATH when the CLI runs; empty if the user's own PATH has all."""

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
    if "path" in allowed and (on_path := _cli_on_path(reporter)):
        folders: tuple[Path, ...] = ()
        cli = on_path
    elif "build" in allowed and all(cache.has(command.cache_key) for command in BUILT):
        return _build_all(reporter)  # an earlier run could not download: don't try each time
    elif "download" in allowed and (folder := _download(reporter, last="build" not in allowed)):
        folders = (folder,)
        cli = folder / "pulumi"
    elif "build" in allowed:
        return _build_all(reporter)
    else:
        raise ToolchainError(
            f"{SOURCE_VARIABLE}={os.environ[SOURCE_VARIABLE]} allows no other source, and no "
            f"Pulumi CLI of version {versions.write_dotted(versions.PULUMI_MINIMUM)} or newer is "
            "on PATH: install it (https://www.pulumi.com/docs/install/) or unset the variable."
        )
    toolchain = Toolchain(cli, folders)
    if _has_provider(toolchain, reporter) or _installs_provider(toolchain, reporter):
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
    executable = shutil.which("pulumi")
    if executable is None:
        return None
    try:
        answer = processes.run([executable, "version"], seconds=ANSWER_SECONDS)
    except (OSError, processes.TimedOutError) as error:
        reporter.say(f"pulumi on PATH ({executable}) cannot be used: {error}.")
        return None
    numbers = re.match(r"v(\d+)\.(\d+)\.(\d+)", answer.stdout.strip())
    version = tuple(map(int, numbers.groups())) if numbers else (0, 0, 0)
    wanted = versions.write_dotted(versions.PULUMI_MINIMUM)
    if version < versions.PULUMI_MINIMUM:
        reporter.say(f"pulumi on PATH is {answer.stdout.strip() or 'unknown'}, older than {wanted}")
        return None
    if shutil.which("pulumi-language-python") is None:
        reporter.say(f"pulumi on PATH ({executable}) has no pulumi-language-python beside it")
        return None
    return Path(executable)


def _download(reporter: Reporter, *, last: bool) -> Path | None:
    version = versions.PULUMI
    try:
        name = download.archive_name(version).removesuffix(".tar.gz")
        return cache.ensure_part(name, lambda to: download.fetch_cli(version, to, reporter)) / "bin"
    except ToolchainError as error:
        if last:
            raise
        reporter.say(f"{error} Building it from its Go modules instead.")
        return None


def _has_provider(toolchain: Toolchain, reporter: Reporter) -> bool:
    """Tell whether the engine would find the provider, in the version that the SDK is made for.

    Raises:
        ToolchainError: The engine would take another version from PATH.
    """
    on_path = shutil.which(PROVIDER)
    if on_path:
        version = _provider_version(on_path)
        if version != versions.ALICLOUD:
            raise ToolchainError(
                f"{PROVIDER} on PATH ({on_path}) is {version or 'of unknown version'}, and the "
                f"engine would take it, but this program is made for {versions.ALICLOUD}: take it "
                "off PATH, and the right one is installed by itself; or run "
                f"`pulumi plugin install resource alicloud {versions.ALICLOUD}`."
            )
        return True
    answer = _pulumi(toolchain, "plugin", "ls", "--json", seconds=ANSWER_SECONDS)
    if answer is None or answer.returncode != 0:
        return False
    plugins = [p for p in json.loads(answer.stdout) if p.get("name") == "alicloud"]
    installed = {str(plugin.get("version")) for plugin in plugins}
    if installed and versions.ALICLOUD not in installed:
        reporter.say(
            f"The alicloud provider in Pulumi's plugin folder is {', '.join(sorted(installed))}, "
            f"and this program is made for {versions.ALICLOUD}: that is installed beside it."
        )
    return versions.ALICLOUD in installed


def _provider_version(executable: str) -> str | None:
    """The version that a provider says it is, without `v`; None if it says none."""
    try:
        answer = processes.run([executable, "-version"], seconds=ANSWER_SECONDS)
    except (OSError, processes.TimedOutError):
        return None
    match = re.search(r"^v?(\d+\.\d+\.\d+\S*)$", answer.stdout.strip(), re.MULTILINE)
    return match[1] if match and answer.returncode == 0 else None


def _installs_provider(toolchain: Toolchain, reporter: Reporter) -> bool:
    reporter.update(PROVIDER, "downloading")
    words = ("plugin", "install", "resource", "alicloud", versions.ALICLOUD)
    answer = _pulumi(toolchain, *words, seconds=INSTALL_SECONDS)
    reporter.finish(PROVIDER)
    if answer is not None and answer.returncode == 0:
        return True
    reporter.say("The alicloud provider could not be downloaded; building it from Go modules.")
    return False


def _pulumi(
    toolchain: Toolchain, *arguments: str, seconds: float
) -> subprocess.CompletedProcess[str] | None:
    """Run the CLI; None if it gives no answer in time."""
    try:
        return processes.run(
            [toolchain.pulumi, *arguments],
            environment={**os.environ, **toolchain.environment()},
            seconds=seconds,
        )
    except processes.TimedOutError:
        return None


def add_nodejs(toolchain: Toolchain, reporter: Reporter) -> Toolchain:
    """Add a language host for TypeScript to the toolchain, built if it has none.

    Raises:
        ToolchainError: The language host cannot be built.
    """
    name = go_build.LANGUAGE_NODEJS.name
    if shutil.which(name, path=toolchain.environment()["PATH"]):
        return toolchain
    (folder,) = _build([go_build.LANGUAGE_NODEJS], reporter)
    return Toolchain(toolchain.pulumi, (*toolchain.folders, folder))


def _build_all(reporter: Reporter) -> Toolchain:
    provider, cli, language = _build(BUILT, reporter)
    toolchain = Toolchain(cli / "pulumi", (cli, language, provider))
    # Once it was asked for, it belongs to the toolchain.
    wanted = cache.has(go_build.LANGUAGE_NODEJS.cache_key)
    return add_nodejs(toolchain, reporter) if wanted else toolchain


def _build(commands: Sequence[go_build.Command], reporter: Reporter) -> list[Path]:
    """Build what is missing of commands, together; return their folders in order."""
    folders = [cache.directory() / command.cache_key / "bin" for command in commands]
    if all(cache.has(command.cache_key) for command in commands):
        return folders
    with cache.scratch("build") as scratch:
        # Another run may have built them while this one waited.
        missing = [command for command in commands if not cache.has(command.cache_key)]
        if missing:
            _build_in(scratch, missing, reporter)
    return folders


def _build_in(scratch: Path, missing: Sequence[go_build.Command], reporter: Reporter) -> None:
    go = go_build.require_go()
    memory = psutil.virtual_memory().available
    names = ", ".join(command.name for command in missing)
    reporter.say(
        f"Building {names} from Go modules, once: this takes {_duration(missing)} and "
        f"{memory / 2**30:.1f} GB of memory are free for it."
    )
    output = scratch / "bin"
    output.mkdir()
    try:
        go_build.build(go, missing, output, memory=memory, reporter=reporter)
    finally:  # what was built of them stays, for a next run
        for command in missing:
            if (output / command.name).is_file():
                cache.ensure_part(command.cache_key, functools.partial(_fill, go, command, output))


def _fill(go: go_build.Go, command: go_build.Command, output: Path, folder: Path) -> None:
    """Put a command into its part of the cache, with the scripts that it starts."""
    (folder / "bin").mkdir()
    (output / command.name).rename(folder / "bin" / command.name)
    for script in _scripts(go, command):
        copied = folder / "bin" / script.name
        shutil.copyfile(script, copied)
        copied.chmod(0o755)


def _scripts(go: go_build.Go, command: go_build.Command) -> list[Path]:
    """Scripts of the Python SDK that the CLI and the language host start by name."""
    if command is go_build.PULUMI:
        sdk = go_build.module_directory(go, "github.com/pulumi/pulumi/sdk/v3")
        return [sdk / "python/dist/pulumi-resource-pulumi-python"]
    if command is go_build.LANGUAGE_PYTHON:
        # Of the release whose options our language host passes.
        sdk = go_build.module_directory(go, "github.com/pulumi/pulumi/sdk/v3")
        return [sdk / "python/cmd/pulumi-language-python-exec"]
    return []


def _duration(commands: Sequence[go_build.Command]) -> str:
    """Tell how long commands take to build on two cores, roughly."""
    heavy = {go_build.PULUMI, go_build.ALICLOUD}
    return "4 to 10 minutes" if heavy.intersection(commands) else "up to 2 minutes"
