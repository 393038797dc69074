"""How a figure is printed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def show(name: str, value: float, unit: str) -> None:
    """Print `name: value unit`; the unit of a ratio is x."""
    sys.stdout.write(f"{name}: {value:.4g} {unit}\n")
    sys.stdout.flush()


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
