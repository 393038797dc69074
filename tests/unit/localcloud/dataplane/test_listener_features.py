"""Sessions, weights, access control, redirects, SNI: what clients see of a listener's settings."""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from dataclasses import replace

import pytest
from cryptography import x509

from localcloud.dataplane.model import (
    AccessControl,
    Backend,
    DomainExtension,
    HealthCheck,
    SocketAddress,
    StickySession,
)
from tests.unit.localcloud.dataplane.echo import get, tls_client
from tests.unit.localcloud.dataplane.site import (
    listener_of,
    loopback,
    start_backends,
    wait_healthy,
    wait_until,
)


@pytest.fixture(scope="module")
def listener(plane):
    """One without checks, so that it serves at once."""
    return listener_of(plane, loopback(), health_check=None)


def instances(address, count, **options):
    return Counter(get(address, **options).json["instance"] for _ in range(count))


def cookie_of(answer):
    return answer.headers["set-cookie"].partition(";")[0]


def test_an_inserted_cookie_keeps_a_client_at_its_backend(plane, listener):
    sticky = replace(listener, sticky_session=StickySession(timeout=600))
    address = plane.apply_listeners([sticky])[sticky.key]
    assert len(instances(address, 6)) == 2
    for _ in range(2):
        first = get(address)
        assert cookie_of(first).startswith("SERVERID=")
        assert "i-" not in cookie_of(first)
        again = instances(address, 6, headers={"Cookie": cookie_of(first)})
        assert again == {first.json["instance"]: 6}


def test_a_session_outlives_a_reload_and_a_change_of_weights(plane, listener):
    sticky = replace(listener, scheduler="wrr", sticky_session=StickySession(timeout=600))
    address = plane.apply_listeners([sticky])[sticky.key]
    first = get(address)
    heavier = tuple(replace(one, weight=7) for one in sticky.backends)
    plane.apply_listeners([replace(sticky, backends=heavier)])
    again = instances(address, 4, headers={"Cookie": cookie_of(first)})
    assert again == {first.json["instance"]: 4}


def test_a_session_ends_with_its_cookie_s_timeout(plane, listener):
    sticky = replace(listener, sticky_session=StickySession(timeout=1))
    address = plane.apply_listeners([sticky])[sticky.key]
    first = get(address)
    old = {"Cookie": cookie_of(first)}
    wait_until(lambda: len(instances(address, 4, headers=old)) == 2)


def test_a_session_moves_on_when_its_backend_is_drained(plane, listener):
    sticky = replace(listener, scheduler="wrr", sticky_session=StickySession(timeout=600))
    address = plane.apply_listeners([sticky])[sticky.key]
    first = get(address)
    here = first.json["instance"]
    drained = tuple(
        replace(one, weight=0 if one.server_id == here else 100) for one in sticky.backends
    )
    plane.apply_listeners([replace(sticky, backends=drained)])
    moved = instances(address, 4, headers={"Cookie": cookie_of(first)})
    assert here not in moved


def test_the_backend_s_own_cookie_is_rewritten_and_keeps_a_client(plane, listener):
    sticky = replace(listener, sticky_session=StickySession("app"))
    address = plane.apply_listeners([sticky])[sticky.key]
    assert "set-cookie" not in get(address).headers
    first = get(address, "/cookie/app")
    assert cookie_of(first) not in {"app=own", ""}
    again = instances(address, 6, headers={"Cookie": cookie_of(first)})
    assert again == {first.json["instance"]: 6}


@pytest.mark.parametrize(("weights", "expected"), [((90, 10), 18), ((1, 3), 5), ((100, 0), 20)])
def test_weights_share_out_requests(plane, listener, weights, expected):
    backends = tuple(
        replace(one, weight=weight) for one, weight in zip(listener.backends, weights, strict=True)
    )
    weighted = replace(listener, scheduler="wrr", backends=backends)
    address = plane.apply_listeners([weighted])[weighted.key]
    assert instances(address, 20)["i-a"] == expected


