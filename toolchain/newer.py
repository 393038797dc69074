"""`python -m toolchain.newer`: would the newest engine and provider do?

The newest releases are set in a copy of the project. There the stack `local` is brought up and the
main job's tests run, by these releases' own archives. The result is Markdown on standard output,
and in the summary of a job of GitHub Actions. Nothing here is changed: people decide on upgrades.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from toolchain import versions
from toolchain.errors import ToolchainError
from toolchain.install import SOURCE_VARIABLE

PROJECT = Path(__file__).resolve().parent.parent

PYPI = "https://pypi.org"

ENGINE_MODULE = "github.com/pulumi/pulumi/pkg/v3"
"""Go module of the CLI: its versions are those of the CLI."""

PROVIDER_PACKAGE = "pulumi-alicloud"

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "policy/requirements.txt")
"""Files of requirements, compiled in this order: the second takes the first for constraints."""

TESTS = "tests/engine/test_main_job.py"

STEP_SECONDS = 3600
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
TAIL = 40


@dataclass(frozen=True)
class Pair:
    """Versions of the engine and of the provider that are tried together."""

    engine: str
    provider: str


@dataclass(frozen=True)
class Step:
    """Step of an attempt; what it printed is kept where it failed."""

    name: str
    seconds: float
    failure: str | None = None


@dataclass(frozen=True)
class Attempt:
    """Attempt with a pair of versions, step by step."""

    pair: Pair
    steps: tuple[Step, ...]

    @property
    def passed(self) -> bool:
        """Tell whether no step of the attempt failed."""
        return all(step.failure is None for step in self.steps)


CURRENT = Pair(versions.PULUMI, versions.ALICLOUD)

STEPS = ("requirements", "toolchain", "up", "tests")


def sort_releases(texts: Iterable[str]) -> list[tuple[int, ...]]:
    """Sort the versions that are releases; leave out pre-releases and all else."""
    matches = (re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", text.strip()) for text in texts)
    return sorted(tuple(map(int, numbers.groups())) for numbers in matches if numbers)


def choose_candidates(
    current: Pair, engines: Iterable[str], providers: Iterable[str]
) -> list[Pair]:
    """Choose what to try: the newest engine with the newest provider.

    A provider of another major version is expected to differ, so that the newest of the current
    major version is tried as well. Nothing older than what is in use is tried, nor that itself.
    """
    engine, provider = sort_releases([current.engine])[0], sort_releases([current.provider])[0]
    newest_engine = max([engine, *sort_releases(engines)])
    newer = [version for version in sort_releases(providers) if version > provider]
    same_major = [version for version in newer if version[0] == provider[0]]
    pairs = [
        Pair(_write_dotted(newest_engine), _write_dotted(chosen))
        for chosen in (max([provider, *same_major]), max([provider, *newer]))
    ]
    return [pair for pair in dict.fromkeys(pairs) if pair != current]


def _write_dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def list_provider_releases(client: httpx.Client, pypi: str) -> list[str]:
    """List versions of the provider's SDK on PyPI, without those that were withdrawn."""
    answer = client.get(f"{pypi}/pypi/{PROVIDER_PACKAGE}/json").raise_for_status().json()
    return [
        version
        for version, files in answer["releases"].items()
        if any(not file.get("yanked") for file in files)
    ]


def list_engine_releases(client: httpx.Client, go_proxy: str) -> list[str]:
    """List versions of the Pulumi CLI's Go module."""
    return client.get(f"{go_proxy}/{ENGINE_MODULE}/@v/list").raise_for_status().text.split()


def choose_go_proxy(setting: str) -> str:
    """Choose the first module proxy that Go's setting GOPROXY names.

    Raises:
        ToolchainError: The setting names no proxy.
    """
    for url in re.split(r"[,|]", setting):
        if url.startswith("http"):
            return url.rstrip("/")
    raise ToolchainError(
        f"GOPROXY is {setting!r}, which names no module proxy to ask for releases: set it to one, "
        "or say which version to try: --engine 3.277.0"
    )


