"""Parameters on the wire as typed requests: strict, and discreet about values."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from localcloud import requests, services
from localcloud.errors import ApiError
from localcloud.products import PRODUCTS
from localcloud.requests import ActionRequest, PagedRequest, nest, parse

VALUE = "a-value-that-nobody-shall-see"


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    Protocol: str
    Port: requests.Port = 80


class Act(ActionRequest):
    Id: str
    Count: Annotated[int, Field(ge=1, le=9)] | None = None
    Switch: Literal["on", "off"] = "on"
    Flag: bool = False
    Key: list[str] = []  # noqa: RUF012 - a model's default is copied
    Rules: list[Rule] = []  # noqa: RUF012
    Disk: Rule | None = None


class Paged(PagedRequest):
    pass


def refusal(**parameters: str) -> ApiError:
    flat = {name.replace("__", "."): value for name, value in parameters.items()}
    with pytest.raises(ApiError) as caught:
        parse(Act, flat)
    assert VALUE not in caught.value.message
    assert VALUE not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("parameters", "tree"),
    [
        ({"A": "1"}, {"A": "1"}),
        ({"Key.1": "a", "Key.2": "b"}, {"Key": ["a", "b"]}),
        ({"Key.10": "c", "Key.2": "b", "Key.1": "a"}, {"Key": ["a", "b", "c"]}),
        ({"Tag.1.Key": "k", "Tag.1.Value": "v"}, {"Tag": [{"Key": "k", "Value": "v"}]}),
        ({"Tag.3.Key": "k"}, {"Tag": [{"Key": "k"}]}),
        ({"Disk.Size": "40"}, {"Disk": {"Size": "40"}}),
        ({"A.1.B.2.C": "x"}, {"A": [{"B": [{"C": "x"}]}]}),
        ({"": "80", "A": ""}, {"A": ""}),
    ],
)
def test_dotted_names_are_lists_and_objects(parameters, tree) -> None:
    assert nest(parameters) == tree


@pytest.mark.parametrize(
    "parameters",
    [{"A": VALUE, "A.1": VALUE}, {"A.1": VALUE, "A.1.B": VALUE}],
)
def test_a_name_is_not_both_a_value_and_a_list(parameters) -> None:
    with pytest.raises(ApiError) as caught:
        nest(parameters)
    assert caught.value.code == "InvalidParameter"
    assert VALUE not in caught.value.message


def test_text_becomes_typed() -> None:
    found = parse(
        Act,
        {
            "Id": "i",
            "Count": "3",
            "Flag": "true",
            "Key.1": "a",
            "Rules.1.Protocol": "tcp",
            "Rules.1.Port": "443",
        },
    )
    assert (found.Count, found.Flag, found.Key) == (3, True, ["a"])
    assert found.Rules == [Rule(Protocol="tcp", Port=443)]


@pytest.mark.parametrize(
    ("parameters", "code", "name"),
    [
        ({"Count": "3"}, "MissingParameter", "Id"),
        ({"Id": "i", "Other": VALUE}, "UnsupportedParameter", "Other"),
        ({"Id": "i", "Rules__1__Other": VALUE}, "UnsupportedParameter", "Rules.1.Other"),
        ({"Id": "i", "Rules__1__Port": "80"}, "MissingParameter", "Rules.1.Protocol"),
        ({"Id": "i", "Count": "0"}, "InvalidParameter", "Count"),
        ({"Id": "i", "Count": "10"}, "InvalidParameter", "Count"),
        ({"Id": "i", "Count": VALUE}, "InvalidParameter", "Count"),
        ({"Id": "i", "Count": ""}, "InvalidParameter", "Count"),
        ({"Id": "i", "Switch": VALUE}, "InvalidParameter", "Switch"),
        ({"Id": "i", "Flag": VALUE}, "InvalidParameter", "Flag"),
        ({"Id": "i", "Key": VALUE}, "InvalidParameter", "Key"),
        ({"Id": "i", "Rules__1": VALUE}, "InvalidParameter", "Rules.1"),
        ({"Id": "i", "Id__1": VALUE}, "InvalidParameter", "Id.1"),
        (
            {"Id": "i", "Rules__1__Protocol": "x", "Rules__1__Port": "0"},
            "InvalidParameter",
            "Rules.1.Port",
        ),
        ({"Id": "i", "Key__" + "9" * 5000: VALUE}, "InvalidParameter", "Key"),
    ],
)
def test_refusals_name_the_parameter_and_not_its_value(parameters, code, name) -> None:
    error = refusal(**parameters)
    assert error.code == code
    assert error.status == 400
    assert f" {name} " in error.message.replace('"', " ")


def test_what_the_cloud_lacks_is_said_before_what_the_caller_got_wrong() -> None:
    assert refusal(Other=VALUE).code == "UnsupportedParameter"


def test_an_answer_has_the_page_that_was_asked_for():
    request = parse(Paged, {"PageNumber": "2", "PageSize": "3"})
    assert request.page(range(8)) == [3, 4, 5]
    assert request.paging(range(8)) == {"PageNumber": 2, "PageSize": 3, "TotalCount": 8}
    assert parse(Paged, {"PageNumber": "3", "PageSize": "3"}).page(range(8)) == [6, 7]
    assert parse(Paged, {"PageNumber": "9"}).page(range(8)) == []


@pytest.mark.parametrize("name", ["PageNumber", "PageSize"])
def test_there_is_no_page_zero(name):
    services.load()
    actions = [action for product in PRODUCTS for action in product.actions.values()]
    paged = [action.request for action in actions if issubclass(action.request, PagedRequest)]
    assert len(paged) > 10
    for request in paged:
        required = [key for key, field in request.model_fields.items() if field.is_required()]
        with pytest.raises(ApiError, match=name):
            parse(request, {**dict.fromkeys(required, "a"), name: "0"})


def test_a_run_that_is_said_not_to_be_dry_asks_for_nothing():
    dry = type("Dry", (Act,), {"left_out": {"DryRun": "dry runs"}})
    assert parse(dry, {"Id": "a", "DryRun": "false"}).Id == "a"
    with pytest.raises(ApiError, match="dry runs"):
        parse(dry, {"Id": "a", "DryRun": "true"})
    # Where there are no dry runs at all, it is a typo.
    with pytest.raises(ApiError, match="not one of"):
        parse(Act, {"Id": "a", "DryRun": "false"})
