"""The tutorial's load balancer, made by hand, comes under the program: `make import`.

The tests of this file share one copy of the project and run in order.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from alibabacloud_slb20140515 import models

from components.pki import certificates, keys
from localcloud import control
from localcloud.home import Home
from operations.verification import probes
from operations.verification.probes import Answered
from tests import processes
from tests.engine import tutorial
from tests.engine.console import REGION, console
from tests.terminal import at_a_terminal

pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def site(project):
    with console(Home(project / ".local" / "cloud")) as hands:
        return tutorial.build(hands)


@pytest.fixture
def stack_file(project):
    return project / "Pulumi.local.yaml"


def test_what_only_a_replacement_could_give_is_refused(run, site, stack_file):
    before = stack_file.read_text()
    stack_file.write_text(f"{before}  slb-mutual-tls:listener:\n    port: 8443\n")
    answer = run("import", site.load_balancer_id, "--port", "443")
    stack_file.write_text(before)
    assert answer.returncode == 1
    assert "listener.port is configured as 8443, and it is 443 there" in answer.stderr


def test_what_the_configuration_cannot_say_is_refused(run, site, stack_file):
    before = stack_file.read_text()
    answer = run("import", site.load_balancer_id)
    assert answer.returncode == 1
    assert "listener.health_check.uri" in answer.stderr
    assert "Every backend has to answer the path of the health check." in answer.stderr
    assert stack_file.read_text() == before


def test_a_load_balancer_that_is_not_there_is_refused(run):
    answer = run("import", "lb-nothere")
    assert answer.returncode == 1
    assert "InvalidLoadBalancerId.NotFound" in answer.stderr


UP = """
from operations.errors import signals_end_in_order
from operations.stacks.environment import open_stack
with signals_end_in_order():
    open_stack("local").stack.run("up")
"""


def test_an_up_whose_window_is_closed_at_its_question_leaves_no_lock(project):
    """As of a stack in an account: the local one's `up` asks nothing."""
    environment = {k: v for k, v in os.environ.items() if k != "SLB_MUTUAL_TLS_HOME"}
    with at_a_terminal([sys.executable, "-c", UP], cwd=project, env=environment) as terminal:
        terminal.wait_for("Do you want to perform this update?")
        assert locks(project)
        terminal.close()
        assert terminal.end() != 0
    assert not locks(project)


@pytest.mark.parametrize("stage", ["Importing", "Previewing"])
def test_an_import_whose_window_is_closed_leaves_nothing(run, project, site, stack_file, stage):
    before = stack_file.read_bytes()
    tried = before + b"  slb-mutual-tls:listener: {health_check: {uri: /healthz}}  # ours\n"
    stack_file.write_bytes(tried)
    state = exported(project, run)
    environment = {k: v for k, v in os.environ.items() if k != "SLB_MUTUAL_TLS_HOME"}
    line = [sys.executable, "-m", "operations", "import", site.load_balancer_id]
    with at_a_terminal(line, cwd=project, env=environment) as terminal:
        terminal.wait_for(stage)
        terminal.close()
        assert terminal.end() != 0
    assert stack_file.read_bytes() == tried
    stack_file.write_bytes(before)
    assert exported(project, run) == state
    assert not locks(project)


def locks(project):
    return list(project.glob(".local/state/.pulumi/locks/**/*.json"))


def exported(project, run):
    """The resources of the stack's state."""
    script = f"{run('env').stdout}\npulumi stack export"
    text = processes.printed(["bash", "-ec", script], cwd=project)
    return json.loads(text)["deployment"].get("resources") or []


@pytest.fixture(scope="module")
def imported(project, run, site):
    """The import, into a configuration that brings the old CA along."""
    path = project / "Pulumi.local.yaml"
    document = yaml.safe_load(path.read_text())
    document["config"]["slb-mutual-tls:certificate_authority"] = {
        "certificate": certificates.pem(site.ca.certificate),
        "private_key": encrypted(project, run, keys.pkcs1(site.ca.private_key)),
    }
    document["config"]["slb-mutual-tls:listener"] = {"health_check": {"uri": "/healthz"}}
    path.write_text(yaml.safe_dump(document))
    return run("import", site.load_balancer_id)


