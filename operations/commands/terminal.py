"""What all commands share on the command line: where they print, and options of one meaning."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import typer
from rich.console import Console

# Rich itself leaves bold and the like where NO_COLOR is set.
_COLOURS: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"

console = Console(color_system=_COLOURS)
errors = Console(stderr=True, highlight=False, soft_wrap=True, color_system=_COLOURS)

StackName = Annotated[str, typer.Option("--stack", help="Name of the stack: Pulumi.NAME.yaml.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Arguments = Annotated[list[str] | None, typer.Argument(help="Passed on to the Pulumi CLI.")]


def agreed(question: str) -> bool:
    """Ask, and take everything but a yes for a no: an interrupt, or that nobody is there."""
    try:
        return typer.confirm(question, default=False)
    except typer.Abort:
        # The answer's line has not ended.
        console.print()
        return False
