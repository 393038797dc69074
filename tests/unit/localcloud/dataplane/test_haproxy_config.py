from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from localcloud.dataplane.haproxy_config import Paths, TlsFiles, render
from localcloud.dataplane.model import (
    BackendSpec,
    DataPlaneError,
    ForwardedHeaders,
    HealthCheck,
    ListenerSpec,
    SocketAddress,
)

PATHS = Paths(
    Path("/home/a b/stats.sock"),
    Path("/home/a b/state"),
    Path("/home/a b/502.http"),
    Path("/home/a b"),
    Path("/home/a b/ticket-keys"),
)
TLS = TlsFiles(Path("/home/a b/server.pem"), Path("/home/a b/ca.pem"))
LISTENER = ListenerSpec(
    load_balancer_id="lb-1",
    address="127.7.0.1",
    port=443,
    protocol="https",
    backends=(
        BackendSpec("i-b", SocketAddress("127.7.1.2", 8080), 30),
        BackendSpec("i-a", SocketAddress("127.7.1.1", 8080), 70),
    ),
    server_certificate="PEM",
    ca_certificate="PEM",
)


def rendered(listener=LISTENER, *, tls=TLS, otherwise=(), **changes):
    listener = replace(listener, **changes)
    sockets = {listener.key: SocketAddress(listener.address, 8443)}
    files = {listener.key: tls} if listener.protocol == "https" and tls else {}
    text = render([listener], sockets, files, PATHS, otherwise=otherwise)
    return [line.strip() for line in text.splitlines()]


def line(lines, start):
    (found,) = [one for one in lines if one.startswith(start)]
    return found


def test_the_global_part_is_as_written_here():
    text = "\n".join(rendered())
    assert text.startswith(
        "global\n"
        "stats socket '/home/a b/stats.sock' mode 600 level operator\n"
        "server-state-file '/home/a b/state'\n"
    )
    for wanted in (
        "nbthread 1",
        "tune.ssl.cachesize 0",
        "ssl-default-bind-options no-tls-tickets",
        "hard-stop-after 65s",
        "errorfile 503 '/home/a b/502.http'",
    ):
        assert f"\n{wanted}\n" in text


def test_a_mutual_tls_listener_binds_with_its_policy_and_ca():
    assert line(rendered(tls_cipher_policy="tls_cipher_policy_1_2_strict"), "bind ") == (
        "bind 127.7.0.1:8443 ssl crt '/home/a b/server.pem' alpn h2,http/1.1"
        " ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2"
        " ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
        "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:"
        "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=2"
        " verify optional ca-file '/home/a b/ca.pem' crt-ignore-err all ca-ignore-err all"
    )


def test_certificate_rules_come_before_every_other_rule():
    rules = [one for one in rendered() if one.startswith("http-request")]
    assert rules[0].endswith("unless { ssl_c_used }")
    assert rules[1].endswith("unless { ssl_c_verify 0 }")
    assert "return status 405" in rules[2]


def test_strict_requires_the_certificate_and_forgives_nothing():
    bind = line(rendered(otherwise={"no_certificate"}), "bind ")
    assert "verify required ca-file '/home/a b/ca.pem'" in bind
    assert "ignore-err" not in bind


def test_without_a_client_ca_nothing_is_asked_of_clients():
    text = "\n".join(rendered(tls=TlsFiles(TLS.server_certificate, None)))
    assert "verify" not in text
    assert "ssl_c_used" not in text


def test_old_protocols_get_the_security_level_that_openssl_needs():
    assert ":@SECLEVEL=0 " in line(rendered(tls_cipher_policy="tls_cipher_policy_1_1"), "bind ")
    assert ":@SECLEVEL=2 " in line(rendered(tls_cipher_policy="tls_cipher_policy_1_2"), "bind ")


def test_a_plain_listener_has_no_tls():
    assert line(rendered(protocol="http"), "bind ") == "bind 127.7.0.1:8443"


