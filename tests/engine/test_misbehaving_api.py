"""The API misbehaves: `up` succeeds, or stops with the cloud's own code and the way on.

`SURVIVED` and `REFUSED` are what the provider retries, and what it does not.
"""

from __future__ import annotations

import re

import pytest
import yaml

from localcloud import control
from tests.engine import tracebacks
from tests.engine.conftest import copy_of_the_project
from tests.engine.interruptions import ProjectCopy

SURVIVED = [
    # Throttled, failing, unavailable
    {"action": "CreateVpc", "code": "Throttling.User", "status": 429},
    {"action": "CreateSecurityGroup", "code": "ServiceUnavailable", "status": 503},
    {"action": "UploadCACertificate", "code": "Throttling"},
    {"action": "DescribeLoadBalancerAttribute", "code": "ServiceUnavailable", "status": 503},
    {"action": "DescribeVpcAttribute", "code": "Throttling.Api", "times": 3},
    {"action": "RunInstances", "code": "InternalError", "status": 500},
    # Busy
    {"action": "CreateVSwitch", "code": "TaskConflict"},
    {"action": "RunInstances", "code": "IncorrectVSwitchStatus"},
    {"action": "CreateLoadBalancer", "code": "OperationFailed.TokenIsProcessing"},
    {"action": "AddBackendServers", "code": "ServiceIsConfiguring"},
    {"action": "StartLoadBalancerListener", "code": "ServiceIsConfiguring", "times": 2},
    {"action": "DescribeLoadBalancerHTTPSListenerAttribute", "code": "SystemBusy"},
    {
        "action": "SetLoadBalancerHTTPSListenerAttribute",
        "code": "OperationFailed.ListenerStatusNotSupport",
    },
    # Slow, and answers that are lost on the way
    {"action": "Describe*", "kind": "delay", "seconds": 3, "times": 3},
    {"action": "CreateVpc", "kind": "drop"},
    {"action": "CreateVSwitch", "kind": "drop"},
    {"action": "CreateSecurityGroup", "kind": "drop"},
    {"action": "CreateLoadBalancer", "kind": "drop"},
]

UNSEEN = [
    "DescribeVpcAttribute",
    "DescribeVSwitchAttributes",
    "DescribeSecurityGroups",
    "DescribeSecurityGroupAttribute",
    "DescribeInstances",
    "DescribeServerCertificates",
    "DescribeCACertificates",
    "DescribeLoadBalancerAttribute",
    "DescribeLoadBalancerHTTPSListenerAttribute",
]
"""Reads right after a create that may not see it yet."""

REFUSED = [
    {"action": "CreateLoadBalancerHTTPSListener", "code": "ServiceIsConfiguring"},
    {"action": "UploadServerCertificate", "code": "Throttling.User", "status": 429},
    {"action": "CreateLoadBalancer", "code": "OverQuota"},
    {"action": "RunInstances", "code": "OperationDenied.NoStock", "status": 403},
    {"action": "StartLoadBalancerListener", "code": "InternalError", "status": 500},
]


LATE = ["CreateVSwitch", "UploadServerCertificate", "CreateLoadBalancerHTTPSListener"]
"""Carried out, and answered after the provider has given up waiting."""

AGAIN = ("up", "--", "--skip-preview")
"""`make up` after a failure; `test_operations.py` goes on with a preview."""


@pytest.fixture
def site(tmp_path, toolchain):
    found = ProjectCopy(copy_of_the_project(tmp_path / "project"))
    found.start_cloud()
    yield found
    found.stop_cloud()


def faults(site, *descriptions):
    for description in descriptions:
        control.ask(site.home, "POST", "/faults", description)


def left(site):
    return control.ask(site.home, "GET", "/faults")


def test_what_the_provider_retries_it_gets_through(site):
    faults(site, *SURVIVED)
    answer = site.operations("up")
    assert answer.status == 0, answer.text
    assert left(site) == [], "the provider met every fault"
    site.remember()
    assert site.disorder() == []


def test_what_it_does_not_retry_is_named_with_the_way_on(site):
    faults(site, *REFUSED)
    answer = site.operations("up")
    failed = []
    while answer.status != 0:
        assert "`make up` again: it goes on from here" in " ".join(answer.text.split())
        assert tracebacks.of_ours(answer.text) == []
        failed.append(answer.text)
        assert len(failed) <= len(REFUSED), answer.text
        answer = site.operations(*AGAIN)
    assert left(site) == [], "all were met"
    for fault in REFUSED:
        assert fault["code"] in "".join(failed), fault
    site.remember()
    assert site.disorder() == []


def test_answers_that_come_later_than_the_provider_waits(site):
    path = site.project / "Pulumi.local.yaml"
    document = yaml.safe_load(path.read_text())
    document["config"]["alicloud:clientReadTimeout"] = "5000"
    path.write_text(yaml.safe_dump(document))
    faults(site, *({"action": one, "kind": "late", "seconds": 30} for one in LATE))
    answer = site.operations("up")
    failed = []
    while answer.status != 0:
        assert "`make up` again: it goes on from here" in " ".join(answer.text.split())
        assert tracebacks.of_ours(answer.text) == []
        assert re.search("timeout|deadline exceeded", answer.text, re.IGNORECASE), answer.text
        failed.append(answer.text)
        assert len(failed) <= len(LATE), answer.text
        answer = site.operations(*AGAIN)
    assert left(site) == [], "all were met"
    site.remember()
    assert site.disorder() == []


def test_reads_that_do_not_see_what_was_just_made(site):
    faults(site, *({"action": one, "kind": "unseen", "seconds": 60} for one in UNSEEN))
    answer = site.operations("up")
    tries = 1
    while answer.status != 0:
        assert "`make up` again: it goes on from here" in " ".join(answer.text.split())
        assert tries < len(UNSEEN), answer.text
        answer = site.operations(*AGAIN)
        tries += 1
    assert left(site) == [], "all were met"
    site.remember()
    assert site.disorder() == []
