"""Lists of servers as requests bring them along."""

from __future__ import annotations

import ast
import json
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from localcloud.cloud import Cloud
from localcloud.documents import Instance
from localcloud.errors import ApiError, invalid
from localcloud.requests import Port

PER_CALL = 20
"""Number of servers that one call takes."""


class GivenServer(BaseModel):
    """A member of the default server group."""

    model_config = ConfigDict(extra="forbid")

    ServerId: str
    Weight: Annotated[int, Field(ge=0, le=100)] = 100
    Type: Literal["ecs"] = "ecs"
    ServerIp: Literal[""] = ""
    Description: str = ""


class GivenMember(GivenServer):
    """A member of a VServer group."""

    Port: Port


S = TypeVar("S", bound=GivenServer)
T = TypeVar("T")


def read_servers(model: type[S], text: str, parameter: str = "BackendServers") -> list[S]:
    """Read a list: JSON, or with the provider's single quotes; empty text is an empty list.

    Raises:
        ApiError: The text is something else, or the list is too long.
    """
    if not text:
        return []
    members = read_list(model, text, parameter, "servers")
    if len(members) > PER_CALL:
        raise ApiError(
            400, "TooManyBackendServers", f"A call takes {PER_CALL} backend servers at most."
        )
    return members


def read_list(model: type[T], text: str, parameter: str, what: str) -> list[T]:
    """Read a list: JSON, or with the provider's single quotes.

    Args:
        model: Model of each element.
        text: Text of the list.
        parameter: Name of the parameter that gives the list.
        what: Noun for its elements in messages.

    Raises:
        ApiError: The text is something else.
    """
    try:
        values = json.loads(text) if '"' in text else ast.literal_eval(text)
        return TypeAdapter(list[model]).validate_python(values)  # type: ignore[valid-type]
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ").rstrip(".")
        raise invalid(parameter, f"{message}.") from None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise invalid(parameter, f"It is a JSON list of {what}.") from None


def require_running(cloud: Cloud, server_id: str, region: str) -> None:
    """Check that a server can be added.

    Raises:
        ApiError: The instance does not run in the region.
    """
    instance = cloud.store.get(Instance, server_id)
    if instance is None or instance.stopped or instance.region != region:
        raise ApiError(
            400, "ObtainIpFail", "Obtain IP address of a server failed: it is not running."
        )
