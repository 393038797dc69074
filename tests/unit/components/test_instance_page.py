"""The page that new backends serve, and how it gets there."""

from __future__ import annotations

import ast
import hashlib
import http.client
import http.server
import importlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from components.instance_page import cloud_config

SCRIPT = Path(cloud_config.__file__).with_name("serve.py")


@pytest.fixture(params=["serve.py", "installed.py"])
def page(request):
    """Port of a running page of the instance i-test: the present one, and that of old instances."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable,
            "-I",
            SCRIPT.with_name(request.param),
            "--bind",
            "127.0.0.1",
            "--port",
            str(port),
        ],
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
        process.terminate()
        process.wait(10)


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


class Metadata(http.server.BaseHTTPRequestHandler):
    """ECS's metadata service in its hardened mode, which is not up at the first request."""

    def do_PUT(self):
        self.server.asked += 1
        life = self.headers["X-aliyun-ecs-metadata-token-ttl-seconds"]
        self._answer(503 if self.server.asked == 1 else 200, f"token for {life} s")

    def do_GET(self):
        assert self.path == "/latest/meta-data/instance-id"
        assert self.headers["X-aliyun-ecs-metadata-token"] == "token for 60 s"
        self._answer(200, "i-of-the-service\n")

    def _answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments):
        pass


@pytest.mark.parametrize("name", ["serve", "installed"])
def test_an_instance_asks_the_metadata_service_who_it_is_until_it_is_told(
    name, monkeypatch, capsys
):
    program = importlib.import_module(f"components.instance_page.{name}")
    with http.server.HTTPServer(("127.0.0.1", 0), Metadata) as service:
        service.asked = 0
        threading.Thread(target=service.serve_forever, daemon=True).start()
        monkeypatch.delenv("INSTANCE_ID", raising=False)
        monkeypatch.setattr(program, "METADATA", f"127.0.0.1:{service.server_port}")
        monkeypatch.setattr(program, "RETRY_SECONDS", 0)
        try:
            assert program.instance_id() == "i-of-the-service"
        finally:
            service.shutdown()
    assert "waiting for the metadata service: /api/token answers 503" in capsys.readouterr().out


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
