from __future__ import annotations

from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import hashes

from operations import adopted_settings, adoption
from operations.errors import OperationError
from operations.plan import Change, Plan, Violation
from pki import certificates, keys
from pki.names import distinguished_name
from pki.windows import Window
from tests.unit.operations.existing import existing, several


@pytest.fixture(scope="module")
def authority():
    key = keys.generate(2048)
    window = Window.of_properties("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z")
    name = distinguished_name({"common_name": "Tutorial CA"})
    return certificates.self_signed_authority(name, key, window)


def configured(**sections):
    return {f"slb-mutual-tls:{name}": value for name, value in sections.items()}


def remarks(found, config=None):
    """What is said before the import."""
    _, settings = adopted_settings.configuration(found, config or {})
    return list(adoption.remarks(found, settings, config or {}))


def test_the_same_ca_is_known_by_its_fingerprint(authority):
    found = existing(ca_fingerprint=authority.fingerprint(hashes.SHA1()).hex())
    config = configured(certificate_authority={"certificate": certificates.pem(authority)})
    left, ca = remarks(found, config)
    assert left == (
        "Left alone: server certificate server-1 and CA certificate ca-1. After `make up` this "
        "listener does not refer to them; once no other does, delete them by hand."
    )
    assert ca == "The CA stays the same: client certificates of before go on working."


def test_another_ca_is_said_to_refuse_who_was_admitted(authority):
    config = configured(certificate_authority={"certificate": certificates.pem(authority)})
    for given in (config, {}):
        *_, ca = remarks(existing(), given)
        assert "after `make up` the listener refuses every client certificate of before" in ca


def test_one_way_tls_and_other_listeners_are_told():
    left, others, ca = remarks(existing(ca_fingerprint=None, other_listeners=("http:8080",)))
    assert "CA certificate" not in left
    assert others == "Left alone: listeners http:8080."
    assert "asks for no client certificate today" in ca


@pytest.mark.parametrize(
    ("found", "config", "sentence"),
    [
        (
            {"listener": {"tlscipher_policy": "tls_cipher_policy_1_0"}},
            {},
            "The TLS policy tls_cipher_policy_1_0 becomes tls_cipher_policy_1_2_strict_with_1_3",
        ),
        ({"listener": {"description": "main"}}, {}, "The listener's description, main, becomes"),
        (
            {
                "instance": {
                    "modification_protection_status": "ConsoleProtection",
                    "modification_protection_reason": "used",
                }
            },
            {},
            "The reason of the load balancer's protection, used, becomes",
        ),
        ({"listener": {"status": "stopped"}}, {}, "The listener is stopped, and"),
        (
            {"instance": {"load_balancer_status": "inactive"}},
            {},
            "The load balancer is stopped, and",
        ),
        (
            {"listener": {"rules": several("rule", [{"rule_name": "images"}])}},
            {},
            "Left alone: forwarding rules images.",
        ),
        (
            {"redirect_port": 80},
            configured(listener={"redirect_port": 8080}),
            "Left alone: listeners http:80.",
        ),
        (
            {"domains": {"api.example.com": "de-1"}},
            configured(listener={"domain_extensions": {"api.example.com": {}}}),
            "and the certificates for api.example.com",
        ),
    ],
    ids=[
        "policy",
        "description",
        "protection",
        "stopped",
        "inactive",
        "rules",
        "redirect",
        "domains",
    ],
)
def test_what_does_not_stay_or_is_left_is_told(found, config, sentence):
    assert sentence in " ".join(remarks(existing(**found), config))
    assert sentence not in " ".join(remarks(existing()))


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


class Api:
    """The API of SLB with some listeners on one load balancer."""

    def __init__(self, *listeners, **found):
        self.found = existing(**found)
        self.found.instance.listener_ports_and_protocol = several(
            "listener_port_and_protocol", (listener(*one) for one in listeners)
        )

    def ask(self, action, **parameters):
        if action == "DescribeLoadBalancerAttribute":
            return self.found.instance
        if action == "DescribeCACertificates":
            return SimpleNamespace(cacertificates=several("cacertificate", [self.ca()]))
        assert action == "DescribeLoadBalancerHTTPSListenerAttribute"
        return self.found.listener

    def ca(self):
        return {"fingerprint": "AB:CD"}


def listener(protocol, port, redirects_to=None):
    return {
        "listener_protocol": protocol,
        "listener_port": port,
        "listener_forward": "on" if redirects_to else "off",
        "forward_port": redirects_to or 0,
    }


def test_the_only_https_listener_is_taken():
    found = adoption.look(Api(("http", 80), ("https", 443)), "lb-1", None)
    assert (found.port, found.ca_fingerprint) == (443, "abcd")
    assert (found.redirect_port, found.other_listeners) == (None, ("http:80",))


def test_one_redirect_to_it_is_taken():
    listeners = (("https", 443), ("https", 8443), ("http", 81, 8443), ("http", 82, 443))
    found = adoption.look(Api(*listeners, ("http", 80, 443)), "lb-1", 443)
    assert found.redirect_port == 80
    assert found.other_listeners == ("https:8443", "http:81", "http:82")


@pytest.mark.parametrize(
    ("listeners", "port", "sentence"),
    [
        ([("http", 80)], None, r"does not have one HTTPS listener \(.*: none\)"),
        ([("https", 443), ("https", 8443)], None, "443, 8443"),
        ([("https", 443)], 8443, "does not have an HTTPS listener at port 8443"),
    ],
)
def test_a_listener_that_cannot_be_told_is_refused(listeners, port, sentence):
    with pytest.raises(OperationError, match=sentence):
        adoption.look(Api(*listeners), "lb-1", port)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"listener": {"vserver_group_id": "rsp-1"}}, "answers from VServer group rsp-1"),
        ({"weights": {}}, "The default server group is empty"),
        (
            {
                "instance": {
                    "backend_servers": several(
                        "backend_server", [{"server_id": "eni-1", "weight": 100, "type": "eni"}]
                    )
                }
            },
            "has eni-1, no ECS instances",
        ),
        ({"instance": {"pay_type": "PrePay"}}, "is a subscription"),
        ({"instance": {"load_balancer_spec": ""}}, "shared-performance instance"),
    ],
    ids=["group", "empty", "network interface", "subscription", "shared"],
)
def test_what_the_program_does_not_take_is_refused(found, sentence):
    with pytest.raises(OperationError, match=sentence):
        adoption.look(Api(("https", 443), **found), "lb-1", None)


def test_what_is_imported_is_named_as_the_program_names_it():
    component, *children = resources(existing())
    assert component["component"] is True
    assert {child["logicalName"] for child in children} == {"slb-mutual-tls-prod"}
    assert {child["parent"] for child in children} == {component["name"]}
    assert [child["id"] for child in children] == ["lb-1", "lb-1", "lb-1:https:443"]


def resources(found, config=None):
    _, settings = adopted_settings.configuration(found, config or {})
    return adoption.resources("slb-mutual-tls-prod", found, settings)["resources"]


def test_redirect_and_additional_domains_are_imported_too():
    config = configured(listener={"domain_extensions": {"*.example.com": {}}})
    found = existing(redirect_port=80, domains={"*.example.com": "de-1"})
    assert [(one["logicalName"], one["id"]) for one in resources(found, config)[4:]] == [
        ("slb-mutual-tls-prod-redirect", "lb-1:http:80"),
        ("slb-mutual-tls-prod-_.example.com", "de-1"),
    ]
    config["slb-mutual-tls:listener"]["redirect_port"] = 8080
    assert "lb-1:http:80" not in [one.get("id") for one in resources(found, config)]
