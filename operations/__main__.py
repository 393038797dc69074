"""`python -m operations`: what `make` runs."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from operations import (
    adopted_settings,
    adoption,
    client_bundle,
    comments,
    installation,
    inventory,
    local_environment,
    outputs,
    plan,
    recovery,
    review,
    revocation,
    rotation,
    verification,
)
from operations.errors import OperationError, ReportedError
from operations.health import SlbHealth
from operations.identity import of_bundle
from operations.local_environment import LocalEnvironment
from operations.log_levels import require_clean_logs
from operations.report import Check, Report, render
from operations.slb import SlbApi
from operations.stack import POLICY_PACK, PROJECT, Stack, project_name
from operations.stack_file import StackFile
from settings import NAMESPACE
from toolchain.errors import ToolchainError
from toolchain.install import ensure
from toolchain.progress import Reporter

LOCAL_HOME = "SLB_MUTUAL_TLS_HOME"
"""Folder of the local cloud and of the local stack's state, if not `.local` in the project."""

ON_LOCAL_CLOUD = "SLB_MUTUAL_TLS_LOCAL_CLOUD"
"""If set, a stack of an account is tried out on the local cloud instead."""

STOPPED = (
    "`up` stopped; the message above says why. If it is about the configuration, correct that. If "
    "the cloud was busy, throttled, failed or did not answer, nothing need be changed. Then "
    "`make up` again: it goes on from here, and puts in order what was left half made."
)
"""What a failed `up` ends with."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()
errors = Console(stderr=True, highlight=False, soft_wrap=True)

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
    if os.environ.get(ON_LOCAL_CLOUD):
        values = local_environment.on_the_local_cloud(values)
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


@app.command(context_settings=PASS_ON)
def up(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Bring the stack to its configuration, then verify it from outside."""
    target = _target(stack)
    confirmed = ["--yes"] if target.local else []
    _pulumi(target, "up", *confirmed, *_recover(target), *(arguments or []))
    if target.local:
        _follow_published_port(target, target.local)
    found = outputs.parse(target.stack.outputs())
    report = _verify(target, found)
    render(report, console)
    if target.local:
        _hand_over(target.local, found)
    raise typer.Exit(report.exit_status)


@app.command(context_settings=PASS_ON)
def preview(stack: StackName = "local", arguments: Arguments = None) -> None:
    """Show what `up` would do."""
    target = _target(stack)
    _pulumi(target, "preview", *_refreshing(target), *(arguments or []))


@app.command("review", context_settings=PASS_ON)
def show_review(
    stack: StackName = "local",
    publish: Annotated[
        bool, typer.Option("--publish", help="Comment on the job's pull or merge request.")
    ] = False,
    arguments: Arguments = None,
) -> None:
    """Print what `up` would do as Markdown; Pulumi's own display goes to standard error."""
    target = _target(stack)
    status, log = target.stack.preview_events(*_refreshing(target), *(arguments or []))
    text = review.markdown(plan.parse(log), stack, status=status)
    sys.stdout.write(text)
    comments.summarize(text, os.environ)
    if publish:
        errors.print(comments.publish(text, os.environ))
    raise typer.Exit(status)


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
    found = outputs.parse(_target(stack).stack.outputs())
    sys.stdout.write(json.dumps(outputs.public(found), indent=2, ensure_ascii=False) + "\n")


@app.command()
def verify(
    stack: StackName = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    no_health: Annotated[
        bool, typer.Option("--no-health", help="Do not ask the API of SLB for health.")
    ] = False,
) -> None:
    """Try the service from outside: who gets in, who does not."""
    target = _target(stack)
    report = _verify(target, outputs.parse(target.stack.outputs()), health=not no_health)
    if as_json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        render(report, console)
    raise typer.Exit(report.exit_status)


@app.command()
def client(
    name: str,
    directory: Annotated[Path, typer.Option("--dir", help="Where the files go.")] = Path("out"),
    stack: StackName = "local",
) -> None:
    """Write a client's bundle and say how to install it."""
    found = outputs.parse(_target(stack).stack.outputs())
    client_bundle.write(found, name, directory)
    sys.stdout.write(
        installation.instructions(
            name,
            found.url,
            directory,
            server_certificate_issuer=found.server_certificate_issuer,
            keeps_its_key=found.client_bundles[name].private_key is None,
        )
    )


