"""Listeners, load balancer and backends: what can be said of them, and what contradicts itself."""

from __future__ import annotations

import pytest

from components.arguments.errors import SettingsError
from configuration.settings import Settings, parse
from tests.unit.test_brought_along import KEY, LEAF, PKCS8, certificate

FILE = "Pulumi.test.yaml"
INSERT = {"type": "insert", "cookie_timeout": 3600}
OFFICE = {"203.0.113.0/24": "office"}
MANY = [f"10.0.{number // 256}.{number % 256}" for number in range(301)]


def mistake(values: dict[str, object], **options: object) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(values, file=FILE, **options)
    return str(caught.value)


def taken(values: dict[str, object]) -> Settings:
    return parse(values, file=FILE, secret_keys=["listener"])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"listener": {"sticky_session": {"type": "insert"}}},
            "listener.sticky_session: type is insert, which needs cookie_timeout: set it, e.g. to "
            "3600 (seconds)",
        ),
        (
            {
                "listener": {
                    "domain_extensions": {"Bücher.example": {}, "xn--bcher-kva.example": {}}
                }
            },
            "listener.domain_extensions: Bücher.example and xn--bcher-kva.example are one DNS "
            "name: keep one of them",
        ),
        (
            {"certificate_authority": {"key_bits": "2048"}},
            "certificate_authority.key_bits: a whole number belongs here, and this is a text: "
            "write it without quotes",
        ),
        (
            {"listener": {"sticky_session": {"type": "server"}}},
            "listener.sticky_session: type is server, which needs cookie: set it, e.g. to "
            "JSESSIONID",
        ),
        (
            {"listener": {"sticky_session": {**INSERT, "cookie": "A"}}},
            "listener.sticky_session: type is insert, which takes no cookie: leave it out",
        ),
        (
            {"listener": {"sticky_session": {**INSERT, "type": "server", "cookie": "A"}}},
            "listener.sticky_session: type is server, which takes no cookie_timeout: leave it out",
        ),
        (
            {"listener": {"sticky_session": {**INSERT, "cookie_timeout": 86401}}},
            "listener.sticky_session.cookie_timeout: input should be less than or equal to 86400",
        ),
        (
            {"listener": {"acl": {"type": "white"}}},
            "listener.acl: entries and ids are both empty (an empty list would admit everybody): "
            "give entries for a new list, or ids of existing ones",
        ),
        (
            {"listener": {"acl": {"type": "white", "entries": OFFICE, "ids": ["acl-a"]}}},
            "listener.acl: entries and ids are both given: give entries for a new list, or ids of "
            "existing ones",
        ),
        (
            {"listener": {"acl": {"type": "grey", "entries": OFFICE}}},
            "listener.acl.type: 'grey' is not one of 'white' or 'black'",
        ),
        (
            {"listener": {"acl": {"type": "white", "entries": {"office": None}}}},
            "listener.acl.entries.office: this is no CIDR block: give one such as 203.0.113.0/24, "
            "or a single address",
        ),
        (
            {"listener": {"acl": {"type": "white", "entries": {"203.0.113.7/24": None}}}},
            'listener.acl.entries["203.0.113.7/24"]: the block of this address is 203.0.113.0/24: '
            "give that, or the address alone",
        ),
        (
            {"listener": {"acl": {"type": "white", "entries": {**OFFICE, "2001:db8::/32": ""}}}},
            "listener.acl: entries has IPv4 and IPv6 blocks, and an ACL holds one kind: give those "
            "of the load balancer's address_ip_version",
        ),
        (
            {"listener": {"acl": {"type": "white", "entries": dict.fromkeys(MANY)}}},
            "listener.acl.entries: 301 are given, and an ACL has at most 300: leave some out",
        ),
        (
            {"listener": {"acl": {"type": "white", "ids": [f"acl-{i}" for i in range(4)]}}},
            "listener.acl.ids: 4 are given, and a listener takes at most 3: leave some out",
        ),
        (
            {"listener": {"acl": {"type": "white", "entries": {"2001:db8::/32": None}}}},
            "listener.acl.entries has blocks of another IP version than the load balancer's "
            "(ipv4), which takes none of them: give blocks of ipv4",
        ),
        (
            {
                "load_balancer": {"address_ip_version": "ipv6"},
                "additional_listeners": {
                    "b": {"port": 8443, "acl": {"type": "white", "entries": OFFICE}}
                },
            },
            "additional_listeners.b.acl.entries has blocks of another IP version than the load "
            "balancer's (ipv6), which takes none of them: give blocks of ipv6",
        ),
        (
            {"listener": {"domain_extensions": {"not a domain": {}}}},
            "listener.domain_extensions.not a domain: 'not a domain' is no DNS name, such as "
            "www.example.com or *.example.com",
        ),
        (
            {"listener": {"domain_extensions": {f"{'a' * 60}.example.com": {}}}},
            f'listener.domain_extensions["{"a" * 60}.example.com"]: 72 characters do not fit into '
            "a certificate's common name: 64",
        ),
        (
            {"listener": {"domain_extensions": {f"{i}.example.com": {} for i in range(4)}}},
            "listener.domain_extensions: 4 are given, and a listener takes at most 3: leave some "
            "out",
        ),
        (
            {"listener": {"domain_extensions": {"a.example.com": {"validty": "3d"}}}},
            'listener.domain_extensions["a.example.com"].validty: there is no such key; did you '
            "mean validity?",
        ),
        (
            {"listener": {"domain_extensions": {"a.example.com": {"validity": "1000d"}}}},
            'listener.domain_extensions["a.example.com"] is valid longer than '
            "certificate_authority.renew_before (730d), so it could outlive the CA's certificate: "
            "shorten its validity, or renew the CA earlier",
        ),
        (
            {"listener": {"redirect_port": 443}},
            "listener.port and listener.redirect_port are both 443, and a port has one listener: "
            "give one of them another port",
        ),
        (
            {
                "listener": {"redirect_port": 80},
                "additional_listeners": {"a": {"port": 8443}, "b": {"port": 80}},
            },
            "listener.redirect_port and additional_listeners.b.port are both 80, and a port has "
            "one listener: give one of them another port",
        ),
        (
            {"additional_listeners": {"a/b": {"port": 8443}}},
            "additional_listeners.a/b: a listener's name becomes part of a resource's: 1 to 32 "
            "letters, digits, dashes or underscores, the first one a letter or digit",
        ),
        (
            {"additional_listeners": {"a": {}}},
            "additional_listeners.a.port: it is not set, and has no default: set it",
        ),
        (
            {
                "additional_listeners": {
                    "a": {"port": 8443, "backend_port": 80, "server_group_id": "rsp-1"}
                }
            },
            "additional_listeners.a: backend_port and server_group_id are both set, and a VServer "
            "group has its own ports: keep one",
        ),
        (
            {"additional_listeners": {"a": {"port": 8443, "redirect_port": 80}}},
            "additional_listeners.a.redirect_port: there is no such key; known: acl, backend_port, "
            "bandwidth, forwarded_headers, gzip, health_check, http2, idle_timeout, port, "
            "request_timeout, scheduler, server_group_id, sticky_session, tls_cipher_policy",
        ),
        (
            {"backends": {"weights": [100]}},
            "backends: weights has 1, and there are 2 backends: give one for each, in their order",
        ),
        (
            {"backends": {"instance_ids": ["i-a"], "weights": [100, 50]}},
            "backends: weights has 2, and there are 1 backends: give one for each, in their order",
        ),
        (
            {"backends": {"weights": [0, 0]}},
            "backends: weights are all 0: no backend would get a request; raise one of them",
        ),
        (
            {"backends": {"weights": [101, 0]}},
            "backends.weights[0]: input should be less than or equal to 100",
        ),
        (
            {"backends": {"weights": [100, 50]}},
            "backends.weights differ, and listener.scheduler rr does not weigh: set it to wrr",
        ),
        (
            {
                "load_balancer": {
                    "instance_charge_type": "PayBySpec",
                    "specification": "slb.s1.small",
                    "internet_charge_type": "PayByBandwidth",
                    "bandwidth": 100,
                },
                "listener": {"bandwidth": 60},
                "additional_listeners": {"a": {"port": 8443}},
            },
            "the listeners' bandwidth is 120 Mbit/s together, and load_balancer.bandwidth is 100: "
            "lower the former, or raise the latter",
        ),
        (
            {
                "load_balancer": {
                    "instance_charge_type": "PayBySpec",
                    "specification": "slb.lcu.elastic",
                }
            },
            "load_balancer.specification: slb.lcu.elastic is none of slb.s1.small, slb.s2.small, "
            "slb.s2.medium, slb.s3.small, slb.s3.medium, slb.s3.large, slb.s4.large: take one of "
            "these",
        ),
        (
            {"load_balancer": {"id": "lb-1", "name": "edge", "deletion_protection": True}},
            "load_balancer: id names an existing load balancer, which is left as it is: leave out "
            "deletion_protection, name, or id for a new one",
        ),
        (
            {"load_balancer": {"address_type": "intranet", "address_ip_version": "ipv6"}},
            "load_balancer: address_type is intranet, which takes an IPv4 address: leave "
            "address_ip_version out, or set address_type to internet",
        ),
        (
            {"load_balancer": {"slave_zone_id": "cn-hangzhou-h"}},
            "load_balancer: slave_zone_id is given without master_zone_id: set both",
        ),
        (
            {"load_balancer": {"master_zone_id": "cn-h", "slave_zone_id": "cn-h"}},
            "load_balancer: slave_zone_id is the master_zone_id: give another zone",
        ),
        (
            {"network": {"vswitch_ids": ["vsw-a"], "cidr_block": "10.0.0.0/16"}},
            "network: cidr_block is for new vSwitches, and vswitch_ids names existing ones: keep "
            "one",
        ),
        (
            {"network": {"vpc_id": "vpc-a"}},
            "network: vpc_id is given without vswitch_ids: name its vSwitches there, or give a "
            "free block of it as cidr_block, where new ones are made",
        ),
        (
            {"network": {"vswitch_ids": ["vsw-a", "vsw-a"]}},
            "network.vswitch_ids: vsw-a is given more than once: give each once",
        ),
        (
            {"network": {"vswitch_ids": ["vsw-a"]}, "backends": {"instance_ids": ["i-a"]}},
            "network.vpc_id and network.vswitch_ids are for new backends, and "
            "backends.instance_ids names existing ones, which stay where they are: leave the "
            "former out",
        ),
        (
            {"backends": {"security_group_id": "sg-a"}},
            "backends.security_group_id is of an existing VPC, and the backends are in a new one: "
            "set network.vpc_id or network.vswitch_ids to where the group is",
        ),
        (
            {"backends": {"security_group_id": "sg-a", "instance_ids": ["i-a"]}},
            "backends: security_group_id is for new instances, and instance_ids names existing "
            "ones, which keep theirs: leave security_group_id out",
        ),
        (
            {"listener": {"health_check": {"domain": "$_ip"}}},
            "listener.health_check.domain: this is no domain name of 1 to 80 letters, digits, dots "
            "and dashes: give one such as health.example.com, or leave the key out for the "
            "backend's address",
        ),
        (
            {"listener": {"sticky_session": {"type": "server", "cookie": "$Version"}}},
            "listener.sticky_session.cookie: the load balancer takes cookies named by 1 to 200 "
            "letters and digits, such as JSESSIONID: name one of these",
        ),
        (
            {"load_balancer": {"id": "slb-1"}},
            "load_balancer.id: this is no load balancer's id: it is lb- and small letters and "
            "digits, as the console shows it",
        ),
    ],
)
def test_what_does_not_go_together_gets_one_sentence(values, sentence):
    assert mistake(values) == f"{FILE}: {sentence}"


