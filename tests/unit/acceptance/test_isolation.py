"""The acceptance tests start without a way out, or not at all."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from acceptance import isolation
from operations.project import PROJECT


def test_nothing_starts_where_there_is_a_network(monkeypatch) -> None:
    up = {"lo": True, "eth0": True, "ifb0": False}
    shape = psutil.net_if_stats()["lo"]
    monkeypatch.setattr(
        psutil, "net_if_stats", lambda: {name: shape._replace(isup=on) for name, on in up.items()}
    )
    with pytest.raises(isolation.IsolationError, match=r"eth0.*namespace"):
        isolation.enter()


def test_without_unshare_nothing_starts(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(isolation.IsolationError, match="util-linux"):
        isolation.require()


def test_a_machine_that_gives_no_namespace_is_told_what_would_help(monkeypatch, tmp_path) -> None:
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(isolation.IsolationError, match=r"not permitted.*as root"):
        isolation.require()


def test_inside_there_is_loopback_and_nothing_else() -> None:
    try:
        isolation.require()
    except isolation.IsolationError as error:
        pytest.skip(str(error))
    answer = subprocess.run(
        isolation.command([sys.executable, "-c", INSIDE]),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.stdout == "refused\nserved\n", answer.stderr


INSIDE = """
import socket
from acceptance import isolation
isolation.enter()
try:
    socket.create_connection(("192.0.2.1", 80), 5)
except OSError:
    print("refused")
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), 5)
print("served")
"""


def test_nobody_s_credentials_and_options_come_along(monkeypatch, tmp_path) -> None:
    for name in (
        "ALICLOUD_ACCESS_KEY",
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIYUN_PROFILE",
        "TF_LOG",
        "SLB_ENDPOINT",
        "https_proxy",
        "HTTPS_PROXY",
    ):
        monkeypatch.setenv(name, "somebody's")
    environment = isolation.clean_environment(tmp_path)
    assert "somebody's" not in environment.values()
    assert environment["HOME"] == str(tmp_path / "home")
    assert environment["PATH"]
