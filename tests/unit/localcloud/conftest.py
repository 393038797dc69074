"""A cloud over a data plane that records, for tests of actions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud import services
from localcloud.store import Store
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.listener_site import ListenerSite, waiting_for_a_listener


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    services.load()
    store = Store(tmp_path / "cloud.sqlite")
    yield Account(store)
    store.close()


@pytest.fixture
def site(account: Account) -> ListenerSite:
    """A load balancer that waits for its listener."""
    return waiting_for_a_listener(account)