def test_a_key_of_an_additional_domain_in_the_clear_is_refused_and_not_repeated():
    pair = {"certificate": certificate(KEY, subject="shop.example"), "private_key": PKCS8}
    values = {"listener": {"domain_extensions": {"shop.example": pair}}}
    message = mistake(values)
    assert message == (
        f'{FILE}: listener.domain_extensions["shop.example"].private_key is a secret in the '
        "clear; give it by `pulumi config set --secret --path "
        "'slb-mutual-tls:listener.domain_extensions[\"shop.example\"].private_key'`"
    )
    extension = taken(values).listener.domain_extensions["shop.example"]
    assert extension.server("shop.example").domains == ("shop.example",)
    assert extension.server("shop.example").private_key.get_secret_value().startswith("-----BEGIN")


def test_half_a_pair_is_told_where_the_other_half_goes():
    extensions = {"shop.example": {"certificate": LEAF}}
    assert mistake({"listener": {"domain_extensions": extensions}}) == (
        f'{FILE}: listener.domain_extensions["shop.example"]: certificate and private_key belong '
        "together, and private_key is missing: `pulumi config set --secret --path "
        "'slb-mutual-tls:listener.domain_extensions[\"shop.example\"].private_key'` takes it from "
        "standard input"
    )


def test_names_and_blocks_are_taken_in_their_normal_form():
    listener = taken(
        {
            "listener": {
                "acl": {"type": "black", "entries": {"203.0.113.7": None}},
                "domain_extensions": {"WWW.Example.com": {}, "*.example.org": {}},
            }
        }
    ).listener
    assert listener.acl.entries == {"203.0.113.7/32": None}
    assert list(listener.domain_extensions) == ["www.example.com", "*.example.org"]


