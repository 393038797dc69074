"""What stands between a person and cutting clients off by accident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from operations.commands import certificates
from operations.errors import OperationError
from operations.stacks import environment
from operations.stacks.environment import StackTarget

PREPARED = {"config": {"slb-mutual-tls:certificate_authority": {"next_generation": 2}}}


@pytest.fixture
def prepared(target, monkeypatch, pki):
    """A stack with a prepared CA, of which the client old has no certificate yet."""
    entry = {
        "name": "old",
        "serial_number": "0a",
        "fingerprint_sha256": "",
        "subject": "CN=old",
        "not_after": (datetime.now(UTC) + timedelta(days=9)).isoformat(),
        "status": "valid",
        "authority_key_id": "of the present CA",
    }
    target.stack.document |= {"next_ca_certificate": pki.ca.pem, "issued": [entry]}
    opened = StackTarget(target.stack, PREPARED, None)
    monkeypatch.setattr(environment, "open_stack", lambda name: opened)

    def configured(*_arguments, **_options):
        raise OperationError("It went on.")

    monkeypatch.setattr(certificates, "_change_configuration", configured)


@pytest.mark.usefixtures("prepared")
def test_completing_is_refused_while_a_client_would_be_left_behind(run, capsys):
    assert run("rotate", "complete", "--yes") == 1
    printed = capsys.readouterr()
    assert "Not issued anew by the prepared CA: old" in printed.err
    assert "ARGS=--force" in printed.err
    assert "It went on." not in printed.err


@pytest.mark.usefixtures("prepared")
def test_force_completes_and_says_who_is_cut_off(run, capsys):
    assert run("rotate", "complete", "--yes", "--force") == 1
    printed = capsys.readouterr()
    assert "Cut off without a successor: old" in printed.out
    assert "It went on." in printed.err
