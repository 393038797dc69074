"""A stack's own configuration file, changed by the Pulumi CLI so that its comments stay."""

from __future__ import annotations

from collections.abc import Mapping

from operations.errors import OperationError
from operations.project import PROJECT
from operations.stacks.stack import Stack

_KINDS = {bool: "bool", int: "int", str: "string"}


class StackFile:
    """`Pulumi.NAME.yaml`, with what it held before it was changed.

    Args:
        name: Of the stack.
    """

    def __init__(self, name: str) -> None:
        self._path = PROJECT / f"Pulumi.{name}.yaml"
        self.name = self._path.name
        self._before = self._path.read_text(encoding="utf-8")

    def change(self, stack: Stack, wanted: Mapping[str, str | bool | int | None]) -> None:
        """Set keys by path; None removes one.

        Raises:
            OperationError: The Pulumi CLI refuses; the file is as it was.
        """
        for path, value in wanted.items():
            options = ["--path", "--config-file", str(self._path)]
            if value is None:
                command = ["rm", *options, path]
            else:
                text = str(value).lower() if isinstance(value, bool) else str(value)
                command = ["set", *options, "--type", _KINDS[type(value)], path, text]
            answer = stack.capture("config", *command)
            if answer.returncode != 0:
                self.restore()
                raise OperationError(f"{self.name} cannot be changed: {answer.stderr.strip()}")

    def restore(self) -> None:
        """Write what it held before."""
        self._path.write_text(self._before, encoding="utf-8")
