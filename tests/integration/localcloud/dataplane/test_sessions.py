"""Sessions: a client stays at its backend by a cookie."""

from __future__ import annotations

from dataclasses import replace

from localcloud.dataplane.model import StickySession
from tests.integration.localcloud.dataplane.echo import get
from tests.integration.localcloud.dataplane.site import instances, wait_until


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
