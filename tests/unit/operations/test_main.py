from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest

from operations import __main__ as command_line
from operations import verification
from operations.errors import OperationError
from operations.health import BackendHealth, HealthUnavailableError
from toolchain.errors import ToolchainError


class Stack:
    """A stack in place of the Pulumi CLI's."""

    def __init__(self, document):
        self.document = document
        self.variables = {"SSL_CERT_FILE": "/ca-of-the-stack.pem"}
        self.commands = []
        self.name = "local"
        self.state = {}
        self.updates = []

    def deployment(self):
        return self.state

    def history(self):
        return self.updates

    def outputs(self):
        return self.document

    def run(self, command, *arguments):
        self.commands.append([command, *arguments])
        return 0


@pytest.fixture
def run(monkeypatch):
    """Run a command as `python -m operations` does; gives its exit status."""

    def start(*arguments):
        monkeypatch.setattr(sys, "argv", ["operations", *arguments])
        try:
            return command_line.main()
        except SystemExit as leave:
            return leave.code

    return start


@pytest.fixture
def target(monkeypatch, document, serve, listener):
    """A stack in an account that is up, behind `_target`."""
    stack = Stack(document(serve(listener()).port))
    opened = command_line.Target(stack, {}, None)
    monkeypatch.setattr(command_line, "_target", lambda name: opened)
    return opened


@pytest.fixture
def health(monkeypatch):
    """The API of SLB: tells that all is well at the second look; gives its environments."""
    environments = []

    class Health:
        def __init__(self, outputs, environ):
            environments.append(environ)
            self.looks = 0

        def backends(self):
            self.looks += 1
            if self.looks == 1:
                raise HealthUnavailableError("busy [bold]at first[/bold]")
            return [BackendHealth("i-aaa1", "normal"), BackendHealth("i-bbb2", "normal")]

    monkeypatch.setattr(command_line, "SlbHealth", Health)
    monkeypatch.setattr(verification, "POLL_SECONDS", 0.0)
    return environments


def test_json_is_alone_on_standard_output(run, target, health, capsys):
    status = run("verify", "--json")
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert (status, report["passed"]) == (0, True)
    assert "Waiting for: backends' health: busy [bold]at first[/bold]" in printed.err


def test_table_is_printed_for_people(run, target, health, capsys):
    assert run("verify") == 0
    assert "Verification of https://127.0.0.1" in capsys.readouterr().out


def test_health_is_asked_in_the_environment_of_the_stack(run, target, health, capsys):
    before = dict(os.environ)
    run("verify", "--json")
    assert health[0] == {**before, "SSL_CERT_FILE": "/ca-of-the-stack.pem"}
    assert dict(os.environ) == before


def test_health_is_not_asked_for_with_no_health(run, target, health, capsys):
    assert run("verify", "--json", "--no-health") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert next(c["status"] for c in checks if c["id"] == "health") == "skipped"
    assert not health


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_failed_verification_is_the_exit_status(run, target, health, capsys, form):
    target.stack.document["server_names"] = ["elsewhere.test"]
    assert run("verify", *form) == 1


def test_client_gets_files_and_instructions_without_a_secret(run, target, tmp_path, capsys):
    assert run("client", "browser", "--dir", str(tmp_path / "out")) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert f"Files of client browser in {tmp_path / 'out'}\n" in printed.out
    assert max(map(len, printed.out.splitlines())) > 100  # commands are not wrapped
    secret = target.stack.document["client_bundles"]["browser"]["pass_phrase"]
    assert secret not in printed.out
    assert (tmp_path / "out" / "browser.p12").exists()


def test_instructions_follow_the_issuer_of_the_server_certificate(run, target, tmp_path, capsys):
    target.stack.document["server_certificate_issuer"] = "other"
    run("client", "browser", "--dir", str(tmp_path / "out"))
    assert "--cacert" not in capsys.readouterr().out


@pytest.mark.usefixtures("health")
def test_up_on_the_local_cloud_ends_with_a_request_that_works(
    run, target, tmp_path, capsys, monkeypatch
):
    local = SimpleNamespace(
        home=tmp_path, release_lock=lambda stack: False, configure=lambda stack, values: False
    )
    monkeypatch.setattr(
        command_line, "_target", lambda name: command_line.Target(target.stack, {}, local)
    )
    target.stack.document["clients"]["browser"]["status"] = "revoked"
    assert run("up") == 0
    assert target.stack.commands == [["up", "--yes"]]
    title, request = capsys.readouterr().out.splitlines()[-2:]
    assert title == "A request as client partner:"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    answer = subprocess.run(
        ["bash", "-c", request], env=environment, capture_output=True, timeout=60, check=True
    )
    assert b"<title>i-" in answer.stdout
    assert str(tmp_path / "clients" / "partner" / "partner.key") in shlex.split(request)


HALF_MADE = {
    "resources": [
        {
            "type": "alicloud:slb/listener:Listener",
            "id": "lb-1:https:443",
            "created": "2026-11-24T12:06:19.017606183Z",
            "initErrors": ["it was busy"],
        }
    ]
}


