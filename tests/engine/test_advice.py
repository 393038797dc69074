"""What a message advises is done, by the Pulumi CLI: the mistake is gone."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime

import pytest
import yaml

from components.arguments.errors import SettingsError
from components.arguments.model import NAMESPACE
from components.pki import keys
from components.pki.certificates import pem
from configuration.settings import parse
from tests import processes
from tests.unit.components.pki.material import issuer, key
from tests.unit.test_brought_along import PKCS8, certificate

FILE = "Pulumi.advice.yaml"

OF_DOMAIN = certificate(subject="a.example")
CERTIFICATE = pem(issuer(since=datetime.now(UTC)).certificate)
KEY = keys.pkcs1(key("ca"))

MISTAKES = [
    ({"clients": {"alice.smith": {"pass_phrase": "correct horse"}}}, "another one"),
    ({"clients": {"alice.smith": {"pass_phrase": 4711}}}, "4711"),
    ({"clients": {"1001": {"pass_phrase": "correct horse"}}}, "1001"),
    ({"clients": {"a": {"subject": {"organization": 360}}}}, "360"),
    ({"tags": {"cost.center": 1234}}, "1234"),
    ({"tags": {"release": 1.1}}, "1.10"),
    ({"certificate_authority": {"subject": {"organization": True}}}, "true"),
    ({"certificate_authority": {"certificate": CERTIFICATE, "private_key": KEY}}, KEY),
    (
        {
            "certificate_authority": {"crl_number": 7},
            "server": {"alicloud_certificate_id": "12345"},
        },
        CERTIFICATE,
    ),
    ({"server": {"certificate": CERTIFICATE}}, KEY),
    ({"listener": {"domain_extensions": {"a.example": {"certificate": OF_DOMAIN}}}}, PKCS8),
]


@pytest.fixture(scope="module")
def pulumi(toolchain, tmp_path_factory):
    """Runs the CLI on a stack of its own, whose state is in a folder."""
    folder = tmp_path_factory.mktemp("advice")
    (folder / "Pulumi.yaml").write_text(f"name: {NAMESPACE}\nruntime: yaml\n")
    environment = {
        **toolchain.environment(),
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
    }

    def run(*command, text=""):
        done = processes.run([toolchain.pulumi, *command], cwd=folder, env=environment, text=text)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("stack", "init", "advice")
    run.file = folder / FILE
    return run


def read(pulumi):
    """The configuration as the engine hands it over, and which keys hold secrets."""
    found = json.loads(pulumi("config", "--json", "--show-secrets"))
    values = {
        name.removeprefix(f"{NAMESPACE}:"): one.get("objectValue", one.get("value"))
        for name, one in found.items()
    }
    hidden = [name.removeprefix(f"{NAMESPACE}:") for name, one in found.items() if one["secret"]]
    return parse(values, file=FILE, secret_keys=hidden)


@pytest.mark.parametrize(("values", "answer"), MISTAKES, ids=range(len(MISTAKES)))
def test_advice_that_is_followed_mends_the_mistake(pulumi, values, answer):
    kept = yaml.safe_load(pulumi.file.read_text())
    kept["config"] = {f"{NAMESPACE}:{name}": value for name, value in values.items()}
    pulumi.file.write_text(yaml.safe_dump(kept))
    with pytest.raises(SettingsError) as mistaken:
        read(pulumi)
    [command] = re.findall("`(pulumi config set [^`]*)`", str(mistaken.value))
    _, *arguments = shlex.split(command)
    pulumi(*arguments, text=answer)
    assert read(pulumi)
