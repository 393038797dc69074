"""Requests as typed models: what an action takes, in which ranges."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from localcloud.dataplane.model import RefusedError
from localcloud.deviations import VALUES_LEFT_OUT
from localcloud.errors import ApiError, invalid, missing, not_emulated

OnOff = Literal["on", "off"]
Port = Annotated[int, Field(ge=1, le=65535)]


def validate_as_served(check: Callable[[str], str], what: str) -> AfterValidator:
    """Make a validator that takes a text only if the data plane takes it: one check for both.

    Args:
        check: Check of the data plane; raises RefusedError.
        what: Noun for what the text then is, such as "a domain".
    """

    def validate(text: str) -> str:
        try:
            check(text)
        except RefusedError:
            raise ValueError(f"It is not {what}") from None
        return text

    return AfterValidator(validate)


def _require_unreserved(text: str) -> str:
    if re.match("aliyun|acs:", text, re.IGNORECASE) or re.search("https?://", text):
        raise ValueError("It cannot begin with aliyun or acs:, nor have http:// or https:// in it.")
    return text


class KeyValue(BaseModel):
    """Tag of a request, one of `Tag.N`."""

    model_config = ConfigDict(extra="forbid")

    Key: Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_require_unreserved)]
    Value: Annotated[str, Field(max_length=128), AfterValidator(_require_unreserved)] = ""


class ActionRequest(BaseModel):
    """Base of all requests; fields have the names that they have on the wire.

    Subclasses say what the API's metadata does not: `metadata.fit_model` adds the rest, and names
    them after their action.

    Attributes:
        left_out: Parameters of the action that the local cloud does not emulate, with the features
            that they ask for.
        values_left_out: Values that are not emulated, by parameter, with their features.
    """

    # What requests are read with is made when an action is first asked for.
    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)
    left_out: ClassVar[Mapping[str, str]] = {}
    values_left_out: ClassVar[Mapping[str, Mapping[str, str]]] = VALUES_LEFT_OUT

    RegionId: str = ""


class TaggedRequest(ActionRequest):
    """Base of the requests that bring tags along."""

    Tag: list[KeyValue] = []

    def tags(self) -> dict[str, str]:
        """Tags that the request brings along, by key."""
        return {tag.Key: tag.Value for tag in self.Tag}


DRY_RUN = "DryRun"


class DryRequest(ActionRequest):
    """Base of the requests that may ask whether they would be carried out."""

    DryRun: bool = False


T = TypeVar("T")


class PagedRequest(ActionRequest):
    """Base of the requests whose answers come in pages."""

    PageNumber: int = 1
    PageSize: int = 10

    def page(self, items: Sequence[T]) -> list[T]:
        """Select the items on the page that the request asks for."""
        first = (self.PageNumber - 1) * self.PageSize
        return list(items[first : first + self.PageSize])

    def paging(self, items: Sequence[Any]) -> dict[str, int]:
        """Fields of an answer that say which page it is."""
        return {
            "PageNumber": self.PageNumber,
            "PageSize": self.PageSize,
            "TotalCount": len(items),
        }


R = TypeVar("R", bound=ActionRequest)


def parse(model: type[R], parameters: Mapping[str, str]) -> R:
    """Read an action's parameters.

    Raises:
        ApiError: A parameter is missing, unknown or out of range; its value is not repeated.
    """
    # Some clients send an empty region where they mean none.
    texts = {name: text for name, text in parameters.items() if text or name != "RegionId"}
    # Who says that a run is not dry asks for nothing.
    if DRY_RUN in model.left_out and texts.get(DRY_RUN, "").lower() == "false":
        del texts[DRY_RUN]
    try:
        return model.model_validate(nest(texts))
    except ValidationError as error:
        raise _api_error(model, error) from None


def nest(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Turn `Tag.1.Key=a` into `{"Tag": [{"Key": "a"}]}`; numbers begin at 1, gaps close."""
    tree: dict[str, Any] = {}
    for name, value in parameters.items():
        # The provider sends a parameter without a name for redirecting listeners.
        if not name:
            continue
        *path, last = name.split(".")
        node = tree
        for part in path:
            below = node.setdefault(part, {})
            if not isinstance(below, dict):
                raise invalid(name)
            node = below
        node[last] = value
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(re.fullmatch(r"[0-9]{1,9}", key) for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(item) for key, item in value.items()}


def _api_error(model: type[ActionRequest], error: ValidationError) -> ApiError:
    details = error.errors(include_url=False, include_context=False)
    # The most telling first: what the local cloud lacks, before what the caller got wrong.
    details.sort(key=lambda detail: detail["type"] != "extra_forbidden")
    first = details[0]
    name = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            feature = model.left_out.get(name) or model.left_out.get(name.partition(".")[0])
            if feature is not None:
                return not_emulated(f"{feature}: {name} of {model.__name__}")
            return ApiError(
                400,
                "UnsupportedParameter",
                f"The parameter {name} is not one of {model.__name__}: "
                "docs/localcloud-coverage.md lists those that the local cloud knows.",
            )
        case "missing":
            return missing(name)
        case "literal_error" if str(first["input"]) in model.values_left_out.get(name, {}):
            value = str(first["input"])
            feature = model.values_left_out[name][value]
            return not_emulated(f"{feature}: {name} {value} of {model.__name__}")
        case _:
            return invalid(name, first["msg"].removeprefix("Value error, ").rstrip(".") + ".")
