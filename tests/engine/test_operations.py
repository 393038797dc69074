"""`make` where things go wrong: busy APIs, a failure half-way, ports that are taken.

The tests of this file share one home and run in order.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys

import pytest
import yaml

from localcloud import control
from localcloud.home import Home
from operations.project import PROJECT
from tests import processes

pytestmark = pytest.mark.in_order

PROXY = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY"), "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def home(tmp_path_factory, toolchain):
    """A home whose cloud is busy, and where port 443 of the first load balancer is taken."""
    home = tmp_path_factory.mktemp("home") / "local"
    cloud = Home(home / "cloud")
    control.start(cloud, 0, print)
    try:
        with socket.create_server((f"{cloud.networks()[0]}.1", 443)):
            yield home
    finally:
        control.stop(cloud)


@pytest.fixture(scope="module")
def run(home):
    def run(command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return processes.run(
            [sys.executable, "-m", "operations", command, "--stack", "local", *arguments],
            cwd=PROJECT,
            # As at every company; there is none at this address.
            env={**os.environ, **PROXY, "SLB_MUTUAL_TLS_HOME": str(home), **variables},
        )

    return run


def fault(home, **description):
    control.ask(Home(home / "cloud"), "POST", "/faults", description)


def test_a_failure_half_way_is_told_in_the_cloud_s_own_words(home, run):
    # What the provider retries it gets through; the last one it does not retry.
    fault(home, action="DescribeLoadBalancerAttribute", code="Throttling.User", times=2)
    fault(home, action="CreateVpc", code="TaskConflict")
    fault(home, action="StartLoadBalancerListener", code="ServiceIsConfiguring", times=2)
    fault(home, action="SetLoadBalancerHTTPSListenerAttribute", code="ServiceIsConfiguring")
    answer = run("up")
    assert answer.returncode != 0
    assert "ServiceIsConfiguring" in answer.stdout
    left = control.ask(Home(home / "cloud"), "GET", "/faults")
    assert left == [], "the provider met every fault"


def test_the_next_up_completes_it_and_the_outputs_name_the_port_that_serves(run):
    answer = run("up")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "did not end well (alicloud:slb/listener:Listener); looking at" in answer.stderr
    outputs = json.loads(run("outputs").stdout)
    assert outputs["url"] == f"https://{outputs['address']}:8443/"
    report = json.loads(run("verify", "--json").stdout)
    assert report["passed"] is True
    assert {check["status"] for check in report["checks"]} == {"passed"}


def test_a_report_has_the_verification_that_was_made(run, tmp_path):
    verified, page = tmp_path / "verification.json", tmp_path / "report.html"
    verified.write_text(run("verify", "--json").stdout)
    answer = run("report", "--out", str(page), "--verification", str(verified))
    assert (answer.returncode, answer.stdout) == (0, f"{page}\n"), answer.stderr
    text = page.read_text(encoding="utf-8")
    assert "14 of 14" in text
    assert "<bdi>browser</bdi>" in text
    assert "certificate_authority_days" in text


def test_up_again_has_nothing_to_do(run):
    answer = run("up")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "unchanged" in answer.stdout
    assert not re.search(r"\d (created|updated|replaced)", answer.stdout)
    assert "Served:" not in answer.stderr


def test_what_the_cloud_remembers_survives_its_restart(home, run):
    cloud = Home(home / "cloud")
    control.stop(cloud)
    control.start(cloud, 0, print)
    answer = run("verify", "--json")
    assert json.loads(answer.stdout)["passed"] is True, answer.stdout


def test_another_port_is_taken_where_that_of_the_api_is_not_free(tmp_path, run):
    other = tmp_path / "other"
    with contextlib.ExitStack() as stack:
        # It may be taken already: by the local cloud of whoever runs the tests.
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", 7443)))
        stack.callback(control.stop, Home(other / "cloud"))
        answer = run("env", SLB_MUTUAL_TLS_HOME=str(other))
        assert answer.returncode == 0, answer.stderr
        assert "Port 7443 of 127.0.0.1 is not free" in answer.stderr
        endpoint = control.ask(Home(other / "cloud"), "GET", "/status")["endpoint"]
    address = endpoint.removeprefix("https://")
    assert not address.endswith(":7443")
    config = yaml.safe_load((other / "Pulumi.local.yaml").read_text())["config"]
    assert set(config["alicloud:endpoints"][0].values()) == {address}


def test_down_removes_everything_and_stops_the_cloud(home, run):
    answer = run("down")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert control.find_running(Home(home / "cloud")) is None
