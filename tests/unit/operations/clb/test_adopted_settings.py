from __future__ import annotations

from types import SimpleNamespace

import pytest

from operations.clb import adoption
from operations.errors import OperationError
from tests.unit.operations.clb.existing import configured, existing


def configuration(found, config):
    """What is written."""
    return adoption.adopt_settings(found, config)[0]


IDS = {
    "slb-mutual-tls:backends.instance_ids[0]": "i-a",
    "slb-mutual-tls:backends.instance_ids[1]": "i-b",
}


def test_only_what_differs_from_the_defaults_is_written():
    assert configuration(existing(), {}) == {
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
            "health_check_connect_port": 8080,
            "scheduler": "wrr",
            "idle_timeout": 30,
            "gzip": "off",
            "health_check_uri": "/alive",
        },
    )
    assert configuration(found, {}) == {
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
    assert configuration(existing(), config) == {}


def test_weights_are_in_the_order_of_the_instances():
    found = existing(weights={"i-a": 100, "i-b": 20}, listener={"scheduler": "wrr"})
    written = configuration(found, {})
    assert weights(written) == [100, 20]
    turned = configuration(found, configured(backends={"instance_ids": ["i-b", "i-a"]}))
    assert weights(turned) == [20, 100]
    own = configured(backends={"weights": [50, 50]})
    assert weights(configuration(found, own)) == []


def weights(written):
    return [value for key, value in written.items() if ":backends.weights[" in key]


@pytest.mark.parametrize(
    ("listener", "written"),
    [
        (
            {
                "sticky_session": "on",
                "sticky_session_type": "insert",
                "cookie_timeout": 60,
                "cookie": "",
            },
            {"sticky_session.type": "insert", "sticky_session.cookie_timeout": 60},
        ),
        (
            {
                "sticky_session": "on",
                "sticky_session_type": "server",
                "cookie_timeout": 60,
                "cookie": "SESSION",
            },
            {"sticky_session.type": "server", "sticky_session.cookie": "SESSION"},
        ),
        (
            {
                "acl_status": "on",
                "acl_type": "black",
                "acl_id": "acl-a,acl-b",
                "acl_ids": SimpleNamespace(acl_id=["acl-a", "acl-b"]),
            },
            {"acl.type": "black", "acl.ids[0]": "acl-a", "acl.ids[1]": "acl-b"},
        ),
        (
            {"acl_status": "on", "acl_type": "white", "acl_id": "acl-a", "acl_ids": None},
            {"acl.type": "white", "acl.ids[0]": "acl-a"},
        ),
        (
            {
                "xforwarded_for_proto": "off",
                "xforwarded_for_slbid": "on",
                "xforwarded_for_slbip": "on",
            },
            {
                "forwarded_headers.proto": False,
                "forwarded_headers.slb_id": True,
                "forwarded_headers.slb_ip": True,
            },
        ),
        ({"enable_http_2": "off"}, {"http2": False}),
        (
            {"tlscipher_policy": "tls_cipher_policy_1_2_strict"},
            {"tls_cipher_policy": "tls_cipher_policy_1_2_strict"},
        ),
        ({"tlscipher_policy": "tls_cipher_policy_1_0"}, {}),
        (
            {"health_check_http_code": "http_2xx,http_4xx"},
            {
                "health_check.http_codes[0]": "http_2xx",
                "health_check.http_codes[1]": "http_4xx",
            },
        ),
        (
            {"health_check_domain": "a.example", "health_check_connect_port": 8081},
            {"health_check.domain": "a.example", "health_check.port": 8081},
        ),
        ({"health_check_connect_port": -520}, {}),
        ({"health_check": "off", "health_check_uri": None}, {"health_check.enabled": False}),
    ],
)
def test_the_listener_s_settings_are_written(listener, written):
    found = configuration(existing(listener=listener), {})
    prefix = "slb-mutual-tls:listener."
    assert {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)} == written


