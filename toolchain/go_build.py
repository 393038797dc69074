"""Builds commands from Go modules whose versions and checksums `modules/` holds.

First the sources are cut to what the commands can reach, by the program in `cut/`: that takes a
third of the time and a quarter of the memory. Where it does not work out, the whole is built.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain import processes, versions
from toolchain.errors import ToolchainError
from toolchain.progress import Estimate, Reporter

MODULES = Path(__file__).parent / "modules"
CUT = Path(__file__).parent / "cut"

SHARED = ("go.mod", "go.sum", "cut.json", "leftout", "stand-ins", "oss-gateway", "oss-gateway-util")
"""Files and folders of `modules/` that go into every command."""

SDK_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"

FLAGS = ("-trimpath", "-gcflags=all=-dwarf=false")
"""Flags of every build: nothing is debugged, and without DWARF there is a tenth less to do."""

OUR_GOFLAGS = "-mod={mod} -buildvcs=false -tags="
"""GOFLAGS that are added to the user's, so that these win: what is built is what go.sum holds."""

ANSWER_SECONDS = 120
SILENT_FETCH = 300
SILENT_BUILD = 1800
"""Seconds for a question to Go, and without a sign of life while it fetches or compiles."""

STANDARD = ("archive/tar", "archive/zip", "compress/bzip2", "database/sql", "encoding/csv",
            "encoding/gob", "encoding/xml", "html/template", "net/http/cookiejar",
            "net/http/httputil", "net/http/pprof", "net/mail", "text/tabwriter")  # fmt: skip
"""Packages of Go's own library that the commands use, compiled while modules are fetched."""

PEAK_MEMORY = int(1.5 * 2**30)
PEAK_MEMORY_WHOLE = int(6.7 * 2**30)
PEAK_MEMORY_UNOPTIMISED = int(4.3 * 2**30)
"""Bytes that the largest process needs, as measured: of what is cut, of the whole, and of the whole
without compiler optimisation."""

OUT_OF_REACH = (
    "dial tcp",
    "i/o timeout",
    "module lookup disabled",
    "no such host",
    "connection refused",
    "connection reset",
    "TLS handshake",
    "proxyconnect",
    "gave no sign of life",
)
"""Texts in Go's errors where the module proxy or the checksum database cannot be reached."""


@dataclass(frozen=True)
class Command:
    """A Go command to build.

    Attributes:
        name: Name of the executable.
        package: Go package of the command.
        variables: Linker variables to set, by qualified name.
        sources: Folders below `modules/` that go into this command alone.
    """

    name: str
    package: str
    variables: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]

    @property
    def cache_key(self) -> str:
        """Key of the build in the cache: it changes with anything that goes into the build."""
        digest = hashlib.sha256(repr((self.package, self.variables, FLAGS)).encode())
        for root in (CUT, *(MODULES / name for name in (*SHARED, *self.sources))):
            for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
                if path.is_file() and not path.name.endswith("_test.go"):
                    digest.update(path.relative_to(MODULES.parent).as_posix().encode())
                    digest.update(path.read_bytes())
        version = self.variables[0][1].removeprefix("v")
        return f"{self.name}-{version}-go-{digest.hexdigest()[:12]}"


PULUMI = Command(
    name="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    variables=((SDK_VERSION, f"v{versions.PULUMI}"),),
    sources=("pulumi",),
)
# Our own: the official language hosts are in no published Go module.
LANGUAGE_PYTHON = Command(
    name="pulumi-language-python",
    package="slb-mutual-tls/toolchain/language-hosts/python",
    variables=((SDK_VERSION, f"v{versions.PULUMI}"),),
    sources=("language-hosts",),
)
LANGUAGE_NODEJS = Command(
    name="pulumi-language-nodejs",
    package="slb-mutual-tls/toolchain/language-hosts/nodejs",
    variables=((SDK_VERSION, f"v{versions.PULUMI}"),),
    sources=("language-hosts",),
)
ALICLOUD = Command(
    name="pulumi-resource-alicloud",
    package="slb-mutual-tls/toolchain/alicloud-provider",
    variables=(("main.version", versions.ALICLOUD),),
    sources=("alicloud-provider",),
)


