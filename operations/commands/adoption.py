"""`import`: a load balancer that was made by hand becomes the stack's."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from operations.adoption import adopted_settings, existing, remarks, state
from operations.commands.terminal import StackName, console
from operations.errors import OperationError
from operations.review import plan
from operations.review.markdown import markdown
from operations.slb import SlbApi
from operations.stacks import targets
from operations.stacks.stack_file import StackFile


def import_existing(
    load_balancer_id: str,
    port: Annotated[int | None, typer.Option(help="Of its HTTPS listener, if not alone.")] = None,
    stack: StackName = "local",
) -> None:
    """Bring a load balancer that was made by hand under the stack's management."""
    target = targets.opened(stack)
    config = target.values["config"]
    api = SlbApi(config["alicloud:region"], {**os.environ, **target.stack.variables})
    state.require_none(target.stack)
    found = existing.look(api, load_balancer_id, port)
    wanted, settings = adopted_settings.configuration(found, config)
    for remark in remarks.remarks(found, settings, config):
        console.print(remark)
    file = StackFile(stack)
    file.change(target.stack, wanted)
    target = targets.opened(stack)
    try:
        state.bring_in(target.stack, found, settings)
        status, log = target.stack.preview_events()
        planned = plan.parse(log)
        sys.stdout.write(markdown(planned, stack, status=status))
        state.require_in_place(planned, status)
    except OperationError as error:
        state.let_go(target.stack)
        file.restore()
        targets.opened(stack)
        raise OperationError(f"{error} Nothing was imported; {file.name} is as it was.") from None
    console.print(f"{file.name} now says what is there; `make up STACK={stack}` does the above.")
