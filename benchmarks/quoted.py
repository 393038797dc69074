"""Comparison of `make bench`'s figures in `docs/figures.md` with the pages and the targets."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from operations.project import PROJECT

FIGURES = PROJECT / "docs" / "figures.md"
PAGES = tuple(PROJECT / "docs" / language / "getting-started.md" for language in ("en", "zh"))

STACK = "| {up:.0f} s | {second_up:.0f} s | {preview:.1f} s | {verify:.1f} s |"

CLIENTS = (
    "| {clients:,} | {up:.1f} s | {preview_without_change:.1f} s | {one_more:.1f} s "
    "| {openssl_commands_to_up:.1f} | {up_spent_on_keys:.0f} % | {state:.0f} KiB |"
)
"""Rows of the pages' tables, in both languages; a name stands for its figure."""

ON_P_256 = (
    "| {clients:,}, P-256 | {up:.1f} s | {preview_without_change:.1f} s | {one_more:.1f} s "
    "| {openssl_commands_to_up:.1f} | 0 % | {state:.0f} KiB |"
)
"""Row for clients with keys on P-256, whose making is no part that shows."""

AT_LEAST = {
    "clients_1000_openssl_commands_to_up": 8.0,
    "clients_1000_up_spent_on_keys": 70.0,
    "clients_on_p_256_1000_openssl_commands_to_up": 10.0,
    "clients_on_p_256_1000_faster_than_rsa": 3.0,
}
UNDER = {"clients_1000_preview_without_change": 5.0, "clients_1000_one_more": 8.0}
"""Targets that the figures of 1000 clients are meant to reach, in their units."""


def read_figures(text: str) -> dict[str, float]:
    """Read figures by name from what `make bench` printed."""
    lines = re.findall(r"^(\w+): ([-+.\deE]+) \S+$", text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


def write_rows(figures: Mapping[str, float]) -> list[str]:
    """Write the rows that the pages' tables must have: of the stack, and of each number of clients.

    Raises:
        KeyError: A figure is missing.
    """
    return [
        STACK.format_map(figures),
        *_write_client_rows("clients_", CLIENTS, figures),
        *_write_client_rows("clients_on_p_256_", ON_P_256, figures),
    ]


def _write_client_rows(kind: str, row: str, figures: Mapping[str, float]) -> list[str]:
    rows = []
    for size in (size for name in figures for size in re.findall(rf"^{kind}(\d+)_up$", name)):
        prefix = f"{kind}{size}_"
        own = {name.removeprefix(prefix): value for name, value in figures.items()}
        rows.append(row.format_map({**own, "up": figures[f"{prefix}up"], "clients": int(size)}))
    return rows


def find_missing(page: str, figures: Mapping[str, float]) -> list[str]:
    """Find rows that a page should have and does not."""
    return [row for row in write_rows(figures) if row not in page]


def find_missed_targets(figures: Mapping[str, float]) -> list[str]:
    """Find targets that the figures miss, one sentence each.

    Raises:
        KeyError: A figure is missing.
    """
    too_low = [
        f"{name} is {figures[name]:g}, meant to be {bound:g} or more"
        for name, bound in AT_LEAST.items()
        if figures[name] < bound
    ]
    too_high = [
        f"{name} is {figures[name]:g}, meant to be under {bound:g}"
        for name, bound in UNDER.items()
        if figures[name] >= bound
    ]
    return too_low + too_high


def main() -> None:
    """Print what the pages should say and do not, and targets that were missed.

    The exit status is 1 if they should say anything else: what was measured depends on the
    machine, what is quoted does not.
    """
    figures = read_figures(FIGURES.read_text(encoding="utf-8"))
    wrong = 0
    for path in PAGES:
        for row in find_missing(path.read_text(encoding="utf-8"), figures):
            sys.stdout.write(f"{path.relative_to(PROJECT)} should say: {row}\n")
            wrong = 1
    if "clients_1000_up" in figures:
        for sentence in find_missed_targets(figures):
            sys.stdout.write(f"target missed: {sentence}\n")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
