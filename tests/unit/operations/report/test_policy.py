from __future__ import annotations

import pytest

from operations.errors import OperationError
from operations.report.contents import configure_rule, read_rules
from rules import RULES

BY_NAME = {rule.name: rule for rule in RULES}


@pytest.mark.parametrize(
    ("configuration", "level"),
    [
        ({}, "mandatory"),
        ({"all": "advisory"}, "advisory"),
        ({"all": {"enforcementLevel": "advisory"}}, "advisory"),
        ({"all": "advisory", "client-keys": "disabled"}, "disabled"),
        ({"client-keys": {"enforcementLevel": "advisory", "curve": "P-384"}}, "advisory"),
        ({"client-keys": {"curve": "P-384"}}, "mandatory"),
    ],
)
def test_a_level_is_the_rule_s_own_or_that_of_all(configuration, level):
    assert configure_rule(BY_NAME["client-keys"], configuration).level == level


def test_settings_are_those_configured_and_otherwise_the_rule_s():
    rule = configure_rule(BY_NAME["client-keys"], {"client-keys": {"curve": "P-384"}})
    assert rule.options == {"rsa_bits": 2048, "curve": "P-384"}


@pytest.mark.parametrize("content", [None, "{"])
def test_a_configuration_that_cannot_be_read_is_a_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "configuration.json").write_text(content)
    with pytest.raises(OperationError, match=r"configuration\.json cannot be read"):
        read_rules(tmp_path)
