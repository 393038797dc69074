"""Forwarding rules: which backends a request goes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localcloud.dataplane.model import RuleSpec, StickySession
from tests.integration.localcloud.dataplane.echo import get
from tests.integration.localcloud.dataplane.site import (
    instances,
    listener_of,
    loopback,
    wait_healthy,
    wait_until,
)

RULES = {
    "www": ("www.example.com", ""),
    "images": ("www.example.com", "/image"),
    "newer": ("www.example.com", "/images/new"),
    "any": ("*.example.com", ""),
    "market": ("*.market.example.com", ""),
    "shop": ("Shop.example.net", "/cart"),
    "path": ("", "/path"),
}
"""Domain and beginning of the path; each has backends of its own, which tell it by their cookie."""


@pytest.fixture(scope="module")
def listener(plane):
    plain = listener_of(plane, loopback(), health_check=None)
    rules = (
        RuleSpec(
            f"rule-{name}", domain, url, plain.backends, sticky_session=StickySession(name, 60)
        )
        for name, (domain, url) in RULES.items()
    )
    return replace(plain, rules=tuple(rules))


@pytest.mark.parametrize(
    ("host", "path", "rule"),
    [
        # The table and the sentences of CLB's documentation, with names of its kind.
        ("www.example.com", "/", "www"),
        ("market.example.com", "/", "any"),
        ("info.market.example.com", "/", "market"),
        ("WWW.EXAMPLE.COM:8080", "/", "www"),
        ("www.example.com", "/image", "images"),
        ("www.example.com", "/images/newest?a", "newer"),
        ("www.example.com", "/?/image", "www"),
        ("shop.example.net", "/cart/1", "shop"),
        ("other.example.net", "/path/x", "path"),
        ("other.example.net", "/", None),
        ("example.com", "/", None),
    ],
)
def test_the_most_exact_rule_takes_a_request(plane, listener, host, path, rule):
    address = plane.apply_listeners([listener])[listener.key]
    answer = get(address, path, headers={"Host": host})
    assert answer.status == 200
    assert answer.headers.get("set-cookie", "").partition("=")[0] == (rule or "")


def test_a_domain_with_rules_for_paths_alone_has_no_others(plane, listener):
    address = plane.apply_listeners([listener])[listener.key]
    assert get(address, "/", headers={"Host": "shop.example.net"}).status == 404
    assert get(address, "/path", headers={"Host": "shop.example.net"}).status == 404


def test_a_rule_s_backends_are_checked_and_balanced_like_a_listener_s(plane):
    checked = listener_of(plane, loopback())
    rule = RuleSpec("rule-a", "", "/both", checked.backends, health_check=checked.health_check)
    listener = replace(checked, backends=checked.backends[:1], rules=(rule,))
    address = plane.apply_listeners([listener])[listener.key]
    # As a listener's, they take nothing before their checks have succeeded.
    assert get(address, "/both").status == 502
    wait_until(lambda: get(address, "/both").status == 200)
    wait_healthy(plane, listener)
    wait_until(lambda: set(instances(address, 4, path="/both")) == {"i-a", "i-b"})
    assert set(instances(address, 4)) == {"i-a"}
    # They stay healthy when something else changes.
    plane.apply_listeners([replace(listener, gzip=False)])
    assert instances(address, 4, path="/both") == {"i-a": 2, "i-b": 2}
