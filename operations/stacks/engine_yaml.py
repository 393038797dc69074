"""Reading of a stack's configuration file as the engine reads it, and writing it to read the same.

The engine's reader is gopkg.in/yaml.v3, which differs from PyYAML: `NO` and `on` are texts there,
`12:30` is no number to the base of 60, and `1e3` is one. `tests/engine/test_stack_files.py` asks
the engine itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import yaml

_CONSTANTS: dict[str, bool | float | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = {
    16: re.compile(r"0[xX](?P<digits>[0-9a-fA-F]+)"),
    8: re.compile(r"0[oO]?(?P<digits>[0-7]+)"),
    2: re.compile(r"0[bB](?P<digits>[01]+)"),
    10: re.compile(r"(?P<digits>0|[1-9][0-9]*)"),
}
_TIME = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:(?:[Tt](?=.*(?:Z|[-+]\d\d:\d\d)$)| +(?!.*(?:Z|[-+]\d\d:\d\d)$))"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?"
    r"(?P<zone>Z|[-+]\d\d:\d\d)?)?"
)
"""Form of a time in YAML: with a T a zone is needed, with a space there is none."""

HIGHEST_POWER = 6
"""Power of ten from which on Go prints a number with an exponent."""

_LONG = "tag:yaml.org,2002:"
_PLAIN = "!plain"


class _Loader(yaml.SafeLoader):
    """PyYAML's parser without its opinion of what a plain scalar is."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012


_Loader.add_implicit_resolver(_PLAIN, re.compile(r"(?s).*"), None)


class _Dumper(yaml.SafeDumper):
    """Writes every text in quotes: which ones need them is for no reader to differ about."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Repeat a value that occurs twice, without an alias."""
        return True


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar(f"{_LONG}str", text, style='"')
)


@dataclass(frozen=True)
class Renamed:
    """Name in a file that the engine reads as another one.

    Attributes:
        line: Number of the line, from 1.
        written: The name as it is in the file.
        read: The name that the engine makes of it.
    """

    line: int
    written: str
    read: str


def load(text: str) -> Any:
    """Read a file's content with the values that the engine finds in it; keys are texts.

    Raises:
        yaml.YAMLError: It is no YAML, or none that the engine reads: a mapping has a key twice.
    """
    return read_value(compose(text))


def compose(text: str) -> yaml.Node | None:
    """Parse a file into nodes; None for an empty one.

    Raises:
        yaml.YAMLError: It is no YAML.
    """
    node: yaml.Node | None = yaml.compose(text.removeprefix("\ufeff"), Loader=_Loader)
    return node


def dump(values: Mapping[str, Any]) -> str:
    """Write a file's content that the engine, and every other reader, reads as these values."""
    text: str = yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def find_renamed(node: yaml.Node | None) -> Iterator[Renamed]:
    """Names in a file that the engine reads as others, such as `007`, which it takes for 7."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag == _PLAIN and key.value != "<<":
                read = read_key(key)
                if read != key.value:
                    yield Renamed(key.start_mark.line + 1, key.value, read)
            yield from find_renamed(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from find_renamed(item)


def read_key(node: yaml.Node) -> str:
    """Read a key as the engine has it: as Go prints the value."""
    value = read_value(node)
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    return _go_float(value) if isinstance(value, float) else str(value)


def read_value(node: yaml.Node | None) -> Any:
    """Read the value that the engine finds in a node.

    Raises:
        yaml.YAMLError: A mapping has a key twice.
    """
    if node is None:
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node)
    if isinstance(node, yaml.SequenceNode):
        return [read_value(item) for item in node.value]
    if node.tag == _PLAIN:
        return _plain(node.value)
    if node.tag.removeprefix(_LONG) in {"int", "float", "bool", "null", "timestamp"}:
        # Said by a tag, whether in quotes or not.
        value = _plain(node.value)
        return float(value) if node.tag.endswith("float") and isinstance(value, int) else value
    return node.value


def _mapping(node: yaml.MappingNode) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, value in node.value:
        if key.tag == _PLAIN and key.value == "<<":
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in sources:
                if not isinstance(source, yaml.MappingNode):
                    raise _at(node, source, "a merge (<<) takes a mapping, or a list of them")
                merged = {**read_value(source), **merged}
            continue
        if not isinstance(key, yaml.ScalarNode):
            raise _at(node, key, "a key is a single value")
        name = read_key(key)
        if name in own:
            raise _at(node, key, f"the key {name} is there twice")
        own[name] = read_value(value)
    return {**merged, **own}


def _at(mapping: yaml.Node, place: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    """Error for a mapping that yaml.v3 refuses, too, with its place in the file."""
    context = "while reading a mapping"
    return yaml.MarkedYAMLError(context, mapping.start_mark, problem, place.start_mark)


def _plain(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in ".0123456789+-":
        return text
    plain = text.replace("_", "")
    if text[0] != ".":
        moment = _time(text)
        if moment is not None:
            return moment
        number = _integer(plain)
        if number is not None:
            return number
    if _FLOAT.fullmatch(plain) and math.isfinite(decimal := float(plain)):
        return decimal
    return text


def _integer(text: str) -> int | None:
    """Read an integer as Go does, an octal one by a 0 before it; None beyond 64 bits."""
    sign, digits = (text[0], text[1:]) if text[:1] in {"+", "-"} else ("", text)
    for base, pattern in _BASES.items():
        if pattern.fullmatch(digits):
            number = int(sign + pattern.sub(r"\g<digits>", digits), base)
            return number if -(2**63) <= number < (2**63 if sign else 2**64) else None
    return None


def _time(text: str) -> str | None:
    """Write a date or time as Go prints it, which is what the engine makes of one."""
    written = _TIME.fullmatch(text)
    if written is None:
        return None
    numbers = [int(written[name] or 0) for name in ("hour", "minute", "second")]
    try:
        moment = datetime(*map(int, written["date"].split("-")), *numbers, tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    fraction = (written["fraction"] or "")[:9].rstrip("0")
    zone = (written["zone"] or "Z").replace(":", "")
    named = "+0000 UTC" if zone in {"Z", "+0000", "-0000"} else f"{zone} {zone}"
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction and '.' + fraction} {named}"


def _go_float(value: float) -> str:
    """Write a number as Go's %v prints it."""
    if math.isnan(value) or math.isinf(value):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    number = Decimal(repr(value)).normalize()
    power = number.adjusted()
    if not value or -4 <= power < HIGHEST_POWER:
        return f"{abs(number) if not value else number:f}"
    return re.sub(r"e([-+])(\d)$", r"e\g<1>0\2", f"{number:e}")
