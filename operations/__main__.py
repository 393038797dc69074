"""`python -m operations`: what `make` runs."""

from __future__ import annotations

import os
import sys

import typer
from rich.markup import escape

from operations.commands import certificates, clb, lifecycle, verification
from operations.commands.terminal import errors
from operations.errors import OperationError, ReportedError, signals_end_in_order
from operations.stacks.pulumi_cli import require_clean_logs
from toolchain.errors import ToolchainError

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("up", context_settings=PASS_ON)(lifecycle.up)
app.command("preview", context_settings=PASS_ON)(lifecycle.preview)
app.command("review", context_settings=PASS_ON)(lifecycle.review)
app.command("refresh", context_settings=PASS_ON)(lifecycle.refresh)
app.command("down", context_settings=PASS_ON)(lifecycle.down)
app.command("outputs")(lifecycle.show_outputs)
app.command("verify")(verification.verify)
app.command("probe")(clb.probe)
app.command("client")(certificates.client)
app.command("inventory")(certificates.inventory)
app.command("expiry")(certificates.expiry)
app.command("revoke")(certificates.revoke)
app.command("rotate")(certificates.rotate)
app.command("crl")(certificates.crl)
app.command("report")(verification.report)
app.command("import")(clb.import_existing)
app.command("env")(lifecycle.show_environment)


def main() -> int:
    """Run a command; print one clear message where it cannot be done."""
    try:
        require_clean_logs(sys.argv[1:], os.environ)
        with signals_end_in_order():
            app()
    except ReportedError:
        return 1
    except (OperationError, ToolchainError) as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
