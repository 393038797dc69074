"""The tutorial's load balancer as the API tells of it."""

from __future__ import annotations

from types import SimpleNamespace

from operations.clb.existing import ObservedLoadBalancer


def several(name, items):
    """A list as the SDK's models have it."""
    return SimpleNamespace(**{name: [SimpleNamespace(**one) for one in items]})


def existing(*, instance=None, listener=None, weights=None, tags=None, domains=None, **rest):
    """The load balancer, with what a test has otherwise."""
    weights = {"i-a": 100, "i-b": 100} if weights is None else weights
    return ObservedLoadBalancer(
        instance=SimpleNamespace(
            **{
                "load_balancer_id": "lb-1",
                "load_balancer_name": "tutorial",
                "load_balancer_status": "active",
                "address_type": "internet",
                "address_ipversion": "ipv4",
                "pay_type": "PayOnDemand",
                "instance_charge_type": "PayByCLCU",
                "internet_charge_type": "paybytraffic",
                "load_balancer_spec": "slb.lcu.elastic",
                "bandwidth": 5120,
                "delete_protection": "off",
                "modification_protection_status": "NonProtection",
                "modification_protection_reason": "",
                "master_zone_id": "cn-hangzhou-i",
                "slave_zone_id": "cn-hangzhou-j",
                "resource_group_id": "rg-1",
                "v_switch_id": "",
                "tags": several(
                    "tag",
                    ({"tag_key": k, "tag_value": v} for k, v in (tags or {}).items()),
                ),
                "backend_servers": several(
                    "backend_server",
                    ({"server_id": k, "weight": v, "type": "ecs"} for k, v in weights.items()),
                ),
                **(instance or {}),
            }
        ),
        port=443,
        listener=SimpleNamespace(
            **{
                "status": "running",
                "description": "",
                "backend_server_port": 80,
                "scheduler": "rr",
                "bandwidth": -1,
                "idle_timeout": 15,
                "request_timeout": 60,
                "gzip": "on",
                "enable_http_2": "on",
                "tlscipher_policy": "tls_cipher_policy_1_2_strict_with_1_3",
                "sticky_session": "off",
                "acl_status": "off",
                "xforwarded_for_proto": "on",
                "xforwarded_for_slbid": "off",
                "xforwarded_for_slbip": "off",
                "health_check": "on",
                "health_check_uri": "/healthz",
                "health_check_method": "head",
                "health_check_http_code": "http_2xx",
                "health_check_domain": "",
                "health_check_connect_port": 80,
                "health_check_interval": 2,
                "health_check_timeout": 5,
                "healthy_threshold": 3,
                "unhealthy_threshold": 3,
                "vserver_group_id": "",
                "server_certificate_id": "server-1",
                "cacertificate_id": "ca-1",
                "rules": None,
                "domain_extensions": several(
                    "domain_extension",
                    ({"domain": k, "domain_extension_id": v} for k, v in (domains or {}).items()),
                ),
                **(listener or {}),
            }
        ),
        **{"ca_fingerprint": "00" * 20, "redirect_port": None, "other_listeners": (), **rest},
    )


def configured(**sections):
    return {f"slb-mutual-tls:{name}": value for name, value in sections.items()}
