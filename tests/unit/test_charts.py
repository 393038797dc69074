"""Charts are drawn of what `make bench` measured, and are those of the figures that stand there."""

from __future__ import annotations

import re
import xml.sax
from pathlib import Path

import pytest

from benchmarks import charts
from benchmarks.quoted import FIGURES, read_figures

FIGURES_HERE = read_figures(FIGURES.read_text(encoding="utf-8"))


def made(**more):
    """Figures of a run, with keys on P-256 as well."""
    figures = {}
    for kind, faster in (("clients_", 1), ("clients_on_p_256_", 4)):
        for size in (10, 1000):
            for name in ("up", "preview_without_change", "one_more"):
                figures[f"{kind}{size}_{name}"] = size / 100 / faster
            figures[f"{kind}{size}_openssl_commands_to_up"] = 3.0 * faster
    for size in (10, 100):
        figures[f"one_resource_each_{size}_up"] = size / 5
    return figures | more


@pytest.mark.parametrize("name", charts.draw_charts(FIGURES_HERE))
def test_the_charts_are_those_of_the_figures(name):
    drawn = (charts.FOLDER / name).read_text(encoding="utf-8")
    assert drawn == charts.draw_charts(FIGURES_HERE)[name], "draw them: python -m benchmarks.charts"


def test_there_are_no_other_charts():
    kept = {path.name for path in Path(charts.FOLDER).iterdir()}
    assert kept == charts.draw_charts(FIGURES_HERE).keys()


def test_each_line_has_the_figures_that_there_are():
    by_name = {line.name: line.points for line in charts.choose_lines("beside", made(), "en")}
    assert by_name == {
        "one resource for all, RSA": {10: 0.1, 1000: 10.0},
        "OpenSSL's commands, RSA": {10: pytest.approx(0.3), 1000: pytest.approx(30)},
        "one resource for all, P-256": {10: 0.025, 1000: 2.5},
        "OpenSSL's commands, P-256": {10: pytest.approx(0.3), 1000: pytest.approx(30)},
        "one resource each, RSA": {10: 2.0, 100: 20.0},
    }
    of_time = charts.choose_lines("time", made(), "en")
    assert [(line.name, line.dashed) for line in of_time] == [
        ("first up, RSA", False),
        ("first up, P-256", True),
        ("preview without a change, RSA", False),
        ("preview without a change, P-256", True),
        ("one client more, RSA", False),
        ("one client more, P-256", True),
    ]


def test_what_was_not_measured_has_no_line():
    without = {name: value for name, value in made().items() if "p_256" not in name}
    assert [line.dashed for line in charts.choose_lines("time", without, "en")] == [False] * 3
    assert all(drawn.count("<circle") > 1 for drawn in charts.draw_charts(without).values())


def test_of_a_single_number_of_clients_there_are_points():
    once = {name: value for name, value in made().items() if name.startswith("clients_10_")}
    assert all(drawn.count("<circle") > 1 for drawn in charts.draw_charts(once).values())


@pytest.mark.parametrize("factor", [0.001, 1, 30, 1000])
def test_a_chart_is_sound_and_everything_is_within_it(factor):
    figures = {
        name: value * (1 if name.endswith("to_up") else factor) for name, value in made().items()
    }
    for drawn in charts.draw_charts(figures).values():
        xml.sax.parseString(drawn, xml.sax.ContentHandler())
        assert "<title>" in drawn
        assert re.search(r"<desc>[^<]*1,000: ", drawn)
        for axis, end in (("x", charts.WIDTH), ("y", charts.HEIGHT)):
            places = re.findall(rf'\b(?:c?{axis}[12]?)="(-?[\d.]+)"', drawn)
            assert len(places) > 20
            assert all(0 <= float(place) <= end for place in places)


@pytest.mark.parametrize("figures", [FIGURES_HERE, made()], ids=["here", "made"])
def test_no_text_is_cut_off_or_on_the_lines(figures):
    for drawn in charts.draw_charts(figures).values():
        for attributes, text in re.findall(r"<text ([^>]*)>([^<]*)</text>", drawn):
            place = dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
            # Twelve pixels high; Chinese characters are as wide.
            width = sum(12 if ord(one) > 0x2E80 else 7.2 for one in text)
            left = (
                float(place["x"])
                - {"end": 1, "middle": 0.5}.get(place.get("text-anchor"), 0) * width
            )
            assert left >= 0, text
            assert left + width <= charts.WIDTH, text
        keys = [float(y) for y in re.findall(r'<g>.*?<text x="\d+" y="([\d.]+)"', drawn, re.DOTALL)]
        assert keys
        assert max(keys) < charts.TOP - 12


def test_both_languages_draw_the_same():
    drawn = charts.draw_charts(made())
    for name in ("time", "beside"):
        english, chinese = (
            re.findall(r'points="[^"]*"', drawn[f"{name}.{language}.svg"])
            for language in charts.LANGUAGES
        )
        assert english == chinese
        assert english
