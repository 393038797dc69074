"""Reads the outputs of a stack, and says what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from configuration.outputs import SECRET_OUTPUTS, StackOutputs
from operations.errors import OperationError

HIDDEN_SECRET = "[secret]"  # noqa: S105
"""Text that `pulumi stack output --json` prints for a secret without `--show-secrets`."""


def parse(document: Mapping[str, Any]) -> StackOutputs:
    """Read what `pulumi stack output --json --show-secrets` printed.

    Raises:
        OperationError: the stack is not up, or its outputs are not this program's.
    """
    if not document:
        raise OperationError("The stack has no outputs, so it is not up: run `make up` first.")
    hidden = [name for name in SECRET_OUTPUTS if document.get(name) == HIDDEN_SECRET]
    if hidden:
        raise OperationError(
            f"The stack's output {hidden[0]} is hidden: read the outputs with "
            "`pulumi stack output --json --show-secrets`."
        )
    try:
        return StackOutputs.model_validate(document)
    except ValidationError as error:
        raise OperationError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    missing = [_path(problem["loc"]) for problem in problems if problem["type"] == "missing"]
    if missing:
        return (
            f"The stack's outputs lack {', '.join(missing)}: an `up` was cut short, or an earlier "
            "version of the program made them. Run `make up`, which completes them."
        )
    first = problems[0]
    reason = first["msg"].removeprefix("Value error, ")
    return (
        f"The stack's output {_path(first['loc'])} cannot be used ({reason}). "
        "Run `make up`, which writes it anew."
    )


def _path(location: tuple[int | str, ...]) -> str:
    named = ".".join(str(part) for part in location if part != "[key]")
    return named if named.isprintable() else ascii(named)


def public(outputs: StackOutputs) -> dict[str, Any]:
    """The outputs without secrets, ready for `json.dumps`: what `make outputs` prints."""
    return outputs.model_dump(mode="json", exclude=set(SECRET_OUTPUTS))
