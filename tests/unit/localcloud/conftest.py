"""A cloud over a data plane that records, for tests of actions; a real one for the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud import services
from localcloud.dataplane import haproxy_binary
from localcloud.store import Store
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.listener_site import Site, waiting_for_a_listener
from tests.unit.localcloud.process import LocalCloud, running


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    services.load()
    store = Store(tmp_path / "cloud.sqlite")
    yield Account(store)
    store.close()


@pytest.fixture
def site(account: Account) -> Site:
    """A load balancer that waits for its listener."""
    return waiting_for_a_listener(account)


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
