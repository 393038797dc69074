"""Commands `verify` and `report`, and the verification that other commands end with."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from configuration.outputs import StackOutputs
from operations import outputs
from operations.clb.api import SlbHealth
from operations.commands.terminal import StackName, console
from operations.errors import OperationError
from operations.project import POLICY_PACK
from operations.report.contents import Verification, gather_contents, read_rules
from operations.report.page import render_page
from operations.report.words import Language
from operations.stacks import environment
from operations.stacks.environment import StackTarget
from operations.verification import verification
from operations.verification.report import Report, parse_report, render_report
from toolchain.progress import Reporter


def verify(
    stack: StackName = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    no_health: Annotated[
        bool, typer.Option("--no-health", help="Do not ask the API of SLB for health.")
    ] = False,
) -> None:
    """Try the service from outside: who gets in, who does not."""
    target = environment.open_stack(stack)
    report = verify_stack(target, outputs.parse(target.stack.outputs()), health=not no_health)
    if as_json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        render_report(report, console)
    raise typer.Exit(report.exit_status)


def verify_stack(
    target: StackTarget, stack_outputs: StackOutputs, *, health: bool = True
) -> Report:
    """Verify the stack; what is waited for goes to standard error."""
    environ = {**os.environ, **target.stack.variables}
    source = SlbHealth(stack_outputs, environ) if health else None
    with Reporter() as reporter:
        return verification.verify(
            stack_outputs,
            source,
            announce=lambda reason: reporter.update("Waiting for", escape(reason)),
        )


def report(
    stack: StackName = "local",
    lang: Annotated[Language, typer.Option(help="Language of the page.")] = "en",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("out/report.html"),
    verification: Annotated[
        Path | None, typer.Option(help="What `verify --json` printed, to be part of the page.")
    ] = None,
) -> None:
    """Write one HTML file of who holds which certificate, for auditors and reviewers."""
    verified = _read_verification(verification) if verification else None
    stack_outputs = outputs.parse(environment.open_stack(stack).stack.outputs())
    if verified is not None and verified.report.url != stack_outputs.url:
        raise OperationError(
            f"{verification} is of {verified.report.url}, and stack {stack} is at "
            f"{stack_outputs.url}: verify this one, by make verify STACK={stack} ARGS=--json > "
            f"{verification}"
        )
    contents = gather_contents(
        stack, stack_outputs, read_rules(POLICY_PACK), verified, datetime.now(UTC)
    )
    text = render_page(contents, lang)
    try:
        out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OperationError(f"{out} cannot be written: {error.strerror}.") from None
    sys.stdout.write(f"{out}\n")


def _read_verification(path: Path) -> Verification:
    """Read what a verification found.

    Raises:
        OperationError: It is not there, or is something else.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text, written = file.read(), os.fstat(file.fileno()).st_mtime
        return Verification(parse_report(text), datetime.fromtimestamp(written, UTC))
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError as error:
        reason = str(error)
    raise OperationError(
        f"{path} cannot be read as a verification ({reason}): make verify ARGS=--json > {path} "
        "writes one."
    )
