"""Work within the namespace: a local cloud of its own, and the tests against it."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import psutil

from acceptance import account, expectations, isolation, trial
from localcloud import control
from localcloud.home import Home, environment


def main() -> int:
    """Run tests; the status is 1 if one ends in another way than expected."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--at-once", type=int, required=True)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    try:
        isolation.enter()
    except isolation.IsolationError as error:
        say(str(error))
        return 1
    with tempfile.TemporaryDirectory(prefix="acceptance-") as scratch:
        return run(arguments, Path(scratch))


def run(arguments: argparse.Namespace, scratch: Path) -> int:
    """Run the tests that are asked for in a folder; the status is 1 if one is not as expected."""
    variables = isolation.clean_environment(scratch)
    os.environ.clear()
    os.environ.update(variables)
    expected = expectations.read()
    with local_cloud(scratch / "cloud") as cloud:
        variables |= {**cloud, "ALICLOUD_REGION": account.REGION}
        names = trial.list_names(arguments.binary, variables)
        wrong = expectations.find_unlisted(expected, names)
        account.prepare(variables)
        chosen = [name for name in names if not arguments.names or name in arguments.names]
        wrong += [f"there is no test {name}" for name in arguments.names if name not in names]
        running = run_side_by_side(arguments.binary, chosen, variables, scratch, arguments.at_once)
        for outcome in running:
            log = arguments.logs / f"{outcome.name}.log"
            log.write_text(outcome.output, encoding="utf-8")
            difference = (
                expectations.find_difference(expected, outcome)
                if outcome.name in expected.tests
                else None
            )
            mark = "DIFFERS" if difference else "as expected"
            say(f"{outcome.seconds:4.0f} s  {outcome.name} {outcome.ending}: {mark}")
            if difference:
                wrong.append(f"{difference}: {log}")
    for line in wrong:
        say(f"error: {line}")
    say(f"{len(chosen)} acceptance tests were run, {len(wrong)} differ from what is expected.")
    return 1 if wrong else 0


def run_side_by_side(
    binary: Path,
    names: Sequence[str],
    variables: Mapping[str, str],
    scratch: Path,
    at_once: int,
) -> Iterator[trial.TrialOutcome]:
    """Run tests side by side: they wait more than they work."""
    workers = ThreadPoolExecutor(at_once)
    try:
        running = [workers.submit(trial.run, binary, name, variables, scratch) for name in names]
        for future in as_completed(running):
            yield future.result()
    finally:  # whoever interrupts it waits for no test
        workers.shutdown(wait=False, cancel_futures=True)
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if child.exe() == str(binary):
                    child.kill()
        workers.shutdown()


@contextmanager
def local_cloud(folder: Path) -> Iterator[dict[str, str]]:
    """A local cloud, until the end of the block; yields the variables by which it is used."""
    home = Home(folder)
    present, _ = control.start(home, 0, say)
    try:
        yield environment(home, present.port)
    finally:
        control.stop(home)


def say(line: str) -> None:
    """Print a line for a person at once."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
