"""Commands `up`, `preview`, `review`, `refresh` and `down`; `outputs` and `env`."""

from __future__ import annotations

import json
import os
import shlex
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from configuration.outputs import StackOutputs
from operations import outputs
from operations.certificates import client_bundle
from operations.certificates import inventory as listing
from operations.commands import engine
from operations.commands.terminal import Arguments, StackName, console, errors
from operations.commands.verification import verify_stack
from operations.review import comment, plan
from operations.review.comment import render_markdown
from operations.stacks import environment
from operations.stacks.environment import LocalEnvironment, StackTarget
from operations.verification.report import abbreviate, render_report


def up(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Bring the stack to its configuration, then verify it from outside."""
    engine.require_present_time()
    target = environment.open_stack(stack)
    target.require_no_secret_in_the_clear()
    confirmed = ["--yes"] if target.local else []
    engine.run(target, "up", *confirmed, *engine.recover(target), *(arguments or []))
    if target.local:
        _follow_published_port(target, target.local)
    stack_outputs = outputs.parse(target.stack.outputs())
    report = verify_stack(target, stack_outputs)
    render_report(report, console)
    _say_what_is_next(stack_outputs, stack)
    if target.local:
        _hand_over(target.local, stack_outputs)
    raise typer.Exit(report.exit_status)


def preview(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Show what `up` would do."""
    target = environment.open_stack(stack)
    target.require_no_secret_in_the_clear()
    engine.run(target, "preview", *engine.refresh_options(target), *(arguments or []))


def refresh(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Compare the state with the cloud."""
    engine.require_present_time()
    target = environment.open_stack(stack)
    engine.release_lock(target)
    options = [*(["--yes"] if target.local else []), *engine.moved_cloud_options(target)]
    engine.run(target, "refresh", *options, *(arguments or []))


def down(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Remove everything the stack made; stop the local cloud."""
    engine.require_present_time()
    target = environment.open_stack(stack)
    options = [*(["--yes"] if target.local else []), *engine.recover(target)]
    engine.run(target, "destroy", *options, *engine.moved_cloud_options(target), *(arguments or []))
    if target.local:
        target.local.stop_cloud()


def show_outputs(stack: StackName = "local") -> None:
    """Print the stack's outputs as JSON, without secrets."""
    stack_outputs = outputs.parse(environment.open_stack(stack).stack.outputs())
    sys.stdout.write(json.dumps(outputs.public(stack_outputs), indent=2, ensure_ascii=False) + "\n")


def show_environment(stack: StackName = "local") -> None:
    """Print shell exports with which `pulumi` itself works on the stack."""
    for variable, value in environment.open_stack(stack).stack.exports().items():
        sys.stdout.write(f"export {variable}={shlex.quote(value)}\n")


def _follow_published_port(target: StackTarget, local: LocalEnvironment) -> None:
    """Make the outputs name the port that the local cloud took if another was not free."""
    if local.configure(target.stack, target.values):
        where = ", ".join(
            f"{listener['port']} at {listener['socket']['port']}"
            for listener in local.cloud_status()["listeners"]
        )
        errors.print(f"Not every port can be had here. Served: {where}. Updating the outputs.")
        engine.run(target, "up", "--yes", "--skip-preview")


def _say_what_is_next(stack_outputs: StackOutputs, stack: str) -> None:
    """Say where the service is, how clients get their bundles, and what is due first."""
    of_stack = "" if stack == "local" else f" STACK={stack}"
    lines = [f"Service: {stack_outputs.url}"]
    clients = stack_outputs.clients_in_force()
    if clients:
        lines.append(f"Clients: {abbreviate(clients)}; make client NAME={clients[0]}{of_stack}")
    renewed = [
        item for item in listing.list_certificates(stack_outputs, datetime.now(UTC)) if item.due_at
    ]
    for item in listing.sort_by_urgency(renewed)[:1]:
        lines.append(
            f"Due next: {item.role} {item.name}, {item.due_at:%Y-%m-%d}; make expiry{of_stack}"
        )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _hand_over(local: LocalEnvironment, stack_outputs: StackOutputs) -> None:
    """Write the first client's bundle, and show a request with it."""
    name = next(iter(stack_outputs.clients_to_try()), None)
    if name is None:
        return
    directory = local.home / "clients" / name
    client_bundle.write_bundle(stack_outputs, name, directory)
    request = client_bundle.write_first_request(
        name,
        stack_outputs.url,
        directory,
        server_certificate_issuer=stack_outputs.server_certificate_issuer,
    )
    sys.stdout.write(f"A request as client {name}:\n{request}\n")


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
    status, log = target.stack.preview_events(*engine.refresh_options(target), *(arguments or []))
    text = render_markdown(plan.parse_plan(log), stack, status=status)
    sys.stdout.write(text)
    comment.write_summary(text, os.environ)
    if publish:
        errors.print(comment.publish_comment(text, os.environ))
    raise typer.Exit(status)
