"""Command `probe`, which asks the stack's own listener what only an account can tell."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from operations import outputs
from operations.commands import engine
from operations.commands.terminal import StackName, Yes, agreed, console, errors
from operations.probing import experiment
from operations.probing.report import render
from operations.probing.switching import another_ca
from operations.probing.throwaway import Throwaways, stack_issuer
from operations.slb import SlbApi
from operations.stacks import environment
from toolchain.progress import Reporter


def probe(
    stack: StackName = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print the answers as JSON.")] = False,
    yes: Yes = False,
) -> None:
    """Put the questions that documentation leaves open to the stack's listener."""
    engine.require_present_time()
    target = environment.open_stack(stack)
    found = outputs.parse(target.stack.outputs())
    now = datetime.now(UTC)
    ca = stack_issuer(target.stack.deployment(show_secrets=True), found.ca)
    if ca is None:
        errors.print("The program does not hold the CA's key: what needs it is not tried.")

    def switch(ways: list[str]) -> AbstractContextManager[None] | None:
        told = (
            f"Sessions are resumed ({', '.join(ways)}). Whether they are after the CA was switched "
            "can be tried: the listener gets another CA, refuses every client meanwhile, for some "
            "minutes, and then has its own again."
        )
        if not yes:
            # The question belongs where the answers are not: --json leaves that to scripts.
            if as_json:
                return None
            with reporter.aside():
                console.print(told, soft_wrap=True, highlight=False)
                if not agreed("Switch the CA?"):
                    return None
        api = SlbApi(found.region, {**os.environ, **target.stack.variables})
        return another_ca(api, found, stack, now)

    with Reporter() as reporter:
        findings = experiment.put(
            found,
            Throwaways(ca, now) if ca else None,
            switch,
            announce=lambda what: reporter.update("Trying", escape(what)),
        )
    if as_json:
        sys.stdout.write(findings.to_json() + "\n")
    else:
        render(findings, console)
    raise typer.Exit(findings.exit_status)
