from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from localcloud.dataplane import ports, processes
from localcloud.dataplane.instances import Instances
from localcloud.dataplane.model import DataPlaneError, InstanceSpec, SocketAddress
from tests.integration.localcloud.dataplane.echo import answers, echo_user_data, get
from tests.integration.localcloud.dataplane.site import loopback, wait_until
from tests.processes import wait_until_named


@pytest.fixture
def spawner():
    spawner = processes.Spawner()
    yield spawner
    spawner.close()


@pytest.fixture
def instances(tmp_path, spawner):
    instances = Instances(tmp_path / "instances", spawner)
    yield instances
    instances.stop_all()


def pid_of(tmp_path, instance_id="i-1"):
    return int((tmp_path / "instances" / instance_id / "pid").read_text())


def test_an_instance_serves_its_page_with_nothing_of_our_environment(instances, monkeypatch):
    monkeypatch.setenv("A_SECRET", "x")
    instances.start(InstanceSpec("i-1", loopback(), echo_user_data(8080)))
    address = instances.backend_socket("i-1", 8080)
    wait_until(lambda: answers(address))
    answer = get(address).json
    assert answer["instance"] == "i-1"
    assert set(answer["environment"]) <= {"INSTANCE_ID", "PATH", "LC_CTYPE"}


def test_a_taken_port_is_replaced_and_reported(instances):
    host = loopback()
    with socket.create_server((host, 8080)):
        instances.start(InstanceSpec("i-1", host, echo_user_data(8080)))
        address = instances.backend_socket("i-1", 8080)
        assert address == SocketAddress(host, 16080)
        wait_until(lambda: answers(address))


def test_only_the_service_s_own_port_is_mapped(instances):
    host = loopback()
    with socket.create_server((host, 8080)):
        instances.start(InstanceSpec("i-1", host, echo_user_data(8080)))
    assert instances.backend_socket("i-1", 9090) == SocketAddress(host, 9090)


def test_stopping_ends_the_process_and_removes_its_files(instances, tmp_path):
    host = loopback()
    instances.start(InstanceSpec("i-1", host, echo_user_data(8080)))
    pid = pid_of(tmp_path)
    assert instances.is_running("i-1")
    instances.stop("i-1")
    assert not psutil.pid_exists(pid)
    assert not instances.is_running("i-1")
    assert list((tmp_path / "instances").iterdir()) == []
    assert instances.backend_socket("i-1", 8080) == SocketAddress(host, 8080)
    instances.stop("i-1")


def test_a_process_that_ignores_sigterm_is_killed(instances, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "GRACE", 0.1)
    ignoring = echo_user_data(8080).replace(
        "import argparse, json, os, time",
        "import argparse, json, os, time, signal; signal.signal(15, signal.SIG_IGN)",
    )
    assert "SIG_IGN" in ignoring
    instances.start(InstanceSpec("i-1", loopback(), ignoring))
    wait_until(lambda: answers(instances.backend_socket("i-1", 8080)))
    pid = pid_of(tmp_path)
    instances.stop("i-1")
    assert not psutil.pid_exists(pid)


def test_a_process_that_dies_stays_dead(instances, tmp_path):
    spec = InstanceSpec("i-1", loopback(), echo_user_data(8080))
    instances.start(spec)
    psutil.Process(pid_of(tmp_path)).kill()
    wait_until(lambda: not instances.is_running("i-1"))
    instances.start(spec)
    assert not instances.is_running("i-1")


def test_a_stopped_instance_starts_again(instances):
    spec = InstanceSpec("i-1", loopback(), echo_user_data(8080))
    for _ in range(2):
        instances.start(spec)
        wait_until(lambda: answers(instances.backend_socket("i-1", 8080)))
        instances.stop("i-1")


@pytest.mark.parametrize("user_data", ["", "#!/bin/sh\ntouch /tmp/never\n"])
def test_an_instance_without_a_service_runs_and_listens_nowhere(instances, user_data):
    host = loopback()
    instances.start(InstanceSpec("i-1", host, user_data))
    assert instances.is_running("i-1")
    assert instances.backend_socket("i-1", 80) == SocketAddress(host, 80)


