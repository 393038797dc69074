"""What is read on the page can be read by whoever sees little (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re

import pytest

from operations.report.page import STYLE

CSS = STYLE.read_text(encoding="utf-8")
SCHEMES = [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in CSS.split(":root")[1:]]
GROUNDS = ("paper", "card")


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark", "print"])
def test_every_text_stands_out_from_its_ground(scheme):
    assert scheme.keys() == SCHEMES[0].keys()
    for name, colour in scheme.items():
        if name not in {*GROUNDS, "line"}:
            for ground in GROUNDS:
                assert contrast(colour, scheme[ground]) >= 4.5, (name, ground)


def test_the_style_is_of_the_page_alone():
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert "</" not in CSS
