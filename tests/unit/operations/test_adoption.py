from __future__ import annotations

from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import hashes

from operations import adoption
from operations.errors import OperationError
from operations.plan import Change, Plan
from pki import certificates, keys
from pki.names import distinguished_name
from pki.windows import Window


def existing(*, instance=None, listener=None, servers=("i-a", "i-b"), **rest):
    """The tutorial's load balancer, with what a test has otherwise."""
    return adoption.Existing(
        instance=SimpleNamespace(
            **{
                "load_balancer_id": "lb-1",
                "load_balancer_name": "tutorial",
                "address_type": "internet",
                "instance_charge_type": "PayByCLCU",
                "internet_charge_type": "paybytraffic",
                "load_balancer_spec": "slb.lcu.elastic",
                "bandwidth": 5120,
                "delete_protection": "off",
                "v_switch_id": "",
                "backend_servers": SimpleNamespace(
                    backend_server=[SimpleNamespace(server_id=one) for one in servers]
                ),
                **(instance or {}),
            }
        ),
        port=443,
        listener=SimpleNamespace(
            **{
                "backend_server_port": 80,
                "scheduler": "rr",
                "bandwidth": -1,
                "idle_timeout": 15,
                "request_timeout": 60,
                "gzip": "on",
                "enable_http_2": "on",
                "health_check": "on",
                "health_check_uri": "/healthz",
                "health_check_method": "head",
                "health_check_interval": 2,
                "health_check_timeout": 5,
                "healthy_threshold": 3,
                "unhealthy_threshold": 3,
                "vserver_group_id": "",
                "server_certificate_id": "server-1",
                "cacertificate_id": "ca-1",
                **(listener or {}),
            }
        ),
        **{"ca_fingerprint": "00" * 20, "other_listeners": (), **rest},
    )


IDS = {
    "slb-mutual-tls:backends.instance_ids[0]": "i-a",
    "slb-mutual-tls:backends.instance_ids[1]": "i-b",
}


def configured(**sections):
    return {f"slb-mutual-tls:{name}": value for name, value in sections.items()}


def test_only_what_differs_from_the_defaults_is_written():
    assert adoption.configuration(existing(), {}) == {
        "slb-mutual-tls:load_balancer.name": "tutorial",
        **IDS,
    }


def test_what_is_there_is_written():
    found = existing(
        instance={
            "delete_protection": "on",
            "instance_charge_type": "PayBySpec",
            "load_balancer_spec": "slb.s2.small",
            "internet_charge_type": "paybybandwidth",
            "bandwidth": 10,
        },
        listener={
            "backend_server_port": 8080,
            "scheduler": "wrr",
            "idle_timeout": 30,
            "gzip": "off",
            "health_check_uri": "/alive",
        },
    )
    assert adoption.configuration(found, {}) == {
        "slb-mutual-tls:load_balancer.name": "tutorial",
        "slb-mutual-tls:load_balancer.deletion_protection": True,
        "slb-mutual-tls:load_balancer.instance_charge_type": "PayBySpec",
        "slb-mutual-tls:load_balancer.specification": "slb.s2.small",
        "slb-mutual-tls:load_balancer.internet_charge_type": "PayByBandwidth",
        "slb-mutual-tls:load_balancer.bandwidth": 10,
        "slb-mutual-tls:backends.port": 8080,
        "slb-mutual-tls:listener.scheduler": "wrr",
        "slb-mutual-tls:listener.idle_timeout": 30,
        "slb-mutual-tls:listener.gzip": False,
        "slb-mutual-tls:listener.health_check.uri": "/alive",
        **IDS,
    }


