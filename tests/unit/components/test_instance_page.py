"""The page that new backends serve, and how it gets there."""

from __future__ import annotations

import ast
import hashlib
import http.client
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.instance_page import cloud_config

SCRIPT = Path(cloud_config.__file__).with_name("serve.py")


@pytest.fixture
def page():
    """Port of a running page of the instance i-test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-I", SCRIPT, "--bind", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "INSTANCE_ID": "i-<test>"},
    )
    try:
        while True:
            assert process.poll() is None
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                continue
        yield port
    finally:
        process.kill()
        process.wait()


def answer(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def test_the_page_names_its_instance_and_escapes_it(page):
    response, body = answer(page, "GET", "/")
    assert response.status == 200
    assert "<h1>i-&lt;test&gt;</h1>" in body
    assert response.headers["Cache-Control"] == "no-store"


def test_the_health_check_is_answered(page):
    response, body = answer(page, "HEAD", "/healthz")
    assert (response.status, body) == (200, "")
    assert answer(page, "GET", "/healthz")[1] == "ok\n"


def test_the_script_runs_on_the_python_of_the_image():
    # Alibaba Cloud Linux 3 has Python 3.6.
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_the_cloud_config_installs_the_script_and_starts_it():
    text = cloud_config.render(8080)
    assert text.startswith("#cloud-config\n")
    config = yaml.safe_load(text)
    files = {entry["path"]: entry["content"] for entry in config["write_files"]}
    assert files[cloud_config.SCRIPT] == cloud_config.script()
    assert (
        f"ExecStart=/usr/bin/python3 -I {cloud_config.SCRIPT} --port 8080\n"
        in (files[cloud_config.UNIT])
    )
    assert ["systemctl", "enable", "--now", "instance-page.service"] in config["runcmd"]


def test_what_is_installed_behaves_like_the_page():
    # If this fails, copy serve.py over installed.py: instances are replaced in any case.
    texts = (SCRIPT.with_name(name).read_text() for name in ("serve.py", "installed.py"))
    assert len({cloud_config.behaviour(text) for text in texts}) == 1


def test_the_user_data_is_that_of_running_instances():
    # Another digest replaces every backend of every stack: only with other behaviour.
    digest = hashlib.sha256(cloud_config.render(80).encode()).hexdigest()
    assert digest == "166a7acd024171df28439205cbc96bd8564d89f891079e13adab877006a27392"


@pytest.fixture
def rewritten(monkeypatch, tmp_path):
    """Renders the user data with another text of serve.py."""

    def render(change):
        for name in ("serve.py", "installed.py"):
            (tmp_path / name).write_text(SCRIPT.with_name(name).read_text())
        (tmp_path / "serve.py").write_text(change(SCRIPT.read_text()))
        monkeypatch.setattr(cloud_config, "__file__", str(tmp_path / "cloud_config.py"))
        return cloud_config.render(80)

    return render


@pytest.mark.parametrize(
    "change",
    [
        lambda text: f"{text}# A comment.\n",
        lambda text: text.replace("Serve until stopped.", "Serve for ever."),
        lambda text: text.replace("One thread a connection.", "A thread for each connection."),
        lambda text: text.replace("METADATA =", "\n# Of ECS.\nMETADATA =", 1),
        lambda text: text.replace('"""Serve until stopped."""', "'Serve.'  # Until stopped."),
    ],
    ids=["comment", "docstring", "docstring of a class", "lines", "quotes"],
)
def test_wording_replaces_no_instance(rewritten, change):
    before = cloud_config.render(80)
    assert change(SCRIPT.read_text()) != SCRIPT.read_text()
    assert rewritten(change) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("Reload to see", "Come back to see"),
        lambda text: text.replace("no-store", "no-cache"),
        lambda text: text.replace("RETRY_SECONDS = 2", "RETRY_SECONDS = 3"),
    ],
    ids=["page", "header", "number"],
)
def test_what_is_served_reaches_the_instances(rewritten, change):
    config = yaml.safe_load(rewritten(change))
    (served,) = (
        one["content"] for one in config["write_files"] if one["path"] == cloud_config.SCRIPT
    )
    assert served == change(SCRIPT.read_text()) != SCRIPT.read_text()


def test_the_user_data_fits():
    # RunInstances takes 32 KB before base64.
    assert len(cloud_config.render(80)) < 32 * 1024
