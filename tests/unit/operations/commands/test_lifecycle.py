from __future__ import annotations

import json
import os
import shlex
import subprocess
from types import SimpleNamespace

import pytest

from operations.stacks import environment as environments
from operations.stacks.environment import StackTarget


@pytest.mark.usefixtures("health")
def test_up_on_the_local_cloud_ends_with_a_request_that_works(
    run, target, tmp_path, capsys, monkeypatch
):
    local = SimpleNamespace(home=tmp_path, configure=lambda stack, values: False)
    monkeypatch.setattr(
        environments, "open_stack", lambda name: StackTarget(target.stack, {}, local)
    )
    target.stack.document["clients"]["browser"]["status"] = "revoked"
    assert run("up") == 0
    assert target.stack.commands == [["up", "--yes"]]
    title, request = capsys.readouterr().out.splitlines()[-2:]
    assert title == "A request as client partner:"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    answer = subprocess.run(
        ["bash", "-c", request], env=environment, capture_output=True, timeout=60, check=True
    )
    assert b"<title>i-" in answer.stdout
    assert str(tmp_path / "clients" / "partner" / "partner.key") in shlex.split(request)


@pytest.mark.usefixtures("health")
def test_up_follows_the_port_that_the_local_cloud_took(run, target, tmp_path, capsys, monkeypatch):
    local = SimpleNamespace(
        home=tmp_path,
        configure=lambda stack, values: True,
        cloud_status=lambda: {"listeners": [{"port": 443, "socket": {"port": 8443}}]},
    )
    opened = StackTarget(target.stack, {}, local)
    monkeypatch.setattr(environments, "open_stack", lambda name: opened)
    assert run("up") == 0
    assert target.stack.commands == [["up", "--yes"], ["up", "--yes", "--skip-preview"]]
    assert "Served: 443 at 8443." in capsys.readouterr().err


def test_outputs_are_json_without_secrets(run, target, capsys):
    assert run("outputs") == 0
    assert "client_bundles" not in json.loads(capsys.readouterr().out)
