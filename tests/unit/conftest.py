"""What takes longest in these tests is done once: a key's text is read, and its numbers checked."""

from __future__ import annotations

import pytest

from tests.keys import read_once


@pytest.fixture(autouse=True, scope="module")
def keys_are_read_once():
    with read_once():
        yield