def test_two_ports_of_an_instance_are_two_backends(own_plane):
    """One port is served and one is not; each has health and requests of its own."""
    served = own_plane.backend_socket("i-a", 8080)
    nothing = SocketAddress(served.host, 9)
    both = listener_of(
        own_plane,
        loopback(),
        backends=(Backend("i-a", served), Backend("i-a", nothing)),
    )
    address = own_plane.apply_listeners([both])[both.key]
    expected = {("i-a", served): "normal", ("i-a", nothing): "abnormal"}
    wait_until(lambda: own_plane.health(both.key) == expected)
    assert instances(address, 4) == {"i-a": 4}


def test_health_is_checked_at_the_port_that_is_named(own_plane):
    served = own_plane.backend_socket("i-a", 8080)
    nothing = SocketAddress(served.host, 9)
    one = listener_of(
        own_plane,
        loopback(),
        backends=(Backend("i-a", nothing, checked_port=served.port),),
    )
    address = own_plane.apply_listeners([one])[one.key]
    wait_healthy(own_plane, one)
    assert get(address).status == 502
    # A reload takes over health, and with it the port.
    own_plane.apply_listeners([replace(one, idle_timeout=30)])
    wait_healthy(own_plane, one)


@pytest.fixture(scope="module")
def own_plane(start_plane):
    plane = start_plane()
    start_backends(plane)
    return plane


HERE, THERE, FAR = "127.201.0.7", "127.202.0.7", "127.203.0.7"


def admitted(address, **options):
    """Which of three client addresses get an answer."""
    found = set()
    for source in (HERE, THERE, FAR):
        try:
            assert get(address, source=source, **options).status in {200, 302}
        except (OSError, ssl.SSLError):
            continue
        found.add(source)
    return found


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (None, {HERE, THERE, FAR}),
        (AccessControl("white", ("127.201.0.0/16",)), {HERE}),
        (AccessControl("white", ("127.201.0.0/16", "127.203.0.7/32")), {HERE, FAR}),
        (AccessControl("white", ("10.0.0.0/8",)), set()),
        (AccessControl("black", ("127.201.0.0/16",)), {THERE, FAR}),
        (AccessControl("white", ()), {HERE, THERE, FAR}),
        (AccessControl("black", ()), {HERE, THERE, FAR}),
    ],
    ids=str,
)
def test_a_list_shuts_out_some_addresses_and_admits_others(*, plane, listener, control, expected):
    guarded = replace(listener, access_control=control)
    address = plane.apply_listeners([guarded])[guarded.key]
    assert admitted(address) == expected


def test_a_thousand_entries_are_no_problem(plane, listener):
    entries = tuple(f"10.{n // 250}.{n % 250}.0/24" for n in range(999))
    control = AccessControl("white", (*entries, f"{HERE}/32"))
    guarded = replace(listener, access_control=control)
    address = plane.apply_listeners([guarded])[guarded.key]
    assert admitted(address) == {HERE}


def test_a_list_shuts_out_before_certificates_are_looked_at(
    *, plane, listener, authority, server_pem, certificates
):
    guarded = replace(
        listener,
        protocol="https",
        server_certificate=server_pem,
        ca_certificate=authority.pem,
        access_control=AccessControl("black", (f"{HERE}/32",)),
    )
    address = plane.apply_listeners([guarded])[guarded.key]
    client = tls_client(certificates.good)
    assert admitted(address, tls=client) == {THERE, FAR}
    assert get(address, tls=tls_client(), source=THERE).status == 400


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


@pytest.fixture(scope="module")
def by_name(plane, authority):
    """A listener with three certificates; its own claims the second domain's name too."""
    own = authority.server("own", ["app.example.com", "api.example.com"])
    api = authority.server("api", ["api.example.com"])
    wild = authority.server("wild", ["*.wild.example.com"])
    return listener_of(
        plane,
        loopback(),
        protocol="https",
        health_check=None,
        server_certificate=own,
        ca_certificate=authority.pem,
        tls_cipher_policy="tls_cipher_policy_1_2_strict_with_1_3",
        domain_extensions=(
            DomainExtension("*.wild.example.com", wild),
            DomainExtension("api.example.com", api),
        ),
    )


