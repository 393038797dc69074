"""The preview of a change from a fork: the workflow's own commands, without any secret."""

from __future__ import annotations

import os
import socket

import yaml

from localcloud import control
from localcloud.home import Home
from operations.project import PROJECT
from tests import processes
from tests.engine.conftest import copy_of_the_project


def test_a_fork_s_change_is_told_against_what_it_would_change(tmp_path, toolchain):
    base, change = (copy_of_the_project(tmp_path / name) for name in ("base", "change"))
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    for checkout in (base, change):
        path = checkout / "Pulumi.local.yaml"
        path.write_text(path.read_text().replace("127.0.0.1:7443", f"127.0.0.1:{port}"))
    path = change / "Pulumi.dev.yaml"
    path.write_text(
        path.read_text().replace("    browser: {}\n", "    browser: {}\n    guest: {}\n")
    )
    workflow = yaml.safe_load((PROJECT / ".github/workflows/preview.yml").read_text())
    job = workflow["jobs"]["local-cloud"]
    home = tmp_path / "local"
    # Without what an outer make passes on: its options are not those of a fresh shell.
    fresh = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    variables = {**fresh, **job["env"], "STACK": "dev", "SLB_MUTUAL_TLS_HOME": str(home)}
    try:
        for command in [step["run"] for step in job["steps"] if "run" in step]:
            answer = processes.printed(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
                cwd=tmp_path,
                env=variables,
            )
    finally:
        control.stop(Home(home / "cloud"))
    assert "**1 to update;" in answer
    assert "| client `guest` | — |" in answer