def _goproxy() -> str:
    """GOPROXY as Go has it: from the environment, its own file, or its default."""
    answer = subprocess.run(
        ["go", "env", "GOPROXY"], capture_output=True, text=True, timeout=60, check=False
    )
    return answer.stdout.strip()


def replace_versions(text: str, pair: Pair) -> str:
    """Put other versions into the text of toolchain/versions.py."""
    text = _replace_once(r'^PULUMI = ".*"$', f'PULUMI = "{pair.engine}"', text)
    return _replace_once(r'^ALICLOUD = ".*"$', f'ALICLOUD = "{pair.provider}"', text)


def replace_provider(text: str, pair: Pair) -> str:
    """Put another version of the provider's SDK into the text of requirements.in."""
    pinned = rf"^{PROVIDER_PACKAGE}==[\w.]+"
    return _replace_once(pinned, f"{PROVIDER_PACKAGE}=={pair.provider}", text)


def _replace_once(pattern: str, by: str, text: str) -> str:
    replaced, count = re.subn(pattern, by, text, flags=re.MULTILINE)
    if count != 1:
        raise ToolchainError(f"{count} lines are like {pattern}, where one was expected.")
    return replaced


def find_compile_command(text: str, uv: str) -> list[str]:
    """Find the command in the first lines of a compiled file, for the two packages alone.

    Raises:
        ToolchainError: The file begins with no such command; `make lock` writes it.
    """
    command = re.match(r"(?:#.*\n)*?#    uv (pip compile .+)\n", text)
    if command is None:
        raise ToolchainError("A compiled file does not begin with its command: run `make lock`.")
    upgraded = ["--upgrade-package", "pulumi", "--upgrade-package", PROVIDER_PACKAGE]
    return [uv, *shlex.split(command[1]), "--quiet", *upgraded]


def summarize(current: Pair, attempts: Sequence[Attempt]) -> str:
    """Tell in Markdown what was tried, and the end of what a failed step printed."""
    lines = [
        "### The newest engine and provider, on the local cloud",
        "",
        f"In use: Pulumi CLI {current.engine}, {PROVIDER_PACKAGE} {current.provider}.",
        "",
    ]
    if not attempts:
        return "\n".join([*lines, "There is nothing newer.", ""])
    lines += [
        f"| Pulumi CLI | {PROVIDER_PACKAGE} | {' | '.join(STEPS)} |",
        "|---" * (2 + len(STEPS)) + "|",
    ]
    for attempt in attempts:
        results = {step.name: _result(step) for step in attempt.steps}
        cells = [attempt.pair.engine, attempt.pair.provider, *(results.get(n, "—") for n in STEPS)]
        lines.append(f"| {' | '.join(cells)} |")
    for attempt in attempts:
        for step in attempt.steps:
            if step.failure is not None:
                title = f"{attempt.pair.engine} with {attempt.pair.provider}: {step.name}"
                lines += ["", f"<details><summary>{title}</summary>", "", "````text"]
                lines += [*step.failure.splitlines()[-TAIL:], "````", "</details>"]
    return "\n".join([*lines, ""])


def _result(step: Step) -> str:
    return f"{'passed' if step.failure is None else 'failed'}, {step.seconds:.0f} s"


def is_expected_to_pass(current: Pair, pair: Pair) -> bool:
    """Tell whether only a bug stands against an upgrade: not so with another major version."""
    return sort_releases([current.provider])[0][0] == sort_releases([pair.provider])[0][0]


