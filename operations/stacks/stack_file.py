"""Changes of a stack's configuration file, which leave every other byte as it is.

`pulumi config set` keeps comments, and writes indentation, blank lines and numbers in its own way:
whoever reviews the change would have to look for it.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from operations.errors import OperationError
from operations.project import PROJECT
from operations.stacks import engine_yaml, environment
from operations.stacks.environment import StackTarget
from operations.stacks.stack import Stack

Scalar = str | bool | int
KeyPath = Sequence[str | int]
"""Path to a value: keys and indices from the file's top."""

_BARE = re.compile(r"[A-Za-z/](?:[\w./-]|:(?=\w))*", re.ASCII)
_BOOLEANS_ELSEWHERE = frozenset({"y", "n", "yes", "no", "on", "off"})
"""Texts that older readers of YAML take for a boolean, and that are quoted therefore."""

_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\Z)")
INDENT = 2

_KINDS = {bool: "bool", int: "int", str: "string"}


class UnsuitedError(Exception):
    """The file has a form that is not changed here, such as an alias at the place."""


def split_path(path: str) -> list[str | int]:
    """Take a path of the Pulumi CLI to pieces, such as `ns:clients["a.b"].revoked`."""
    keys: list[str | int] = []
    for quoted, index, plain in re.findall(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)', path):
        keys.append(int(index) if index else plain or re.sub(r"\\(.)", r"\1", quoted))
    return keys


def change_value(text: str, path: KeyPath, value: Scalar | None) -> str:
    """Set the value at a path, or remove what is there if it is None.

    Raises:
        UnsuitedError: That cannot be done by changing this one place.
    """
    body = text.removeprefix("\ufeff")
    try:
        before = engine_yaml.load(body)
        changed = _remove(body, path) if value is None else _set_value(body, path, value)
        if changed == body:
            return text
        after = engine_yaml.load(changed)
    except (yaml.YAMLError, RecursionError) as error:
        raise UnsuitedError(str(error)) from None
    if after != _expected_values(before, path, value):
        raise UnsuitedError("something else would change, too")
    return text[: len(text) - len(body)] + changed


def _expected_values(values: Any, path: KeyPath, value: Scalar | None) -> Any:
    """Compute the values that the file must have after the change."""
    changed = place = copy.deepcopy(values)
    for part, following in itertools.pairwise(path):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(part, int):
            if part == len(place):
                place.append(empty)
        elif place.get(part) is None:
            place[part] = empty
        place = place[part]
    last = path[-1]
    if value is None:
        place.pop(last, None)
    elif isinstance(last, int) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return changed


def _set_value(text: str, path: KeyPath, value: Scalar) -> str:
    node = engine_yaml.compose(text)
    for depth, part in enumerate(path):
        child = _child(node, part)
        if child is None:
            return _insert(text, node, path[depth:], value)
        node = child
    if not isinstance(node, yaml.ScalarNode) or node.style in {"|", ">"}:
        raise UnsuitedError("there is no single value at the place")
    return _replace_node(text, node, _scalar(value))


def _insert(text: str, node: yaml.Node | None, rest: KeyPath, value: Scalar) -> str:
    if isinstance(node, yaml.ScalarNode) and engine_yaml.read_value(node) is None:
        return _replace_node(text, node, _flow(rest, value))
    if not isinstance(node, yaml.CollectionNode):
        raise UnsuitedError("there is another kind of value above the place")
    first = rest[0]
    is_map = isinstance(node, yaml.MappingNode)
    if is_map != isinstance(first, str) or (not is_map and first != len(node.value)):
        raise UnsuitedError("the place is none of a list or a map")
    if node.flow_style:
        inner = _flow(rest, value)[1:-1]
        if not node.value:
            place = text.index("{" if is_map else "[", node.start_mark.index) + 1
            return text[:place] + inner + text[place:]
        place = _end(node.value[-1])
        return f"{text[:place]}, {inner}{text[place:]}"
    place = _line_after(text, node.value[-1])
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = (node.value[0][0] if is_map else node).start_mark.column
    lines = "".join(line + newline for line in _block(rest, value, indent))
    before = text[:place]
    if before and not before.endswith("\n"):
        before += newline
    return before + lines + text[place:]


