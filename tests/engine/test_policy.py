"""The policy pack on the real engine.

The program obeys every rule. A program that breaks each is stopped, in a preview and in an update.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from components.pki import certificates, keys
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window
from operations.project import POLICY_PACK, PROJECT
from tests import processes
from tests.engine.holders import set_secret
from tests.homes import dump_of

pytestmark = pytest.mark.in_order

PROGRAM = Path(__file__).parent / "programs/breaks_every_rule"

VIOLATIONS = {
    "backend-ports": "Port range 22/22 of the security group is open to 0.0.0.0/0: only",
    "certificate-validity": "certificate of server is valid from .* 3000 days: set server.validity",
    "deletion-protection": "load balancer of stack prod can be deleted by mistake: set",
    "health-check": "port 443 sends requests to backends that do not answer: set",
    "mutual-tls": "port 443 has no CA certificate, so that it lets in whoever comes: set",
    "region": "region eu-west-1 is not allowed: set alicloud:region to one that is",
    "secret-inputs": "privateKey is a secret in the clear, .*: wrap it by",
    "tls-policy": "port 443 has the TLS policy tls_cipher_policy_1_1: set tls_cipher_policy to",
}


@pytest.fixture(scope="module")
def obedient(engine):
    engine.stack = dataclasses.replace(engine.stack, policy_pack=POLICY_PACK)
    return engine


def test_the_program_obeys_every_rule(obedient):
    place = "slb-mutual-tls:clients.browser.pass_phrase"
    obedient.succeed("config", "set", "--secret", "--path", place, "a pass phrase of one's own")
    assert "✅ slb-mutual-tls@v1.0.0" in obedient.succeed("preview")
    assert "✅ slb-mutual-tls@v1.0.0" in obedient.up()
    # By now every key is known, and each is a secret.
    plan = obedient.succeed("preview", "--expect-no-changes")
    assert "✅ slb-mutual-tls@v1.0.0" in plan
    assert "mandatory" not in plan


def test_no_rule_judges_dates_that_were_brought_along(obedient):
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    key, subject = keys.generate(2048), distinguished_name({"common_name": "Of elsewhere"})
    twenty_years = Window(begin, begin + timedelta(days=7300))
    authority = certificates.issue_authority(subject, key, twenty_years)
    old = certificates.issue_client(
        Issuer(authority, key),
        distinguished_name({"common_name": "old"}),
        keys.generate(2048).public_key(),
        Window(begin, begin + timedelta(days=825)),
    )
    config = obedient.values["config"]
    before = {
        name: config[f"slb-mutual-tls:{name}"] for name in ("certificate_authority", "clients")
    }
    obedient.configure(
        certificate_authority={"certificate": certificates.pem(authority)},
        clients={"browser": {}, "old": {"certificate": certificates.pem(old)}},
    )
    try:
        set_secret(obedient, "certificate_authority.private_key", keys.pkcs1(key))
        plan = obedient.succeed("preview")
        assert "✅ slb-mutual-tls@v1.0.0" in plan
        assert "mandatory" not in plan
    finally:
        obedient.configure(**before)


@pytest.fixture(scope="module")
def disobedient(engine, tmp_path_factory):
    """A command line's start, for a project that breaks every rule in a stack named prod."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(PROGRAM, folder, dirs_exist_ok=True)
    config = {
        name: value
        for name, value in engine.values["config"].items()
        if name.startswith("alicloud:")
    }
    endpoints = yaml.safe_load(engine.stack.config_file.read_text())["config"]["alicloud:endpoints"]
    config |= {"alicloud:region": "eu-west-1", "alicloud:endpoints": endpoints}
    (folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": config}))

    def pulumi(*arguments):
        return processes.run(
            [engine.stack.toolchain.pulumi, *arguments, "--stack=prod", "--color=never"],
            cwd=folder,
            env={**engine.stack.environment, "PYTHONPATH": str(PROJECT)},
        )

    made = pulumi("stack", "select", "--create")
    assert made.returncode == 0, made.stderr
    return pulumi


def rules() -> list[str]:
    return [
        f"--policy-pack={POLICY_PACK}",
        f"--policy-pack-config={POLICY_PACK / 'configuration.json'}",
    ]


def test_without_rules_the_other_program_can_be_previewed(disobedient):
    answer = disobedient("preview")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_preview_names_every_rule_that_is_broken_once(disobedient):
    answer = disobedient("preview", *rules())
    assert answer.returncode != 0
    found = re.findall(r"- \[mandatory\] +(\S+)", answer.stdout)
    assert sorted(found) == sorted(VIOLATIONS), answer.stdout
    text = " ".join(answer.stdout.split())
    for sentence in VIOLATIONS.values():
        assert re.search(sentence, text), (sentence, answer.stdout)
    assert "PRIVATE KEY" not in answer.stdout


def test_an_update_is_stopped_before_anything_is_made(disobedient, local):
    before = dump_of(local)
    answer = disobedient("up", "--yes", "--skip-preview", *rules())
    assert answer.returncode != 0
    assert re.search(r"\[mandatory\] +region ", answer.stdout), answer.stdout
    assert dump_of(local) == before


@pytest.fixture
def configured(tmp_path):
    """Options for the policy pack with another configuration."""

    def write(configuration):
        file = tmp_path / "configuration.json"
        file.write_text(json.dumps(configuration))
        return [f"--policy-pack={POLICY_PACK}", f"--policy-pack-config={file}"]

    return write


def test_rules_can_warn_or_be_turned_off(disobedient, configured):
    levels = dict.fromkeys(VIOLATIONS, "disabled") | {"tls-policy": "advisory"}
    answer = disobedient("preview", *configured(levels))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.findall(r"- \[(\w+)\] +(\S+)", answer.stdout) == [("advisory", "tls-policy")]


def test_clients_may_have_to_have_stronger_keys(disobedient, configured):
    levels = dict.fromkeys(VIOLATIONS, "disabled")
    answer = disobedient(
        "preview", *configured({**levels, "client-keys": {"rsa_bits": 3072, "curve": "P-384"}})
    )
    assert answer.returncode != 0
    text = " ".join(answer.stdout.split())
    for place, key, wanted in [
        ("browser", "RSA 2048", "key_bits 3072"),
        ("phone", "ECDSA P-256", "key_curve P-384"),
    ]:
        assert f"The key of clients.{place} is {key}: set clients.{place}.{wanted} or more" in text


def test_secrets_cannot_be_seen_at_every_level_and_that_is_told(disobedient, configured):
    answer = disobedient("preview", *configured({"secret-inputs": "mandatory"}))
    assert answer.returncode != 0
    assert "set that of secret-inputs to remediate, or to disabled" in answer.stdout


def test_a_configuration_that_is_wrong_is_told(disobedient, configured):
    answer = disobedient("preview", *configured({"region": {"allowed": "eu-west-1"}}))
    assert answer.returncode != 0
    assert re.search(r"region.*allowed.*(array|type)", answer.stdout + answer.stderr, re.S | re.I)
