"""What bandit finds in the program, from medium severity up, and why each of it stays."""

from __future__ import annotations

import json
import sys

from operations.project import PROJECT
from tests import processes

CODE = ("__main__.py", "components", "configuration", "localcloud", "operations", "policy")
CODE += ("toolchain",)
EXPLAINED = {
    # An instance is reached by the load balancer, on its private address; the security group says
    # who else gets there. Locally the page is told to bind to a loopback address.
    ("components/instance_page/serve.py", "B104"),
    ("components/instance_page/installed.py", "B104"),
    # SLB's API shows and compares fingerprints by SHA-1; nothing is trusted for them.
    ("localcloud/services/certificates.py", "B303"),
    ("operations/clb/existing.py", "B303"),
    # The old PKCS#12 encryption, for a client that asks for it by name.
    ("components/pki/bundles.py", "B303"),
}


def test_bandit_finds_what_is_explained_and_nothing_else():
    done = processes.run(
        [
            sys.executable,
            "-m",
            "bandit",
            "-q",
            "-r",
            "-ll",
            "-f",
            "json",
            "-x",
            "policy/.venv",
            *CODE,
        ],
        cwd=PROJECT,
    )
    report = json.loads(done.stdout)
    assert report["errors"] == []
    assert report["metrics"]["_totals"]["loc"] > 10_000
    found = {(one["filename"], one["test_id"]) for one in report["results"]}
    assert found == EXPLAINED
