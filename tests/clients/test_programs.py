"""The programs of docs/clients, run by the commands that its README has."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import sys

import pytest

from operations.project import PROJECT
from tests import packages, processes
from tests.conformance import specimens

pytestmark = pytest.mark.engine

FOLDER = PROJECT / "docs/clients"
(BLOCK,) = re.findall(
    r"^```bash\n(.*?)^```$", (FOLDER / "README.md").read_text(), re.MULTILINE | re.DOTALL
)
CLIENTS = ("curl", "httpx", "requests", "node", "java", "go")
COMMANDS = dict(zip(CLIENTS, BLOCK.splitlines(), strict=True))
BRINGING = {
    "curl": ("curl.sh", r' --cert "\$1/\$2.crt" --key "\$1/\$2.key"'),
    "httpx": ("with_httpx.py", r"^context\.load_cert_chain\(\n(?:    .*\n)+\)\n"),
    "requests": ("with_requests.py", r"^context\.load_cert_chain\(\n(?:    .*\n)+\)\n"),
    "node": ("client.mjs", r"^  pfx: .*\n"),
    "java": ("Client.java", r"keys\.getKeyManagers\(\)"),
    "go": ("go/main.go", r"^\tconfiguration\.Certificates = .*\n"),
}
"""The file of each, and the text in it that brings the certificate."""

WITHOUT = {"java": "null", "go": "\t_ = presented\n"}
"""What has to stand in its place, if anything."""

SECONDS = 300
"""For one program; Go compiles for some on a busy machine."""


@pytest.fixture(params=COMMANDS)
def client(request):
    command = shlex.split(COMMANDS[request.param])[0]
    reason = packages.lacking([{"python": "python3"}.get(command, command)])
    if reason:
        pytest.skip(reason)
    return request.param


def run(client, service, bundle, root=PROJECT):
    """Run a command of the README, for this bundle and service."""
    given = {"out": str(bundle), "$PWD/out": str(bundle), "python": sys.executable}
    words = [given.get(word, word) for word in shlex.split(COMMANDS[client])]
    assert words[-1].startswith("https://")
    words[-1] = service.found.url
    return processes.run(
        words,
        cwd=root,
        env={**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"},
        timeout=SECONDS,
    )


def test_the_readme_has_a_command_for_every_file():
    assert BRINGING.keys() == COMMANDS.keys()
    named = {file for file, _ in BRINGING.values()}
    there = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert there == named | {"README.md", "go/go.mod", "go/go.sum"}
    for client, (file, _) in BRINGING.items():
        assert f"docs/clients/{file.removesuffix('/main.go')}" in COMMANDS[client]


def test_with_the_bundle_the_page_comes(client, service):
    done = run(client, service, service.bundle)
    assert done.returncode == 0, done.stderr
    assert re.search("<h1>i-[0-9a-z]+</h1>", done.stdout)


def test_with_a_key_on_an_elliptic_curve_the_page_comes(client, service):
    done = run(client, service, service.elliptic)
    assert done.returncode == 0, done.stderr
    assert re.search("<h1>i-[0-9a-z]+</h1>", done.stdout)


def test_with_a_bundle_of_another_ca_there_is_an_error(client, service, tmp_path):
    stranger = specimens.bundle("modern")
    bundle = tmp_path / "bundle"
    shutil.copytree(service.bundle, bundle)
    (bundle / "browser.p12").write_bytes(base64.b64decode(stranger.pkcs12))
    (bundle / "browser.key").write_text(stranger.private_key)
    (bundle / "browser.crt").write_text(stranger.certificate)
    (bundle / "passphrase.txt").write_text(stranger.pass_phrase + "\n")
    refused(run(client, service, bundle))


def test_without_a_certificate_there_is_an_error(client, service, tmp_path):
    file, pattern = BRINGING[client]
    copy = tmp_path / "project/docs/clients"
    shutil.copytree(FOLDER, copy)
    text = (copy / file).read_text()
    cut, count = re.subn(pattern, WITHOUT.get(client, ""), text, flags=re.MULTILINE)
    assert count == 1
    (copy / file).write_text(cut)
    refused(run(client, service, service.bundle, tmp_path / "project"))


def refused(done):
    assert done.returncode != 0
    assert re.search(r"\b400\b", done.stdout + done.stderr), done.stdout + done.stderr
    assert "This answer comes from" not in done.stdout