def encrypted(project, run, key: str) -> dict[str, str]:
    """A secret of the stack, as its configuration file holds it."""
    place = "'slb-mutual-tls:certificate_authority.private_key'"
    script = f"{run('env').stdout}\npulumi config set --secret --path {place}"
    processes.printed(["bash", "-ec", script], cwd=project, text=key)
    (line,) = re.findall(r"export PULUMI_OPTION_CONFIG_FILE=(.*)", script)
    written = yaml.safe_load(Path(line).read_text())["config"]
    return written["slb-mutual-tls:certificate_authority"]["private_key"]


def test_the_import_takes_the_load_balancer_as_it_is(imported, site, stack_file):
    assert imported.returncode == 0, imported.stdout + imported.stderr
    config = yaml.safe_load(stack_file.read_text())["config"]
    assert config["slb-mutual-tls:backends"]["instance_ids"] == site.server_ids
    assert config["slb-mutual-tls:load_balancer"]["name"] == "tutorial"
    assert config["slb-mutual-tls:listener"]["health_check"] == {
        "uri": "/healthz",
        "interval": 1,
        "healthy_threshold": 2,
    }


def test_the_import_says_what_up_will_do_and_what_it_leaves_alone(imported, site):
    assert "| update | `slb:Listener` `slb-mutual-tls-local` |" in imported.stdout
    assert "replace" not in imported.stdout
    assert "delete |" not in imported.stdout
    text = " ".join(imported.stdout.split())
    assert (
        f"Left alone: server certificate {site.server_certificate_id} and CA certificate "
        f"{site.ca_certificate_id}." in text
    )
    assert "The CA stays the same: client certificates of before go on working." in text


def test_nothing_was_changed_by_it(imported, project, site):
    with console(Home(project / ".local" / "cloud")) as hands:
        listener = described(hands, site)
    assert listener.server_certificate_id == site.server_certificate_id
    assert listener.cacertificate_id == site.ca_certificate_id
    assert listener.health_check_uri == "/"


def described(hands, site):
    return hands.slb.describe_load_balancer_httpslistener_attribute(
        models.DescribeLoadBalancerHTTPSListenerAttributeRequest(
            region_id=REGION, load_balancer_id=site.load_balancer_id, listener_port=443
        )
    ).body


def test_up_changes_it_in_place_and_no_request_is_lost(imported, run, site, project):
    with requests(project, site) as seen:
        answer = run("up")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert not re.search(r"\d (replaced|deleted)", answer.stdout)
    assert set(seen) == {200}, seen
    assert seen[200] > 50
    outputs = json.loads(run("outputs").stdout)
    assert outputs["load_balancer_id"] == site.load_balancer_id
    assert outputs["address"] == site.address
    with console(Home(project / ".local" / "cloud")) as hands:
        listener = described(hands, site)
    assert listener.server_certificate_id != site.server_certificate_id
    assert listener.tlscipher_policy == "tls_cipher_policy_1_2_strict_with_1_3"


def test_nothing_is_left_to_do(imported, run):
    answer = run("preview", "--", "--expect-no-changes")
    assert answer.returncode == 0, answer.stdout


def test_what_is_imported_is_not_imported_again(imported, run, site):
    answer = run("import", site.load_balancer_id)
    assert answer.returncode == 1
    assert "Stack local has a load balancer already." in answer.stderr


@contextmanager
def requests(project, site):
    """Requests without pause by the old client; gives a count of the outcomes."""
    (listener,) = control.ask(Home(project / ".local" / "cloud"), "GET", "/status")["listeners"]
    target = probes.ProbeTarget(listener["socket"]["host"], listener["socket"]["port"])
    context = probes.anchored_context(certificates.pem(site.ca.certificate))
    seen: Counter[object] = Counter()
    done = threading.Event()

    def ask():
        while not done.is_set():
            outcome = probes.probe(target, context, site.client)
            seen[outcome.status if isinstance(outcome, Answered) else str(outcome)] += 1
            done.wait(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
