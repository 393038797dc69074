"""Charts of `docs/figures.md`: what so many clients cost, in both languages of the pages."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.quoted import FIGURES, read_figures
from operations.project import PROJECT
from operations.report.markup import Markup, element

FOLDER = PROJECT / "docs" / "charts"

LANGUAGES = ("en", "zh")

WIDTH, HEIGHT = 560, 392
LEFT, RIGHT, TOP, BOTTOM = 74, 32, 102, 50
"""Pixels that are left around the lines."""

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei",
  "Noto Sans CJK SC", sans-serif; fill: #39434f; }
.title { font-weight: 600; font-size: 14px; fill: #1b2430; }
.grid { stroke: #dfe5eb; } .axis { stroke: #8a97a6; }
.line { fill: none; stroke-width: 2; } .dashed { stroke-dasharray: 6 3; }
"""

COLOURS = ("#0b5cad", "#1d7a4c", "#b3261e")
"""Colours of lines, told apart by how dark they are for those who see no red or no green."""

WORDS: Mapping[str, tuple[str, str]] = {
    "time": ("Time against the number of clients", "耗时与客户端数量"),
    "beside": (
        "The first `up`, and other ways to make as many clients",
        "首次 `up` 与其他签发方式",
    ),
    "clients": ("clients", "客户端数量"),
    "seconds": ("{value} s", "{value} 秒"),
    "up": ("first up", "首次 up"),
    "preview": ("preview without a change", "没有变更时的 preview"),
    "one_more": ("one client more", "增加一个客户端"),
    "one_resource": ("one resource for all", "全部客户端一个资源"),
    "commands": ("OpenSSL's commands", "OpenSSL 命令"),
    "one_each": ("one resource each", "每个客户端一个资源"),
    "rsa": ("{what}, RSA", "{what}，RSA"),
    "p_256": ("{what}, P-256", "{what}，P-256"),
}


@dataclass(frozen=True)
class Line:
    """Line of a chart.

    Attributes:
        name: Label of the line, which says what it shows.
        colour: Index of its colour in `COLOURS`.
        dashed: Whether the line is dashed, as those of keys on P-256 are.
        points: Seconds by number of clients.
    """

    name: str
    colour: int
    dashed: bool
    points: Mapping[int, float]


def draw_charts(figures: Mapping[str, float]) -> dict[str, str]:
    """Draw the charts for which there are figures, by the names of their files."""
    return {
        f"{name}.{language}.svg": _draw(name, choose_lines(name, figures, language), language)
        for name in ("time", "beside")
        for language in LANGUAGES
    }


def choose_lines(name: str, figures: Mapping[str, float], language: str) -> list[Line]:
    """Choose the lines of a chart for which there are figures."""
    rsa, p_256 = "clients_", "clients_on_p_256_"
    ups = {kind: _by_size(kind, "up", figures) for kind in (rsa, p_256)}
    wanted: list[tuple[str, str, int, Mapping[int, float]]]
    if name == "time":
        measures = {"up": "up", "preview": "preview_without_change", "one_more": "one_more"}
        wanted = [
            (words, kind, colour, _by_size(kind, measure, figures))
            for colour, (words, measure) in enumerate(measures.items())
            for kind in (rsa, p_256)
        ]
    else:
        longer = {kind: _by_size(kind, "openssl_commands_to_up", figures) for kind in ups}
        by_hand = {
            kind: {size: times * ups[kind][size] for size, times in ratios.items()}
            for kind, ratios in longer.items()
        }
        wanted = [
            (words, kind, colour, measured[kind])
            for colour, (words, measured) in enumerate(
                [("one_resource", ups), ("commands", by_hand)]
            )
            for kind in ups
        ]
        wanted.append(("one_each", rsa, 2, _by_size("one_resource_each_", "up", figures)))
    return [
        Line(
            _translate(
                "p_256" if kind == p_256 else "rsa", language, what=_translate(words, language)
            ),
            colour,
            kind == p_256,
            points,
        )
        for words, kind, colour, points in wanted
        if points
    ]


def _by_size(kind: str, measure: str, figures: Mapping[str, float]) -> dict[int, float]:
    matches = (
        (re.fullmatch(rf"{kind}(\d+)_{measure}", name), value) for name, value in figures.items()
    )
    return dict(sorted((int(match[1]), value) for match, value in matches if match))


def _translate(key: str, language: str, **values: object) -> str:
    return WORDS[key][LANGUAGES.index(language)].format_map(values)


