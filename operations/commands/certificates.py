"""Commands `client`, `inventory`, `expiry` and `crl`, which read certificates and change none."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from operations import outputs
from operations.certificates import client_bundle, installation, revocation
from operations.certificates import inventory as listing
from operations.commands.terminal import StackName, console
from operations.errors import OperationError
from operations.outputs import StackOutputs
from operations.stacks import environment

PARTNER_PAGES = ("docs/en/partner.md", "docs/zh/partner.md")
"""Pages that say to a client how to install its bundle, system by system."""

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
    found = _outputs(stack)
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
    items = listing.inventory(_outputs(stack), datetime.now(UTC))
    items = _chosen(items, state, name)
    if as_json:
        sys.stdout.write(listing.to_json(items) + "\n")
    elif as_csv:
        sys.stdout.write(listing.to_csv(items))
    else:
        listing.render(items, f"Certificates of stack {stack}", console, wide=wide)


def expiry(  # noqa: PLR0917 - likewise
    days: Annotated[int, typer.Option(help="How far to look ahead.", min=0)] = 30,
    stack: StackName = "local",
    as_json: AsJson = False,
    wide: Wide = False,
    state: States = None,
    name: Names = None,
) -> None:
    """List what is to be renewed within some days; exit status 1 if there is anything."""
    found, now = _outputs(stack), datetime.now(UTC)
    items = listing.due(listing.inventory(found, now), now + timedelta(days=days))
    items = _chosen(items, state, name)
    if as_json:
        sys.stdout.write(listing.to_json(items) + "\n")
    elif items:
        title = f"To be renewed within {days} days: `make up` does it"
        listing.render(items, title, console, wide=wide)
    else:
        console.print(f"Nothing of stack {stack} is to be renewed within {days} days.")
    raise typer.Exit(1 if items else 0)


def _chosen(
    items: list[listing.Item], states: list[str] | None, names: list[str] | None
) -> list[listing.Item]:
    for state in states or ():
        if state not in listing.STATES:
            raise OperationError(
                f"There is no state {state!r}: --state takes {', '.join(listing.STATES)}."
            )
    return listing.matching(items, states or (), names or ())


def crl(
    directory: Annotated[Path, typer.Option("--dir", help="Where the files go.")] = Path("out"),
    stack: StackName = "local",
) -> None:
    """Write the CA's revocation list, in PEM and DER."""
    for path in revocation.write_lists(_outputs(stack), directory):
        sys.stdout.write(f"{path}\n")


def _outputs(stack: str) -> StackOutputs:
    return outputs.parse(environment.open_stack(stack).stack.outputs())
