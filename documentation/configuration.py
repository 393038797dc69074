"""The tables of the page on the configuration, from the models and the arguments' docstrings.

Types and defaults are the models' own. What a key means, and its range, is in English its docstring
in `components/args.py`; in Chinese it is written in the page itself and kept.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from components import args
from components.arguments.model import Model
from components.clb.listener_arguments import ListenerOptions
from configuration.settings import Settings

Schema = Mapping[str, Any]

DURATIONS = frozenset({"validity", "renew_before"})
"""Fields that hold a length of time."""

NOT_WRITTEN = "TODO"
"""Text that stands where a page has no words yet for a key; a test refuses it."""

TYPES = {
    "en": {
        "string": "text",
        "duration": "duration",
        "integer": "integer",
        "boolean": "boolean",
        "array": "list of texts",
        "array of integers": "list of integers",
        "object": "map",
    },
    "zh": {
        "string": "文本",
        "duration": "时长",
        "integer": "整数",
        "boolean": "布尔",
        "array": "文本列表",
        "array of integers": "整数列表",
        "object": "映射",
    },
}
HEADS = {
    "en": "| key | type | default | range and meaning |",
    "zh": "| 配置项 | 类型 | 默认值 | 范围和含义 |",
}

_TABLE = re.compile(
    r"(<!-- keys of (\w+), by `python -m documentation` -->\n).*?(<!-- end -->)", re.DOTALL
)
_DEFAULT = re.compile(r" Default: (`[^`]*`|the first)\.$")
_ROW = re.compile(r"^\| `([\w.]+)` \|.* \| (.*?) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Key:
    """A key of the configuration.

    Attributes:
        name: Dotted name; `NAME` stands for a name in a map.
        schema: JSON schema of the key's value, without the `null` of an optional one.
        default: Value where the key is not set; None for nothing.
        meaning: Docstring of the key's field.
    """

    name: str
    schema: Schema
    default: Any
    meaning: str

    @property
    def type(self) -> str:
        """Name of the key's type among `TYPES`."""
        if self.name.rsplit(".", 1)[-1] in DURATIONS:
            return "duration"
        several = self.schema.get("items", {}).get("type") == "integer"
        return f"{self.schema['type']}{' of integers' if several else ''}"

    @property
    def shown_default(self) -> str:
        """Default as the table has it."""
        if self.default is None:
            return "—"
        if isinstance(self.default, list):
            return f"`[{', '.join(self.default)}]`"
        default = self.default if isinstance(self.default, str) else json.dumps(self.default)
        return f"`{default}`"

    def row(self, language: str, meaning: str) -> str:
        """Row of the key in the table."""
        cells = (f"`{self.name}`", TYPES[language][self.type], self.shown_default, meaning)
        return f"| {' | '.join(cells)} |"


def list_keys() -> list[Key]:
    """List every key, in the order of the models.

    Of an additional listener these are the keys that it alone has: of the others the page says
    that they are as `listener` has them.
    """
    root = Settings.model_json_schema()
    return list(_list_keys(root, root, Settings, ""))


def _list_keys(root: Schema, schema: Schema, model: type[Model], prefix: str) -> Iterator[Key]:
    meanings = read_docstrings(model)
    for name, field in schema["properties"].items():
        if prefix == "additional_listeners.NAME." and name in ListenerOptions.model_fields:
            continue
        reference, inner = _resolve(root, field)
        if "properties" in inner:
            yield from _list_keys(root, inner, _find_models()[reference], f"{prefix}{name}.")
            continue
        default = field.get("default", {} if inner["type"] == "object" else None)
        yield Key(f"{prefix}{name}", inner, default, meanings.get(name, NOT_WRITTEN))
        patterns = inner.get("patternProperties", {})
        for value in (*patterns.values(), inner.get("additionalProperties", {})):
            if isinstance(value, dict) and "$ref" in value:
                reference, held = _resolve(root, value)
                yield from _list_keys(
                    root, held, _find_models()[reference], f"{prefix}{name}.NAME."
                )


def _resolve(root: Schema, field: Schema) -> tuple[str, Schema]:
    """The model's name, if it is one, and the schema of what a field takes, `null` aside."""
    branches = [branch for branch in field.get("anyOf", []) if branch.get("type") != "null"]
    inner = branches[0] if branches else field
    if "$ref" not in inner:
        return "", inner
    name = inner["$ref"].rsplit("/", 1)[-1]
    return name, root["$defs"][name]


def _find_models() -> dict[str, type[Model]]:
    """Find all models, by name."""
    models = {}
    waiting: list[type[Model]] = [Model]
    while waiting:
        model = waiting.pop()
        models[model.__name__] = model
        waiting += model.__subclasses__()
    return models


@cache
def read_docstrings(model: type[Model]) -> dict[str, str]:
    """Read the docstrings of a model's fields, a line each, without the default: it has a column.

    A model's arguments have them; of what the configuration alone has, the model itself.
    """
    described = args.MutualTlsServiceArgs if model is Settings else _arguments_of(model)
    return {**_read_docstrings(described), **_read_docstrings(model)}


def _arguments_of(model: type[Model]) -> type:
    kind: type = getattr(args, f"{model.__name__.removesuffix('uments')}s")
    return kind


def _read_docstrings(cls: type) -> dict[str, str]:
    [body] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    statements = body.body if isinstance(body, ast.ClassDef) else []
    docstrings: dict[str, str] = {}
    for field, text in pairwise(statements):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match text:
                case ast.Expr(value=ast.Constant(value=str(words))):
                    docstrings[field.target.id] = _DEFAULT.sub("", " ".join(words.split()))
    return docstrings


def update_page(text: str, language: str) -> str:
    """Bring the tables of a page up to date."""
    written = dict(_ROW.findall(text))
    every = list_keys()

    def meaning(key: Key) -> str:
        return key.meaning if language == "en" else written.get(key.name, NOT_WRITTEN)

    def table(match: re.Match[str]) -> str:
        rows = [
            key.row(language, meaning(key))
            for key in every
            if key.name.split(".", 1)[0] == match[2]
        ]
        lines = [match[1], HEADS[language], "|---|---|---|---|", *rows, "", match[3]]
        return "\n".join(lines)

    return _TABLE.sub(table, text)