@dataclass(frozen=True)
class Go:
    """A Go toolchain that can build the modules.

    Attributes:
        path: Path of the `go` command.
        flags: GOFLAGS of the user, from the environment or from `go env -w`.
        proxy: GOPROXY of the user.
    """

    path: Path
    flags: str
    proxy: str

    def environment(self, mod: str = "readonly") -> dict[str, str]:
        """Add to the user's environment what must be so for the build to be the pinned one.

        Settings of proxies, of checksums and of private modules stay the user's. CGO_ENABLED=0 is
        how Pulumi's own releases are built, and needs no C compiler.
        """
        flags = f"{self.flags} {OUR_GOFLAGS.format(mod=mod)}".strip()
        return {**os.environ, "GOFLAGS": flags, "GOWORK": "off", "CGO_ENABLED": "0"}


def require_go() -> Go:
    """Find a Go toolchain that can build the modules.

    Raises:
        ToolchainError: Go is not on PATH, or is too old.
    """
    executable = shutil.which("go")
    if executable is None:
        raise ToolchainError(
            "Go is not on PATH, and neither is the Pulumi CLI, nor could it be downloaded: install "
            "the Pulumi CLI (https://www.pulumi.com/docs/install/), or, to have it built here, Go "
            f"{versions.write_dotted(versions.GO_MINIMUM)} or newer (https://go.dev/dl/)."
        )
    try:
        answer = processes.run(
            [executable, "env", "GOVERSION", "GOFLAGS", "GOPROXY"], seconds=ANSWER_SECONDS
        )
    except processes.TimedOutError as error:
        raise ToolchainError(f"Go on PATH ({executable}) does not answer: {error}.") from error
    version, flags, proxy = [*answer.stdout.splitlines(), "", "", ""][:3]
    numbers = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    if (tuple(int(n or 0) for n in numbers.groups()) if numbers else ()) < versions.GO_MINIMUM:
        raise ToolchainError(
            f"Go on PATH ({executable}) is {version or 'of unknown version'}: building "
            f"needs {versions.write_dotted(versions.GO_MINIMUM)} or newer (https://go.dev/dl/)."
        )
    return Go(Path(executable), flags, proxy)


def module_directory(go: Go, path: str) -> Path:
    """Download one dependency of the commands and return the folder of its source.

    Raises:
        ToolchainError: The dependency cannot be fetched.
    """
    try:
        answer = processes.run(
            [go.path, "mod", "download", "-json", path],
            seconds=SILENT_FETCH,
            folder=MODULES,
            environment=go.environment(),
        )
    except processes.TimedOutError as error:
        raise _failure(go, f"the Go module {path}", f"{error}: gave no sign of life") from error
    download = json.loads(answer.stdout or "{}")
    if not download.get("Dir"):
        raise _failure(go, f"the Go module {path}", download.get("Error", answer.stderr))
    return Path(download["Dir"])


@dataclass(frozen=True)
class Sources:
    """Sources to build from, and how.

    Attributes:
        folder: Folder of the main module.
        mod: Way in which Go finds the other modules: `vendor` or `readonly`.
        flags: Flags for the compiler.
        memory: Number of bytes that are free.
    """

    folder: Path
    mod: str
    flags: tuple[str, ...]
    memory: int


