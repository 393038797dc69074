"""How the Pulumi CLI is told about a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.errors import OperationError
from operations.stacks.stack import Stack
from toolchain.install import Toolchain

TOOLCHAIN = Toolchain(Path("/bin/pulumi"), ())


def options(stack, command):
    return stack.command_line(command, "--yes")[4:]


@pytest.fixture
def pack(tmp_path):
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    return tmp_path


@pytest.mark.parametrize("command", ["up", "preview"])
def test_what_is_about_to_change_obeys_the_policy_pack(pack, command):
    stack = Stack("dev", TOOLCHAIN, config_file=Path("dev.yaml"), policy_pack=pack)
    assert options(stack, command) == [
        "--config-file=dev.yaml",
        f"--policy-pack={pack}",
        f"--policy-pack-config={pack}/configuration.json",
        "--yes",
    ]


@pytest.mark.parametrize("command", ["refresh", "destroy"])
def test_other_commands_know_no_policies(pack, command):
    assert options(Stack("dev", TOOLCHAIN, policy_pack=pack), command) == ["--yes"]


def test_a_policy_pack_without_its_environment_is_one_sentence(tmp_path):
    stack = Stack("dev", TOOLCHAIN, policy_pack=tmp_path)
    with pytest.raises(OperationError, match=r"environment is missing .*`make preview` makes it"):
        stack.command_line("preview")
