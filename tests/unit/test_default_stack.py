"""A new option's default asks the cloud for nothing new: stacks that are up see no change.

`default_stack.json` is what the first version of the program asked for, resource by resource. An
input that changes there is one that every stack's next preview shows.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.test_main import run

KNOWN = json.loads((Path(__file__).parent / "default_stack.json").read_text(encoding="utf-8"))

SERVED_PAGE = "userData"
"""Property of instances with the page that they serve, which test_instance_page.py is about."""


@pytest.fixture(scope="module")
def deployment():
    return run()


def test_the_default_stack_has_the_resources_and_inputs_that_it_had(deployment):
    asked = [
        {
            "type": one.type,
            "name": one.name,
            "parent": one.parent.split("::", 2)[-1],
            "inputs": {k: v for k, v in one.inputs.items() if k != SERVED_PAGE},
        }
        for one in deployment.registrations
        if one.type.startswith("alicloud:")
    ]
    assert sorted(asked, key=lambda one: (one["type"], one["name"])) == KNOWN
