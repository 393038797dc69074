"""Printing of figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence


def print_text(content: str) -> None:
    """Print a text at once, so that who waits sees how far it is."""
    sys.stdout.write(content)
    sys.stdout.flush()


def print_figure(name: str, value: float, unit: str) -> None:
    """Print `name: value unit`; the unit of a ratio is x."""
    print_text(f"{name}: {value:.4g} {unit}\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    print_text(f"## {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines))


def measure_seconds(action: Callable[[], object]) -> float:
    """Measure how long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