@app.command("inventory")
def show_inventory(
    stack: StackName = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print it as CSV.")] = False,
) -> None:
    """List every certificate that has not expired: who holds it, and whether it is good."""
    found = outputs.parse(_target(stack).stack.outputs())
    items = inventory.inventory(found, datetime.now(UTC))
    if as_json:
        sys.stdout.write(inventory.to_json(items) + "\n")
    elif as_csv:
        sys.stdout.write(inventory.to_csv(items))
    else:
        inventory.render(items, f"Certificates of stack {stack}", console)


@app.command()
def expiry(
    days: Annotated[int, typer.Option(help="How far to look ahead.", min=0)] = 30,
    stack: StackName = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List what is to be renewed within some days; exit status 1 if there is anything."""
    found = outputs.parse(_target(stack).stack.outputs())
    now = datetime.now(UTC)
    items = inventory.due(inventory.inventory(found, now), now + timedelta(days=days))
    if as_json:
        sys.stdout.write(inventory.to_json(items) + "\n")
    elif items:
        inventory.render(items, f"To be renewed within {days} days: `make up` does it", console)
    else:
        console.print(f"Nothing of stack {stack} is to be renewed within {days} days.")
    raise typer.Exit(1 if items else 0)


@app.command()
def revoke(
    name: str,
    reason: Annotated[str, typer.Option(help="CRLReason, RFC 5280, 5.3.1.")] = "keyCompromise",
    stack: StackName = "local",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Cut a client off: another key for the CA, and new certificates for everybody else."""
    target = _target(stack)
    before = outputs.parse(target.stack.outputs())
    wanted = revocation.changes(target.values, name, reason)
    if name not in before.client_bundles:
        raise OperationError(f"Client {name} has no certificate: `make up STACK={stack}` first.")
    leaver = of_bundle(before.client_bundles[name])
    others = sorted(before.client_bundles.keys() - {name})
    target = _configured(
        target,
        wanted,
        f"now says that {name} is revoked and that the CA has another key.\n"
        f"New certificates: {', '.join(others) or 'nobody'}. "
        "What they hold now stops working at once.",
        yes=yes,
    )
    report = _brought_up(target, lambda found: [revocation.cut_off(found, name, leaver)])
    _say_whom_to_hand_out(others, stack)
    raise typer.Exit(report.exit_status)


@app.command()
def rotate(
    step: Annotated[rotation.Step, typer.Argument(help="prepare, complete or abort.")],
    stack: StackName = "local",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Complete although certificates are left behind.")
    ] = False,
) -> None:
    """Give the CA another key in two steps, between which old and new clients get through."""
    target = _target(stack)
    before = outputs.parse(target.stack.outputs())
    wanted = rotation.changes(target.values, step)
    names = before.clients_in_force()
    if step == "complete":
        _refuse_to_leave_behind(before, force=force)
        told = (
            "now has the prepared CA take over. What clients got before STEP=prepare stops working."
        )
    elif step == "prepare":
        told = (
            "now says that another CA is prepared.\n"
            f"New certificates: {', '.join(names) or 'nobody'}. The old ones go on working."
        )
    else:
        told = (
            "now prepares no other CA.\nNew certificates, of the present one: "
            f"{', '.join(names) or 'nobody'}. What was handed out since STEP=prepare stops working."
        )
    earlier = {name: of_bundle(before.client_bundles[name]) for name in before.clients_to_try()}
    target = _configured(target, wanted, told, yes=yes)
    report = _brought_up(
        target,
        lambda found: [rotation.earlier_clients(found, earlier)] if step == "prepare" else [],
    )
    if step != "complete":
        _say_whom_to_hand_out(names, stack)
    if step == "prepare":
        console.print("When all have installed theirs: make rotate STEP=complete")
    raise typer.Exit(report.exit_status)


