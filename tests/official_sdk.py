"""The official SDK as tests use it: past any proxy, and without what it keeps when they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from darabonba.core import DaraCore


@contextmanager
def without_proxy() -> Iterator[None]:
    """Reach endpoints directly until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        yield


def hang_up() -> None:
    """Close the connections, which the SDK keeps for the life of the process."""
    for session in DaraCore._sessions.values():
        session.close()
    DaraCore._sessions.clear()