def _remove(text: str, path: KeyPath) -> str:
    above: yaml.Node | None = None
    node = engine_yaml.compose(text)
    for part in path[:-1]:
        above, node = node, _child(node, part)
    if not isinstance(node, yaml.MappingNode):
        return text
    names = [engine_yaml.read_key(key) for key, _ in node.value]
    if path[-1] not in names:
        return text
    place = names.index(str(path[-1]))
    key = node.value[place][0]
    if node.flow_style:
        begin, end = key.start_mark.index, _end(node.value[place])
        if place + 1 < len(node.value):
            end = node.value[place + 1][0].start_mark.index
        elif place:
            begin = _end(node.value[place - 1])
        return text[:begin] + text[end:]
    begin, end = key.start_mark.index - key.start_mark.column, _line_after(text, node.value[place])
    if text[begin : key.start_mark.index].strip():
        raise UnsuitedError("the key is not the first of its line")
    left = text[:begin] + text[end:]
    if len(names) > 1:
        return left
    if not isinstance(above, yaml.MappingNode):
        raise UnsuitedError("nothing would be left")
    # What is empty is written so, else it would be null.
    owner = next(own for own, value in above.value if value is node).end_mark.index
    colon = text.index(":", owner) + 1
    return f"{left[:colon]} {{}}{left[colon:]}"


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        values = (value for key, value in node.value if engine_yaml.read_key(key) == part)
        return next(values, None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        child: yaml.Node = node.value[part]
        return child
    return None


def _replace_node(text: str, node: yaml.Node, new: str) -> str:
    begin, end = node.start_mark.index, node.end_mark.index
    space = " " if begin == end else ""  # Nothing stands behind the colon.
    return text[:begin] + space + new + text[end:]


def _end(entry: Any) -> int:
    """Position at which a mapping's entry or a list's item ends, without what follows it."""
    if isinstance(entry, tuple):
        return max(_end(entry[0]), _end(entry[1]))
    if isinstance(entry, yaml.CollectionNode) and not entry.flow_style and entry.value:
        return _end(entry.value[-1])
    end: int = entry.end_mark.index
    return end


def _line_after(text: str, entry: Any) -> int:
    """Position at which the line after an entry begins."""
    last = entry
    while not isinstance(last, yaml.ScalarNode) and not getattr(last, "flow_style", False):
        last = last[1] if isinstance(last, tuple) else last.value[-1]
    end = _end(entry)
    if isinstance(last, yaml.ScalarNode) and last.style in {"|", ">"}:
        return text.rfind("\n", 0, end) + 1
    rest = _REST_OF_LINE.match(text, end)
    if rest is None:
        raise UnsuitedError("something else follows on the same line")
    return rest.end()


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    bare = _BARE.fullmatch(value) and engine_yaml.load(value) == value
    if bare and value.lower() not in _BOOLEANS_ELSEWHERE:
        return value
    return json.dumps(value, ensure_ascii=False)


def _flow(rest: KeyPath, value: Scalar) -> str:
    if not rest:
        return _scalar(value)
    if isinstance(rest[0], int):
        return f"[{_flow(rest[1:], value)}]"
    return f"{{{_scalar(rest[0])}: {_flow(rest[1:], value)}}}"


def _block(rest: KeyPath, value: Scalar, indent: int) -> Iterator[str]:
    margin = " " * indent
    first, below = rest[0], rest[1:]
    if isinstance(first, int):
        yield f"{margin}- {_flow(below, value)}"
    elif below and isinstance(below[0], str):
        yield f"{margin}{_scalar(first)}:"
        yield from _block(below, value, indent + INDENT)
    else:
        yield f"{margin}{_scalar(first)}: {_flow(below, value)}"


class StackFile:
    """`Pulumi.NAME.yaml` as it was when it was read; nothing but `replace` changes it.

    Args:
        name: Name of the stack.
    """

    def __init__(self, name: str) -> None:
        self._path = PROJECT / f"Pulumi.{name}.yaml"
        self.name = self._path.name
        self._before = self._path.read_bytes()

    def changed(self, stack: Stack, wanted: Mapping[str, Scalar | None], copy: Path) -> bytes:
        """Compute the file's content with keys set by path, or removed by None.

        Args:
            stack: Stack whose CLI makes the changes that cannot be made in one place of the text.
            wanted: Values by path.
            copy: A file in which they are made.

        Raises:
            OperationError: The Pulumi CLI refuses.
        """
        copy.write_bytes(self._before)
        for path, value in wanted.items():
            try:
                text = copy.read_bytes().decode()
                edited = change_value(text, ["config", *split_path(path)], value)
                copy.write_bytes(edited.encode())
            except UnsuitedError:
                self._change_by_the_cli(stack, copy, path, value)
        return copy.read_bytes()

    def _change_by_the_cli(self, stack: Stack, copy: Path, path: str, value: Scalar | None) -> None:
        options = ["--path", "--config-file", str(copy)]
        if value is None:
            command = ["rm", *options, path]
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            command = ["set", *options, "--type", _KINDS[type(value)], path, text]
        answer = stack.capture("config", *command)
        if answer.returncode != 0:
            raise OperationError(f"{self.name} cannot be changed: {answer.stderr.strip()}")

    def replace(self, content: bytes) -> None:
        """Replace the file's content at once; a link stays one, and the mode stays.

        Raises:
            OperationError: Somebody changed the file since it was read, or it cannot be written.
        """
        path = self._path.resolve()
        try:
            if path.read_bytes() != self._before:
                raise OperationError(f"{self.name} was changed meanwhile.")
            descriptor, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    os.fchmod(descriptor, path.stat().st_mode & 0o7777)
                    file.write(content)
                    file.flush()
                    os.fsync(descriptor)
                Path(scratch).replace(path)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    Path(scratch).unlink()
                raise
        except OSError as error:
            raise OperationError(f"{self.name} cannot be written: {error.strerror}.") from None


@dataclass(frozen=True)
class Proposal:
    """A change of `Pulumi.NAME.yaml`, and the stack as it would be with it.

    Attributes:
        target: The stack with a configuration file of its own: for previews.
    """

    target: StackTarget
    _file: StackFile
    _content: bytes

    @property
    def file(self) -> str:
        """Name of the file that is to change."""
        return self._file.name

    def accept(self) -> None:
        """Write the change.

        Raises:
            OperationError: The file was changed meanwhile, or cannot be written.
        """
        self._file.replace(self._content)


@contextlib.contextmanager
def propose(target: StackTarget, wanted: Mapping[str, Scalar | None]) -> Iterator[Proposal]:
    """Propose keys to be set by path, or removed by None; nothing is written until `accept`.

    Raises:
        OperationError: The Pulumi CLI refuses to set one, or a secret is not encrypted.
    """
    target.require_no_secret_in_the_clear()
    name = target.stack.name
    file = StackFile(name)
    with tempfile.TemporaryDirectory(prefix="slb-mutual-tls-") as folder:
        copy = Path(folder) / file.name
        content = file.changed(target.stack, wanted, copy)
        yield Proposal(environment.open_on_copy(target, copy), file, content)
