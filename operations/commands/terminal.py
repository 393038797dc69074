"""What all commands share on the command line: where they print, and options of one meaning."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

console = Console()
errors = Console(stderr=True, highlight=False, soft_wrap=True)

StackName = Annotated[str, typer.Option("--stack", help="Name of the stack: Pulumi.NAME.yaml.")]
Arguments = Annotated[list[str] | None, typer.Argument(help="Passed on to the Pulumi CLI.")]
