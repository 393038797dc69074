"""Change under load: no client with a valid certificate notices, and nobody else gets in.

The tests of this file share one stack and run in order.
"""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import load

pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def service(tmp_path_factory, toolchain):
    with load.bring_up(tmp_path_factory.mktemp("load") / "home", toolchain) as running:
        yield running


@pytest.mark.parametrize("change", load.CHANGES)
def test_nobody_notices_the_change_and_nobody_else_gets_in(service, change):
    seen = load.observe(service, change)
    assert seen.intruders.passed == 0, seen
    if change == "local cloud restarted":
        assert min(seen.clients.passed, seen.kept.passed) > 0, "it serves again"
        return
    if change == "backend killed":
        # No stream has more than one request under way.
        failed = (seen.clients.outcomes + seen.kept.outcomes) - Counter({"200": seen.requests})
        assert failed.keys() <= {"502"}, seen
        assert failed.total() <= load.SHORT + load.KEPT, seen
    else:
        assert seen.failures == 0, seen
    assert min(seen.clients.passed, seen.kept.passed) > 50, seen
    assert seen.intruders.outcomes.keys() == {"400"}, seen
    if change == "CA rotated: complete":
        assert seen.old.outcomes.keys() == {"200", "400"}, "they work until it is complete"


def test_everything_that_fails_by_nature_is_named():
    assert load.BY_NATURE.keys() <= load.CHANGES.keys()
