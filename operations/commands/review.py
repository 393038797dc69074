"""Command `review`, which shows what `up` would do to those who review a change."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from operations.commands import engine
from operations.commands.terminal import Arguments, StackName, errors
from operations.review import comments, plan
from operations.review.markdown import markdown
from operations.stacks import environment


def review(
    stack: StackName = "local",
    publish: Annotated[
        bool, typer.Option("--publish", help="Comment on the job's pull or merge request.")
    ] = False,
    arguments: Arguments = None,
) -> None:
    """Print what `up` would do as Markdown; Pulumi's own display goes to standard error."""
    target = environment.open_stack(stack)
    target.require_no_secret_in_the_clear()
    status, log = target.stack.preview_events(*engine.refreshing(target), *(arguments or []))
    text = markdown(plan.parse(log), stack, status=status)
    sys.stdout.write(text)
    comments.summarize(text, os.environ)
    if publish:
        errors.print(comments.publish(text, os.environ))
    raise typer.Exit(status)
