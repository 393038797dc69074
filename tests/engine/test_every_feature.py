"""The real provider against the local cloud: every feature of a load balancer, and what it does.

`every_feature/` is the program; it knows nothing of the one that this repository is about. Tests
run in order, on one stack.
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import ssl
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from operations.stacks import environment
from operations.verification.probes import Connection
from tests import processes
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.site import user_data

pytestmark = pytest.mark.in_order

SERVICE = """
import argparse, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = os.environ["INSTANCE_ID"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/login":
            self.send_header("Set-Cookie", "app=own; Path=/")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *arguments):
        pass
parser = argparse.ArgumentParser()
parser.add_argument("--bind")
parser.add_argument("--port", type=int)
options = parser.parse_args()
ThreadingHTTPServer((options.bind, options.port), Handler).serve_forever()
"""
HERE, THERE = "127.201.0.7", "127.202.0.7"


def pair(name: str, number: int = 0) -> dict[str, str]:
    key = rsa_key(2048, number)
    return {"certificate": certificate(key, name), "private_key": private_key(key)}


class Program:
    """The stack, driven with the CLI."""

    def __init__(self, local: Any, toolchain: Any, folder: Path) -> None:
        self.local = local
        self.folder = folder
        self.client = folder / "client.pem"
        client = pair("client", 9)
        self.client.write_text(client["certificate"] + client["private_key"])
        values = environment.read_configuration("local")
        provider = {k: v for k, v in values["config"].items() if k.startswith("alicloud:")}
        self.values = {
            "config": {
                **provider,
                "every-feature:given": {
                    "user_data": base64.b64encode(user_data(SERVICE).encode()).decode(),
                    "own": pair("own.example.com"),
                    "api": pair("api.example.com", 1),
                    "api-renewed": pair("api.example.com", 2),
                    "wild": pair("*.wild.example.com", 3),
                    # Self-signed: the client's own certificate is its authority.
                    "authority": client["certificate"],
                },
                "every-feature:changed": {
                    "domain": "api",
                    "weights": [100, 100],
                    "shut_out": [f"{HERE}/32", "192.0.2.0/24"],
                    "request_timeout": 30,
                    "delete_protection": "off",
                    "spec": "slb.s1.small",
                },
            }
        }
        self.stack = local.stack("every-feature", toolchain, self.values)
        source = Path(__file__).parent / "every_feature"
        shutil.copytree(source, folder / "program")
        project = {
            "name": "every-feature",
            "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
        }
        (folder / "program" / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        self.run("stack", "init", "organization/every-feature/features")

    def change(self, **settings: Any) -> None:
        self.values["config"]["every-feature:changed"].update(settings)
        self.local.configure(self.stack, self.values)

    def run(self, *command: str) -> str:
        return processes.printed(
            [str(self.stack.toolchain.pulumi), *command],
            cwd=self.folder / "program",
            env=self.stack.environment,
        )

    def act(self, command: str, *arguments: str) -> str:
        chosen = ["--stack", "features", "--config-file", str(self.stack.config_file)]
        return self.run(command, *chosen, "--color", "never", *arguments)

    def outputs(self) -> dict[str, Any]:
        return json.loads(self.run("stack", "output", "--json", "--stack", "features"))

    def ports(self) -> dict[int, int]:
        """Where the first load balancer's listeners really are."""
        listeners = self.local.cloud_status()["listeners"]
        return {one["port"]: one["socket"]["port"] for one in listeners}


@pytest.fixture(scope="module")
def program(local, toolchain, tmp_path_factory):
    return Program(local, toolchain, tmp_path_factory.mktemp("features"))


