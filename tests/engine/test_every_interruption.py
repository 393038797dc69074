"""Every point at which a first `make up` may be interrupted, as many as there is time for.

INTERRUPTION_MINUTES says how long, if `--budget` leaves so much. docs/interruptions.md has the
outcomes; points that it lacks come first. With INTERRUPTION_PAGE=1 what is seen is written there,
else the lost answers to changes are compared with it.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.project import PROJECT
from tests.conftest import remaining
from tests.engine.conftest import copy_of_the_project
from tests.engine.interruptions import CLOUD, DYNAMIC, ENGINE, PROVIDER, Point, ProjectCopy

PAGE = PROJECT / "docs" / "interruptions.md"

WORKERS = 4
"""Stacks at a time: each waits for the provider's polling most of the time."""

HEAD = """# `make up`, interrupted

A first `make up` is interrupted after each of its API calls, whose answer is lost, and where the
engine says of a resource that it has begun or is made, by SIGKILL of the engine, of the provider,
of the dynamic provider or of the local cloud: {points} points, of which {tried} have been tried.
Resources are those of the stack `local`, dynamic ones as `pki:`, without components.
They are made side by side: whose call of an action is the second or third differs from run to run,
and with it how that `make up` ends.

Each row is one first `make up` on a new local stack, interrupted at that point by a test
(`tests/engine/test_every_interruption.py`), and another `make up` after it. "Ends well" in the
second column: whoever was asked again got the same answer, or was started again; "nobody there":
the process had ended, or had not been started. In every row the second `make up` brought the stack
to its configuration: cloud and state have the same resources, no operation is pending, a preview
has nothing to do, no certificate that the state had after the interruption is missing in the
register, no serial number was used twice, and no secret is in the clear anywhere. Later changes are
interrupted at some points each (`tests/engine/test_interruptions.py`): other clients, another CA,
both steps of a rotation, another server certificate.

What the state does not know of is found by its name, in the stack's own load balancer where it
belongs to one, and by the time: only what was made since the stack was last in order counts, that
has no other stack's tags, and that nobody uses. A listener that the state has and that is stopped
is made anew too: the provider starts only what it makes. `make up` names all that and removes it
before anything else; in an account it always asks, and stops where nobody can be asked, as in a
pipeline: run it by hand then. It looks only after an `up` that
did not end well: after such a one, do not go on with `pulumi up` by hand, or what was left stays
until you find it in the console by the stack's name.

Locks and pending operations: the lock of a killed engine is taken away from a local stack, if its
process is gone. In Pulumi Cloud and in buckets, `pulumi cancel` takes it away. Operations that a
killed engine left pending are cleared by `pulumi refresh --clear-pending-creates`, which `make up`
runs; that is all a dynamic resource needs, because what it was making existed nowhere else: a
certificate that the state does not have was never handed out.

| interrupted at | this `make up` | removed by the next | after the next |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Outcome:
    """Result of one point."""

    point: Point
    ended_well: bool
    nobody: bool
    removed: tuple[str, ...]
    disorder: tuple[str, ...]

    @property
    def row(self) -> str:
        """Row of the page."""
        this = "ends well" if self.ended_well else "fails"
        if self.nobody:
            this += "; nobody there"
        removed = ", ".join(self.removed) or "nothing"
        after = "in order" if not self.disorder else "; ".join(self.disorder)
        return f"| {self.point} | {this} | {removed} | {after} |"


def tried(point: Point, project: Path) -> Outcome | None:
    """Interrupt a first `make up`, and have another one.

    None if it did not come to this point: how often health is asked for depends on the time.
    """
    copy_of_the_project(project)
    site = ProjectCopy(project)
    site.start_cloud()
    try:
        first = site.interrupted_up(point)
        site.remember()
        second = site.operations("up")
        if second.status == 0:
            site.remember()
            disorder = site.disorder()
        else:
            disorder = [f"`make up` fails: {second.text}"]
        nobody = point.killed is not None and first.killed == 0
        if not first.reached and point.boundary:
            disorder.append("`make up` did not come to this point")
        if nobody and point.killed == CLOUD:
            disorder.append("there was no local cloud to kill")
    finally:
        site.stop_cloud()
    titles = re.findall(r"Left by the last `up`: ([\w ]+?) \S+ \(", second.text)
    shutil.rmtree(project.parent)
    if not first.reached and point.call:
        return None
    return Outcome(point, first.status == 0, nobody, tuple(sorted(set(titles))), tuple(disorder))


def points(project: Path) -> Iterator[Point]:
    """All of them, by the API calls of an `up` that nobody interrupts."""
    site = ProjectCopy(copy_of_the_project(project))
    site.start_cloud()
    try:
        resources = site.boundaries()
        calls = site.calls()
    finally:
        site.stop_cloud()
    seen: list[str] = []
    for call in calls:
        yield Point(call=call, nth=seen.count(call))
        seen.append(call)
    for killed in (ENGINE, PROVIDER, DYNAMIC, CLOUD):
        for resource in resources:
            for made in (False, True):
                yield Point(killed, boundary=resource, made=made)


def written() -> dict[str, str]:
    """The page's rows, by point."""
    rows = re.findall(
        r"^(\| (\S.*?) \| (?:ends well|fails)[^|]* \|.*)$", PAGE.read_text(), re.MULTILINE
    )
    return {point: row for row, point in rows}


