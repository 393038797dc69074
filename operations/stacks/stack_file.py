"""A stack's own configuration file: a change is made on a copy, and takes its place at once."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from operations.errors import OperationError
from operations.project import PROJECT
from operations.stacks import yaml_edit
from operations.stacks.stack import Stack
from operations.stacks.yaml_edit import Scalar, UnsuitedError

_KINDS = {bool: "bool", int: "int", str: "string"}


class StackFile:
    """`Pulumi.NAME.yaml` as it was when it was read; nothing but `replace` changes it.

    Args:
        name: Of the stack.
    """

    def __init__(self, name: str) -> None:
        self._path = PROJECT / f"Pulumi.{name}.yaml"
        self.name = self._path.name
        self._before = self._path.read_bytes()

    def changed(self, stack: Stack, wanted: Mapping[str, Scalar | None], copy: Path) -> bytes:
        """Compute the file's content with keys set by path, or removed by None.

        Args:
            stack: Whose CLI makes the changes that cannot be made in one place of the text.
            wanted: Values by path.
            copy: A file in which they are made.

        Raises:
            OperationError: The Pulumi CLI refuses.
        """
        copy.write_bytes(self._before)
        for path, value in wanted.items():
            try:
                text = copy.read_bytes().decode()
                edited = yaml_edit.change(text, ["config", *yaml_edit.parts(path)], value)
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
