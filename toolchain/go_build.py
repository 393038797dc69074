"""Builds commands from Go modules whose versions and checksums `modules/` holds."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from toolchain import versions
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter

MODULES = Path(__file__).parent / "modules"

SDK_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


@dataclass(frozen=True)
class Command:
    """A Go command to build.

    Attributes:
        name: Of the executable.
        module: Folder below `modules/` whose go.mod and go.sum pin what is built.
        replacements: Folders beside it that its go.mod takes modules from.
        package: Go package of the command.
        variables: Linker variables to set, by qualified name.
        peak_memory: Bytes that the build needs at its peak, as measured.
        peak_memory_unoptimised: The same without compiler optimisation.
    """

    name: str
    module: str
    package: str
    variables: tuple[tuple[str, str], ...]
    peak_memory: int
    peak_memory_unoptimised: int
    replacements: tuple[str, ...] = ()

    @property
    def cache_key(self) -> str:
        """Changes whenever anything that goes into the build changes."""
        digest = hashlib.sha256(repr((self.package, self.variables)).encode())
        for folder in (self.module, *self.replacements):
            for path in sorted((MODULES / folder).rglob("*")):
                if path.is_file():
                    digest.update(path.read_bytes())
        version = self.variables[0][1].removeprefix("v")
        return f"{self.name}-{version}-go-{digest.hexdigest()[:12]}"


PULUMI = Command(
    name="pulumi",
    module="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    variables=((SDK_VERSION, f"v{versions.PULUMI}"),),
    peak_memory=3 * 2**30,
    peak_memory_unoptimised=2 * 2**30,
)
# Our own: the official language hosts are in no published Go module.
LANGUAGE_PYTHON = Command(
    name="pulumi-language-python",
    module="language-hosts",
    package="./python",
    variables=((SDK_VERSION, f"v{versions.PULUMI}"),),
    peak_memory=2**30,
    peak_memory_unoptimised=2**30,
)
LANGUAGE_NODEJS = Command(
    name="pulumi-language-nodejs",
    module="language-hosts",
    package="./nodejs",
    variables=((SDK_VERSION, f"v{versions.PULUMI}"),),
    peak_memory=2**30,
    peak_memory_unoptimised=2**30,
)
ALICLOUD = Command(
    name="pulumi-resource-alicloud",
    module="alicloud-provider",
    package=".",
    variables=(("main.version", versions.ALICLOUD),),
    peak_memory=int(6.7 * 2**30),
    peak_memory_unoptimised=int(4.3 * 2**30),
    replacements=("oss-gateway", "oss-gateway-util"),
)


def require_go() -> Path:
    """Find a Go toolchain that can build the modules.

    Raises:
        ToolchainError: None is on PATH, or it is too old.
    """
    found = shutil.which("go")
    if found is None:
        raise ToolchainError(
            "Go is not on PATH, and neither is the Pulumi CLI, nor could it be downloaded: install "
            "the Pulumi CLI (https://www.pulumi.com/docs/install/), or Go "
            f"{versions.dotted(versions.GO_MINIMUM)} or newer (https://go.dev/dl/) to build it."
        )
    answer = subprocess.run(
        [found, "env", "GOVERSION"], capture_output=True, text=True, check=False
    )
    numbers = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout.strip())
    version = tuple(int(number or 0) for number in numbers.groups()) if numbers else (0, 0, 0)
    if version < versions.GO_MINIMUM:
        raise ToolchainError(
            f"Go on PATH ({found}) is {answer.stdout.strip() or 'of unknown version'}: building "
            f"needs {versions.dotted(versions.GO_MINIMUM)} or newer (https://go.dev/dl/)."
        )
    return Path(found)


def module_directory(go: Path, module: str, path: str) -> Path:
    """Download one dependency of a module and return the folder of its source."""
    answer = _run(go, module, "mod", "download", path)
    if answer.returncode == 0:
        answer = _run(go, module, "list", "-m", "-f", "{{.Dir}}", path)
    if answer.returncode != 0 or not answer.stdout.strip():
        raise ToolchainError(_failed(f"the Go module {path}", answer.stderr))
    return Path(answer.stdout.strip())


def build(go: Path, command: Command, output: Path, *, optimise: bool, reporter: Reporter) -> None:
    """Build a command into `output`, reporting the packages compiled so far.

    Raises:
        ToolchainError: A module cannot be fetched or the build fails.
    """
    started = time.monotonic()
    reporter.update(command.name, "fetching its Go modules")
    listed = _run(go, command.module, "list", "-deps", command.package)
    if listed.returncode != 0:
        raise ToolchainError(_failed(command.name, listed.stderr))
    total = len(listed.stdout.splitlines())
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in command.variables)])
    arguments = ["build", "-v", "-trimpath", "-ldflags", flags, "-o", str(output)]
    if not optimise:
        arguments.insert(2, "-gcflags=all=-N -l")
    with subprocess.Popen(
        [go, *arguments, command.package],
        cwd=MODULES / command.module,
        env=_environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        last: deque[str] = deque(maxlen=12)
        try:
            # -v names each package on a line of its own as it is compiled.
            for count, line in enumerate(process.stderr or (), start=1):
                last.append(line)
                reporter.update(command.name, f"building, {count} of at most {total} packages")
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise ToolchainError(_failed(command.name, "".join(last)))
    reporter.done(command.name)
    reporter.say(f"{command.name}: built in {time.monotonic() - started:.0f} s")


def _run(go: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [go, *arguments],
        cwd=MODULES / module,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def _environment() -> dict[str, str]:
    # -mod=readonly: what is built is what go.sum holds, whatever the user's own flags say.
    return {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}


def _failed(what: str, output: str) -> str:
    lines = "\n  ".join(output.strip().splitlines()[-12:])
    return (
        f"{what} could not be built from its Go modules; install the Pulumi CLI "
        f"(https://www.pulumi.com/docs/install/) instead, or mend what Go says:\n  {lines}"
    )