@pytest.mark.parametrize(
    ("scheduler", "algorithm", "weights"),
    [
        ("rr", "roundrobin", [100, 100]),
        ("wrr", "roundrobin", [70, 30]),
        ("wlc", "leastconn", [70, 30]),
    ],
)
def test_schedulers_map_to_algorithm_and_weights(scheduler, algorithm, weights):
    lines = rendered(scheduler=scheduler)
    assert f"balance {algorithm}" in lines
    assert [one for one in lines if one.startswith("server ")] == [
        f"server i-a:127.7.1.1:8080 127.7.1.1:8080 weight {weights[0]}",
        f"server i-b:127.7.1.2:8080 127.7.1.2:8080 weight {weights[1]}",
    ]


def test_a_weight_of_zero_stays_zero_in_plain_round_robin():
    lines = rendered(backends=(BackendSpec("i-a", SocketAddress("127.7.1.1", 80), 0),))
    assert line(lines, "server ").endswith("weight 0")


def test_a_health_check_has_all_of_its_settings():
    check = HealthCheck("/up?a=%20'b", "get", "app.example", ("http_3xx", "http_2xx"), 5, 3, 4, 6)
    lines = rendered(health_check=check)
    assert (
        "http-check send meth GET uri '/up?a=%20'\\''b' ver HTTP/1.0 hdr Host app.example" in lines
    )
    assert "http-check expect rstatus ^[23][0-9][0-9]" in lines
    assert "timeout check 5s" in lines
    assert "default-server inter 5s rise 4 fall 6" in lines
    assert line(lines, "server i-a").endswith(" check")


def test_timeouts_and_headers_follow_the_listener():
    lines = rendered(
        idle_timeout=9,
        request_timeout=170,
        gzip=False,
        http2=False,
        forwarded=ForwardedHeaders(slb_ip=True, slb_id=True, proto=True),
    )
    assert {
        "timeout http-keep-alive 9s",
        "timeout server 170s",
        "hard-stop-after 175s",
        "http-request set-header X-Forwarded-Proto https",
        "http-request set-header SLB-ID lb-1",
        "http-request set-header SLB-IP 127.7.0.1",
    } <= set(lines)
    assert "alpn http/1.1" in line(lines, "bind ")
    assert not [one for one in lines if one.startswith("compression")]


def test_the_order_of_listeners_and_backends_does_not_matter():
    other = replace(LISTENER, port=80, protocol="http")
    sockets = {one.key: SocketAddress("127.7.0.1", 8000 + one.port) for one in (LISTENER, other)}
    turned = replace(LISTENER, backends=LISTENER.backends[::-1])
    tls = {LISTENER.key: TLS}
    assert render([LISTENER, other], sockets, tls, PATHS) == render(
        [other, turned], sockets, tls, PATHS
    )


INJECTION = "x\n    stats enable"


@pytest.mark.parametrize(
    "changes",
    [
        {"load_balancer_id": INJECTION},
        {"load_balancer_id": "lb 1"},
        {"load_balancer_id": "lb-1\n"},
        {"address": "0.0.0.0"},
        {"address": "localhost"},
        {"address": f"127.0.0.1 {INJECTION}"},
        {"tls_cipher_policy": INJECTION},
        {"backends": (BackendSpec(INJECTION, SocketAddress("127.0.0.1", 80)),)},
        {"backends": (BackendSpec("i-a", SocketAddress("10.0.0.1", 80)),)},
        {"backends": (BackendSpec("i-a", SocketAddress("127.0.0.1", 0)),)},
        {"backends": (BackendSpec("i-a", SocketAddress("127.0.0.1", 80), 101),)},
        {"health_check": HealthCheck(uri="/" + INJECTION)},
        {"health_check": HealthCheck(uri="/a b")},
        {"health_check": HealthCheck(uri="relative")},
        {"health_check": HealthCheck(uri="/\u2028")},
        {"health_check": HealthCheck(domain=INJECTION)},
        {"health_check": HealthCheck(domain="%[env(HOME)]")},
        {"health_check": HealthCheck(http_codes=("^.*",))},
    ],
)
def test_values_that_would_change_the_configuration_are_refused(changes):
    with pytest.raises(DataPlaneError):
        rendered(**changes)


def test_an_https_listener_without_certificate_is_refused():
    with pytest.raises(DataPlaneError, match="no server certificate"):
        rendered(tls=None)