def build(
    go: Go, commands: Sequence[Command], output: Path, *, memory: int, reporter: Reporter
) -> None:
    """Build commands into `output`; those that were built are there even if another fails.

    Args:
        go: Go toolchain that builds them.
        commands: Commands to build; what they have in common is compiled once.
        output: Folder for the executables; it exists.
        memory: Number of bytes that are free.
        reporter: Reporter that is told how far the build is.

    Raises:
        ToolchainError: A module cannot be fetched or the build fails.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sources-", dir=output.parent) as scratch:
        cut = _cut(go, MODULES, commands, Path(scratch), reporter)
        if cut is not None:
            sources = Sources(cut, "vendor", FLAGS, memory)
            _mind_memory(PEAK_MEMORY, memory, reporter)
            failure = _compile(go, sources, commands, output, reporter)
            if failure is not None:
                reporter.say(f"The sources that were cut do not build: {failure.strip()}")
        if cut is None or failure is not None:
            reporter.say(
                "Building the whole sources instead: this takes four times as long and up to "
                f"{PEAK_MEMORY_WHOLE / 2**30:.1f} GB of memory."
            )
            build_whole(go, commands, output, memory=memory, reporter=reporter)
    names = ", ".join(command.name for command in commands)
    reporter.say(f"{names}: built in {time.monotonic() - started:.0f} s")


def build_cut(
    go: Go, module: Path, command: Command, output: Path, *, memory: int, reporter: Reporter
) -> None:
    """Build a command of another module than `modules/`, from cut sources alone.

    Args:
        go: Go toolchain that builds it.
        module: Folder with what `modules/` shares (`SHARED`), and the command.
        command: Command to build.
        output: Folder for the executable; it exists.
        memory: Number of bytes that are free.
        reporter: Reporter that is told how far the build is.

    Raises:
        ToolchainError: A module cannot be fetched, the sources cannot be cut, or the build fails.
    """
    with tempfile.TemporaryDirectory(prefix="sources-", dir=output.parent) as scratch:
        cut = _cut(go, module, [command], Path(scratch), reporter)
        if cut is None:
            raise ToolchainError(f"{command.name} could not be built: the line above says why.")
        sources = Sources(cut, "vendor", FLAGS, memory)
        _mind_memory(PEAK_MEMORY, memory, reporter)
        failure = _compile(go, sources, [command], output, reporter)
    if failure is not None:
        raise _failure(go, command.name, failure)


def build_whole(
    go: Go, commands: Sequence[Command], output: Path, *, memory: int, reporter: Reporter
) -> None:
    """Build commands from all of their sources, as `build` does where cutting them fails.

    Raises:
        ToolchainError: A module cannot be fetched or the build fails.
    """
    flags, peak = FLAGS, PEAK_MEMORY_WHOLE
    if peak > memory:
        flags, peak = (*FLAGS[:-1], f"{FLAGS[-1]} -N -l"), PEAK_MEMORY_UNOPTIMISED
    _mind_memory(peak, memory, reporter)
    sources = Sources(MODULES, "readonly", flags, memory)
    failure = _compile(go, sources, commands, output, reporter)
    if failure is not None:
        raise _failure(go, " and ".join(command.name for command in commands), failure)


def _mind_memory(peak: int, memory: int, reporter: Reporter) -> None:
    if peak > memory:
        reporter.say(
            f"Building needs about {peak / 2**30:.1f} GB of memory and {memory / 2**30:.1f} GB are "
            "free: if this fails, free some, or install the Pulumi CLI and the official plugin."
        )


def _cut(
    go: Go, module: Path, commands: Sequence[Command], scratch: Path, reporter: Reporter
) -> Path | None:
    """Cut a module to what commands reach; None, with a line that says so, if that fails."""
    step = "Go modules"
    reporter.update(step, "preparing")
    cutter = scratch / "cut"
    sources = scratch / "sources"
    sources.mkdir()
    environment = go.environment()
    try:
        process = processes.run(
            [go.path, "build", *FLAGS, "-o", cutter, "."],
            seconds=SILENT_BUILD,
            folder=CUT,
            environment=environment,
        )
        if process.returncode == 0:
            packages = (command.package for command in commands)
            config = module / "cut.json"
            with _standard_library(go):
                process = processes.follow(
                    [cutter, "-module", module, "-config", config, "-out", sources, *packages],
                    silence=SILENT_FETCH,
                    each=lambda line: reporter.update(step, line.removeprefix("# ")),
                    environment=environment,
                )
        reason = process.stderr if process.returncode else None
    except processes.TimedOutError as error:
        reason = str(error)
    finally:
        reporter.finish(step)
    if reason is None:
        return sources
    if _out_of_reach(reason):
        raise _failure(go, " and ".join(command.name for command in commands), reason)
    reporter.say(f"The sources could not be cut: {reason.strip()}")
    return None


@contextmanager
def _standard_library(go: Go) -> Iterator[None]:
    """Compile Go's own library while modules are fetched; the build does what is left of it."""
    with ThreadPoolExecutor(1) as worker:
        compiled = worker.submit(
            processes.run,
            [go.path, "build", *FLAGS, *STANDARD],
            seconds=SILENT_BUILD,
            folder=CUT,
            environment=go.environment(),
        )
        yield
        compiled.exception()


