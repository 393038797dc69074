"""HTTP listeners: those that forward and those that redirect."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.products import SLB
from tests.unit.localcloud.listener_site import ListenerSite

REDIRECT = {"ListenerForward": "on", "ForwardPort": 443, "BackendServerPort": 80}


def create(site: ListenerSite, **parameters: Any) -> None:
    site.call("CreateLoadBalancerHTTPListener", **{"ListenerPort": 80, **parameters})


def describe(site: ListenerSite) -> dict[str, Any]:
    return site.call("DescribeLoadBalancerHTTPListenerAttribute", ListenerPort=80)


def test_an_http_listener_forwards_like_an_https_one(site: ListenerSite) -> None:
    create(site, BackendServerPort=8080, Scheduler="rr")
    assert (describe(site)["Status"], describe(site)["Scheduler"]) == ("stopped", "rr")
    site.call("StartLoadBalancerListener", ListenerPort=80, ListenerProtocol="http")
    site.call("SetLoadBalancerHTTPListenerAttribute", ListenerPort=80, Gzip="off", IdleTimeout=9)
    [served] = site.served
    assert served.key == (site.balancer, "http", 80)
    assert (served.scheduler, served.gzip, served.idle_timeout) == ("rr", False, 9)
    assert served.server_certificate is None
    assert [one.server_id for one in served.backends] == [site.instance]
    assert not {"ServerCertificateId", "CACertificateId", "EnableHttp2"} & describe(site).keys()


def test_a_redirect_has_no_backends_and_shows_nothing_but_where_it_leads(
    site: ListenerSite,
) -> None:
    site.create()
    create(site, **REDIRECT, HealthCheck="off", StickySession="off", Scheduler="wrr")
    site.call("StartLoadBalancerListener", ListenerPort=80)
    [served] = site.served
    assert (served.forward_port, served.backends) == (443, ())
    shown = describe(site)
    assert (shown["ListenerForward"], shown["ForwardPort"]) == ("on", 443)
    # The provider replaces a listener whose backend_port it did not ask for.
    assert not {"BackendServerPort", "Bandwidth", "HealthCheck", "Gzip"} & shown.keys()
    found = site.account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=site.balancer)
    assert found["ListenerPortsAndProtocol"]["ListenerPortAndProtocol"] == [
        {
            "ListenerPort": 443,
            "ListenerProtocol": "https",
            "ListenerForward": "off",
            "ForwardPort": 0,
            "Description": "",
        },
        {
            "ListenerPort": 80,
            "ListenerProtocol": "http",
            "ListenerForward": "on",
            "ForwardPort": 443,
            "Description": "",
        },
    ]
    health = site.account.slb("DescribeHealthStatus", LoadBalancerId=site.balancer)
    ports = {one["ListenerPort"] for one in health["BackendServers"]["BackendServer"]}
    assert ports == {443}


def test_a_redirect_does_not_change(site: ListenerSite) -> None:
    site.create()
    create(site, **REDIRECT)
    error = site.account.refusal(
        SLB,
        "SetLoadBalancerHTTPListenerAttribute",
        LoadBalancerId=site.balancer,
        ListenerPort=80,
        IdleTimeout=20,
    )
    assert (error.status, error.code) == (400, "Operation.NotAllowed")


def test_a_redirect_takes_the_parameter_without_a_name_that_the_provider_sends(
    site: ListenerSite,
) -> None:
    site.create()
    create(site, **{"ListenerForward": "on", "ForwardPort": 443, "": 80})
    assert describe(site)["ForwardPort"] == 443


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"ListenerForward": "on"}, "MissingParameter"),
        ({"ListenerForward": "on", "ForwardPort": 8443}, "InvalidParameter"),
        ({"ListenerForward": "on", "ForwardPort": 81}, "InvalidParameter"),
        ({"ListenerForward": "on", "ForwardPort": 0}, "InvalidParameter"),
        ({}, "MissingParameter"),
        ({"BackendServerPort": 8080, "EnableHttp2": "on"}, "UnsupportedParameter"),
        ({"BackendServerPort": 8080, "ListenerPort": 443}, "ListenerAlreadyExists"),
    ],
)
def test_http_listeners_that_cannot_be(
    site: ListenerSite, parameters: dict[str, Any], code: str
) -> None:
    site.create()
    create(site, ListenerPort=81, BackendServerPort=8080)
    given = {"ListenerPort": 80, **parameters}
    assert site.refusal("CreateLoadBalancerHTTPListener", **given) == (400, code)


def test_a_protocol_has_its_own_listeners(site: ListenerSite) -> None:
    site.create()
    create(site, BackendServerPort=8080)
    of = {"ListenerPort": 80, "ListenerProtocol": "https"}
    assert site.refusal("StartLoadBalancerListener", **of) == (404, "ListenerNotFound")
    for action in ("Describe", "Set"):
        for protocol, port in (("HTTP", 443), ("HTTPS", 80)):
            name = f"{action}LoadBalancer{protocol}ListenerAttribute"
            assert site.refusal(name, ListenerPort=port) == (404, "ListenerNotFound")
    site.call("DeleteLoadBalancerListener", ListenerPort=80)
    assert site.describe()["ListenerPort"] == 443
