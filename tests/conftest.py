"""Commands that tests need."""

from __future__ import annotations

import pytest

from tests import packages


def pytest_runtest_setup(item: pytest.Item) -> None:
    needed = [command for marker in item.iter_markers("commands") for command in marker.args]
    reason = packages.lacking(needed)
    if reason is not None:
        pytest.skip(reason)
