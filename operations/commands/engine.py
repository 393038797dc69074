"""Runs of the Pulumi CLI on the terminal, also where the last `up` did not end well."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Any

import typer
from rich.markup import escape

from components.pki import clock
from operations.clb import orphans
from operations.commands.terminal import confirm, errors
from operations.errors import OperationError
from operations.project import project_name
from operations.stacks.environment import StackTarget, configured_region, section
from operations.stacks.stack import in_order_until, taken_by_the_dead, unfinished_types

STOPPED = (
    "`up` stopped; the message above says why. If it is about the configuration, correct that. If "
    "the cloud was busy, throttled, failed or did not answer, nothing need be changed. Then "
    "`make up` again: it goes on from here, and puts in order what was left half made."
)
"""Advice that a failed `up` ends with."""


def require_present_time() -> None:
    """Check, before anything is changed, that certificates are not judged as of another time.

    Raises:
        OperationError: They would be.
    """
    try:
        clock.require_present(os.environ)
    except ValueError as error:
        raise OperationError(str(error)) from None


def run(target: StackTarget, command: str, *arguments: str) -> None:
    """Run a command of the CLI.

    Raises:
        typer.Exit: It fails, and has said why; with its exit status.
    """
    status = target.stack.run(command, *arguments)
    if status != 0:
        if command == "up":
            errors.print(STOPPED)
        raise typer.Exit(status)


def refresh_options(target: StackTarget) -> list[str]:
    """Options that look at the cloud first, where the last `up` did not end well."""
    return ["--refresh"] if _find_interruption(target) else []


def recover(target: StackTarget) -> list[str]:
    """Put in order what an interrupted `up` left, and return options that the next one needs.

    What an account holds is never removed unasked, also where the update itself is not asked for.

    Raises:
        OperationError: The cloud cannot be asked or refuses, or what is left is to stay.
    """
    stack = target.stack
    release_lock(target)
    interrupted = _find_interruption(target)
    if interrupted is None:
        return []
    deployment, since = interrupted
    config = target.values["config"]
    call = orphans.make_caller(
        configured_region(config, stack.name), {**os.environ, **stack.variables}
    )
    place = orphans.gather_site(
        f"{project_name()}-{stack.name}",
        deployment,
        section(config, "load_balancer"),
        {"project": project_name(), "stack": stack.name},
        since,
    )
    left = list(orphans.find_orphans(place, call))
    for orphan in left:
        errors.print(f"Left by the last `up`: {escape(str(orphan))}.")
    if left:
        if target.local is None and not sys.stdin.isatty():
            raise OperationError(
                "The last `up` left the above, and nobody can be asked here whether to remove it: "
                f"run `make up STACK={stack.name}` in a terminal, or remove it in the console."
            )
        asked = target.local is None
        if asked and not confirm("Remove what the last `up` left?"):
            raise OperationError("What the last `up` left stays, and nothing else was done.")
        orphans.remove_orphans(left, call)
    if deployment.get("pending_operations"):
        run(target, "refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    return ["--refresh"]


def release_lock(target: StackTarget) -> None:
    """Take away the lock that a killed engine left on the local stack."""
    if target.local and target.stack.release_lock(taken_by_the_dead):
        errors.print("The last command was killed, and its lock was left: taken away.")


def moved_cloud_options(target: StackTarget) -> list[str]:
    """Options with which the engine asks the local cloud where it is now, for what reads the state.

    The state has the address of before, where another program may answer.
    """
    if target.local is None:
        return []
    now = target.local.cloud_status()["endpoint"].removeprefix("https://")
    endpoints = [
        str(resource.get("inputs", {}).get("endpoints", now))
        for resource in target.stack.deployment().get("resources") or []
        if resource["type"] == "pulumi:providers:alicloud"
    ]
    return ["--run-program"] if any(now not in text for text in endpoints) else []


def _find_interruption(target: StackTarget) -> tuple[dict[str, Any], datetime] | None:
    """State of the stack, and when it was last in order, if the last `up` did not end well."""
    deployment = target.stack.deployment()
    since = in_order_until(deployment, target.stack.history())
    if since is None:
        return None
    unfinished = ", ".join(unfinished_types(deployment)) or "it failed"
    errors.print(f"The last `up` did not end well ({unfinished}); looking at the cloud first.")
    return deployment, since
