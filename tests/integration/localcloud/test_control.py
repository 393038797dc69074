"""Starting, stopping and surviving: real processes, one home each."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from localcloud import control
from localcloud.control import ControlError
from localcloud.home import Home, write_private
from tests.processes import wait_until_named
from tests.unit.localcloud.process import LocalCloud
from tests.unit.localcloud.site import bring_into_service


def silent(_text: str) -> None:
    pass


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that do not end; who ended and was not waited for has ended, too."""
    _, alive = psutil.wait_procs(list(processes), timeout=15)
    return [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def family(present: control.Running) -> list[psutil.Process]:
    children = present.process.children(recursive=True)
    assert children, "nothing runs that could be left behind"
    return [present.process, *children]


def test_a_shell_starts_a_cloud_once_and_stops_it(local_cloud: LocalCloud) -> None:
    first = local_cloud.run("start", "--port", "0")
    assert first.returncode == 0, first.stderr
    status = local_cloud.status
    assert f"{status['endpoint']} (process {status['pid']})" in first.stderr
    process = psutil.Process(status["pid"])
    second = local_cloud.run("start", "--port", "0")
    assert second.returncode == 0
    assert "already answers" in second.stdout + second.stderr
    assert f"(process {status['pid']})" in second.stdout + second.stderr
    stopped = local_cloud.run("stop")
    assert (stopped.returncode, stopped.stderr.strip()) == (0, "Stopped.")
    assert living([process]) == []


def test_a_cloud_that_ends_while_it_is_asked_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A folder of its own, as pytest's are too long for a socket's name on some systems.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as ended:
        home = Home(Path(folder))
        ended.bind(str(home.admin_socket))
        monkeypatch.setattr(
            control, "find_running", lambda _home: control.Running(psutil.Process(), 1)
        )
        with pytest.raises(ControlError, match="does not answer"):
            control.ask(home, "GET", "/faults")


def test_two_starts_at_once_make_one_cloud(
    local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned = []
    spawn = control._spawn

    def slowly(home: Home, arguments: list[str]) -> control.Running:
        spawned.append(home)
        # So long that another start gets here, too, unless it is kept out.
        time.sleep(0.5)
        return spawn(home, arguments)

    monkeypatch.setattr(control, "_spawn", slowly)
    with ThreadPoolExecutor() as pool:
        starts = [pool.submit(control.start, local_cloud.home, 0, silent) for _ in range(2)]
    found = [one.result() for one in starts]
    assert len(spawned) == 1
    assert sorted(new for _, new in found) == [False, True]
    assert {present.process.pid for present, _ in found} == {local_cloud.status["pid"]}


def test_an_occupied_port_is_named_with_who_has_it(local_cloud: LocalCloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = local_cloud.run("start", "--port", str(port))
    assert answer.returncode == 1
    [line] = answer.stderr.splitlines()
    assert f"Port {port} of 127.0.0.1 is not free" in line
    assert f"{psutil.Process().name()} has it (process {os.getpid()})" in line
    assert control.find_running(local_cloud.home) is None


def test_another_port_is_taken_where_that_may_be_and_kept(local_cloud: LocalCloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = local_cloud.run("start", "--port", str(port), "--or-another")
        assert answer.returncode == 0, answer.stderr
        first = local_cloud.status["endpoint"]
        assert (
            f"Port {port} of 127.0.0.1 is not free, {psutil.Process().name()} has" in answer.stderr
        )
        assert f"takes {first.rsplit(':', 1)[1]} in its place" in answer.stderr
    control.stop(local_cloud.home)
    # The port is free now, and states of stacks refer to the other.
    again = local_cloud.run("start", "--port", str(port), "--or-another")
    assert local_cloud.status["endpoint"] == first
    assert "in its place" not in again.stderr
    control.stop(local_cloud.home)
    # Whoever asks for another port than before gets that.
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = other.getsockname()[1]
    local_cloud.run("start", "--port", str(wanted), "--or-another")
    assert local_cloud.status["endpoint"].endswith(f":{wanted}")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_a_port_taken_on_every_address_has_a_name_too(local_cloud: LocalCloud) -> None:
    # Binding to loopback with SO_REUSEADDR fails because of the other's listening, not its address.
    address = ("", 0)
    with socket.create_server(address, family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ControlError, match=rf"has it \(process {os.getpid()}\)"):
            control.start(local_cloud.home, port, silent)


def test_a_dead_process_s_file_means_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "cloud")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    write_private(home.running, json.dumps({"pid": dead.pid, "port": 1}))
    assert control.find_running(home) is None
    assert control.stop(home) is False
    assert not home.running.exists()


def test_another_program_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "cloud")
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        wait_until_named(other)
        write_private(home.running, json.dumps({"pid": other.pid, "port": 1}))
        assert control.find_running(home) is None
        assert control.stop(home) is False
        assert other.poll() is None
    finally:
        other.communicate(b"\n")


def test_a_killed_cloud_comes_back_with_all_it_ran(local_cloud: LocalCloud) -> None:
    killed = local_cloud.start()
    bring_into_service(local_cloud)
    before = local_cloud.status
    assert [one["runs"] for one in before["instances"]] == [True]
    run_by_it = family(killed)
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait(20)
    assert local_cloud.start().process != killed.process
    assert living(run_by_it) == []
    after = local_cloud.status
    assert after["endpoint"] == before["endpoint"]
    assert after["instances"] == before["instances"]
    [listener] = after["listeners"]
    assert listener["load_balancer_id"] == before["listeners"][0]["load_balancer_id"]
    where = listener["socket"]
    socket.create_connection((where["host"], where["port"]), timeout=10).close()


def test_stopping_ends_what_runs_and_forgets_nothing(local_cloud: LocalCloud) -> None:
    present = local_cloud.start()
    site = bring_into_service(local_cloud)
    # A listener with a backend that is down must not keep the cloud from starting.
    site.ecs("StopInstance", InstanceId=site.instance)
    all_of_it = family(present)
    assert control.stop(local_cloud.home)
    assert living(all_of_it) == []
    assert not local_cloud.home.admin_socket.exists()
    local_cloud.start()
    status = local_cloud.status
    assert [(one["id"], one["runs"]) for one in status["instances"]] == [(site.instance, False)]
    assert [one["load_balancer_id"] for one in status["listeners"]] == [site.balancer]


def test_reset_and_then_a_signal_end_what_runs(local_cloud: LocalCloud) -> None:
    present = local_cloud.start()
    bring_into_service(local_cloud)
    [_, *children] = family(present)
    local_cloud.ask("POST", "/reset")
    assert living(children) == []
    status = local_cloud.status
    assert (status["listeners"], status["instances"]) == ([], [])
    assert not any(local_cloud.ask("GET", "/dump").values())
    bring_into_service(local_cloud)
    all_of_it = family(present)
    present.process.send_signal(signal.SIGTERM)
    assert living(all_of_it) == []


def test_a_home_with_a_long_path_works(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    cloud = LocalCloud(tmp_path_factory.mktemp("long") / ("x" * 120) / "cloud")
    try:
        cloud.start()
        bring_into_service(cloud)
        assert len(cloud.status["listeners"]) == 1
        assert cloud.home.admin_socket.is_relative_to(temporary)
        assert {path.stat().st_mode & 0o077 for path in temporary.iterdir()} == {0}
    finally:
        cloud.end()


def test_a_start_that_fails_says_why(local_cloud: LocalCloud) -> None:
    local_cloud.home.state.write_bytes(b"diary " * 200)
    with pytest.raises(ControlError, match=r"cloud\.sqlite is no state of a local cloud"):
        local_cloud.start()
    assert control.find_running(local_cloud.home) is None
