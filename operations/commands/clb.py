"""Commands `import` and `probe`, which know what a CLB is."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from operations import outputs
from operations.clb import adoption, existing, experiment
from operations.clb.api import SlbApi
from operations.clb.questions import render_answers
from operations.clb.throwaway import Throwaways, stack_issuer, switch_ca
from operations.commands import engine
from operations.commands.terminal import StackName, Yes, confirm, console, errors
from operations.errors import OperationError, undisturbed
from operations.review import plan
from operations.review.comment import render_markdown
from operations.stacks import environment
from operations.stacks.environment import configured_region
from operations.stacks.stack_file import propose
from toolchain.progress import Reporter


def import_existing(
    load_balancer_id: str,
    port: Annotated[int | None, typer.Option(help="Of its HTTPS listener, if not alone.")] = None,
    stack: StackName = "local",
) -> None:
    """Bring a load balancer that was made by hand under the stack's management."""
    engine.require_present_time()
    target = environment.open_stack(stack)
    engine.release_lock(target)
    config = target.values["config"]
    api = SlbApi(configured_region(config, stack), {**os.environ, **target.stack.variables})
    adoption.require_no_load_balancer(target.stack, config)
    load_balancer = existing.read_existing(api, load_balancer_id, port)
    wanted, settings = adoption.adopt_settings(load_balancer, config)
    for remark in existing.list_remarks(load_balancer, settings, config):
        console.print(remark)
    with propose(target, wanted) as proposal:
        trial = proposal.target.stack
        try:
            with adoption.import_load_balancer(trial, load_balancer, settings) as keep:
                status, log = trial.preview_events()
                planned = plan.parse_plan(log)
                sys.stdout.write(render_markdown(planned, stack, status=status))
                sys.stdout.flush()
                adoption.require_in_place(planned, status)
                with undisturbed():
                    proposal.accept()
                    keep()
        except OperationError as error:
            raise OperationError(
                f"{error} Nothing was imported; {proposal.file} is as it was."
            ) from None
    console.print(
        f"{proposal.file} now says what is there; `make up STACK={stack}` does the above."
    )


def probe(
    stack: StackName = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print the answers as JSON.")] = False,
    yes: Yes = False,
) -> None:
    """Put the questions that documentation leaves open to the stack's listener."""
    engine.require_present_time()
    target = environment.open_stack(stack)
    stack_outputs = outputs.parse(target.stack.outputs())
    now = datetime.now(UTC)
    ca = stack_issuer(target.stack.deployment(show_secrets=True), stack_outputs.ca)
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
                if not confirm("Switch the CA?"):
                    return None
        api = SlbApi(stack_outputs.region, {**os.environ, **target.stack.variables})
        return switch_ca(api, stack_outputs, stack, now)

    with Reporter() as reporter:
        findings = experiment.put_questions(
            stack_outputs,
            Throwaways(ca, now) if ca else None,
            switch,
            announce=lambda what: reporter.update("Trying", escape(what)),
        )
    if as_json:
        sys.stdout.write(findings.to_json() + "\n")
    else:
        render_answers(findings, console)
    raise typer.Exit(findings.exit_status)
