"""Real local clouds, each in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.dataplane import haproxy_binary
from tests.unit.localcloud.process import LocalCloud, running


@pytest.fixture
def local_cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """A home of its own, where nothing runs yet."""
    require_haproxy()
    found = LocalCloud(tmp_path / "cloud")
    yield found
    found.end()


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud that runs for all tests of a module."""
    require_haproxy()
    with running(tmp_path_factory.mktemp("shared") / "cloud") as found:
        yield found


def require_haproxy() -> None:
    if haproxy_binary.find() is None:
        pytest.skip("HAProxy is not installed")
