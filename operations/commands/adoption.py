"""Command `import`: a load balancer that was made by hand becomes the stack's."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from operations.adoption import adopted_settings, existing, remarks, state
from operations.commands import engine
from operations.commands.terminal import StackName, console
from operations.errors import OperationError, undisturbed
from operations.review import plan
from operations.review.markdown import markdown
from operations.slb import SlbApi
from operations.stacks import environment
from operations.stacks.environment import configured_region
from operations.stacks.stack_file import propose


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
    state.require_none(target.stack, config)
    found = existing.look(api, load_balancer_id, port)
    wanted, settings = adopted_settings.configuration(found, config)
    for remark in remarks.remarks(found, settings, config):
        console.print(remark)
    with propose(target, wanted) as proposal:
        trial = proposal.target.stack
        try:
            with state.brought_in(trial, found, settings) as keep:
                status, log = trial.preview_events()
                planned = plan.parse(log)
                sys.stdout.write(markdown(planned, stack, status=status))
                sys.stdout.flush()
                state.require_in_place(planned, status)
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
