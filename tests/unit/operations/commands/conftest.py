"""A command as `python -m operations` runs it, on a stack that imitates one."""

from __future__ import annotations

import sys

import pytest

from operations import __main__ as command_line
from operations.commands import verification as command
from operations.stacks import environment
from operations.stacks.environment import StackTarget
from operations.verification import verification
from operations.verification.checks import BackendHealth, HealthUnavailableError


class FakeStack:
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

    def release_lock(self, is_over):
        return False

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
    """A stack in an account that is up, behind its name."""
    stack = FakeStack(document(serve(listener()).port))
    opened = StackTarget(stack, {}, None)
    monkeypatch.setattr(environment, "open_stack", lambda name: opened)
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

    monkeypatch.setattr(command, "SlbHealth", Health)
    monkeypatch.setattr(verification, "POLL_SECONDS", 0.0)
    return environments