def ending(row: str) -> str:
    """How the interrupted `make up` ended."""
    return row.split(" | ")[1]


@pytest.mark.long
def test_the_next_up_puts_in_order_whatever_was_interrupted(tmp_path, toolchain, capsys, request):
    minutes = float(os.environ.get("INTERRUPTION_MINUTES", "5"))
    deadline = time.monotonic() + min(minutes * 60, remaining(request.config))
    every = list(points(tmp_path / "clean" / "project"))
    seed = os.environ.get("INTERRUPTION_SEED") or str(int(time.time()))
    page = written()
    waiting = random.Random(seed).sample(every, len(every))
    waiting.sort(key=lambda point: str(point) not in page)
    outcomes: list[Outcome] = []
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                # One each at least, or nothing would have been tried.
                if not waiting or (len(outcomes) >= WORKERS and time.monotonic() > deadline):
                    return
                point = waiting.pop()
            outcome = tried(point, tmp_path / str(every.index(point)) / "project")
            if outcome is not None:
                with lock:
                    outcomes.append(outcome)

    with ThreadPoolExecutor(WORKERS) as pool:
        for worker in [pool.submit(work) for _ in range(WORKERS)]:
            worker.result()
    outcomes.sort(key=lambda outcome: every.index(outcome.point))
    with capsys.disabled():
        print(f"\n{len(outcomes)} of {len(every)} points tried (INTERRUPTION_SEED={seed})")
    if os.environ.get("INTERRUPTION_PAGE"):
        page |= {str(outcome.point): outcome.row for outcome in outcomes}
        rows = [page[str(point)] for point in every if str(point) in page]
        head = HEAD.format(tried=len(rows), points=len(every))
        PAGE.write_text(head + "".join(f"{row}\n" for row in rows))
    assert outcomes
    assert [outcome.row for outcome in outcomes if outcome.disorder] == []
    # Whom a kill meets is a matter of milliseconds, and so is whose call of an action is the n-th:
    # resources are made side by side. What changes something may end as any of its action did; what
    # reads is asked at several stages of one resource, as often as its polling has it.
    known = {(point.split()[0], ending(row)) for point, row in page.items()}
    other = [
        outcome.row
        for outcome in outcomes
        if outcome.point.changes
        and str(outcome.point) in page
        and (outcome.point.call, ending(outcome.row)) not in known
    ]
    assert other == []