@pytest.fixture
def asked(monkeypatch):
    """What recovery asks the cloud for; there is a VPC that the state does not have."""
    calls = []

    def call(product, action, **parameters):
        calls.append(action)
        vpc = {"VpcId": "vpc-1", "VpcName": NAME, "CreationTime": "2026-11-24T12:06:30Z"}
        return {"Vpcs": {"Vpc": [vpc]}} if action == "DescribeVpcs" else {}

    monkeypatch.setattr(command_line.recovery, "caller", lambda region, environ: call)
    return calls


NAME = "slb-mutual-tls-local"


@pytest.fixture
def half_made(target, monkeypatch):
    target.stack.state = HALF_MADE
    values = {"config": {"alicloud:region": "cn-hangzhou"}}
    opened = command_line.Target(target.stack, values, None)
    monkeypatch.setattr(command_line, "_target", lambda name: opened)
    return target.stack


@pytest.fixture
def answering(monkeypatch):
    """A person at a terminal, with one answer to every question."""

    def answer(yes):
        monkeypatch.setattr(command_line.sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(command_line.typer, "confirm", lambda *args, **kwargs: yes)

    return answer


@pytest.mark.usefixtures("health")
def test_what_an_interrupted_up_left_is_removed_before_the_next(
    run, half_made, asked, answering, capsys
):
    answering(True)
    run("up", "--yes")
    assert half_made.commands == [["up", "--refresh", "--yes"]]
    assert asked[-1] == "DeleteVpc"
    said = capsys.readouterr().err
    assert "The last `up` did not end well (alicloud:slb/listener:Listener); looking at" in said
    assert f"In the cloud and not in the state: VPC vpc-1 ({NAME})." in said


@pytest.mark.usefixtures("health")
def test_nothing_is_removed_without_a_yes(run, half_made, asked, answering, capsys):
    answering(False)
    assert run("up") == 1
    assert half_made.commands == []
    assert "DeleteVpc" not in asked
    assert "stays, and nothing else was done" in capsys.readouterr().err


@pytest.mark.usefixtures("health")
def test_nothing_in_an_account_is_removed_where_nobody_can_be_asked(run, half_made, asked, capsys):
    assert run("up", "--yes") == 1
    assert half_made.commands == []
    assert "DeleteVpc" not in asked
    assert "nobody can be asked here whether to remove it" in capsys.readouterr().err


@pytest.mark.usefixtures("health")
def test_a_killed_engine_s_operations_are_cleared(run, half_made, asked, answering):
    answering(True)
    half_made.state = {"pending_operations": [{"resource": {"type": "a:b:C"}}], **HALF_MADE}
    run("up", "--yes")
    assert half_made.commands == [
        ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"],
        ["up", "--refresh", "--yes"],
    ]


@pytest.mark.usefixtures("health")
def test_a_preview_looks_at_the_cloud_and_removes_nothing(run, half_made, asked):
    run("preview")
    assert half_made.commands == [["preview", "--refresh"]]
    assert asked == []


@pytest.mark.usefixtures("health")
def test_up_follows_the_port_that_the_local_cloud_took(run, target, tmp_path, capsys, monkeypatch):
    local = SimpleNamespace(
        home=tmp_path,
        release_lock=lambda stack: False,
        configure=lambda stack, values: True,
        cloud_status=lambda: {"listeners": [{"port": 443, "socket": {"port": 8443}}]},
    )
    opened = command_line.Target(target.stack, {}, local)
    monkeypatch.setattr(command_line, "_target", lambda name: opened)
    assert run("up") == 0
    assert target.stack.commands == [["up", "--yes"], ["up", "--yes", "--skip-preview"]]
    assert "Served: 443 at 8443." in capsys.readouterr().err


def test_outputs_are_json_without_secrets(run, target, capsys):
    assert run("outputs") == 0
    assert "client_bundles" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", [OperationError, ToolchainError])
def test_what_cannot_be_done_is_one_message(run, monkeypatch, capsys, kind):
    def fail(name):
        raise kind("no such thing [1/2]: /tmp/[x]")

    monkeypatch.setattr(command_line, "_target", fail)
    assert run("outputs") == 1
    assert capsys.readouterr() == ("", "error: no such thing [1/2]: /tmp/[x]\n")


def test_wrong_usage_is_told_without_a_trace(run, capsys):
    assert run("verify", "--jsn") == 2
    told = capsys.readouterr().err
    assert "jsn" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("command", ["up", "preview", "refresh", "down"])
def test_a_level_that_logs_secrets_is_refused_before_anything_starts(
    run, monkeypatch, capsys, command
):
    monkeypatch.setattr(command_line, "_target", lambda *_: pytest.fail("it was opened"))
    assert run(command, "--stack", "local", "--", "-v=9") == 1
    assert "error: -v=9 logs every property that a provider gets" in capsys.readouterr().err
