"""The official release is used only if it is the one whose sum was published."""

from __future__ import annotations

import hashlib
import io
import platform
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toolchain import download
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter

VERSION = "3.272.0"


@pytest.fixture
def release(tmp_path):
    """A server with a release as Pulumi publishes it; yields (folder, keyword arguments)."""
    folder = tmp_path / "release"
    name = download.archive_name(VERSION)
    (folder / f"v{VERSION}").mkdir(parents=True)
    with tarfile.open(folder / name, "w:gz") as archive:
        entry = tarfile.TarInfo("pulumi/pulumi")
        content = b"#!/bin/sh\n"
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    sums = folder / f"v{VERSION}" / f"pulumi-{VERSION}-checksums.txt"
    sums.write_text(f"{digest}  {name}\n")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    yield folder, {"archives": base, "checksums": base}
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_a_release_is_unpacked(release, target):
    download.fetch_cli(VERSION, target, Reporter(), **release[1])
    assert (target / "bin/pulumi").stat().st_mode & 0o111
    assert [path.name for path in target.iterdir()] == ["bin"]


def test_a_release_that_differs_from_its_sum_is_not_used(release, target):
    folder, places = release
    archive = folder / download.archive_name(VERSION)
    archive.write_bytes(archive.read_bytes() + b"more")
    with pytest.raises(ToolchainError, match=r"has the SHA-256 sum .* its release says"):
        download.fetch_cli(VERSION, target, Reporter(), **places)
    assert not (target / "bin").exists()


def test_a_release_without_a_sum_is_not_used(release, target):
    folder, places = release
    (folder / f"v{VERSION}" / f"pulumi-{VERSION}-checksums.txt").write_text("")
    with pytest.raises(ToolchainError, match=r"do not list"):
        download.fetch_cli(VERSION, target, Reporter(), **places)


def test_an_unreachable_server_is_one_sentence(target):
    nowhere = "http://127.0.0.1:9"
    with pytest.raises(ToolchainError, match=r"^Pulumi 3\.272\.0 could not be downloaded"):
        download.fetch_cli(VERSION, target, Reporter(), archives=nowhere, checksums=nowhere)


def test_a_machine_without_a_release_is_told(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(ToolchainError, match=r"publishes no archive for .* on riscv64"):
        download.archive_name(VERSION)
