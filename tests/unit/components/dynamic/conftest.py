"""A clock that stands still, and keys that are quick to make."""

from __future__ import annotations

from datetime import datetime

import pytest

from components.dynamic import certificate_authority, certificate_register, properties
from components.pki.clock import CLOCK_OFFSET
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import AUTHORITY, register
from tests.unit.components.pki.material import NOW, make_small_keys


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stops the clock at `NOW`; call it with an offset such as `60d` to move it."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW.astimezone(tz)

    def move(offset):
        monkeypatch.setenv(CLOCK_OFFSET, offset)

    monkeypatch.delenv(CLOCK_OFFSET, raising=False)
    monkeypatch.setattr(properties, "datetime", Stopped)
    return move


@pytest.fixture(autouse=True)
def made_keys(monkeypatch):
    """Sizes of the keys that were asked for, in order."""
    return make_small_keys(monkeypatch)


@pytest.fixture
def ca(clock, made_keys):
    """A CA that was made today."""
    found = Kept(certificate_authority.Provider())
    assert found.up(AUTHORITY) == "create"
    return found


@pytest.fixture
def kept_register(ca):
    """A register that was made today, with two clients."""
    found = Kept(certificate_register.Provider())
    assert found.up(register(ca)) == "create"
    return found
