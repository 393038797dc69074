"""The official Pulumi CLI: one archive with the engine, the language hosts and their helpers."""

from __future__ import annotations

import hashlib
import platform
import tarfile
from pathlib import Path

import httpx

from toolchain.errors import ToolchainError
from toolchain.progress import Reporter

ARCHIVES = "https://get.pulumi.com/releases/sdk"
CHECKSUMS = "https://github.com/pulumi/pulumi/releases/download"

TIMEOUT = httpx.Timeout(60.0, connect=5.0)


def archive_name(version: str) -> str:
    """File name of the release for this machine, e.g. `pulumi-v3.276.0-linux-x64.tar.gz`.

    Raises:
        ToolchainError: Pulumi publishes no archive for this machine.
    """
    system = platform.system().lower()
    machine = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}.get(
        platform.machine().lower()
    )
    if system not in {"linux", "darwin"} or machine is None:
        raise ToolchainError(
            f"Pulumi publishes no archive for {platform.system()} on {platform.machine()}: "
            "install the Pulumi CLI by hand (https://www.pulumi.com/docs/install/)."
        )
    return f"pulumi-v{version}-{system}-{machine}.tar.gz"


def fetch_cli(
    version: str,
    target: Path,
    reporter: Reporter,
    *,
    archives: str = ARCHIVES,
    checksums: str = CHECKSUMS,
) -> None:
    """Download a release, check its published SHA-256 sum, and unpack it into `target`/bin.

    Raises:
        ToolchainError: The release cannot be reached, or the sum does not match.
    """
    name = archive_name(version)
    archive = target / name
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
            sums = client.get(f"{checksums}/v{version}/pulumi-{version}-checksums.txt")
            expected = _expected_sum(sums.raise_for_status().text, name)
            actual = _save(client, f"{archives}/{name}", archive, reporter)
    except httpx.HTTPError as error:
        raise ToolchainError(f"Pulumi {version} could not be downloaded ({error}).") from error
    if actual != expected:
        raise ToolchainError(
            f"{archives}/{name} has the SHA-256 sum {actual}, its release says {expected}: not "
            "used."
        )
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data")
    archive.unlink()
    (target / "pulumi").rename(target / "bin")


def _expected_sum(text: str, name: str) -> str:
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 2 and fields[1].lstrip("*") == name:
            return fields[0].lower()
    raise ToolchainError(f"The release's checksums do not list {name}: not downloaded.")


def _save(client: httpx.Client, url: str, path: Path, reporter: Reporter) -> str:
    digest = hashlib.sha256()
    with client.stream("GET", url) as response, path.open("wb") as file:
        response.raise_for_status()
        size = int(response.headers.get("content-length", 0))
        done = 0
        for block in response.iter_bytes(2**20):
            file.write(block)
            digest.update(block)
            done += len(block)
            reporter.update("pulumi", f"downloading, {done >> 20} of {size >> 20} MB")
    reporter.finish("pulumi")
    return digest.hexdigest()
