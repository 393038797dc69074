"""All that a load balancer made by hand may have beside the tutorial's, comes under the program.

The tests of this file share one copy of the project and run in order.
"""

from __future__ import annotations

import re

import pytest
import yaml

from localcloud.home import Home
from tests.engine import tutorial
from tests.engine.console import console

pytestmark = pytest.mark.in_order

DOMAIN = "www.example.com"


@pytest.fixture(scope="module")
def hands(project):
    with console(Home(project / ".local" / "cloud")) as found:
        yield found


@pytest.fixture(scope="module")
def site(hands):
    return tutorial.build(hands)


@pytest.fixture(scope="module")
def acl(hands, site):
    return tutorial.elaborate(hands, site, DOMAIN)


@pytest.fixture
def stack_file(project):
    return project / "Pulumi.local.yaml"


def configure(stack_file, **sections):
    document = yaml.safe_load(stack_file.read_text())
    document["config"] |= {f"slb-mutual-tls:{name}": one for name, one in sections.items()}
    stack_file.write_text(yaml.safe_dump(document))


def test_what_shows_another_certificate_has_to_be_said(run, site, acl, stack_file):
    before = stack_file.read_text()
    answer = run("import", site.load_balancer_id)
    assert answer.returncode == 1
    assert f"The listener has certificates of their own for {DOMAIN}" in answer.stderr
    assert stack_file.read_text() == before


@pytest.fixture(scope="module")
def imported(project, run, site, acl):
    configure(project / "Pulumi.local.yaml", listener={"domain_extensions": {DOMAIN: {}}})
    return run("import", site.load_balancer_id)


def test_the_configuration_says_what_is_there(imported, site, acl, stack_file):
    assert imported.returncode == 0, imported.stdout + imported.stderr
    config = yaml.safe_load(stack_file.read_text())["config"]
    assert config["slb-mutual-tls:load_balancer"] == {
        "name": "tutorial",
        "deletion_protection": True,
        "modification_protection": True,
    }
    assert config["slb-mutual-tls:backends"] == {
        "instance_ids": site.server_ids,
        "weights": [100, 20],
    }
    assert config["slb-mutual-tls:tags"] == {"cost.centre": "4711"}
    assert config["slb-mutual-tls:listener"] == {
        "domain_extensions": {DOMAIN: {}},
        "redirect_port": 80,
        "tls_cipher_policy": "tls_cipher_policy_1_2_strict",
        "http2": False,
        "gzip": False,
        "scheduler": "wrr",
        "sticky_session": {"type": "insert", "cookie_timeout": 3600},
        "acl": {"type": "white", "ids": [acl]},
        "bandwidth": 50,
        "idle_timeout": 30,
        "request_timeout": 90,
        "forwarded_headers": {"proto": False, "slb_id": True, "slb_ip": True},
        "health_check": {
            "method": "get",
            "http_codes": ["http_2xx", "http_3xx"],
            "domain": "health.example.com",
            "interval": 3,
            "timeout": 4,
            "healthy_threshold": 4,
            "unhealthy_threshold": 5,
        },
    }


def test_only_certificates_names_and_tags_differ(imported):
    differing = dict(
        re.findall(r"^\| update \| `slb:(\w+)` `[^`]*` \| (.*) \|$", imported.stdout, re.M)
    )
    assert differing == {
        "ApplicationLoadBalancer": "`modificationProtectionReason`, `tags`",
        "Listener": "`caCertificateId`, `description`, `serverCertificateId`",
        "DomainExtension": "`serverCertificateId`",
    }
    assert not re.findall(r"^\| (replace|delete)", imported.stdout, re.M)


def test_what_is_not_kept_is_said(imported):
    text = " ".join(imported.stdout.split())
    assert f", and the certificates for {DOMAIN}." in text
    assert "Left alone: listeners http:8080." in text
    assert "The reason of the load balancer's protection, in-use, becomes" in text


def test_up_does_it_and_nothing_is_left_to_do(imported, run):
    answer = run("up", "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert not re.search(r"\d (replaced|deleted)", answer.stdout)
    answer = run("preview", "--", "--expect-no-changes")
    assert answer.returncode == 0, answer.stdout
