from __future__ import annotations

import pytest

from localcloud.dataplane.haproxy_process import count_reloads, extract_alerts, find_worker
from localcloud.dataplane.haproxy_state import (
    ServerStatus,
    health,
    merge,
    parse_statistics,
    render_state,
)
from localcloud.dataplane.model import BackendSpec, HealthCheck, ListenerSpec, SocketAddress

UP, DOWN = ServerStatus("UP", "L7OK"), ServerStatus("DOWN", "L4CON")
NEW_UP, NEW_DOWN = ServerStatus("UP", "INI"), ServerStatus("DOWN", "INI")
UNCHECKED = ServerStatus("no check", "")


def listener(*backends, check=True):
    return ListenerSpec(
        "lb-1",
        "127.0.0.1",
        80,
        "http",
        tuple(BackendSpec(name, SocketAddress("127.7.0.1", port), 50) for name, port in backends),
        health_check=HealthCheck() if check else None,
    )


def statistics(**servers):
    """By name_port, for servers at the address of `listener`."""
    found = {}
    for name, status in servers.items():
        server, _, port = name.partition("_")
        found["lb-1_http_80", f"{server}:127.7.0.1:{port or 80}"] = status
    return found


def by_port(found):
    return {(server, socket.port): health for (server, socket), health in found.items()}


@pytest.mark.parametrize(
    ("status", "check_status", "expected"),
    [
        ("UP", "L7OK", "normal"),
        ("UP 1/3", "L4CON", "normal"),
        ("DRAIN", "L7OK", "normal"),
        ("DOWN", "L7STS", "abnormal"),
        ("DOWN 1/3", "L7OK", "abnormal"),
        ("DOWN", "* L4TOUT", "abnormal"),
        ("DOWN", "INI", "unavailable"),
        ("UP", "INI", "unavailable"),
        ("no check", "", "unavailable"),
    ],
)
def test_health_in_the_words_of_the_api(status, check_status, expected):
    found = health(listener(("a", 80)), statistics(a_80=ServerStatus(status, check_status)))
    assert by_port(found) == {("a", 80): expected}


def test_a_server_without_statistics_is_unavailable():
    assert by_port(health(listener(("a", 80)), {})) == {("a", 80): "unavailable"}


def test_each_port_of_an_instance_has_health_of_its_own():
    group = listener(("a", 80), ("a", 81))
    assert by_port(health(group, statistics(a_80=UP, a_81=DOWN))) == {
        ("a", 80): "normal",
        ("a", 81): "abnormal",
    }


def test_statistics_are_read_from_csv():
    text = (
        "# pxname,svname,status,type,check_status,\n"
        "lb-1_http_80,FRONTEND,OPEN,0,,\n"
        'lb-1_http_80,a:127.7.0.1:80,UP,2,"L7OK",\n'
        "lb-1_http_80,BACKEND,UP,1,,\n"
    )
    assert parse_statistics(text) == statistics(a_80=UP)
    assert parse_statistics("") == {}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (UP, NEW_UP, UP),
        (DOWN, NEW_DOWN, DOWN),
        (UP, NEW_DOWN, NEW_DOWN),
        (UP, DOWN, DOWN),
        (NEW_DOWN, NEW_DOWN, NEW_DOWN),
        (UNCHECKED, NEW_UP, NEW_UP),
        (UP, UNCHECKED, UNCHECKED),
    ],
)
def test_a_result_is_kept_until_the_new_worker_has_one(before, now, expected):
    assert merge(statistics(a=now), statistics(a=before)) == statistics(a=expected)


def test_servers_that_are_gone_are_forgotten():
    assert merge({}, statistics(a=UP)) == {}


def test_only_servers_that_served_before_start_with_traffic():
    group = listener(("up", 80), ("down", 80), ("new", 80), ("unchecked", 80))
    text = render_state([group], statistics(up_80=UP, down_80=DOWN, unchecked_80=UNCHECKED))
    version, header, *rows = text.splitlines()
    names = header.removeprefix("# ").split()
    assert version == "1"
    found = [dict(zip(names, row.split(), strict=True)) for row in rows]
    assert {row["srv_name"].split(":")[0]: row["srv_op_state"] for row in found} == {
        "up": "2",
        "down": "0",
        "new": "0",
        "unchecked": "2",
    }
    assert {row["srv_port"] for row in found} == {"80"}


def test_servers_without_checks_have_no_state():
    assert len(render_state([listener(("a", 80), check=False)], {}).splitlines()) == 2


SHOW_PROC = """\
#<PID>          <type>          <reloads>       <uptime>        <version>
100             master          3 [failed: 1]   0d00h00m09s     2.6.12
# workers
{workers}
# old workers
101             worker          2               0d00h00m09s     2.6.12
# programs
"""


def test_the_worker_of_the_last_load_is_found():
    text = SHOW_PROC.format(
        workers="107             worker          0        0d00h00m00s     2.6.12"
    )
    assert count_reloads(text) == 3
    assert find_worker(text) == 107


def test_a_failed_load_has_no_worker():
    text = SHOW_PROC.format(
        workers="107             worker          1        0d00h00m04s     2.6.12"
    )
    assert find_worker(text) is None


def test_reasons_are_the_alerts_without_the_summary():
    log = (
        "[NOTICE]   (7) : haproxy version is 2.6.12\n"
        "[ALERT]    (7) : config : parsing [x.cfg:3] : unknown keyword 'a'\n"
        "[ALERT]    (7) : config : Fatal errors found in configuration.\n"
    )
    assert extract_alerts(log) == "config : parsing [x.cfg:3] : unknown keyword 'a'"