def tls(client: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = Connection
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if client is not None:
        context.load_cert_chain(client)
    return context


def ask(
    host: str,
    port: int,
    path: str = "/",
    *,
    context: ssl.SSLContext | None = None,
    source: str | None = None,
    cookie: str = "",
) -> tuple[int, dict[str, str], str]:
    where = {"timeout": 20, "source_address": (source, 0) if source else None}
    connection: http.client.HTTPConnection
    if context is None:
        connection = http.client.HTTPConnection(host, port, **where)
    else:
        connection = http.client.HTTPSConnection(host, port, context=context, **where)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode()
    finally:
        connection.close()


def wait_until_healthy(program: Program) -> None:
    deadline = time.monotonic() + 60
    while True:
        listeners = program.local.cloud_status()["listeners"]
        statuses = {
            status
            for one in listeners
            if one["port"] in {8443, 9443}
            for status in one["health"].values()
        }
        if statuses == {"normal"}:
            return
        assert time.monotonic() < deadline, listeners
        time.sleep(0.2)


def test_up_makes_it_all(program):
    program.act("up", "--yes", "--skip-preview")
    wait_until_healthy(program)


def test_another_up_changes_nothing(program):
    program.act("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_refresh_finds_no_drift(program):
    program.act("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    program.act("preview", "--expect-no-changes")


def test_data_sources_find_what_is_there(program):
    found = json.loads(program.outputs()["found"])
    assert found["networks"]
    assert len(found["switches"]) == len(found["groups"]) == 1
    assert sorted(found["instances"]) == ["web-1", "web-2"]
    assert found["balancers"] == [program.outputs()["address"]]
    assert sorted(found["listeners"]) == [8080, 8081, 8443, 9443]
    assert sorted(found["acls"]) == ["admitted", "shut-out"]
    assert sorted(found["server_groups"]) == ["attached", "web"]
    assert sorted(found["domains"]) == ["*.wild.example.com", "api.example.com"]
    assert found["server_certificates"] == ["own.example.com"]
    assert found["ca_certificates"] == ["authority"]
    assert found["backends"] == 2
    assert "cn-hangzhou-h" in found["zones"]
    assert found["regions"] == ["cn-hangzhou"]
    assert "cn-hangzhou-h" in found["all_zones"]


def test_a_session_sticks_and_a_list_shuts_out(program):
    address, port = program.outputs()["address"], program.ports()[8443]
    context = tls(program.client)
    _, headers, body = ask(address, port, context=context)
    cookie = headers["set-cookie"].partition(";")[0]
    assert cookie.startswith("SERVERID=")
    again = {ask(address, port, context=context, cookie=cookie)[2] for _ in range(6)}
    assert again == {body}
    assert ask(address, port, context=context, source=THERE)[0] == 200
    with pytest.raises((ConnectionError, ssl.SSLError)):
        ask(address, port, context=context, source=HERE)
    assert ask(address, port, context=tls())[0] == 400


def test_the_backend_s_own_cookie_keeps_a_session(program):
    address, port = program.outputs()["address"], program.ports()[9443]
    _, headers, body = ask(address, port, "/login", context=tls())
    cookie = headers["set-cookie"].partition(";")[0]
    assert cookie != "app=own"
    again = {ask(address, port, context=tls(), cookie=cookie)[2] for _ in range(6)}
    assert again == {body}


def test_the_redirect_leads_to_https(program):
    address, ports = program.outputs()["address"], program.ports()
    status, headers, _ = ask(address, ports[8080], "/a?b=c")
    assert (status, headers["location"]) == (302, f"https://{address}:{ports[8443]}/a?b=c")
    with pytest.raises(ConnectionError):
        ask(address, ports[8080], source=HERE)


def presented(program: Program, name: str) -> bytes:
    address, port = program.outputs()["address"], program.ports()[8443]
    with (
        socket.create_connection((address, port), timeout=10) as plain,
        tls(program.client).wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        shown = wrapped.getpeercert(binary_form=True)
        assert shown is not None
        return shown


def common_name(shown: bytes) -> str:
    subject = x509.load_der_x509_certificate(shown).subject
    return str(subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def test_each_domain_has_its_certificate(program):
    for name, expected in (
        ("own.example.com", "own.example.com"),
        ("api.example.com", "api.example.com"),
        ("a.wild.example.com", "*.wild.example.com"),
        ("unknown.example.net", "own.example.com"),
    ):
        assert common_name(presented(program, name)) == expected


def test_a_group_of_its_own_ports_serves_http(program):
    address, port = program.outputs()["address"], program.ports()[8081]
    assert ask(address, port)[0] == 200


def test_ipv6_serves_with_mutual_tls(program):
    sixth, port = program.outputs()["sixth"], program.ports()[18443]
    assert sixth == "::1"
    assert ask(sixth, port, context=tls(program.client))[0] == 200
    assert ask(sixth, port, context=tls())[0] == 400


def test_changes_are_made_in_place_and_take_effect(program):
    before = presented(program, "api.example.com")
    program.change(
        domain="api-renewed",
        weights=[100, 0],
        shut_out=[f"{THERE}/32"],
        request_timeout=40,
        delete_protection="on",
        spec="slb.s2.small",
    )
    text = program.act("preview", "--diff")
    replaced = [line for line in text.splitlines() if line.lstrip().startswith("+-")]
    assert replaced == [], "a renewed certificate is a new resource, and nothing is replaced"
    program.act("up", "--yes", "--skip-preview")
    program.act("up", "--yes", "--skip-preview", "--expect-no-changes")
    wait_until_healthy(program)
    address, port = program.outputs()["address"], program.ports()[8443]
    context = tls(program.client)
    served = Counter(ask(address, port, context=context)[2] for _ in range(8))
    assert len(served) == 1, "a weight of 0 drains"
    assert ask(address, port, context=context, source=HERE)[0] == 200
    with pytest.raises((ConnectionError, ssl.SSLError)):
        ask(address, port, context=context, source=THERE)
    assert presented(program, "api.example.com") != before


def test_destroy_leaves_nothing(program):
    program.change(delete_protection="off")
    program.act("up", "--yes", "--skip-preview")
    program.act("destroy", "--yes", "--skip-preview")
    status = program.local.cloud_status()
    assert (status["listeners"], status["instances"]) == ([], [])