def test_an_additional_listener_has_what_the_main_one_has_unless_it_says_otherwise():
    settings = taken(
        {
            "listener": {
                "tls_cipher_policy": "tls_cipher_policy_1_2_strict",
                "idle_timeout": 30,
                "acl": {"type": "white", "entries": OFFICE},
            },
            "additional_listeners": {
                "a": {"port": 8443, "idle_timeout": 60},
                "b": {"port": 9443, "acl": None},
            },
        }
    )
    a, b = settings.completed_listeners().values()
    assert (a.idle_timeout, b.idle_timeout) == (60, 30)
    assert a.tls_cipher_policy == b.tls_cipher_policy == "tls_cipher_policy_1_2_strict"
    assert a.acl is settings.listener.acl
    assert b.acl is None


def test_a_drained_backend_needs_no_weighing_scheduler():
    assert taken({"backends": {"weights": [100, 0]}}).backends.weights == (100, 0)
    weighed = {"backends": {"weights": [100, 50]}, "listener": {"scheduler": "wrr"}}
    assert taken(weighed).backends.weights == (100, 50)


def test_shares_of_bandwidth_may_fill_it():
    values = {
        "load_balancer": {
            "instance_charge_type": "PayBySpec",
            "specification": "slb.s1.small",
            "internet_charge_type": "PayByBandwidth",
            "bandwidth": 100,
        },
        "listener": {"bandwidth": 60},
        "additional_listeners": {"a": {"port": 8443, "bandwidth": 40}},
    }
    assert taken(values).load_balancer.bandwidth == 100


def test_an_existing_load_balancers_ip_version_is_not_known_here():
    taken(
        {
            "load_balancer": {"id": "lb-1"},
            "listener": {"acl": {"type": "white", "entries": {"2001:db8::/32": None}}},
        }
    )


def test_renewal_names_additional_domains():
    extensions = {"a.example.com": {"validity": "90d", "renew_before": "20d"}}
    renewal = taken({"listener": {"domain_extensions": extensions}}).renewal()
    assert renewal["domain_extensions"] == {"a.example.com": "20d"}
