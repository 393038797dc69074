"""The local cloud as the provider's own acceptance tests judge it: one of each kind of resource.

`make conformance` runs all of them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from acceptance import expectations, isolation
from operations.project import PROJECT

SOME = (
    "TestAccAliCloudECSSecurityGroupRuleBasic",
    "TestAccAliCloudSLBListener_http_healcheckmethod",
    "TestAccAliCloudSLBRuleUpdate",
    "TestAccAliCloudVPCVSwitch_basic1",
    "TestAccAlicloudSLBAclsDataSource_basic",
    "TestAccAlicloudSLBServerCertificate_basic",
)

SECONDS = 3600


@pytest.mark.long
def test_some_of_the_provider_s_own_acceptance_tests():
    if shutil.which("go") is None:
        pytest.skip("not on PATH: go")
    try:
        isolation.require()
    except isolation.IsolationError as error:
        pytest.skip(str(error))
    tests = expectations.read().tests
    assert all(tests[name] == expectations.PASSES for name in SOME)
    answer = subprocess.run(
        [sys.executable, "-m", "acceptance", *SOME],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert answer.returncode == 0, answer.stderr