def presented(address, name, context):
    """Common name of the certificate that the server shows for a name."""
    with (
        socket.create_connection((address.host, address.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        shown = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    return shown.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, "own"),
        ("app.example.com", "own"),
        ("unknown.example.net", "own"),
        ("api.example.com", "api"),
        ("API.example.com", "api"),
        ("a.wild.example.com", "wild"),
        ("a.b.wild.example.com", "own"),
        ("wild.example.com", "own"),
    ],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_each_domain_has_its_certificate(*, plane, by_name, certificates, name, expected, version):
    address = plane.apply_listeners([by_name])[by_name.key]
    assert presented(address, name, tls_client(certificates.good, version)) == expected


@pytest.mark.parametrize("name", ["app.example.com", "api.example.com", "x.wild.example.com"])
@pytest.mark.parametrize("strict", [False, True], ids=["pages", "strict"])
def test_no_domain_is_a_way_around_mutual_tls(*, start_plane, by_name, certificates, name, strict):
    plane = start_plane(strict=strict)
    start_backends(plane)
    address = plane.apply_listeners([replace(by_name, backends=())])[by_name.key]

    def ask(client):
        with (
            socket.create_connection((address.host, address.port), timeout=10) as plain,
            tls_client(client).wrap_socket(plain, server_hostname=name) as tls,
        ):
            tls.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            return int(tls.recv(12)[9:12])

    assert ask(certificates.good) == 502
    for bad in (certificates.missing, certificates.other_ca, certificates.expired):
        if strict:
            with pytest.raises((ssl.SSLError, OSError, ValueError)):
                ask(bad)
        else:
            assert ask(bad) == 400


def test_a_replaced_certificate_of_a_domain_is_shown_and_the_old_one_is_gone(
    *, plane, by_name, certificates, authority
):
    address = plane.apply_listeners([by_name])[by_name.key]
    before = len(list((plane._home / "pem").iterdir()))
    new = DomainExtension("api.example.com", authority.server("new", ["api.example.com"]))
    changed = replace(by_name, domain_extensions=(by_name.domain_extensions[0], new))
    assert plane.apply_listeners([changed]) == {by_name.key: address}
    client = tls_client(certificates.good)
    assert presented(address, "api.example.com", client) == "new"
    assert len(list((plane._home / "pem").iterdir())) == before
    plane.apply_listeners([replace(by_name, domain_extensions=())])
    assert presented(address, "api.example.com", client) == "own"
    assert len(list((plane._home / "pem").iterdir())) == 2


def test_a_client_of_one_listener_is_none_of_another_with_the_same_certificate(
    *, plane, listener, authority, other_authority, server_pem, certificates
):
    first = replace(
        listener,
        protocol="https",
        server_certificate=server_pem,
        ca_certificate=authority.pem,
    )
    second = replace(first, port=8444, ca_certificate=other_authority.pem)
    open_to_all = replace(first, port=8445, ca_certificate=None)
    found = plane.apply_listeners([first, second, open_to_all])
    for client, expected in (
        (certificates.good, [200, 400, 200]),
        (certificates.other_ca, [400, 200, 200]),
        (certificates.missing, [400, 400, 200]),
    ):
        context = tls_client(client)
        statuses = [get(found[one.key], tls=context).status for one in (first, second, open_to_all)]
        assert statuses == expected


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_a_listener_can_be_at_an_ipv6_address(plane, listener):
    sixth = replace(
        listener, address="::1", port=18080, access_control=AccessControl("white", ("::1/128",))
    )
    other = replace(sixth, load_balancer_id="lb-other")
    found = plane.apply_listeners([sixth, other])
    assert found[sixth.key] != found[other.key]
    for one in (sixth, other):
        answer = get(found[one.key])
        assert answer.seen["x-forwarded-for"] == "::1"
    shut = replace(sixth, access_control=AccessControl("black", ("::/0",)))
    address = plane.apply_listeners([shut])[shut.key]
    with pytest.raises(ConnectionError):
        get(address)


def test_an_idle_connection_is_closed_after_its_timeout(plane, listener):
    brief = replace(listener, idle_timeout=1)
    address = plane.apply_listeners([brief])[brief.key]
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while connection.recv(65536):
            pass


def test_a_check_s_settings_reach_the_backend(own_plane):
    check = HealthCheck(uri="/healthz", method="get", domain="app.example.com", interval=1)
    one = listener_of(own_plane, loopback(), health_check=check)
    own_plane.apply_listeners([one])
    socket_of = own_plane.backend_socket("i-a", 8080)
    wanted = [["GET", "HTTP/1.0", "app.example.com"]]
    wait_until(lambda: get(socket_of).json["check"] == wanted)
