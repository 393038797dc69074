"""Printing of figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence


def text(content: str) -> None:
    """Print a text at once, so that who waits sees how far it is."""
    sys.stdout.write(content)
    sys.stdout.flush()


def show(name: str, value: float, unit: str) -> None:
    """Print `name: value unit`; the unit of a ratio is x."""
    text(f"{name}: {value:.4g} {unit}\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    text(f"## {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines))


def seconds(action: Callable[[], object]) -> float:
    """Measure how long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