@pytest.mark.parametrize(
    ("instance", "written"),
    [
        ({"address_ipversion": "ipv6"}, {"address_ip_version": "ipv6"}),
        (
            {"address_type": "intranet", "v_switch_id": "vsw-1"},
            {"address_type": "intranet", "vswitch_id": "vsw-1"},
        ),
        (
            {
                "modification_protection_status": "ConsoleProtection",
                "modification_protection_reason": "used",
            },
            {"modification_protection": True},
        ),
    ],
    ids=["IPv6", "intranet", "protection"],
)
def test_the_instance_s_settings_are_written(instance, written):
    found = configuration(existing(instance=instance), {})
    prefix = "slb-mutual-tls:load_balancer."
    assert {
        k.removeprefix(prefix): v
        for k, v in found.items()
        if k.startswith(prefix) and not k.endswith(".name")
    } == written


def test_what_is_one_thing_is_written_as_a_whole_or_not_at_all():
    found = existing(
        listener={
            "sticky_session": "on",
            "sticky_session_type": "insert",
            "cookie_timeout": 60,
            "acl_status": "on",
            "acl_type": "white",
            "acl_id": "acl-a",
            "acl_ids": None,
        }
    )
    config = configured(
        listener={"acl": None, "sticky_session": {"type": "server", "cookie": "SESSION"}}
    )
    assert not [key for key in configuration(found, config) if ":listener." in key]


def test_tags_are_written_whatever_is_in_their_keys():
    found = existing(tags={"cost.centre": "4711", 'a"b': "c", "owner": "x", "acs:rm": "y"})
    written = configuration(found, configured(tags={"owner": "platform"}))
    assert {key: value for key, value in written.items() if ":tags" in key} == {
        'slb-mutual-tls:tags["cost.centre"]': "4711",
        'slb-mutual-tls:tags["a\\"b"]': "c",
    }


def test_a_redirect_is_written_unless_another_is_configured():
    found = existing(redirect_port=80)
    assert configuration(found, {})["slb-mutual-tls:listener.redirect_port"] == 80
    other = configuration(found, configured(listener={"redirect_port": 8080}))
    assert "slb-mutual-tls:listener.redirect_port" not in other


def test_certificates_for_additional_domains_have_to_be_configured():
    found = existing(domains={"api.example.com": "de-1"})
    with pytest.raises(OperationError, match=r"as .*api\.example\.com.* from the private CA"):
        configuration(found, {})
    secret = {"certificate": "PEM", "private_key": {"secure": "v1:…"}}
    _, settings = adoption.adopt_settings(
        found, configured(listener={"domain_extensions": {"api.example.com": secret}})
    )
    assert list(settings.listener.domain_extensions) == ["api.example.com"]


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
        (
            configured(load_balancer={"address_ip_version": "ipv6"}),
            "address_ip_version is configured as ipv6, and it is ipv4 there",
        ),
        (
            configured(load_balancer={"master_zone_id": "cn-hangzhou-g"}),
            "master_zone_id is configured as cn-hangzhou-g, and it is cn-hangzhou-i there",
        ),
        (
            configured(
                load_balancer={"instance_charge_type": "PayBySpec", "specification": "slb.s1.small"}
            ),
            "PayByCLCU there, from which there is no way back",
        ),
        (configured(listener={"redirect_port": 8080}), r"has a listener already \(http:8080\)"),
        (
            configured(additional_listeners={"partners": {"port": 8080}}),
            "additional_listeners.partners.port is configured as 8080",
        ),
    ],
    ids=[
        "port",
        "backend port",
        "address type",
        "backends",
        "unmanaged",
        "IP version",
        "zone",
        "way back",
        "port of the redirect",
        "port of an additional listener",
    ],
)
def test_what_could_only_be_had_by_replacing_it_is_refused(config, sentence):
    with pytest.raises(OperationError, match=sentence):
        configuration(existing(other_listeners=("http:8080",)), config)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (existing(listener={"health_check_uri": "/"}), "listener.health_check.uri"),
        (existing(listener={"scheduler": "wlc"}), "listener.scheduler"),
        (existing(listener={"health_check_domain": "$_ip"}), "listener.health_check.domain"),
        (existing(listener={"bandwidth": 2000}), "bandwidth is 2000"),
        (existing(weights={"i-a": 100, "i-b": 20}), "listener.scheduler rr does not weigh"),
    ],
    ids=["health check", "scheduler", "domain of the check", "bandwidth", "weights in turn"],
)
def test_what_the_configuration_cannot_say_is_refused(found, sentence):
    with pytest.raises(OperationError, match=sentence):
        configuration(found, {})
