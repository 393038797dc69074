"""The local cloud's wire as the official SDKs for Go and Java read it, by their own types.

In Python that is `tests/integration/localcloud/test_sdk_clients.py`. The current SDK for Go could
not be had from the module proxy; this is the one before, which the alicloud provider is built on.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from components.pki import certificates, keys
from localcloud.dataplane import haproxy_binary
from tests import go, processes
from tests.conformance import specimens
from tests.conformance.judges import ask
from tests.unit.localcloud.process import running
from toolchain import cache

FOLDER = Path(__file__).parent / "clients"
REGION = "cn-hangzhou"
SERVER = specimens.server("ascii").certificate
CA = specimens.root().certificate
PATIENCE = 300

OUT_OF_REACH = ("Could not transfer", "Unknown host", "Connection refused", "timed out")
"""What Maven says where it cannot fetch anything."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    haproxy_binary.ensure(print)
    with running(tmp_path_factory.mktemp("wire") / "cloud") as found:
        yield found


@pytest.fixture
def wire(cloud, tmp_path):
    """Runs a program with its arguments; gives what it found."""
    files = {
        "server.pem": certificates.pem(SERVER),
        "server.key": keys.pkcs1(specimens.key("server")),
        "ca.pem": certificates.pem(CA),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    credentials = cloud.home.credentials()
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "ALIBABA_CLOUD_ACCESS_KEY_ID": credentials.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credentials.access_key_secret,
        "SSL_CERT_FILE": str(cloud.home.trust),
        "LC_ALL": "C.UTF-8",
    }
    endpoint = urlsplit(cloud.status["endpoint"]).netloc

    def run(*command):
        words = [*command, endpoint, REGION, *(str(tmp_path / name) for name in files)]
        printed = processes.printed(words, env=environment, cwd=tmp_path, timeout=PATIENCE)
        return json.loads(printed)

    return run


def java_libraries():
    """The jars of Maven Central that `jars.sha256` lists; where they cannot be had, skip."""
    source = FOLDER / "java"
    pinned = (source / "jars.sha256").read_text()
    wanted = {name: digest for digest, name in map(str.split, pinned.splitlines())}

    def fetch(folder):
        done = processes.run(
            [
                *(
                    "mvn",
                    "--batch-mode",
                    "--quiet",
                    "--strict-checksums",
                    "--file",
                    str(source / "pom.xml"),
                ),
                "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies",
                *(f"-DoutputDirectory={folder}", "-DincludeScope=runtime"),
            ],
            timeout=PATIENCE,
        )
        if done.returncode != 0 and any(sign in done.stdout for sign in OUT_OF_REACH):
            pytest.skip(f"Maven cannot get the SDK: {done.stdout[-300:]}")
        assert done.returncode == 0, done.stdout
        found = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}
        assert found == wanted

    version = hashlib.sha256(pinned.encode()).hexdigest()[:12]
    return cache.ensure_part(f"java-slb-{version}", fetch)


def by_go(_cloud, _folder):
    return [go.program("slbclient", FOLDER / "go", ("main.go", "go.mod", "go.sum"))]


def by_java(cloud, folder):
    store = folder / "trust.p12"
    # Nothing in it is a secret.
    trust = ("-storepass", "changeit", "-file", str(cloud.home.trust))
    ask("keytool", "-importcert", "-noprompt", "-keystore", str(store), *trust)
    return [
        *("java", f"-Djavax.net.ssl.trustStore={store}"),
        *("-Djavax.net.ssl.trustStorePassword=changeit", "-cp", f"{java_libraries()}/*"),
        str(FOLDER / "java/SlbClient.java"),
    ]


@pytest.mark.parametrize(
    "program",
    [
        # Its SDK takes half a minute to compile, once.
        pytest.param(by_go, marks=[pytest.mark.commands("go"), pytest.mark.long], id="go"),
        pytest.param(by_java, marks=pytest.mark.commands("java", "keytool", "mvn"), id="java"),
    ],
)
def test_the_sdk_reads_what_was_made(program, cloud, wire, tmp_path):
    found = wire(*program(cloud, tmp_path))
    fingerprint = SERVER.fingerprint(hashes.SHA1())
    (named,) = SERVER.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert found.pop("fingerprint").lower() == fingerprint.hex(":")
    assert found == {
        "common_name": named.value,
        "ca_expires": milliseconds(CA.not_valid_after_utc),
        "listener": {
            "port": 8443,
            "backends": 8080,
            "status": "running",
            "policy": "tls_cipher_policy_1_2_strict",
            "bandwidth": -1,
            "scheduler": "wrr",
            "description": "Grüße + * ~ 'x' & 中文/=",
            "server": True,
            "ca": True,
        },
        "tags": {"a~b": "c d/e", "größe": ""},
        "name": "wire",
        "status": "active",
        "address_type": "internet",
        "ports": [8443],
        "unknown": ["InvalidLoadBalancerId.NotFound", 404],
        "in_use": ["CertificateAndPrivateKeyIsRefered", 400],
        "missing": ["MissingParameter", 400],
        "wrong_secret": ["SignatureDoesNotMatch", 400],
        "left": 0,
    }
    assert not any(cloud.ask("GET", "/dump").values())


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
