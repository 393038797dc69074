"""Processes of the data plane: killed, started again, left over, ended."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import replace

import psutil
import pytest

from localcloud.dataplane.haproxy_process import HAProxy
from localcloud.dataplane.model import DataPlaneError, InstanceSpec
from localcloud.dataplane.plane import DataPlane
from localcloud.dataplane.processes import Spawner
from tests.integration.localcloud.dataplane.echo import echo_user_data, get
from tests.integration.localcloud.dataplane.site import (
    haproxy_pid,
    health,
    listener_of,
    loopback,
    start_backends,
    wait_healthy,
    wait_until,
)


def test_killing_an_instance_shows_and_requests_go_on(own_plane):
    listener = listener_of(own_plane, loopback())
    address = own_plane.apply_listeners([listener])[listener.key]
    wait_healthy(own_plane, listener)
    pid = int((own_plane._home / "instances/i-a/pid").read_text())
    psutil.Process(pid).kill()
    wait_until(lambda: not own_plane.is_instance_running("i-a"))
    assert [get(address).status for _ in range(4)] == [200] * 4
    expected = {"i-a": "abnormal", "i-b": "normal"}
    wait_until(lambda: health(own_plane, listener) == expected)
    own_plane.apply_listeners([replace(listener, idle_timeout=30)])
    assert health(own_plane, listener) == expected
    assert {get(address).json["instance"] for _ in range(4)} == {"i-b"}


def test_an_instance_that_starts_again_becomes_healthy(own_plane):
    listener = listener_of(own_plane, loopback())
    own_plane.apply_listeners([listener])
    wait_healthy(own_plane, listener)
    own_plane.stop_instance("i-a")
    wait_until(lambda: health(own_plane, listener)["i-a"] == "abnormal")
    host = listener.backends[0].socket.host
    own_plane.start_instance(InstanceSpec("i-a", host, echo_user_data(8080)))
    wait_healthy(own_plane, listener)


def test_a_killed_haproxy_is_started_again_by_the_next_apply(own_plane):
    listener = listener_of(own_plane, loopback(), health_check=None)
    address = own_plane.apply_listeners([listener])[listener.key]
    master = psutil.Process(haproxy_pid(own_plane))
    family = [master, *master.children()]
    for member in family:
        member.kill()
    wait_until(lambda: not own_plane._haproxy.running)
    assert health(own_plane, listener) == {"i-a": "unavailable", "i-b": "unavailable"}
    assert own_plane.apply_listeners([listener]) == {listener.key: address}
    assert get(address).status == 200


def test_no_listeners_means_no_haproxy(own_plane):
    listener = listener_of(own_plane, loopback(), health_check=None)
    own_plane.apply_listeners([listener])
    master = psutil.Process(haproxy_pid(own_plane))
    family = [master, *master.children()]
    assert len(family) == 2
    assert own_plane.apply_listeners([]) == {}
    assert not any(member.is_running() for member in family)


def workers_of(master: int) -> list[psutil.Process]:
    """HAProxy's workers."""
    found = []
    for child in psutil.Process(master).children():
        with contextlib.suppress(psutil.Error):
            if child.name().startswith("haproxy"):
                found.append(child)
    return found


def command_line(process: psutil.Process) -> list[str]:
    """Its arguments; none of one that has ended and that nobody has waited for."""
    try:
        return process.cmdline()
    except psutil.ZombieProcess:
        return []


def test_a_left_over_haproxy_is_ended_by_its_successor(tmp_path, haproxy):
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text("defaults\n mode http\n timeout client 1s\nfrontend f\n bind ")
    with configuration.open("a") as file:
        file.write(f"{loopback()}:8080\n")
    command = [str(haproxy), "-W", "-f", str(configuration)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as left_over:
        try:
            # An unpacked HAProxy starts by a script, whose own helpers come and go before.
            wait_until(lambda: workers_of(left_over.pid) != [])
            worker = workers_of(left_over.pid)[0]
            (tmp_path / "haproxy.pid").write_text(str(left_over.pid))
            spawner = Spawner()
            HAProxy(haproxy, tmp_path, tmp_path, spawner)
            spawner.close()
            wait_until(lambda: left_over.poll() is not None and not worker.is_running())
        finally:
            left_over.kill()


def test_a_folder_is_used_by_one_data_plane_at_a_time(own_plane, haproxy):
    with pytest.raises(DataPlaneError, match="Another local cloud uses"):
        DataPlane(own_plane._home, haproxy)


def test_a_folder_with_a_long_name_works(tmp_path, haproxy):
    plane = DataPlane(tmp_path / ("long" * 30), haproxy)
    try:
        start_backends(plane)
        listener = listener_of(plane, loopback(), health_check=None)
        assert get(plane.apply_listeners([listener])[listener.key]).status == 200
        sockets = plane._sockets
    finally:
        plane.stop()
    assert not sockets.exists()


def test_stopping_ends_every_process(start_plane):
    plane = start_plane()
    start_backends(plane)
    listener = listener_of(plane, loopback(), health_check=None)
    plane.apply_listeners([listener])
    started = [
        child
        for child in psutil.Process().children(recursive=True)
        if any(str(plane._home) in argument for argument in command_line(child))
    ]
    assert len(started) == 4
    plane.stop()
    assert not any(child.is_running() for child in started)