def test_commands_that_are_not_run_are_recorded(instances, tmp_path):
    never = tmp_path / "never"
    user_data = f"#cloud-config\nruncmd: [[touch, {never}]]\n"
    instances.start(InstanceSpec("i-1", loopback(), user_data))
    recorded = json.loads((tmp_path / "instances/i-1/skipped.json").read_text())
    assert recorded == [["touch", str(never)]]
    assert not never.exists()


@pytest.mark.parametrize("instance_id", ["../x", "", "a/b", ".", "i-1\n"])
def test_ids_that_are_no_folder_names_are_refused(instances, instance_id):
    with pytest.raises(DataPlaneError):
        instances.start(InstanceSpec(instance_id, "127.0.0.1", ""))


def test_an_instance_that_was_never_started_has_no_address(instances):
    with pytest.raises(DataPlaneError):
        instances.backend_socket("i-9", 80)


def test_files_of_an_instance_are_its_owner_s_alone(instances, tmp_path):
    instances.start(InstanceSpec("i-1", loopback(), echo_user_data(8080)))
    folder = tmp_path / "instances" / "i-1"
    assert folder.stat().st_mode & 0o777 == 0o700
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in written} == {"log", "pid", "serve.py"}
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_an_instance_ends_with_a_killed_parent(tmp_path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from localcloud.dataplane.instances import Instances\n"
        "from localcloud.dataplane.model import InstanceSpec\n"
        "from localcloud.dataplane.processes import Spawner\n"
        "instances = Instances(Path(sys.argv[1]), Spawner())\n"
        "instances.start(InstanceSpec('i-1', sys.argv[2], sys.argv[3]))\n"
        "print('started', flush=True)\n"
        "time.sleep(600)\n"
    )
    host = loopback()
    arguments = [str(tmp_path / "instances"), host, echo_user_data(8080)]
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_root()) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        instance = psutil.Process(pid_of(tmp_path))
        wait_until(lambda: answers(SocketAddress(host, 8080)))
        parent.kill()
    try:
        wait_until(lambda: not _lives(instance))
    finally:
        if _lives(instance):
            instance.kill()


def test_an_instance_outlives_the_thread_that_started_it(instances):
    spec = InstanceSpec("i-1", loopback(), echo_user_data(8080))

    def start():
        instances.start(spec)
        # By then the launcher has asked Linux for a signal at the end of its parent.
        wait_until(lambda: answers(instances.backend_socket("i-1", 8080)))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert all(answers(instances.backend_socket("i-1", 8080)) for _ in range(20))
    assert instances.is_running("i-1")


def test_a_left_over_instance_is_ended_with_its_files(tmp_path, spawner):
    folder = tmp_path / "instances" / "i-1"
    folder.mkdir(parents=True)
    script = str(folder / "root" / "serve.py")
    left_over = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", script])
    try:
        wait_until_named(left_over)
        (folder / "pid").write_text(str(left_over.pid))
        Instances(folder.parent, spawner)
        assert left_over.wait(20) is not None
        assert not folder.exists()
    finally:
        left_over.kill()
        left_over.wait()


def test_a_stale_pid_file_does_not_end_a_stranger(tmp_path):
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        wait_until_named(stranger)
        record = tmp_path / "pid"
        record.write_text(str(stranger.pid))
        processes.stop_left_over(record, str(tmp_path))
        assert stranger.poll() is None
        assert not record.exists()
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "x", "-1", "999999999"])
def test_an_unreadable_pid_file_is_removed(tmp_path, content):
    record = tmp_path / "pid"
    record.write_text(content)
    processes.stop_left_over(record, "/nowhere")
    assert not record.exists()


def test_a_port_that_is_promised_already_is_not_chosen():
    host = loopback()
    taken = frozenset({SocketAddress(host, 8443)})
    assert ports.choose(host, 8443) == SocketAddress(host, 8443)
    assert ports.choose(host, 8443, taken) == SocketAddress(host, 16443)


def test_a_free_port_is_the_last_resort():
    host = loopback()
    found = ports.choose(host, 60000, frozenset({SocketAddress(host, 60000)}))
    assert found.host == host
    assert found.port not in {60000, 68000}


def test_an_address_of_another_machine_is_an_error():
    with pytest.raises(DataPlaneError, match="not an address of this machine"):
        ports.choose("192.0.2.1", 80)


def _root() -> Path:
    return next(p for p in Path(__file__).parents if (p / "pyproject.toml").exists())


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
