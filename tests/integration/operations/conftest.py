"""The stack, its certificates and its listeners that the unit tests of operations have."""

from __future__ import annotations

from tests.unit.operations.certificates.conftest import found, out
from tests.unit.operations.conftest import document, listener, pki, serve, serving

__all__ = ["document", "found", "listener", "out", "pki", "serve", "serving"]
