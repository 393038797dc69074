"""A change of a stack's configuration that is tried before anything is written."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from operations.stacks import targets
from operations.stacks.stack_file import StackFile
from operations.stacks.targets import Target
from operations.stacks.yaml_edit import Scalar


@dataclass(frozen=True)
class Proposal:
    """A change of `Pulumi.NAME.yaml`, and the stack as it would be with it.

    Attributes:
        target: The stack with a configuration file of its own: for previews.
    """

    target: Target
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
def proposed(target: Target, wanted: Mapping[str, Scalar | None]) -> Iterator[Proposal]:
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
        yield Proposal(targets.on_a_copy(target, copy), file, content)
