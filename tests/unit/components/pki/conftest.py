"""Quick keys; generated examples without a time limit of their own, which leave no files."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.components.pki.material import make_small_keys

settings.register_profile(
    "unhurried", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


@pytest.fixture
def asked_for(monkeypatch):
    """Sizes of the keys that were made; the keys themselves are small."""
    return make_small_keys(monkeypatch)
