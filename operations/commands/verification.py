"""Command `verify`, and the verification that other commands end with."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.markup import escape

from operations import outputs
from operations.commands.terminal import StackName, console
from operations.outputs import StackOutputs
from operations.slb import SlbHealth
from operations.stacks import environment
from operations.stacks.environment import StackTarget
from operations.verification import verification
from operations.verification.report import Report, render_report
from toolchain.progress import Reporter


def verify(
    stack: StackName = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    no_health: Annotated[
        bool, typer.Option("--no-health", help="Do not ask the API of SLB for health.")
    ] = False,
) -> None:
    """Try the service from outside: who gets in, who does not."""
    target = environment.open_stack(stack)
    report = verified(target, outputs.parse(target.stack.outputs()), health=not no_health)
    if as_json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        render_report(report, console)
    raise typer.Exit(report.exit_status)


def verified(target: StackTarget, found: StackOutputs, *, health: bool = True) -> Report:
    """Verify the stack; what is waited for goes to standard error."""
    environ = {**os.environ, **target.stack.variables}
    source = SlbHealth(found, environ) if health else None
    with Reporter() as reporter:
        return verification.verify(
            found, source, announce=lambda reason: reporter.update("Waiting for", escape(reason))
        )
