"""Commands that tests need, and the service as its users meet it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.trial import Trial, local_cloud
from operations.certificates import client_bundle
from operations.outputs import StackOutputs
from tests import packages
from toolchain.install import ensure
from toolchain.progress import Reporter

BEGAN = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="folder to put the browser's pictures in")
    parser.addoption("--long", action="store_true", help="run the long tests, and no others")
    parser.addoption("--budget", type=float, help="begin no test after so many seconds")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[BEGAN] = time.monotonic()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = bool(config.getoption("--long"))
    groups: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        groups[wanted == (item.get_closest_marker("long") is not None)].append(item)
    config.hook.pytest_deselected(items=groups[False])
    items[:] = groups[True]


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
    """What the program brought up: its outputs, and the folder with the client browser's bundle."""

    found: StackOutputs
    bundle: Path


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service of `Pulumi.local.yaml`, by the real engine, for tests that leave it as it is."""
    with Reporter() as reporter:
        toolchain = ensure(reporter)
    folder = tmp_path_factory.mktemp("service")
    with local_cloud(folder / "local") as local:
        trial = Trial(local, toolchain)
        trial.up()
        # It waits for the backends' health.
        report = trial.verify()
        assert report.passed, report.to_json()
        found = trial.outputs()
        client_bundle.write(found, "browser", folder / "bundle")
        yield Service(found, folder / "bundle")