@app.command()
def crl(
    directory: Annotated[Path, typer.Option("--dir", help="Where the files go.")] = Path("out"),
    stack: StackName = "local",
) -> None:
    """Write the CA's revocation list, in PEM and DER."""
    found = outputs.parse(_target(stack).stack.outputs())
    for path in revocation.write_lists(found, directory):
        sys.stdout.write(f"{path}\n")


def _refuse_to_leave_behind(before: outputs.StackOutputs, *, force: bool) -> None:
    behind = rotation.left_behind(before, datetime.now(UTC))
    if not behind:
        return
    if not force:
        raise OperationError(
            f"Not issued anew by the prepared CA: {rotation.listed(behind)}. Completing cuts them "
            "off. Bring the stack up, or give them up: take them out of the configuration, or "
            "make rotate STEP=complete ARGS=--force."
        )
    console.print(f"Cut off without a successor: {rotation.listed(behind)}.")


def _say_whom_to_hand_out(names: list[str], stack: str) -> None:
    for name in names:
        console.print(f"Hand out: make client NAME={name} STACK={stack} DIR=out/{name}")


def _configured(
    target: Target, wanted: Mapping[str, str | int | None], told: str, *, yes: bool
) -> Target:
    """Change the stack's configuration file, show the preview and ask.

    Raises:
        OperationError: The preview fails or the answer is no; the file is as it was.
    """
    name = target.stack.name
    file = StackFile(name)
    file.change(target.stack, wanted)
    changed = _target(name)
    console.print(f"{file.name} {told}")
    previewed = changed.stack.run("preview")
    if previewed or not (yes or typer.confirm("Go on?", default=False)):
        file.restore()
        _target(name)
        raise OperationError(f"Nothing was done; {file.name} is as it was.")
    return changed


def _brought_up(
    target: Target, further: Callable[[outputs.StackOutputs], Sequence[Check]]
) -> Report:
    """Bring the stack up as it was previewed, verify it and print the report."""
    _pulumi(target, "up", "--yes", "--skip-preview", *_recover(target))
    found = outputs.parse(target.stack.outputs())
    report = _verify(target, found)
    report = Report(report.url, (*report.checks, *further(found)))
    render(report, console)
    return report


@app.command("import")
def import_existing(
    load_balancer_id: str,
    port: Annotated[int | None, typer.Option(help="Of its HTTPS listener, if not alone.")] = None,
    stack: StackName = "local",
) -> None:
    """Bring a load balancer that was made by hand under the stack's management."""
    target = _target(stack)
    config = target.values["config"]
    api = SlbApi(config["alicloud:region"], {**os.environ, **target.stack.variables})
    adoption.require_none(target.stack)
    existing = adoption.look(api, load_balancer_id, port)
    wanted, settings = adopted_settings.configuration(existing, config)
    for remark in adoption.remarks(existing, settings, config):
        console.print(remark)
    file = StackFile(stack)
    file.change(target.stack, wanted)
    target = _target(stack)
    try:
        adoption.bring_in(target.stack, existing, settings)
        status, log = target.stack.preview_events()
        planned = plan.parse(log)
        sys.stdout.write(review.markdown(planned, stack, status=status))
        adoption.require_in_place(planned, status)
    except OperationError as error:
        adoption.let_go(target.stack)
        file.restore()
        _target(stack)
        raise OperationError(f"{error} Nothing was imported; {file.name} is as it was.") from None
    console.print(f"{file.name} now says what is there; `make up STACK={stack}` does the above.")


@app.command("env")
def show_environment(stack: StackName = "local") -> None:
    """Print shell exports with which `pulumi` itself works on the stack."""
    target = _target(stack).stack
    extra = {**target.toolchain.environment(), **target.variables, "PULUMI_STACK": target.name}
    if target.config_file is not None:
        # The CLI takes any option from the environment, and then leaves the tracked file alone.
        extra["PULUMI_OPTION_CONFIG_FILE"] = str(target.config_file)
    for option, value in target.policy_options().items():
        extra[f"PULUMI_OPTION_{option.replace('-', '_').upper()}"] = value
    for variable, value in extra.items():
        sys.stdout.write(f"export {variable}={shlex.quote(value)}\n")


