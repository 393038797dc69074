"""Loads the mocks first: they load the provider's package, which warns of itself."""

from __future__ import annotations

import tests.unit.components.mock_cloud  # noqa: F401
