"""A stack's configuration as a validated, typed model.

`Pulumi.yaml` declares the same keys; docs/en/configuration.md explains them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from components.arguments.errors import SettingsError
from components.arguments.service import MutualTlsServiceArguments
from components.arguments.validation import validate
from configuration.regions import REGIONS


class Settings(MutualTlsServiceArguments):
    """All keys of the stack under `slb-mutual-tls:`."""

    published_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port under which clients reach the listener if something in front maps it, 1 to 65535; `0`:
    the listener's own."""


def parse(values: Mapping[str, Any], *, file: str, secret_keys: Iterable[str] = ()) -> Settings:
    """Validate a stack's configuration.

    Args:
        values: Values that the stack has under this project's namespace.
        file: Name of the stack's configuration file, for messages.
        secret_keys: Top-level keys that hold encrypted values.

    Raises:
        SettingsError: With a sentence for each mistake.
    """
    return validate(Settings, values, source=file, secret_keys=set(secret_keys))


def check_region(region: str | None, *, file: str, hidden: bool = False) -> str:
    """Return the region if the provider knows it.

    Args:
        region: Id of the region.
        file: Name of the stack's configuration file, for messages.
        hidden: Whether it was set as a secret, which no message repeats.

    Raises:
        SettingsError: It is missing or unknown.
    """
    if region in REGIONS:
        return region
    if not region:
        raise SettingsError(f"{file}: alicloud:region is not set; set it to one like cn-hangzhou")
    close = difflib.get_close_matches(region, REGIONS, n=1)
    hint = f"did you mean {close[0]}?" if close else "take one such as cn-hangzhou"
    given = "set to one that" if hidden else f"{region!r}, which"
    raise SettingsError(f"{file}: alicloud:region is {given} does not exist; {hint}")
