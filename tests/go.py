"""Builds Go programs of the tests, each once for a version of its source and of Go."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import processes
from toolchain import cache

BUILD_SECONDS = 540

OUT_OF_REACH = (
    "dial tcp",
    "i/o timeout",
    "module lookup disabled",
    "no such host",
    "requires go >=",
    "TLS handshake",
)
"""What Go says where it cannot fetch the modules or is too old for them."""


@functools.cache
def _users_flags() -> str:
    """GOFLAGS of the environment, or else of `go env -w`."""
    return processes.printed(["go", "env", "GOFLAGS"], timeout=BUILD_SECONDS).strip()


def program(name: str, source: Path, files: Sequence[str], package: str = ".") -> Path:
    """The command `name`; where Go or its modules cannot be had, the test is skipped.

    Args:
        name: Of the command.
        source: Folder of its module.
        files: Of that folder, that make up its version.
        package: What to build there.
    """
    if shutil.which("go") is None:
        pytest.skip("not on PATH: go")

    def go(*words: str) -> subprocess.CompletedProcess[str]:
        # -mod=readonly, after the user's own flags: what is built is what go.sum holds.
        flags = f"{_users_flags()} -mod=readonly -buildvcs=false".strip()
        environment = {**os.environ, "GOFLAGS": flags, "GOWORK": "off"}
        return processes.run(["go", *words], cwd=source, env=environment, timeout=BUILD_SECONDS)

    digest = hashlib.sha256(go("env", "GOVERSION", "GOOS", "GOARCH").stdout.encode())
    for file in files:
        digest.update((source / file).read_bytes())

    def build(folder: Path) -> None:
        fetched = go("mod", "download")
        if fetched.returncode != 0 and any(sign in fetched.stderr for sign in OUT_OF_REACH):
            pytest.skip(f"Go cannot get {name}: {fetched.stderr.strip()}")
        built = go("build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / name), package)
        assert built.returncode == 0, built.stderr

    return cache.ensure_part(f"{name}-{digest.hexdigest()[:12]}", build) / name
