"""`pulumi new`: a project of another name, made from this one, on a local cloud."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest
import yaml

from localcloud import control
from localcloud.home import Home
from operations.project import PROJECT
from tests import processes
from tests.engine.conftest import link_environments

pytestmark = pytest.mark.in_order

UNWANTED = (".venv", ".local", ".git", "out", "tests", "benchmarks", "__pycache__", ".*_cache")


@pytest.fixture(scope="module")
def made(tmp_path_factory, toolchain):
    folder = tmp_path_factory.mktemp("template")
    template, project = folder / "template", folder / "front-door"
    shutil.copytree(PROJECT, template, ignore=shutil.ignore_patterns(*UNWANTED))
    command = ["new", str(template), "--generate-only", "--yes", "--name", "front-door"]
    processes.printed(
        [toolchain.pulumi, *command, "--dir", str(project)],
        env={**os.environ, **toolchain.environment(), "PULUMI_HOME": str(folder / "home")},
    )
    return project


def test_the_template_says_what_it_is_and_what_it_asks():
    template = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text(encoding="utf-8"))["template"]
    assert template["description"]
    assert template["config"]["alicloud:region"]["default"] == "cn-hangzhou"


def test_the_copy_is_a_project_of_its_own(made):
    project = yaml.safe_load((made / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == "front-door"
    assert "template" not in project
    assert (made / "Pulumi.prod.yaml").read_text() == (PROJECT / "Pulumi.prod.yaml").read_text()
    assert (made / ".github" / "workflows" / "preview.yml").is_file()


def test_the_copy_previews_under_its_own_name(made):
    link_environments(made)
    cloud = Home(made / ".local" / "cloud")
    control.start(cloud, 0, print)
    try:
        environment = {k: v for k, v in os.environ.items() if k != "SLB_MUTUAL_TLS_HOME"}
        answer = processes.run(
            [sys.executable, "-m", "operations", "preview", "--", "--json"],
            cwd=made,
            env=environment,
        )
    finally:
        control.stop(cloud)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    plan = json.loads(answer.stdout)
    urn = "urn:pulumi:local::front-door::slb-mutual-tls:index:MutualTlsLoadBalancer$"
    listener = f"{urn}alicloud:slb/listener:Listener::front-door-local"
    assert listener in {step["urn"] for step in plan["steps"]}
    clients = [step for step in plan["steps"] if "CertificateRegister" in step["urn"]]
    assert set(clients[0]["newState"]["inputs"]["clients"]) == {"browser", "partner"}
