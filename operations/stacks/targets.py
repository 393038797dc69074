"""Opens a stack by its name, with the local cloud that it runs on if it does."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.arguments.errors import SettingsError
from components.arguments.model import NAMESPACE
from components.arguments.validation import require_no_secret_in_the_clear
from configuration.settings import Settings
from operations.errors import OperationError
from operations.project import POLICY_PACK, PROJECT
from operations.stacks import local_environment
from operations.stacks.local_environment import LocalEnvironment
from operations.stacks.stack import Stack
from toolchain.install import ensure
from toolchain.progress import Reporter

LOCAL_HOME = "SLB_MUTUAL_TLS_HOME"
"""Folder of the local cloud and of the local stack's state, if not `.local` in the project."""

ON_LOCAL_CLOUD = "SLB_MUTUAL_TLS_LOCAL_CLOUD"
"""Variable that, if set, tries a stack of an account out on the local cloud instead."""


@dataclass(frozen=True)
class Target:
    """A stack, and the local cloud that it runs on if it does.

    Attributes:
        stack: With the rules that every stack obeys.
        values: Content of its configuration file.
        local: None for a stack in an account.
    """

    stack: Stack
    values: dict[str, Any]
    local: LocalEnvironment | None

    def require_no_secret_in_the_clear(self) -> None:
        """Refuse a configuration file in which a secret is not encrypted.

        Raises:
            OperationError: With a sentence for each.
        """
        prefix = f"{NAMESPACE}:"
        values = {
            key.removeprefix(prefix): value
            for key, value in self.values.get("config", {}).items()
            if key.startswith(prefix)
        }
        try:
            require_no_secret_in_the_clear(Settings, values, f"Pulumi.{self.stack.name}.yaml")
        except SettingsError as error:
            raise OperationError(str(error)) from None


def opened(name: str) -> Target:
    """Open a stack: a local one where its endpoints are on loopback, else one in an account.

    Raises:
        OperationError: There is no such stack, or it cannot be reached.
        ToolchainError: The Pulumi CLI or a plugin cannot be had.
    """
    values = _of_the_cloud_that_is_asked(local_environment.configuration(name))
    port = local_environment.api_port(values)
    with Reporter() as reporter:
        toolchain = ensure(reporter)
    local = None
    if port is None:
        stack = local_environment.account_stack(name, toolchain)
    else:
        local = LocalEnvironment(Path(os.environ.get(LOCAL_HOME) or PROJECT / ".local"))
        local.start_cloud(port)
        stack = local.stack(name, toolchain, values)
    return Target(replace(stack, policy_pack=POLICY_PACK), values, local)


def on_a_copy(target: Target, copy: Path) -> Target:
    """Open the stack with another configuration file, which stands alone in its folder.

    On the local cloud, the file is one made from that one, beside it.

    Raises:
        OperationError: The file cannot be read.
    """
    values = local_environment.read(copy.read_bytes(), copy.name)
    if target.local is None:
        return replace(target, stack=replace(target.stack, config_file=copy), values=values)
    values = _of_the_cloud_that_is_asked(values)
    stack = replace(target.stack, config_file=copy.with_name(f"local-{copy.name}"))
    target.local.configure(stack, values)
    return replace(target, stack=stack, values=values)


def _of_the_cloud_that_is_asked(values: dict[str, Any]) -> dict[str, Any]:
    return (
        local_environment.on_the_local_cloud(values) if os.environ.get(ON_LOCAL_CLOUD) else values
    )
