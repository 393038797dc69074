"""Commands on certificates: hand out, list, revoke, rotate."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from configuration.outputs import StackOutputs
from operations import outputs
from operations.certificates import client_bundle, rotation
from operations.certificates import inventory as listing
from operations.commands import engine
from operations.commands.terminal import StackName, Yes, confirm, console
from operations.commands.verification import verify_stack
from operations.errors import OperationError
from operations.stacks import environment
from operations.stacks.environment import StackTarget
from operations.stacks.stack_file import propose
from operations.verification.identity import bundle_identity
from operations.verification.report import Check, Report, abbreviate, render_report

PARTNER_PAGES = ("docs/en/partner.md", "docs/zh/partner.md")
"""Pages that tell a client how to install its bundle, system by system."""

HANDED_OUT_SHOWN = 10
"""Number of hand-over commands that are printed, a line each."""

AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Wide = Annotated[bool, typer.Option("--wide", help="All of it, on long lines.")]
States = Annotated[
    list[str] | None,
    typer.Option("--state", help=f"Only {', '.join(listing.STATES)}; may be repeated."),
]
Names = Annotated[
    list[str] | None, typer.Option("--name", help="Only these; * and ? stand for others.")
]


def client(
    name: str,
    directory: Annotated[Path, typer.Option("--dir", help="Where the files go.")] = Path("out"),
    stack: StackName = "local",
) -> None:
    """Write a client's bundle and say how to install it."""
    stack_outputs = _read_outputs(stack)
    client_bundle.write_bundle(stack_outputs, name, directory)
    sys.stdout.write(
        client_bundle.write_instructions(
            name,
            stack_outputs.url,
            directory,
            server_certificate_issuer=stack_outputs.server_certificate_issuer,
            keeps_its_key=stack_outputs.client_bundles[name].private_key is None,
        )
    )
    # Not with the instructions: who gets these has no copy of the project.
    sys.stdout.write(f"\nTo send along: {' or, in Chinese, '.join(PARTNER_PAGES)}\n")
    sys.stdout.write(
        "`make docs` makes of each one file for browsers: site/partner.en.html, .zh.html\n"
    )


def inventory(  # noqa: PLR0917 - typer passes them by name
    stack: StackName = "local",
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print it as CSV.")] = False,
    wide: Wide = False,
    state: States = None,
    name: Names = None,
) -> None:
    """List every certificate that has not expired: who holds it, and whether it is good."""
    items = listing.list_certificates(_read_outputs(stack), datetime.now(UTC))
    items = _choose(items, state, name)
    if as_json:
        sys.stdout.write(listing.to_json(items) + "\n")
    elif as_csv:
        sys.stdout.write(listing.to_csv(items))
    else:
        listing.render_inventory(items, f"Certificates of stack {stack}", console, wide=wide)


def expiry(  # noqa: PLR0917 - likewise
    days: Annotated[int, typer.Option(help="How far to look ahead.", min=0)] = 30,
    stack: StackName = "local",
    as_json: AsJson = False,
    wide: Wide = False,
    state: States = None,
    name: Names = None,
) -> None:
    """List what is to be renewed within some days; exit status 1 if there is anything."""
    stack_outputs, now = _read_outputs(stack), datetime.now(UTC)
    items = listing.select_due(
        listing.list_certificates(stack_outputs, now), now + timedelta(days=days)
    )
    items = _choose(items, state, name)
    if as_json:
        sys.stdout.write(listing.to_json(items) + "\n")
    elif items:
        title = f"To be renewed within {days} days: `make up` does it"
        listing.render_inventory(items, title, console, wide=wide)
    else:
        console.print(f"Nothing of stack {stack} is to be renewed within {days} days.")
    raise typer.Exit(1 if items else 0)


def _choose(
    items: list[listing.InventoryItem], states: list[str] | None, names: list[str] | None
) -> list[listing.InventoryItem]:
    for state in states or ():
        if state not in listing.STATES:
            raise OperationError(
                f"There is no state {state!r}: --state takes {', '.join(listing.STATES)}."
            )
    return listing.select_matching(items, states or (), names or ())


def crl(
    directory: Annotated[Path, typer.Option("--dir", help="Where the files go.")] = Path("out"),
    stack: StackName = "local",
) -> None:
    """Write the CA's revocation list, in PEM and DER."""
    for path in rotation.write_lists(_read_outputs(stack), directory):
        sys.stdout.write(f"{path}\n")


def _read_outputs(stack: str) -> StackOutputs:
    return outputs.parse(environment.open_stack(stack).stack.outputs())


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
    name, imported = rotation.find_client(target.values, before, name)
    wanted = rotation.revocation_changes(target.values, name, reason, imported=imported)
    bundle = before.client_bundles.get(name)
    if bundle is None and not imported:
        raise OperationError(f"Client {name} has no certificate: `make up STACK={stack}` first.")
    # What a client that keeps its key to itself had cannot be tried here; it is cut off likewise.
    leaver = bundle_identity(bundle) if bundle and bundle.private_key else None
    others = sorted(before.client_bundles.keys() - {name})
    report = _change_configuration(
        target,
        wanted,
        f"is to say that {name} is revoked and that the CA has another key.\n"
        f"New certificates: {abbreviate(others) or 'nobody'}. "
        "What they hold now stops working at once.",
        lambda after: [rotation.check_cut_off(after, name, leaver)],
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
    wanted = rotation.rotation_changes(target.values, step)
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
    report = _change_configuration(
        target,
        wanted,
        told,
        lambda after: [rotation.check_earlier_clients(after, earlier)] if step == "prepare" else [],
        yes=yes,
    )
    if step != "complete":
        _say_whom_to_hand_out(names, stack)
    if step == "prepare":
        console.print("When all have installed theirs: make rotate STEP=complete")
    raise typer.Exit(report.exit_status)


def _refuse_to_leave_behind(before: StackOutputs, *, force: bool) -> None:
    behind = rotation.find_left_behind(before, datetime.now(UTC))
    if not behind:
        return
    if not force:
        raise OperationError(
            f"Not issued anew by the prepared CA: {rotation.list_entries(behind)}. Completing cuts "
            "them off. Bring the stack up, or give them up: take them out of the configuration, or "
            "make rotate STEP=complete ARGS=--force."
        )
    console.print(f"Cut off without a successor: {rotation.list_entries(behind)}.")


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


def _change_configuration(
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
        wanted: Values to set in its configuration, by path; None removes one.
        told: What the change says, told after the file's name.
        further: Checks beside the verification's.
        yes: Whether nobody is to be asked.

    Raises:
        OperationError: The preview fails or nobody says yes; the file is as it was.
    """
    with propose(target, wanted) as proposal:
        console.print(f"{proposal.file} {told}")
        previewed = proposal.target.stack.run("preview", "--suppress-outputs")
        if previewed or not (yes or confirm("Go on?")):
            hint = "" if previewed else " To go on without a question: ARGS=--yes."
            raise OperationError(f"Nothing was done; {proposal.file} is as it was.{hint}")
        # It may ask, too.
        options = engine.recover(target)
        proposal.accept()
    return _bring_up(environment.open_stack(target.stack.name), options, further)


def _bring_up(
    target: StackTarget, options: Sequence[str], further: Callable[[StackOutputs], Sequence[Check]]
) -> Report:
    """Bring the stack up as it was previewed, verify it and print the report."""
    engine.run(target, "up", "--yes", "--skip-preview", *options)
    after = outputs.parse(target.stack.outputs())
    report = verify_stack(target, after)
    report = Report(report.url, (*report.checks, *further(after)))
    render_report(report, console)
    return report
