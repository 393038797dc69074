"""Which tests run and in what order, what they need, and the service as its users meet it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shlex
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from benchmarks.trial import Trial, local_cloud
from components.pki import keys, register
from components.pki.bundles import Bundle
from components.pki.certificates import Issuer
from components.pki.register import Register, Request
from components.pki.windows import Window
from configuration.outputs import ClientBundle, StackOutputs
from operations.certificates import client_bundle
from operations.project import PROJECT
from operations.verification.report import Report
from tests import packages, processes, selection
from tests.homes import copy_home
from toolchain.install import Toolchain, ensure
from toolchain.progress import Reporter

BEGAN = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="folder to put the browser's pictures in")
    parser.addoption("--long", action="store_true", help="run the long tests, and no others")
    parser.addoption("--budget", type=float, help="begin no test after so many seconds")
    parser.addoption(
        "--slice", help="TEXT/COUNT: of so many parts of the files the one of this text"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[BEGAN] = time.monotonic()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """With `-n logical` one for each core, for tests that wait for nothing; with `-n auto` two.

    While one waits for the provider's polling, another works. With more, a machine that is busy
    otherwise makes commands slower than tests have patience.
    """
    a_core = 1 if config.option.numprocesses == "logical" else 2
    return a_core * (os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    """Put the tests in order and leave those that were not asked for."""
    items.sort(key=selection.cheapest_first)
    for item in items:
        if selection.is_in_order(item):
            item.add_marker(pytest.mark.random_order(disabled=True))
    yield  # -k and -m leave out, --random-order shuffles (pytest-random-order).
    long = bool(config.getoption("--long"))
    chosen = [item for item in items if selection.is_long(item) == long]
    slice_: str | None = config.getoption("--slice")
    if slice_ is not None:
        chosen = selection.in_slice(chosen, slice_)
    completed = selection.with_what_comes_before(chosen)
    run = {item.nodeid for item in completed}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in run])
    items[:] = completed


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a test left a process behind, and end it.

    Local clouds, their HAProxy and instances are nobody's children: they have the folder of the
    run in their command lines.
    """
    if hasattr(session.config, "workerinput"):
        return  # The process that started the workers does it for all of them.
    factory: pytest.TempPathFactory = session.config._tmp_path_factory
    _, left = psutil.wait_procs(processes.running_below(factory.getbasetemp()), timeout=5)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):  # It has ended meanwhile.
            sys.stderr.write(f"left behind: {process.pid} {shlex.join(process.cmdline())}\n")
            process.kill()
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def remaining(config: pytest.Config) -> float:
    """Seconds of `--budget` that are left."""
    budget: float | None = config.getoption("--budget")
    return math.inf if budget is None else config.stash[BEGAN] + budget - time.monotonic()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if remaining(item.config) <= 0:
        pytest.skip(f"the {item.config.getoption('--budget'):g} seconds are over")
    needed = [command for marker in item.iter_markers("commands") for command in marker.args]
    reason = packages.lacking(needed)
    if reason is not None:
        pytest.skip(reason)


@dataclass(frozen=True)
class Service:
    """What the program brought up: its outputs, and the folder with the client browser's bundle.

    `elliptic` is the folder with another one of the same CA and the same name, whose key is on an
    elliptic curve. `report` is what the verification found.
    """

    found: StackOutputs
    bundle: Path
    elliptic: Path
    report: Report


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    with Reporter() as reporter:
        return ensure(reporter)


@pytest.fixture(scope="session")
def brought_up(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a stack that was brought up as `Pulumi.local.yaml` says, at rest.

    Copies have its ports and addresses: there is one a worker, and one of its copies at a time.
    """
    home = tmp_path_factory.mktemp("brought-up") / "local"
    with local_cloud(home) as local:
        Trial(local, toolchain).up()
    return home


@pytest.fixture(scope="module")
def service(
    toolchain: Toolchain, brought_up: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service of `Pulumi.local.yaml`, by the real engine, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("service")
    copy_home(brought_up, folder / "local")
    with local_cloud(folder / "local") as local:
        trial = Trial(local, toolchain)
        # It waits for the backends' health.
        report = trial.verify()
        assert report.passed, report.to_json()
        found = trial.outputs()
        client_bundle.write_bundle(found, "browser", folder / "bundle")
        other = ClientBundle.model_validate(on_a_curve(trial, found).properties())
        handed_out = found.model_copy(update={"client_bundles": {"browser": other}})
        client_bundle.write_bundle(handed_out, "browser", folder / "elliptic")
        yield Service(found, folder / "bundle", folder / "elliptic", report)


def on_a_curve(trial: Trial, found: StackOutputs) -> Bundle:
    """What the register would give the client browser, had it a key on an elliptic curve."""
    exported = ("stack", "export", "--stack", trial.stack.name, "--show-secrets")
    state = processes.printed(
        [trial.stack.toolchain.pulumi, *exported], cwd=PROJECT, env=trial.stack.environment
    )
    (key,) = (
        json.loads(one["outputs"]["private_key"]["plaintext"])
        for one in json.loads(state)["deployment"]["resources"]
        if one["type"].endswith(":CertificateAuthority")
    )
    now = datetime.now(UTC)
    window = Window.opening(now, timedelta(days=1))
    asked = Request({"common_name": "browser"}, keys.Ecdsa("P-256"), window)
    issuer = Issuer(found.ca, keys.load(key))
    return register.carry_out(Register(), {"browser": asked}, issuer, now).bundles["browser"]
