"""The commands of the preview's and the alarm's jobs, taken from the workflows, on a local cloud.

The tests of this file share one copy of the project and run in order.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from alibabacloud_slb20140515 import models

from localcloud.home import Home
from operations.project import PROJECT
from operations.review.comment import GITHUB_LIMIT, marker
from tests import processes
from tests.engine.console import REGION, console
from tests.unit.operations.review.forge import serving

pytestmark = pytest.mark.in_order

STACK = "staging"
"""Two clients, as an environment in an account has them, here on the local cloud."""


@pytest.fixture(scope="module")
def variables(project):
    """The environment of a fresh shell: without what an outer make passes on."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))},
        "STACK": STACK,
        "SLB_MUTUAL_TLS_LOCAL_CLOUD": "1",
        "SLB_MUTUAL_TLS_HOME": str(project / ".local"),
    }


@pytest.fixture(scope="module")
def operations(project, variables):
    """Runs a command that only reads; gives what it prints."""

    def run(command: str) -> str:
        return processes.printed(
            [sys.executable, "-m", "operations", command, "--stack", STACK],
            cwd=project,
            env=variables,
        )

    return run


@pytest.fixture(scope="module")
def job(project, variables):
    """Runs the commands of a workflow's job as the runner does: bash, from the checkout."""

    def run(workflow: str, name: str, **more: str) -> subprocess.CompletedProcess[str]:
        document = yaml.safe_load((project / ".github/workflows" / f"{workflow}.yml").read_text())
        steps = document["jobs"][name]["steps"]
        last = [step["run"] for step in steps if "run" in step][-1]
        return processes.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", last],
            cwd=project,
            env={**variables, **more},
        )

    return run


@pytest.fixture(scope="module")
def deployed(job):
    answer = job("deploy", STACK)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.fixture
def pull_request():
    """GitHub's API, and the variables of a job for pull request 12."""
    with serving() as api:
        api.job = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": f"{api.url}/api",
            "GITHUB_REPOSITORY": "example/service",
            "GITHUB_REF": "refs/pull/12/merge",
            "GITHUB_TOKEN": "ghs_token",
        }
        yield api


def change(project, old, new):
    path = project / f"Pulumi.{STACK}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.usefixtures("deployed")
def test_a_change_is_told_in_a_comment(project, job, pull_request, tmp_path):
    change(project, "    partner: {}\n", "    auditor: {}\n")
    change(project, "deletion_protection: true", "deletion_protection: true\n    name: front-door")
    summary = tmp_path / "summary.md"
    answer = job("preview", "account", GITHUB_STEP_SUMMARY=str(summary), **pull_request.job)
    assert answer.returncode == 0, answer.stderr
    assert "The comment is written." in answer.stderr
    ((method, path, text),) = pull_request.written
    assert (method, path) == ("POST", "/api/repos/example/service/issues/12/comments")
    assert text == answer.stdout
    assert text == summary.read_text().removesuffix("\n")
    assert text.startswith(marker(STACK))
    assert re.search(r"\*\*3 to update; \d+ unchanged\.\*\*", text)
    name = f"slb-mutual-tls-{STACK}"
    row = "| update | `slb:ApplicationLoadBalancer` `{}` | `loadBalancerName` |"
    assert row.format(name) in text
    assert f"| `loadBalancerName` | `{name}` | `front-door` |" in text
    assert re.search(r"\| client `auditor` \| — \| `20\d\d-\d\d-\d\dT23:59:59Z` \|", text)
    assert re.search(r"\| client `partner` \| `20\d\d-\d\d-\d\dT23:59:59Z` \| — \|", text)
    # Pulumi's own display is in the job's log.
    assert "Previewing update (staging)" in answer.stderr


@pytest.mark.usefixtures("deployed")
def test_the_next_push_replaces_the_comment(job, pull_request):
    address = f"{pull_request.url}/api/repos/example/service/issues/comments/3"
    pull_request.comments = [
        {"url": address, "body": f"{marker(STACK)}\nold", "user": {"type": "Bot"}},
        {"url": "other", "body": f"{marker('prod')}\nold", "user": {"type": "Bot"}},
    ]
    # In 80 days the certificates of 90 days are due.
    answer = job("preview", "account", SLB_MUTUAL_TLS_CLOCK_OFFSET="80d", **pull_request.job)
    assert answer.returncode == 0, answer.stderr
    ((method, _, text),) = pull_request.written
    assert method == "PATCH"
    dates = r"`20\d\d-\d\d-\d\dT23:59:59Z`"
    assert re.search(rf"\| client `browser` \| {dates} \| {dates} \|", text)
    assert re.search(rf"\| revocation list \| {dates} \| {dates} \|", text)