def test_what_is_configured_stays_where_it_can_be_had_in_place():
    config = configured(
        load_balancer={"name": "front-door"},
        listener={"scheduler": "wrr", "health_check": {"uri": "/alive"}},
        backends={"instance_ids": ["i-b", "i-a"]},
    )
    assert adoption.configuration(existing(), config) == IDS


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (configured(listener={"port": 8443}), "listener.port is configured as 8443, and it is 443"),
        (configured(backends={"port": 8080}), "backends.port is configured as 8080, and it is 80"),
        (
            configured(load_balancer={"address_type": "intranet"}),
            "load_balancer.address_type is configured as intranet, and it is internet there",
        ),
        (
            configured(backends={"instance_ids": ["i-a"]}),
            "configured as i-a, and the default server group has i-a, i-b",
        ),
        (configured(load_balancer={"id": "lb-1"}), "without managing it: remove the key first"),
    ],
    ids=["port", "backend port", "address type", "backends", "unmanaged"],
)
def test_what_could_only_be_had_by_replacing_it_is_refused(config, sentence):
    with pytest.raises(OperationError, match=sentence):
        adoption.configuration(existing(), config)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (existing(listener={"vserver_group_id": "rsp-1"}), "answers from VServer group rsp-1"),
        (existing(servers=()), "The default server group is empty"),
        (existing(listener={"health_check_uri": "/"}), "listener.health_check.uri"),
        (existing(listener={"scheduler": "wlc"}), "listener.scheduler"),
    ],
    ids=["group", "empty", "health check", "scheduler"],
)
def test_what_the_program_does_not_take_is_refused(found, sentence):
    with pytest.raises(OperationError, match=sentence):
        adoption.configuration(found, {})


@pytest.fixture(scope="module")
def authority():
    key = keys.generate(2048)
    window = Window.of_properties("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z")
    name = distinguished_name({"common_name": "Tutorial CA"})
    return certificates.self_signed_authority(name, key, window)


def test_the_same_ca_is_known_by_its_fingerprint(authority):
    found = existing(ca_fingerprint=authority.fingerprint(hashes.SHA1()).hex())
    config = configured(certificate_authority={"certificate": certificates.pem(authority)})
    left, ca = adoption.remarks(found, config)
    assert left == (
        "Left alone: server certificate server-1 and CA certificate ca-1. After `make up` nothing "
        "refers to them; delete them by hand."
    )
    assert ca == "The CA stays the same: client certificates of before go on working."


def test_another_ca_is_said_to_refuse_who_was_admitted(authority):
    config = configured(certificate_authority={"certificate": certificates.pem(authority)})
    for given in (config, {}):
        *_, ca = adoption.remarks(existing(), given)
        assert "after `make up` the listener refuses every client certificate of before" in ca


def test_one_way_tls_and_other_listeners_are_told():
    found = existing(ca_fingerprint=None, other_listeners=("http:80",))
    left, others, ca = adoption.remarks(found, {})
    assert "CA certificate" not in left
    assert others == "Left alone: listeners http:80."
    assert "asks for no client certificate today" in ca


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


class Api:
    """The API of SLB with some listeners on one load balancer."""

    def __init__(self, *listeners):
        self.listeners = listeners
        self.asked = []

    def ask(self, action, **parameters):
        self.asked.append((action, parameters))
        if action == "DescribeLoadBalancerAttribute":
            ports = [
                SimpleNamespace(listener_protocol=protocol, listener_port=port)
                for protocol, port in self.listeners
            ]
            return SimpleNamespace(
                listener_ports_and_protocol=SimpleNamespace(listener_port_and_protocol=ports)
            )
        if action == "DescribeCACertificates":
            one = SimpleNamespace(fingerprint="AB:CD")
            return SimpleNamespace(cacertificates=SimpleNamespace(cacertificate=[one]))
        return SimpleNamespace(cacertificate_id="ca-1")


def test_the_only_https_listener_is_taken():
    found = adoption.look(Api(("http", 80), ("https", 443)), "lb-1", None)
    assert (found.port, found.ca_fingerprint) == (443, "abcd")
    assert found.other_listeners == ("http:80",)


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


def test_what_is_imported_is_named_as_the_program_names_it():
    component, *children = adoption.resources("slb-mutual-tls-prod", existing())["resources"]
    assert component["component"] is True
    assert {child["logicalName"] for child in children} == {"slb-mutual-tls-prod"}
    assert {child["parent"] for child in children} == {component["name"]}
    assert [child["id"] for child in children] == ["lb-1", "lb-1", "lb-1:https:443"]