def _compile(
    go: Go, sources: Sources, commands: Sequence[Command], output: Path, reporter: Reporter
) -> str | None:
    """Build commands from sources; return what Go says if that fails."""
    step = ", ".join(command.name for command in commands)
    # Few packages are large: more of them at once than memory has room for are improbable.
    at_once = max(1, min(os.cpu_count() or 1, sources.memory // 2**30))
    options = [*sources.flags]
    for command in commands:
        values = " ".join(f"-X {name}={value}" for name, value in command.variables)
        options.append(f"-ldflags={command.package}=-s -w {values}")
    environment = go.environment(sources.mod)
    packages = [command.package for command in commands]
    try:
        reporter.update(step, "looking at what is to be compiled")
        listed = processes.run(
            [go.path, "list", "-deps", "-json=ImportPath,Dir,GoFiles", *packages],
            seconds=SILENT_BUILD,
            folder=sources.folder,
            environment=environment,
        )
        if listed.returncode != 0:
            return listed.stderr
        estimate = Estimate(_sizes(listed.stdout))
        built = processes.follow(
            # -v names each package on a line of its own as it is compiled.
            [go.path, "build", "-v", f"-p={at_once}", *options, "-o", f"{output}/", *packages],
            silence=SILENT_BUILD,
            each=lambda line: reporter.update(step, estimate.describe_after(line)),
            folder=sources.folder,
            environment=environment,
        )
    except processes.TimedOutError as error:
        return str(error)
    finally:
        reporter.finish(step)
    for command in commands:
        executable = output / command.package.rpartition("/")[2]
        if executable.is_file():
            executable.rename(output / command.name)
    return built.stderr if built.returncode != 0 else None


def _sizes(listing: str) -> Mapping[str, int]:
    """Bytes of the Go files of each package, from `go list -json`."""
    sizes = {}
    decoder = json.JSONDecoder()
    at = 0
    while (at := len(listing) - len(listing[at:].lstrip())) < len(listing):
        package, at = decoder.raw_decode(listing, at)
        folder = Path(package.get("Dir", ""))
        files = (folder / name for name in package.get("GoFiles", ()))
        sizes[package["ImportPath"]] = sum(path.stat().st_size for path in files if path.exists())
    return sizes


def _out_of_reach(output: str) -> bool:
    return any(sign in output for sign in OUT_OF_REACH)


def _failure(go: Go, what: str, output: str) -> ToolchainError:
    lines = "\n  ".join(output.strip().splitlines()[-processes.LAST_LINES :])
    if _out_of_reach(output):
        return ToolchainError(
            f"{what} could not be built, as Go reaches no module proxy (GOPROXY is "
            f"{go.proxy or 'empty'}) or no checksum database (GOSUMDB). Choose others that you "
            "can reach, for example `go env -w GOPROXY=https://goproxy.cn,direct "
            "GOSUMDB=sum.golang.google.cn`, or install the Pulumi CLI "
            f"(https://www.pulumi.com/docs/install/). Go says:\n  {lines}"
        )
    return ToolchainError(
        f"{what} could not be built from Go modules; install the Pulumi CLI "
        f"(https://www.pulumi.com/docs/install/) instead, or mend what Go says:\n  {lines}"
    )