@dataclass(frozen=True)
class _Axes:
    """Axes of a chart, which both go by powers of ten."""

    clients: tuple[int, int]
    seconds: tuple[int, int]

    @classmethod
    def around(cls, shown: Iterable[Line]) -> _Axes:
        points = [point for line in shown for point in line.points.items()]
        (sizes, times) = zip(*points, strict=True)
        return cls(_decades(sizes), _decades(times))

    def x(self, clients: float) -> float:
        first, last = self.clients
        return round(
            LEFT + (math.log10(clients) - first) / (last - first) * (WIDTH - LEFT - RIGHT), 1
        )

    def y(self, seconds: float) -> float:
        first, last = self.seconds
        part = (math.log10(seconds) - first) / (last - first)
        return round(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM), 1)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return first, max(last, first + 1)


def _draw(name: str, shown: Sequence[Line], language: str) -> str:
    title = _translate(name, language).replace("`", "")
    axes = _Axes.around(shown)
    described = "; ".join(
        f"{line.name}: "
        + ", ".join(f"{size:,}: {_time(value, language)}" for size, value in line.points.items())
        for line in shown
    )
    drawing = element(
        "svg",
        element("title", title),
        element("desc", described),
        element("style", Markup(STYLE)),
        element("rect", width=WIDTH, height=HEIGHT, fill="#ffffff", rx=6),
        element("text", title, x=14, y=24, class_="title"),
        *_grid(axes, language),
        *(part for line in shown for part in _line(line, axes)),
        *(_key(place, line) for place, line in enumerate(shown)),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        role="img",
    )
    # A line for each element, so that a change of figures can be read.
    return (
        re.sub(r"(</(?:title|desc|style|text|g|rect|line|polyline|circle)>)", r"\1\n", drawing)
        + "\n"
    )


def _grid(axes: _Axes, language: str) -> Iterable[Markup]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for power in range(axes.clients[0], axes.clients[1] + 1):
        x = axes.x(10**power)
        yield element("line", x1=x, x2=x, y1=TOP, y2=bottom, class_="grid")
        yield element("text", f"{10**power:,}", x=x, y=bottom + 18, text_anchor="middle")
    for power in range(axes.seconds[0], axes.seconds[1] + 1):
        y = axes.y(10**power)
        yield element(
            "line", x1=LEFT, x2=right, y1=y, y2=y, class_="grid" if y < bottom else "axis"
        )
        yield element("text", _time(10.0**power, language), x=LEFT - 8, y=y + 4, text_anchor="end")
    middle = (LEFT + right) / 2
    yield element(
        "text", _translate("clients", language), x=middle, y=HEIGHT - 12, text_anchor="middle"
    )


def _line(line: Line, axes: _Axes) -> Iterable[Markup]:
    places = [(axes.x(size), axes.y(value)) for size, value in line.points.items()]
    yield element(
        "polyline",
        points=" ".join(f"{x:g},{y:g}" for x, y in places),
        class_="line dashed" if line.dashed else "line",
        stroke=COLOURS[line.colour],
    )
    for x, y in places:
        yield _dot(x, y, line)


def _dot(x: float, y: float, line: Line) -> Markup:
    fill = "#ffffff" if line.dashed else COLOURS[line.colour]
    return element("circle", cx=x, cy=y, r=3, fill=fill, stroke=COLOURS[line.colour])


def _key(place: int, line: Line) -> Markup:
    """Draw the key of a line above the chart: two beside each other."""
    x, y = 14 + place % 2 * 270, 46 + place // 2 * 17
    return element(
        "g",
        element(
            "line",
            x1=x,
            x2=x + 26,
            y1=y - 4,
            y2=y - 4,
            class_="line dashed" if line.dashed else "line",
            stroke=COLOURS[line.colour],
        ),
        _dot(x + 13, y - 4, line),
        element("text", line.name, x=x + 34, y=y),
    )


def _time(seconds: float, language: str) -> str:
    digits = max(1 - math.floor(math.log10(seconds)), 0) if seconds < 10 else 0
    value = f"{round(seconds, digits):,g}" if seconds < 10 else f"{seconds:,.0f}"
    return _translate("seconds", language, value=value)


def main() -> None:
    """Draw the charts anew, of the figures that stand in the documentation."""
    FOLDER.mkdir(exist_ok=True)
    for name, drawing in draw_charts(read_figures(FIGURES.read_text(encoding="utf-8"))).items():
        (FOLDER / name).write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    main()
