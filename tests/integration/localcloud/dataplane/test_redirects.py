"""Redirects from HTTP to HTTPS."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from localcloud.dataplane.model import AccessControl
from tests.integration.localcloud.dataplane.echo import get
from tests.integration.localcloud.dataplane.site import THERE, admitted, listener_of, loopback


@pytest.fixture(scope="module")
def redirect(plane, server_pem):
    secure = listener_of(
        plane,
        loopback(),
        port=8443,
        protocol="https",
        server_certificate=server_pem,
        health_check=None,
    )
    plain = replace(
        secure, port=8080, protocol="http", server_certificate=None, backends=(), forward_port=8443
    )
    return secure, plain


@pytest.mark.parametrize(
    ("host", "path", "location"),
    [
        ("app.example.com", "/", "https://app.example.com:8443/"),
        ("app.example.com:80", "/a/b?c=d&e=%20f", "https://app.example.com:8443/a/b?c=d&e=%20f"),
        ("[::1]:8080", "/", "https://[::1]:8443/"),
        ("[::1]", "/", "https://[::1]:8443/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_redirect_sends_everyone_to_https(*, plane, redirect, method, host, path, location):
    _, plain = redirect
    address = plane.apply_listeners(redirect)[plain.key]
    answer = get(address, path, method=method, headers={"Host": host})
    assert (answer.status, answer.headers["location"]) == (302, location)


def test_a_redirect_leads_to_where_the_https_listener_really_is(plane, redirect):
    secure, plain = redirect
    with socket.create_server((secure.address, 8555)):
        moved = replace(secure, port=8555)
        found = plane.apply_listeners([moved, replace(plain, forward_port=8555)])
    location = get(found[plain.key], headers={"Host": "a"}).headers["location"]
    assert location == f"https://a:{found[moved.key].port}/"
    assert found[moved.key].port != 8555


def test_the_port_of_https_is_not_written_out(plane, redirect):
    _, plain = redirect
    alone = replace(plain, forward_port=443)
    address = plane.apply_listeners([alone])[alone.key]
    answer = get(address, headers={"Host": "a:8080"})
    assert answer.headers["location"] == "https://a/"


def test_a_redirect_obeys_its_list_and_has_no_health(plane, redirect):
    secure, plain = redirect
    guarded = replace(plain, access_control=AccessControl("white", (f"{THERE}/32",)))
    address = plane.apply_listeners([secure, guarded])[guarded.key]
    assert admitted(address) == {THERE}
    assert plane.health(guarded.key) == {}
