"""The pages quote what `make bench` measured."""

from __future__ import annotations

import pytest

from benchmarks import quoted

PRINTED = """# Figures of 2026-01-31

```
client_issued: 26.53 ms
up: 32.74 s
clients_10000_state: 2.318e+05 KiB
```
| change | s |
"""


def test_figures_are_read_by_name():
    assert quoted.read_figures(PRINTED) == {
        "client_issued": 26.53,
        "up": 32.74,
        "clients_10000_state": 231800.0,
    }


@pytest.mark.parametrize("path", quoted.PAGES, ids=lambda path: path.parent.name)
def test_pages_quote_what_was_measured(path):
    figures = quoted.read_figures(quoted.FIGURES.read_text(encoding="utf-8"))
    assert quoted.find_missing(path.read_text(encoding="utf-8"), figures) == []


def test_a_figure_that_was_not_measured_is_missed():
    figures = quoted.read_figures(quoted.FIGURES.read_text(encoding="utf-8"))
    text = quoted.PAGES[0].read_text(encoding="utf-8")
    for name in ("up", "verify", "clients_1000_up", "clients_1000_state"):
        other = {**figures, name: figures[name] * 1.2}
        assert len(quoted.find_missing(text, other)) == 1


def test_rows_of_keys_on_curves_are_quoted_beside_the_others():
    own = {"up": 6.04, "preview_without_change": 3, "one_more": 4, "state": 14_320}
    own |= {"openssl_commands_to_up": 15.12, "up_spent_on_keys": 84}
    figures = {"up": 35.0, "second_up": 10.0, "preview": 5.0, "verify": 2.9}
    for kind in ("clients_1000_", "clients_on_p_256_1000_"):
        figures |= {f"{kind}{name}": value for name, value in own.items()}
    assert quoted.write_rows(figures)[1:] == [
        "| 1,000 | 6.0 s | 3.0 s | 4.0 s | 15.1 | 84 % | 14320 KiB |",
        "| 1,000, P-256 | 6.0 s | 3.0 s | 4.0 s | 15.1 | 0 % | 14320 KiB |",
    ]


def test_a_target_that_was_missed_is_named():
    reached = {**quoted.AT_LEAST, **{name: bound - 0.1 for name, bound in quoted.UNDER.items()}}
    assert quoted.find_missed_targets(reached) == []
    assert quoted.find_missed_targets({**reached, "clients_1000_up_spent_on_keys": 69.5}) == [
        "clients_1000_up_spent_on_keys is 69.5, meant to be 70 or more"
    ]
    assert quoted.find_missed_targets({**reached, "clients_1000_one_more": 8.0}) == [
        "clients_1000_one_more is 8, meant to be under 8"
    ]