@pytest.mark.usefixtures("deployed")
def test_no_secret_is_in_the_comment(project, job, pull_request, operations):
    exports = operations("env")
    state = processes.printed(
        ["bash", "-c", f'{exports}\npulumi stack export --show-secrets --stack "$PULUMI_STACK"'],
        cwd=project,
    )
    secrets = {found["plaintext"] for found in marked(json.loads(state))}
    texts = {json.loads(secret) for secret in secrets if secret.startswith('"')}
    texts |= {text for secret in secrets for text in re.findall(r"[A-Za-z0-9+/]{40,}", secret)}
    texts.discard("")
    assert len(texts) > 50
    change(project, "front-door", "side-door")
    answer = job("preview", "account", SLB_MUTUAL_TLS_CLOCK_OFFSET="2000d", **pull_request.job)
    assert answer.returncode == 0, answer.stderr
    ((_, _, text),) = pull_request.written
    assert len(text) <= GITHUB_LIMIT
    assert "_[secret]_" in text
    assert "PRIVATE KEY" not in text
    assert [secret for secret in texts if secret in text or secret in answer.stderr] == []


def marked(value):
    """Every secret of an exported state."""
    if isinstance(value, dict):
        if "plaintext" in value:
            yield value
        for item in value.values():
            yield from marked(item)
    elif isinstance(value, list):
        for item in value:
            yield from marked(item)


@pytest.mark.usefixtures("deployed")
def test_a_wrong_value_is_told_in_the_comment_and_fails_the_job(project, job, pull_request):
    change(project, "validity: 90d", "validity: 20d")
    try:
        answer = job("preview", "account", **pull_request.job)
    finally:
        change(project, "validity: 20d", "validity: 90d")
    assert answer.returncode != 0
    ((_, _, text),) = pull_request.written
    assert "**The preview failed.**" in text
    assert "renew_before is 21d and validity is 20d" in text


@pytest.mark.usefixtures("deployed")
def test_a_broken_rule_is_told_in_the_comment_and_fails_the_job(project, job, pull_request):
    old = "  slb-mutual-tls:backends:"
    new = f"  slb-mutual-tls:listener:\n    tls_cipher_policy: tls_cipher_policy_1_1\n{old}"
    change(project, old, new)
    try:
        answer = job("preview", "account", **pull_request.job)
    finally:
        change(project, new, old)
    assert answer.returncode != 0
    ((_, _, text),) = pull_request.written
    assert "**The preview failed.**" in text
    assert "broken: tls-policy: " in text


@pytest.mark.usefixtures("deployed")
def test_the_alarm_is_silent_where_nothing_is_to_do(project, job):
    shutil.copy(PROJECT / f"Pulumi.{STACK}.yaml", project)
    answer = job("drift", "look")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "**Nothing to do;" in answer.stdout


@pytest.mark.usefixtures("deployed")
def test_the_alarm_goes_off_where_a_certificate_is_due(job):
    answer = job("drift", "look", SLB_MUTUAL_TLS_CLOCK_OFFSET="80d")
    assert answer.returncode != 0
    assert "No change was expected.**" in answer.stdout


@pytest.mark.usefixtures("deployed")
def test_the_alarm_goes_off_where_somebody_changed_the_listener(project, job, operations):
    with console(Home(project / ".local" / "cloud")) as hands:
        hands.slb.set_load_balancer_httpslistener_attribute(
            models.SetLoadBalancerHTTPSListenerAttributeRequest(
                region_id=REGION,
                load_balancer_id=json.loads(operations("outputs"))["load_balancer_id"],
                listener_port=443,
                tlscipher_policy="tls_cipher_policy_1_0",
            )
        )
    answer = job("drift", "look")
    assert answer.returncode != 0
    row = (
        "| `tlsCipherPolicy` | `tls_cipher_policy_1_0` | `tls_cipher_policy_1_2_strict_with_1_3` |"
    )
    assert row in answer.stdout
