from __future__ import annotations

import pytest

from operations.clb import adoption
from operations.errors import OperationError
from operations.review.plan import Change, Plan, Violation
from tests.unit.operations.clb.existing import configured, existing


def plan(*operations):
    changes = (Change(one, adoption.LISTENER, "web", ()) for one in operations)
    return Plan(tuple(changes), 0, (), (), ())


def test_a_plan_in_place_is_let_through():
    adoption.require_in_place(plan("update", "create"), 0)


@pytest.mark.parametrize(
    ("found", "status", "sentence"),
    [
        (plan("replace"), 0, "would replace alicloud:slb/listener:Listener"),
        (plan("delete"), 0, "would replace"),
        (plan(), 255, "The preview fails"),
    ],
)
def test_a_plan_that_would_interrupt_is_not(found, status, sentence):
    with pytest.raises(OperationError, match=sentence):
        adoption.require_in_place(found, status)


def test_what_breaks_a_rule_is_named():
    broken = (Violation("health-check", True, "It has to check."), Violation("hint", False, "-"))
    with pytest.raises(OperationError, match=r"breaks a rule for every stack \(health-check\)"):
        adoption.require_in_place(Plan((), 0, broken, (), ()), 255)


def test_what_is_imported_is_named_as_the_program_names_it():
    component, *children = resources(existing())
    assert component["component"] is True
    assert {child["logicalName"] for child in children} == {"slb-mutual-tls-prod"}
    assert {child["parent"] for child in children} == {component["name"]}
    assert [child["id"] for child in children] == ["lb-1", "lb-1", "lb-1:https:443"]


def resources(found, config=None):
    _, settings = adoption.adopt_settings(found, config or {})
    return adoption.import_document("slb-mutual-tls-prod", found, settings)["resources"]


def test_redirect_and_additional_domains_are_imported_too():
    config = configured(listener={"domain_extensions": {"*.example.com": {}}})
    found = existing(redirect_port=80, domains={"*.example.com": "de-1"})
    assert [(one["logicalName"], one["id"]) for one in resources(found, config)[4:]] == [
        ("slb-mutual-tls-prod-redirect", "lb-1:http:80"),
        ("slb-mutual-tls-prod-_.example.com", "de-1"),
    ]
    config["slb-mutual-tls:listener"]["redirect_port"] = 8080
    assert "lb-1:http:80" not in [one.get("id") for one in resources(found, config)]
