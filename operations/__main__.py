"""`python -m operations`: what `make` runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from operations import client_bundle, local_environment, outputs, verification
from operations.errors import OperationError
from operations.local_environment import LocalEnvironment
from operations.stack import PROJECT, Stack
from toolchain.errors import ToolchainError
from toolchain.install import ensure
from toolchain.progress import Reporter

LOCAL_HOME = "SLB_MUTUAL_TLS_HOME"
"""Folder of the local cloud and of the local stack's state, if not `.local` in the project."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()

StackName = Annotated[str, typer.Option("--stack", help="Name of the stack: Pulumi.NAME.yaml.")]
Arguments = Annotated[list[str] | None, typer.Argument(help="Passed on to the Pulumi CLI.")]
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@dataclass(frozen=True)
class Target:
    """A stack, and the local cloud that it runs on if it does."""

    stack: Stack
    values: dict[str, Any]
    local: LocalEnvironment | None


def _target(name: str) -> Target:
    """Open a stack: a local one where its endpoints are on loopback, else one in an account."""
    values = local_environment.configuration(name)
    port = local_environment.api_port(values)
    with Reporter() as reporter:
        toolchain = ensure(reporter)
    if port is None:
        return Target(local_environment.account_stack(name, toolchain), values, None)
    local = LocalEnvironment(Path(os.environ.get(LOCAL_HOME) or PROJECT / ".local"))
    local.start_cloud(port)
    return Target(local.stack(name, toolchain, values), values, local)


@app.command(context_settings=PASS_ON)
def up(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Bring the stack to its configuration, then verify it from outside."""
    target = _target(stack)
    confirmed = ["--yes"] if target.local else []
    _pulumi(target, "up", *confirmed, *(arguments or []))
    if target.local:
        _follow_published_port(target, target.local)
    found = outputs.StackOutputs.parse(target.stack.outputs())
    passed = _verify(target, found)
    if target.local and found.client_bundles:
        _hand_over(target.local, found)
    raise typer.Exit(0 if passed else 1)


@app.command(context_settings=PASS_ON)
def preview(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Show what `up` would do."""
    _pulumi(_target(stack), "preview", *(arguments or []))


@app.command(context_settings=PASS_ON)
def refresh(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Compare the state with the cloud."""
    target = _target(stack)
    _pulumi(target, "refresh", *(["--yes"] if target.local else []), *(arguments or []))


@app.command(context_settings=PASS_ON)
def down(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Remove everything the stack made; stop the local cloud."""
    target = _target(stack)
    _pulumi(target, "destroy", *(["--yes"] if target.local else []), *(arguments or []))
    if target.local:
        target.local.stop_cloud()


@app.command("outputs")
def show_outputs(stack: StackName = "local") -> None:
    """Print the stack's outputs as JSON, without secrets."""
    found = outputs.StackOutputs.parse(_target(stack).stack.outputs())
    sys.stdout.write(json.dumps(outputs.public(found), indent=2, ensure_ascii=False) + "\n")


@app.command()
def verify(
    stack: StackName = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Try the service from outside: who gets in, who does not."""
    target = _target(stack)
    found = outputs.StackOutputs.parse(target.stack.outputs())
    passed = _verify(target, found, as_json=as_json)
    raise typer.Exit(0 if passed else 1)


@app.command()
def client(
    name: str,
    directory: Annotated[Path, typer.Option("--dir", help="Where the files go.")] = Path("out"),
    stack: StackName = "local",
) -> None:
    """Write a client's bundle and say how to install it."""
    found = outputs.StackOutputs.parse(_target(stack).stack.outputs())
    client_bundle.write(found, name, directory)
    console.print(client_bundle.instructions(name, found.url, directory))


@app.command("env")
def show_environment(stack: StackName = "local") -> None:
    """Print shell exports with which `pulumi` itself works on the stack."""
    target = _target(stack)
    extra = {**target.stack.toolchain.environment(), **target.stack.variables}
    for variable, value in extra.items():
        sys.stdout.write(f"export {variable}={json.dumps(value)}\n")


def _pulumi(target: Target, command: str, *arguments: str) -> None:
    status = target.stack.run(command, *arguments)
    if status != 0:
        raise typer.Exit(status)


def _follow_published_port(target: Target, local: LocalEnvironment) -> None:
    """Have the outputs name the port that the local cloud took where it could not take the own."""
    if local.configure(target.stack, target.values):
        console.print("The local cloud serves the listener at another port; updating the outputs.")
        _pulumi(target, "up", "--yes", "--skip-preview")


def _verify(target: Target, found: outputs.StackOutputs, *, as_json: bool = False) -> bool:
    with _variables(target.stack.variables if target.local else {}):
        report = verification.verify(found)
    if as_json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        verification.render(report, console)
    return report.passed


def _hand_over(local: LocalEnvironment, found: outputs.StackOutputs) -> None:
    """Write the first client's bundle, and show a request with it."""
    name = next(iter(found.client_bundles))
    directory = local.home / "clients" / name
    client_bundle.write(found, name, directory)
    console.print(client_bundle.first_request(name, found.url, directory))


@contextmanager
def _variables(extra: Mapping[str, str]) -> Iterator[None]:
    """Add to this process's environment for a while: the cloud's SDK reads it from there."""
    before = dict(os.environ)
    os.environ.update(extra)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> int:
    """Run a command; print one clear message where it cannot be done."""
    try:
        app(standalone_mode=False)
    except (OperationError, ToolchainError) as error:
        Console(stderr=True).print(f"[red]error:[/red] {error}", highlight=False, soft_wrap=True)
        return 1
    except typer.Exit as leave:
        return leave.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