def _pulumi(target: Target, command: str, *arguments: str) -> None:
    status = target.stack.run(command, *arguments)
    if status != 0:
        if command == "up":
            errors.print(STOPPED)
        raise typer.Exit(status)


def _refreshing(target: Target) -> list[str]:
    """Options that look at the cloud first, where the last `up` did not end well."""
    return ["--refresh"] if _interrupted(target) else []


def _interrupted(target: Target) -> tuple[dict[str, Any], datetime] | None:
    """The stack's state, and when it was last in order, if the last `up` did not end well."""
    deployment = target.stack.deployment()
    since = recovery.in_order_until(deployment, target.stack.history())
    if since is None:
        return None
    unfinished = ", ".join(recovery.unfinished(deployment)) or "it failed"
    errors.print(f"The last `up` did not end well ({unfinished}); looking at the cloud first.")
    return deployment, since


def _recover(target: Target) -> list[str]:
    """Put in order what an interrupted `up` left, and return options that the next one needs.

    What an account holds is never removed unasked, also where the update itself is not asked for.

    Raises:
        OperationError: The cloud cannot be asked or refuses, or what is left is to stay.
    """
    stack = target.stack
    if target.local and target.local.release_lock(stack):
        errors.print("The last `up` was killed, and its lock was left: taken away.")
    interrupted = _interrupted(target)
    if interrupted is None:
        return []
    deployment, since = interrupted
    config = target.values["config"]
    call = recovery.caller(config["alicloud:region"], {**os.environ, **stack.variables})
    place = recovery.site(
        f"{project_name()}-{stack.name}",
        deployment,
        config.get(f"{NAMESPACE}:load_balancer") or {},
        {"project": project_name(), "stack": stack.name},
        since,
    )
    orphans = list(recovery.find(place, call))
    for orphan in orphans:
        errors.print(f"In the cloud and not in the state: {escape(str(orphan))}.")
    if orphans:
        if target.local is None and not sys.stdin.isatty():
            raise OperationError(
                "The last `up` left the above, and nobody can be asked here whether to remove it: "
                f"run `make up STACK={stack.name}` in a terminal, or remove it in the console."
            )
        asked = target.local is None
        if asked and not typer.confirm("Remove what the last `up` left?", default=False):
            raise OperationError("What the last `up` left stays, and nothing else was done.")
        recovery.remove(orphans, call)
    if deployment.get("pending_operations"):
        _pulumi(target, "refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    return ["--refresh"]


def _follow_published_port(target: Target, local: LocalEnvironment) -> None:
    """Have the outputs name the port that the local cloud took where it could not take the own."""
    if local.configure(target.stack, target.values):
        where = ", ".join(
            f"{one['port']} at {one['socket']['port']}" for one in local.cloud_status()["listeners"]
        )
        errors.print(f"Not every port can be had here. Served: {where}. Updating the outputs.")
        _pulumi(target, "up", "--yes", "--skip-preview")


def _verify(target: Target, found: outputs.StackOutputs, *, health: bool = True) -> Report:
    """Verify; what is waited for goes to standard error."""
    environ = {**os.environ, **target.stack.variables}
    source = SlbHealth(found, environ) if health else None
    with Reporter() as reporter:
        return verification.verify(
            found, source, announce=lambda reason: reporter.update("Waiting for", escape(reason))
        )


def _hand_over(local: LocalEnvironment, found: outputs.StackOutputs) -> None:
    """Write the first client's bundle, and show a request with it."""
    name = next(iter(found.clients_to_try()), None)
    if name is None:
        return
    directory = local.home / "clients" / name
    client_bundle.write(found, name, directory)
    request = installation.first_request(
        name, found.url, directory, server_certificate_issuer=found.server_certificate_issuer
    )
    sys.stdout.write(f"A request as client {name}:\n{request}\n")


def main() -> int:
    """Run a command; print one clear message where it cannot be done."""
    try:
        require_clean_logs(sys.argv[1:], os.environ)
        app()
    except ReportedError:
        return 1
    except (OperationError, ToolchainError) as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
