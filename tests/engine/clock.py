"""Another time for a program that changes something."""

from __future__ import annotations

from pathlib import Path


def later(days: float) -> dict[str, str]:
    """Variables with which the program takes it to be so many days later."""
    folder = Path(__file__).parent / "later"
    return {"PYTHONPATH": str(folder), "OF_A_TEST_DAYS_LATER": str(days)}
