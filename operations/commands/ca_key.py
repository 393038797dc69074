"""Commands `revoke` and `rotate`: the CA gets another key, and clients get new certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from operations import outputs
from operations.certificates import revocation, rotation
from operations.commands import engine
from operations.commands.terminal import StackName, Yes, agreed, console
from operations.commands.verification import verified
from operations.errors import OperationError
from operations.outputs import StackOutputs
from operations.stacks import environment
from operations.stacks.environment import StackTarget
from operations.stacks.stack_file import propose
from operations.verification.identity import bundle_identity
from operations.verification.report import Check, Report, abbreviate, render_report


def revoke(
    name: str,
    reason: Annotated[str, typer.Option(help="CRLReason, RFC 5280, 5.3.1.")] = "keyCompromise",
    stack: StackName = "local",
    yes: Yes = False,
) -> None:
    """Cut a client off: another key for the CA, and new certificates for everybody else."""
    engine.require_present_time()
    target = environment.open_stack(stack)
    before = outputs.parse(target.stack.outputs())
    name, imported = revocation.named(target.values, before, name)
    wanted = revocation.changes(target.values, name, reason, imported=imported)
    bundle = before.client_bundles.get(name)
    if bundle is None and not imported:
        raise OperationError(f"Client {name} has no certificate: `make up STACK={stack}` first.")
    # What a client that keeps its key to itself had cannot be tried here; it is cut off likewise.
    leaver = bundle_identity(bundle) if bundle and bundle.private_key else None
    others = sorted(before.client_bundles.keys() - {name})
    report = _configured(
        target,
        wanted,
        f"is to say that {name} is revoked and that the CA has another key.\n"
        f"New certificates: {abbreviate(others) or 'nobody'}. "
        "What they hold now stops working at once.",
        lambda found: [revocation.cut_off(found, name, leaver)],
        yes=yes,
    )
    _say_whom_to_hand_out(others, stack)
    raise typer.Exit(report.exit_status)


def rotate(
    step: Annotated[rotation.Step, typer.Argument(help="prepare, complete or abort.")],
    stack: StackName = "local",
    yes: Yes = False,
    force: Annotated[
        bool, typer.Option("--force", help="Complete although certificates are left behind.")
    ] = False,
) -> None:
    """Give the CA another key in two steps, between which old and new clients get through."""
    engine.require_present_time()
    target = environment.open_stack(stack)
    before = outputs.parse(target.stack.outputs())
    wanted = rotation.changes(target.values, step)
    names = before.clients_in_force()
    if step == "complete":
        _refuse_to_leave_behind(before, force=force)
        told = (
            "is to have the prepared CA take over. "
            "What clients got before STEP=prepare stops working."
        )
    elif step == "prepare":
        told = (
            "is to say that another CA is prepared.\n"
            f"New certificates: {abbreviate(names) or 'nobody'}. The old ones go on working."
        )
    else:
        told = (
            "is to prepare no other CA.\nNew certificates, of the present one: "
            f"{abbreviate(names) or 'nobody'}. What was handed out since STEP=prepare stops "
            "working."
        )
    earlier = {
        name: bundle_identity(before.client_bundles[name]) for name in before.clients_to_try()
    }
    report = _configured(
        target,
        wanted,
        told,
        lambda found: [rotation.earlier_clients(found, earlier)] if step == "prepare" else [],
        yes=yes,
    )
    if step != "complete":
        _say_whom_to_hand_out(names, stack)
    if step == "prepare":
        console.print("When all have installed theirs: make rotate STEP=complete")
    raise typer.Exit(report.exit_status)


def _refuse_to_leave_behind(before: StackOutputs, *, force: bool) -> None:
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


HANDED_OUT_SHOWN = 10
"""Number of hand-over commands that are printed, a line each."""


def _say_whom_to_hand_out(names: list[str], stack: str) -> None:
    for name in names[:HANDED_OUT_SHOWN]:
        console.print(
            f"Hand out: make client NAME={name} STACK={stack} DIR=out/{name}", soft_wrap=True
        )
    left = len(names) - HANDED_OUT_SHOWN
    if left > 0:
        console.print(
            f"And {left} more, likewise: make inventory STACK={stack} lists them.", soft_wrap=True
        )


def _configured(
    target: StackTarget,
    wanted: Mapping[str, str | int | None],
    told: str,
    further: Callable[[StackOutputs], Sequence[Check]],
    *,
    yes: bool,
) -> Report:
    """Show what a change of the configuration does, ask, write it, bring the stack up, verify it.

    Args:
        target: The stack.
        wanted: What to set in its configuration, by path; None: to remove.
        told: What that says, after the file's name.
        further: Checks beside the verification's.
        yes: Do not ask.

    Raises:
        OperationError: The preview fails or nobody says yes; the file is as it was.
    """
    with propose(target, wanted) as proposal:
        console.print(f"{proposal.file} {told}")
        previewed = proposal.target.stack.run("preview", "--suppress-outputs")
        if previewed or not (yes or agreed("Go on?")):
            hint = "" if previewed else " To go on without a question: ARGS=--yes."
            raise OperationError(f"Nothing was done; {proposal.file} is as it was.{hint}")
        # It may ask, too.
        options = engine.recover(target)
        proposal.accept()
    return _brought_up(environment.open_stack(target.stack.name), options, further)


def _brought_up(
    target: StackTarget, options: Sequence[str], further: Callable[[StackOutputs], Sequence[Check]]
) -> Report:
    """Bring the stack up as it was previewed, verify it and print the report."""
    engine.run(target, "up", "--yes", "--skip-preview", *options)
    found = outputs.parse(target.stack.outputs())
    report = verified(target, found)
    report = Report(report.url, (*report.checks, *further(found)))
    render_report(report, console)
    return report
