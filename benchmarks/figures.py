"""How a figure is printed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence


def show(name: str, value: float, unit: str) -> None:
    """Print `name: value unit`; the unit of a ratio is x."""
    sys.stdout.write(f"{name}: {value:.4g} {unit}\n")
    sys.stdout.flush()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    sys.stdout.write(f"{title}\n\n{text}\n")
    sys.stdout.flush()


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
