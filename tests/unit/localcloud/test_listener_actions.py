"""HTTPS listeners: born stopped, and what the data plane is told of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.dataplane.model import (
    BackendSpec,
    DataPlaneError,
    HealthCheck,
    SocketAddress,
    StickySession,
)
from localcloud.documents import Listener
from localcloud.products import SLB
from tests.unit.localcloud.certificates import certificate, rsa_key
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.listener_site import CERTIFICATE, KEY, ListenerSite, upload


def test_a_listener_is_born_stopped_and_serves_once_started(site: ListenerSite) -> None:
    site.create()
    assert site.describe()["Status"] == "stopped"
    assert site.served == []
    site.call("StartLoadBalancerListener", ListenerProtocol="https")
    assert site.describe()["Status"] == "running"
    assert [one.key for one in site.served] == [(site.balancer, "https", 443)]
    site.call("StopLoadBalancerListener")
    assert site.describe()["Status"] == "stopped"
    assert site.served == []
    site.call("StartLoadBalancerListener")
    site.call("DeleteLoadBalancerListener")
    assert site.served == []
    found = site.account.refusal(
        SLB,
        "DescribeLoadBalancerHTTPSListenerAttribute",
        LoadBalancerId=site.balancer,
        ListenerPort=443,
    )
    assert (found.status, found.code) == (404, "ListenerNotFound")
    # The provider looks for this sentence to know that a listener is gone.
    assert "The specified resource does not exist" in found.message


def test_the_data_plane_gets_all_of_a_listener(site: ListenerSite) -> None:
    site.create(
        CACertificateId=site.ca_certificate,
        HealthCheck="on",
        HealthCheckURI="/healthz",
        HealthCheckMethod="get",
        HealthCheckDomain="app.example.com",
        HealthCheckHttpCode="http_2xx,http_3xx",
        HealthCheckInterval=4,
        HealthCheckTimeout=6,
        HealthyThreshold=2,
        UnhealthyThreshold=5,
        IdleTimeout=20,
        RequestTimeout=70,
        Scheduler="rr",
    )
    site.call("StartLoadBalancerListener")
    site.set(
        TLSCipherPolicy="tls_cipher_policy_1_2",
        EnableHttp2="off",
        Gzip="off",
        XForwardedFor_proto="on",
        XForwardedFor_SLBID="on",
    )
    [listener] = site.served
    host = site.account.plane.instances[site.instance].host
    assert listener.address == "127.88.0.1"
    assert listener.port == 443
    assert listener.backends == (BackendSpec(site.instance, SocketAddress(host, 8080), 30),)
    assert listener.health_check == HealthCheck(
        uri="/healthz",
        method="get",
        domain="app.example.com",
        http_codes=("http_2xx", "http_3xx"),
        interval=4,
        timeout=6,
        healthy_threshold=2,
        unhealthy_threshold=5,
    )
    assert (listener.idle_timeout, listener.request_timeout) == (20, 70)
    assert listener.scheduler == "rr"
    assert listener.tls_cipher_policy == "tls_cipher_policy_1_2"
    assert (listener.http2, listener.gzip) == (False, False)
    forwarded = listener.forwarded
    assert (forwarded.proto, forwarded.slb_id, forwarded.slb_ip) == (True, True, False)
    assert listener.server_certificate == f"{CERTIFICATE.strip()}\n{KEY.strip()}\n"
    assert listener.ca_certificate == CERTIFICATE


def test_mutual_tls_is_turned_off_and_on_by_the_ca_certificate(site: ListenerSite) -> None:
    site.create(CACertificateId=site.ca_certificate)
    site.call("StartLoadBalancerListener")
    site.set(CACertificateId="")
    assert site.describe()["CACertificateId"] == ""
    assert site.served[0].ca_certificate is None
    site.set(CACertificateId=site.ca_certificate)
    assert site.served[0].ca_certificate == CERTIFICATE


def test_set_keeps_what_it_is_not_given(site: ListenerSite) -> None:
    site.create(CACertificateId=site.ca_certificate, HealthCheckURI="/healthz", Description="d")
    before = site.describe()
    site.set(IdleTimeout=30)
    assert site.describe() == {**before, "IdleTimeout": 30}


def test_health_checks_off_hide_their_attributes(site: ListenerSite) -> None:
    site.create(HealthCheck="off")
    found = site.describe()
    assert found["HealthCheck"] == "off"
    assert [name for name in found if "ealthy" in name or "HealthCheckU" in name] == []
    site.call("StartLoadBalancerListener")
    assert site.served[0].health_check is None
    health = site.call("DescribeHealthStatus")["BackendServers"]["BackendServer"]
    assert [one["ServerHealthStatus"] for one in health] == ["unavailable"]


def test_health_is_what_the_data_plane_measures_while_the_listener_runs(site: ListenerSite) -> None:
    site.create()

    def health(**parameters: Any) -> list[tuple[str, str]]:
        found = site.account.slb(
            "DescribeHealthStatus", LoadBalancerId=site.balancer, **parameters
        )["BackendServers"]["BackendServer"]
        return [(one["ServerId"], one["ServerHealthStatus"]) for one in found]

    assert health() == [(site.instance, "unavailable")]
    site.call("StartLoadBalancerListener")
    assert health() == health(ListenerPort=443) == [(site.instance, "normal")]
    assert health(ListenerPort=444) == []
    assert health(ListenerProtocol="http") == []


def test_the_health_check_s_port_is_the_backend_s_unless_told_otherwise(site: ListenerSite) -> None:
    site.create()
    site.call("StartLoadBalancerListener")
    assert site.describe()["HealthCheckConnectPort"] == 8080
    assert site.served[0].backends[0].checked_port is None
    site.set(HealthCheckConnectPort=9090)
    assert site.describe()["HealthCheckConnectPort"] == 9090
    assert site.served[0].backends[0].checked_port == 9090
    site.set(HealthCheckConnectPort=-520)
    assert site.describe()["HealthCheckConnectPort"] == -520
    assert site.served[0].backends[0].checked_port is None


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"BackendServerPort": 0}, 400, "InvalidParameter"),
        ({"ListenerPort": 65536}, 400, "InvalidParameter"),
        ({"ServerCertificateId": "none"}, 404, "ServerCertificateId.NotFound"),
        ({"CACertificateId": "none"}, 404, "CACertificateId.NotFound"),
        ({"Bandwidth": 0}, 400, "InvalidParameter"),
        ({"Bandwidth": 5121}, 400, "InvalidParameter"),
        ({"Scheduler": "sch"}, 400, "InvalidParameter"),
        ({"IdleTimeout": 61}, 400, "InvalidParameter"),
        ({"RequestTimeout": 181}, 400, "InvalidParameter"),
        ({"HealthCheckURI": "healthz"}, 400, "InvalidParameter"),
        ({"HealthCheckURI": "/a\nb"}, 400, "InvalidParameter"),
        ({"HealthCheckURI": "/ok\n"}, 400, "InvalidParameter"),
        ({"HealthCheckDomain": "a b"}, 400, "InvalidParameter"),
        ({"HealthCheckDomain": "a\n"}, 400, "InvalidParameter"),
        ({"HealthCheckHttpCode": "200"}, 400, "InvalidParameter"),
        ({"HealthCheckInterval": 51}, 400, "InvalidParameter"),
        ({"HealthyThreshold": 1}, 400, "InvalidParameter"),
        ({"TLSCipherPolicy": "tls_cipher_policy_1_3"}, 400, "InvalidParameter"),
        ({"Description": "a" * 257}, 400, "InvalidParameter"),
        ({"XForwardedFor": "off"}, 400, "NotEmulated"),
        ({"StickySession": "on"}, 400, "MissingParameter"),
        ({"StickySession": "on", "StickySessionType": "insert"}, 400, "MissingParameter"),
        ({"StickySession": "on", "StickySessionType": "server"}, 400, "MissingParameter"),
        ({"StickySessionType": "ip"}, 400, "InvalidParameter"),
        ({"CookieTimeout": 0}, 400, "InvalidParameter"),
        ({"CookieTimeout": 86401}, 400, "InvalidParameter"),
        ({"Cookie": "$a"}, 400, "InvalidParameter"),
        ({"Cookie": "a b"}, 400, "InvalidParameter"),
        ({"Cookie": "a" * 201}, 400, "InvalidParameter"),
        ({"AclStatus": "on"}, 400, "MissingParameter"),
        ({"AclStatus": "on", "AclId": "acl-1"}, 400, "MissingParameter"),
        ({"AclStatus": "on", "AclId": "acl-1", "AclType": "white"}, 404, "AclNotExist"),
        ({"VServerGroupId": "rsp-1"}, 404, "InvalidParameter"),
        ({"MasterSlaveServerGroupId": "rsp-1"}, 400, "NotEmulated"),
        ({"ProxyProtocolV2Enabled": "true"}, 400, "NotEmulated"),
        ({"ListenerForward": "on"}, 400, "UnsupportedParameter"),
        ({"HealthCheckConnectPort": 0}, 400, "InvalidParameter"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_listeners_that_cannot_be(site: ListenerSite, changes, status: int, code: str) -> None:
    given = {
        "BackendServerPort": 8080,
        "ServerCertificateId": site.server_certificate,
        **changes,
    }
    assert site.refusal("CreateLoadBalancerHTTPSListener", **given) == (status, code)
    assert site.account.store.all(Listener) == []
    if not {"ListenerPort", "BackendServerPort"} & set(changes):
        site.create()
        before = site.describe()
        assert site.refusal("SetLoadBalancerHTTPSListenerAttribute", **changes) == (status, code)
        assert site.describe() == before


def test_master_slave_server_groups_stay_off(site: ListenerSite) -> None:
    site.create()
    site.set(MasterSlaveServerGroup="off")
    refused = site.refusal("SetLoadBalancerHTTPSListenerAttribute", MasterSlaveServerGroup="on")
    assert refused == (400, "NotEmulated")


def test_sessions_stick_by_a_cookie_of_the_load_balancer_s_or_the_backend_s(
    site: ListenerSite,
) -> None:
    site.create(StickySession="on", StickySessionType="insert", CookieTimeout=600)
    site.call("StartLoadBalancerListener")
    assert site.served[0].sticky_session == StickySession("SERVERID", 600)
    site.set(StickySessionType="server", Cookie="app-session")
    assert site.served[0].sticky_session == StickySession("app-session")
    described = site.describe()
    assert (described["StickySessionType"], described["Cookie"]) == ("server", "app-session")
    assert "CookieTimeout" not in described
    site.set(StickySession="off")
    assert site.served[0].sticky_session is None
    assert not {"StickySessionType", "CookieTimeout", "Cookie"} & site.describe().keys()


def test_listeners_share_certificates_and_check_clients_each_for_itself(site: ListenerSite) -> None:
    site.create(CACertificateId=site.ca_certificate)
    site.create(ListenerPort=8443)
    other = site.account.slb("UploadCACertificate", CACertificate=certificate(rsa_key(2048, 1)))
    site.create(ListenerPort=9443, CACertificateId=other["CACertificateId"])
    for port in (443, 8443, 9443):
        site.call("StartLoadBalancerListener", ListenerPort=port)
    by_port = {one.port: one for one in site.served}
    assert len({one.server_certificate for one in by_port.values()}) == 1
    assert by_port[443].ca_certificate == CERTIFICATE
    assert by_port[8443].ca_certificate is None
    assert by_port[9443].ca_certificate not in {None, CERTIFICATE}


def test_a_listener_needs_a_certificate_and_a_backend_port(site: ListenerSite) -> None:
    for name in ("BackendServerPort", "ServerCertificateId"):
        given = {"BackendServerPort": 8080, "ServerCertificateId": site.server_certificate}
        del given[name]
        error = site.account.refusal(
            SLB,
            "CreateLoadBalancerHTTPSListener",
            LoadBalancerId=site.balancer,
            ListenerPort=443,
            **given,
        )
        assert error.code == "MissingParameter"
        assert name in error.message


def test_a_port_has_one_listener(site: ListenerSite) -> None:
    site.create()
    given = {"BackendServerPort": 8080, "ServerCertificateId": site.server_certificate}
    assert site.refusal("CreateLoadBalancerHTTPSListener", **given) == (
        400,
        "ListenerAlreadyExists",
    )
    site.create(ListenerPort=8443)
    found = site.account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=site.balancer)
    assert found["ListenerPorts"]["ListenerPort"] == [443, 8443]


def test_the_backend_port_does_not_change(site: ListenerSite) -> None:
    site.create()
    site.set(BackendServerPort=8080)
    refused = site.refusal("SetLoadBalancerHTTPSListenerAttribute", BackendServerPort=8081)
    assert refused == (400, "InvalidParameter")


@pytest.mark.parametrize(
    "action",
    [
        "SetLoadBalancerHTTPSListenerAttribute",
        "DescribeLoadBalancerHTTPSListenerAttribute",
        "StartLoadBalancerListener",
        "StopLoadBalancerListener",
        "DeleteLoadBalancerListener",
    ],
)
def test_a_listener_that_is_not_there_is_not_found(site: ListenerSite, action: str) -> None:
    assert site.refusal(action) == (404, "ListenerNotFound")


def test_certificates_in_use_stay(site: ListenerSite) -> None:
    site.create(CACertificateId=site.ca_certificate)
    server = {"ServerCertificateId": site.server_certificate}
    authority = {"CACertificateId": site.ca_certificate}
    refused = site.account.refusal(SLB, "DeleteServerCertificate", **server)
    assert (refused.status, refused.code) == (400, "CertificateAndPrivateKeyIsRefered")
    refused = site.account.refusal(SLB, "DeleteCACertificate", **authority)
    assert (refused.status, refused.code) == (400, "CACertificateIsRefered")
    site.set(ServerCertificateId=upload(site.account), CACertificateId="")
    site.account.slb("DeleteServerCertificate", **server)
    site.account.slb("DeleteCACertificate", **authority)


def test_a_certificate_of_another_region_is_not_found(site: ListenerSite) -> None:
    elsewhere = upload(site.account, RegionId="cn-beijing")
    given = {"BackendServerPort": 8080, "ServerCertificateId": elsewhere}
    assert site.refusal("CreateLoadBalancerHTTPSListener", **given) == (
        404,
        "ServerCertificateId.NotFound",
    )


def test_a_deleted_load_balancer_takes_its_listeners_along(site: ListenerSite) -> None:
    site.create()
    site.call("StartLoadBalancerListener")
    site.account.slb("DeleteLoadBalancer", LoadBalancerId=site.balancer)
    assert site.served == []
    assert site.account.store.all(Listener) == []
    site.account.slb("DeleteServerCertificate", ServerCertificateId=site.server_certificate)


def test_an_inactive_load_balancer_serves_nothing(site: ListenerSite) -> None:
    site.create()
    site.call("StartLoadBalancerListener")
    of = {"LoadBalancerId": site.balancer}
    site.account.slb("SetLoadBalancerStatus", **of, LoadBalancerStatus="inactive")
    assert site.served == []
    site.account.slb("SetLoadBalancerStatus", **of, LoadBalancerStatus="active")
    assert len(site.served) == 1


def test_weights_reach_the_data_plane_at_once(site: ListenerSite) -> None:
    site.create()
    site.call("StartLoadBalancerListener")
    site.account.slb(
        "SetBackendServers",
        LoadBalancerId=site.balancer,
        BackendServers=json.dumps([{"ServerId": site.instance, "Weight": 0}]),
    )
    assert [one.weight for one in site.served[0].backends] == [0]


def test_a_failing_data_plane_leaves_everything_as_it_was(site: ListenerSite) -> None:
    site.create()
    site.call("StartLoadBalancerListener")
    before = site.describe()
    served = dict(site.account.plane.served)
    site.account.plane.fail_at("apply_listeners")
    with pytest.raises(DataPlaneError):
        site.set(IdleTimeout=30)
    assert site.describe() == before
    assert site.account.plane.served == served


def test_a_data_plane_that_is_ahead_is_brought_back(site: ListenerSite) -> None:
    site.create()
    site.call("StartLoadBalancerListener")
    served = dict(site.account.plane.served)
    site.account.plane.fail_at("stop_instance")
    with pytest.raises(DataPlaneError):
        site.account.ecs("DeleteInstance", InstanceId=site.instance, Force="true")
    assert site.account.plane.served == served
    assert site.account.ecs("DescribeInstances")["TotalCount"] == 1


def test_a_data_plane_that_fails_for_good_does_not_hide_why_an_action_failed(
    site: ListenerSite,
) -> None:
    site.account.plane.fail_at("apply_listeners", forever=True)
    assert site.refusal("StartLoadBalancerListener") == (404, "ListenerNotFound")


def test_all_comes_back_after_a_restart(site: ListenerSite) -> None:
    other = site.account.make_instance()
    site.account.slb(
        "AddBackendServers",
        LoadBalancerId=site.balancer,
        BackendServers=json.dumps([{"ServerId": other}]),
    )
    site.create(CACertificateId=site.ca_certificate)
    site.call("StartLoadBalancerListener")
    site.create(ListenerPort=8443)
    host = site.account.plane.instances[other].host
    site.account.ecs("StopInstance", InstanceId=other)
    [before] = site.served
    again = Account(site.account.store)
    again.cloud.restore()
    assert list(again.plane.instances) == [site.instance]
    assert again.plane.served == {before.key: before}
    assert before.backends[1].socket == SocketAddress(host, 8080)


def test_reset_leaves_nothing(site: ListenerSite) -> None:
    site.create()
    site.call("StartLoadBalancerListener")
    site.account.cloud.reset()
    assert not any(site.account.store.everything().values())
    assert site.served == []
    assert site.account.plane.instances == {}
