"""`python -m localcloud`: start, stop, look at and reset a local cloud."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from localcloud import control, coverage
from localcloud.dataplane.model import OPEN_QUESTIONS
from localcloud.home import Home
from localcloud.logs import read_lines as read_log
from localcloud.ports import listening_socket
from localcloud.server import serve as run_server
from localcloud.store import StoreError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

HomePath = Annotated[Path, typer.Option("--home", help="The cloud's folder.")]
DEFAULT_HOME = Path(".local/cloud")
Strict = Annotated[
    bool, typer.Option(help="Refuse bad client certificates in the handshake, not by a 400 page.")
]
OrAnother = Annotated[
    bool,
    typer.Option("--or-another", help="Take any free port where that one is not, and keep it."),
]


@app.command()
def start(
    home: HomePath = DEFAULT_HOME,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the API; 0: any.")
    ] = control.DEFAULT_PORT,
    strict: Strict = False,
    or_another: OrAnother = False,
) -> None:
    """Start the cloud unless it runs."""
    present, new = control.start(Home(home), port, _say, strict=strict, or_another=or_another)
    if new:
        for line in control.describe_start(Home(home), present):
            _say(line)
    else:
        # No news: for whoever asked, and not for whoever only makes sure.
        sys.stdout.write(f"The local cloud already answers at {present}.\n")


@app.command()
def stop(home: HomePath = DEFAULT_HOME) -> None:
    """Stop the cloud and all it runs; what it remembers stays."""
    _say("Stopped." if control.stop(Home(home)) else "No local cloud was running.")


@app.command()
def status(
    home: HomePath = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Say what runs."""
    answer = control.ask(Home(home), "GET", "/status")
    if as_json:
        sys.stdout.write(json.dumps(answer) + "\n")
        return
    lines = [
        f"API        {answer['endpoint']}, process {answer['pid']}, {answer['memory_mib']} MiB",
        *(
            f"listener   {listener['load_balancer_id']}:{listener['protocol']}:{listener['port']} "
            f"at {listener['socket']['host']}:{listener['socket']['port']}, {listener['status']}; "
            + (", ".join(f"{k} {v}" for k, v in listener["health"].items()) or "no backend")
            for listener in answer["listeners"]
        ),
        *(
            f"instance   {instance['id']} at {instance['host']}, "
            f"{'runs' if instance['runs'] else 'is down'}"
            for instance in answer["instances"]
        ),
        *(f"problem    {problem}" for problem in answer["problems"]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


@app.command()
def reset(home: HomePath = DEFAULT_HOME) -> None:
    """Remove all resources of the cloud."""
    control.ask(Home(home), "POST", "/reset")
    _say("The local cloud is empty.")


@app.command()
def logs(
    home: HomePath = DEFAULT_HOME,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until stopped.")] = False,
) -> None:
    """Print the log: one line a call, no parameters."""
    try:
        for line in read_log(Home(home).log, follow=follow):
            sys.stdout.write(line)
            if follow:
                sys.stdout.flush()
    except FileNotFoundError as error:
        raise control.ControlError(f"There is no log yet: {error.filename} is missing.") from None


@app.command("env")
def show_environment(home: HomePath = DEFAULT_HOME) -> None:
    """Print shell exports with which the provider and the SDKs use this cloud."""
    for name, value in control.list_variables(Home(home)).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")


@app.command()
def dump(home: HomePath = DEFAULT_HOME) -> None:
    """Print all resources as JSON, without keys."""
    sys.stdout.write(json.dumps(control.ask(Home(home), "GET", "/dump"), indent=2) + "\n")


@app.command()
def fault(
    description: Annotated[str, typer.Argument(help="JSON: action, kind, times, code, seconds.")],
    home: HomePath = DEFAULT_HOME,
) -> None:
    """Have the next calls of an action fail, for tests (localcloud/api/faults.py)."""
    try:
        wanted = json.loads(description)
    except ValueError as error:
        raise control.ControlError(f"This is no JSON: {error}") from None
    control.ask(Home(home), "POST", "/faults", wanted)


@app.command()
def otherwise(
    questions: Annotated[
        list[str] | None, typer.Argument(help=f"Of: {', '.join(OPEN_QUESTIONS)}. None: by default.")
    ] = None,
    home: HomePath = DEFAULT_HOME,
) -> None:
    """Answer otherwise what CLB's documentation leaves open (docs/open-questions.md)."""
    control.ask(Home(home), "POST", "/otherwise", questions or [])


@app.command("coverage")
def show_coverage() -> None:
    """Print the page of what the cloud covers."""
    sys.stdout.write(coverage.write_page())


@app.command(hidden=True)
def serve(
    home: HomePath,
    haproxy: Annotated[Path, typer.Option()],
    port: Annotated[int, typer.Option()],
    strict: Strict = False,
    or_another: OrAnother = False,
) -> None:
    """Run the cloud in this process."""
    taken = listening_socket(port, or_another=or_another)
    run_server(Home(home), haproxy, taken, strict=strict)


def _say(text: str) -> None:
    """Tell a person; standard output belongs to what scripts read."""
    errors.print(text)


def main() -> int:
    """Run a command; print one clear message where it cannot be done."""
    try:
        app()
    except (*control.MISTAKES, StoreError) as error:
        errors.print(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
