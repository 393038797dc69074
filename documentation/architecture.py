"""The picture of how the parts hang together, drawn from what is said here of each."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 194, 70
"""Size of a box in the picture, in pixels."""

ACROSS, DOWN = 262, 126
"""Distance from a box to the next, in pixels."""

MARGIN = 16


@dataclass(frozen=True)
class Part:
    """Part of the picture: a box at its place.

    Attributes:
        name: Name of the part, or the folders of the project that it stands for.
        column: Column of the box, counted from the left.
        row: Row of the box, counted from the top.
        caption: Description of the part, by language.
        own: Whether it is a part of the project, named by its place in it.
    """

    name: str
    column: float
    row: float
    caption: dict[str, str]
    own: bool = True

    @property
    def left(self) -> float:
        """Left border of the box, in pixels."""
        return MARGIN + self.column * ACROSS

    @property
    def top(self) -> float:
        """Upper border of the box, in pixels."""
        return MARGIN + self.row * DOWN


def _part(  # noqa: PLR0917 - a row of a table
    name: str, column: float, row: float, english: str, chinese: str, own: bool = True
) -> Part:
    return Part(name, column, row, {"en": english, "zh": chinese}, own)


PARTS = {
    part.name: part
    for part in (
        _part("operations", 0, 0, "what make runs", "make 所运行的内容"),
        _part("Pulumi", 1, 0, "the engine", "引擎", own=False),
        _part("__main__.py", 2, 0, "the program", "程序"),
        _part("components", 3, 0, "resources", "资源"),
        _part("configuration", 4, 0, "of a stack", "环境的配置"),
        _part("policy", 0, 1, "rules for every stack", "每个环境都遵守的规则"),
        _part("alicloud", 1, 1, "the provider", "provider", own=False),
        _part("slb_mutual_tls", 3, 1, "for Python programs", "供 Python 程序使用"),
        _part("package", 4, 1, "for all languages", "供各种语言使用"),
        _part("toolchain", 0, 2, "gets engine, provider", "准备引擎和 provider"),
        _part("localcloud", 1, 2, "the APIs, here", "本机的 API"),
        _part("Alibaba Cloud", 2, 2, "an account", "账号", own=False),
        _part("tests", 3, 2, "of all parts", "各部分的测试"),
        _part("acceptance", 4, 2, "the provider's own", "provider 自带的测试"),
        _part("clients", 0, 3, "with a certificate", "持有证书", own=False),
        _part("HAProxy", 1, 3, "the listener", "监听", own=False),
        _part("instances", 2, 3, "the backends", "后端服务器", own=False),
        _part("benchmarks", 3, 3, "figures", "数值"),
        _part("documentation", 4, 3, "these pages", "这些页面"),
    )
}

IMPORTS = (
    ("__main__.py", "components"),
    ("__main__.py", "configuration"),
    ("configuration", "components"),
)
"""Imports among parts of the program; a test holds it against the code."""

CALLS = (
    ("operations", "Pulumi", {"en": "runs", "zh": "运行"}),
    ("Pulumi", "__main__.py", {"en": "runs", "zh": "运行"}),
    ("Pulumi", "policy", {"en": "asks", "zh": "询问"}),
    ("Pulumi", "alicloud", {"en": "calls", "zh": "调用"}),
    ("toolchain", "alicloud", {"en": "builds", "zh": "准备"}),
    ("alicloud", "localcloud", {"en": "API", "zh": "API"}),
    ("alicloud", "Alibaba Cloud", {"en": "API", "zh": "API"}),
    ("localcloud", "HAProxy", {"en": "sets up", "zh": "配置"}),
    ("clients", "HAProxy", {"en": "HTTPS", "zh": "HTTPS"}),
    ("HAProxy", "instances", {"en": "HTTP", "zh": "HTTP"}),
)
"""Calls from part to part while the program runs, with a label by language."""

TITLES = {
    "en": "Who runs, calls and imports whom",
    "zh": "各部分之间的运行、调用和导入关系",
}

_STYLE = """
text { font: 19px system-ui, sans-serif; fill: #1a1c2b; text-anchor: middle; }
.name { font-weight: 600; }
.caption, .label { font-size: 16px; fill: #4a4e69; }
.label { paint-order: stroke; stroke: #fff; stroke-width: 6px; }
rect { fill: #eef1fb; stroke: #3f51b5; stroke-width: 1.5px; }
.other { fill: #fff; stroke-dasharray: 5 4; }
.ground { fill: #fff; stroke: none; }
path { fill: none; stroke: #4a4e69; stroke-width: 1.5px; }
.imports { stroke: #3f51b5; }
"""


def draw(language: str) -> str:
    """Draw the picture as SVG; boxes with broken lines are not the project's."""
    width = 2 * MARGIN + ACROSS * max(part.column for part in PARTS.values()) + WIDTH
    height = 2 * MARGIN + DOWN * max(part.row for part in PARTS.values()) + HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" lang="{language}">',
        f"<title>{TITLES[language]}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#4a4e69;stroke:none"/>'
        "</marker></defs>",
        f'<rect class="ground" width="{width:g}" height="{height:g}" rx="10"/>',
    ]
    for first, second in IMPORTS:
        lines.append(_arrow(PARTS[first], PARTS[second], "imports", ""))
    for first, second, label in CALLS:
        lines.append(_arrow(PARTS[first], PARTS[second], "calls", label[language]))
    for part in PARTS.values():
        middle = part.left + WIDTH / 2
        lines += [
            f'<rect class="{"own" if part.own else "other"}" x="{part.left:g}" y="{part.top:g}" '
            f'width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
            f'<text class="name" x="{middle:g}" y="{part.top + 31:g}">{escape(part.name)}</text>',
            f'<text class="caption" x="{middle:g}" y="{part.top + 54:g}">'
            f"{escape(part.caption[language])}</text>",
        ]
    return "\n".join([*lines, "</svg>", ""])


def _arrow(first: Part, second: Part, kind: str, label: str) -> str:
    """Draw an arrow from the border of a box to that of another, with its label in the middle."""
    ends = [_border(*pair) for pair in pairwise((first, second, first))]
    (x, y), (to_x, to_y) = ends
    line = (
        f'<path class="{kind}" d="M{x:g} {y:g}L{to_x:g} {to_y:g}" marker-end="url(#tip)"><title>'
        f"{escape(first.name)} → {escape(second.name)}</title></path>"
    )
    if not label:
        return line
    middle = y - 6 if y == to_y else (y + to_y) / 2 + 4
    return (
        f'{line}\n<text class="label" x="{(x + to_x) / 2:g}" y="{middle:g}">{escape(label)}</text>'
    )


def _border(part: Part, towards: Part) -> tuple[float, float]:
    """Point where an arrow between the middles of two boxes crosses the border of the first."""
    across, down = towards.left - part.left, towards.top - part.top
    scale = min(
        (WIDTH / 2 + 2) / abs(across) if across else 1,
        (HEIGHT / 2 + 2) / abs(down) if down else 1,
    )
    return part.left + WIDTH / 2 + across * scale, part.top + HEIGHT / 2 + down * scale
