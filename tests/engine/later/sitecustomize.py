"""Moves the clock of the program and of its dynamic providers, as if time had passed.

Python imports it at its start from `PYTHONPATH`. The program's own variable for that is refused by
whatever changes something.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

CLOCK = "components.dynamic.properties"
LATER = timedelta(days=float(os.environ["OF_A_TEST_DAYS_LATER"]))


class Mover(MetaPathFinder):
    """Finds the module with the clock as others do, and moves it once it is imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != CLOCK:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.loader
        execute = spec.loader.exec_module

        def moved(module: ModuleType) -> None:
            execute(module)
            vars(module)["now"] = lambda: datetime.now(UTC) + LATER

        vars(spec.loader)["exec_module"] = moved
        return spec


sys.meta_path.insert(0, Mover())