def copy_project(project: Path, folder: Path) -> None:
    """Copy the files that git knows, as they are in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=project, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / name, target)


def prepare(folder: Path, pair: Pair) -> None:
    """Set the versions in a copy, and a port that no other local stack has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for name, change in (
        ("toolchain/versions.py", lambda text: replace_versions(text, pair)),
        ("requirements.in", lambda text: replace_provider(text, pair)),
        ("Pulumi.local.yaml", lambda text: text.replace("127.0.0.1:7443", f"127.0.0.1:{port}")),
    ):
        path = folder / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def try_pair(pair: Pair, project: Path, environ: Mapping[str, str], uv: str) -> Attempt:
    """Try a pair in a copy of the project, up to the first step that fails."""
    # An outer make's options are not for these.
    environment = {k: v for k, v in environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    # The releases themselves; the modules that would be built are still those of another.
    environment.setdefault(SOURCE_VARIABLE, "download")
    with tempfile.TemporaryDirectory(prefix="newer-") as scratch:
        folder = Path(scratch) / "project"
        copy_project(project, folder)
        prepare(folder, pair)

        def run(*command: str) -> str:
            return _run(command, folder, environment)

        def requirements() -> None:
            for name in REQUIREMENTS:
                run(*find_compile_command((folder / name).read_text(encoding="utf-8"), uv))

        def toolchain() -> None:
            cli = run("make", "--silent", "toolchain").strip().rpartition("\n")[2]
            if environment[SOURCE_VARIABLE] == "download":
                answers = run(cli, "version"), run(cli, "plugin", "ls", "--json")
                _check_versions(pair, *answers)

        def tests() -> None:
            run("make", ".venv/development")
            run(".venv/bin/python", "-m", "pytest", "-q", TESTS)

        actions = (requirements, toolchain, lambda: run("make", "up"), tests)
        try:
            return Attempt(pair, tuple(_steps(zip(STEPS, actions, strict=True))))
        finally:
            # Stops the local cloud.
            subprocess.run(["make", "clean"], cwd=folder, env=environment, check=False)


def _steps(actions: Iterable[tuple[str, Callable[[], object]]]) -> Iterator[Step]:
    for name, act in actions:
        started = time.monotonic()
        failure = None
        try:
            act()
        except ToolchainError as error:
            failure = str(error)
        yield Step(name, time.monotonic() - started, failure)
        if failure is not None:
            return


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    sys.stderr.write(f"$ {shlex.join(command)}\n")
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainError(str(error)) from None
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        raise ToolchainError(f"{done.stdout}{done.stderr}\nstatus {done.returncode}")
    return done.stdout


def _check_versions(pair: Pair, version: str, plugins: str) -> None:
    if version.strip() != f"v{pair.engine}":
        raise ToolchainError(f"The CLI is {version.strip()}: {pair.engine} was to be tried.")
    if f'"{pair.provider}"' not in plugins:
        raise ToolchainError(
            f"The provider's release {pair.provider} was not to be had; what would be built is "
            f"another. The plugins are: {plugins}"
        )


def main(arguments: Sequence[str] | None = None, project: Path = PROJECT) -> int:
    """Try newer versions; return the exit status: 1 where something failed that should pass."""
    parser = argparse.ArgumentParser(prog="python -m toolchain.newer", description=__doc__)
    parser.add_argument("--engine", help="try this version in place of the newest")
    parser.add_argument("--provider", help="likewise")
    parser.add_argument("--pypi", default=PYPI, help=argparse.SUPPRESS)
    parser.add_argument("--go-proxy", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        if options.engine or options.provider:
            pairs = [Pair(options.engine or CURRENT.engine, options.provider or CURRENT.provider)]
        else:
            with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
                engines = list_engine_releases(
                    client, options.go_proxy or choose_go_proxy(_goproxy())
                )
                pairs = choose_candidates(
                    CURRENT, engines, list_provider_releases(client, options.pypi)
                )
        uv = str(Path(sys.executable).parent / "uv")
        attempts = [try_pair(pair, project, os.environ, uv) for pair in pairs]
    except (ToolchainError, httpx.HTTPError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    text = summarize(CURRENT, attempts)
    sys.stdout.write(text)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    missed = [t for t in attempts if not t.passed and is_expected_to_pass(CURRENT, t.pair)]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
