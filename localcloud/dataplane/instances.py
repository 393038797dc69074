"""ECS instances as processes: each runs the script of its user data on its loopback address."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from localcloud.dataplane import files, ports, processes, user_data
from localcloud.dataplane.model import DataPlaneError, InstanceSpec, SocketAddress
from localcloud.dataplane.supervision import Watched

_INSTANCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass
class _RunningInstance:
    host: str
    port: int | None = None
    """Port of the service by its user data."""
    socket: SocketAddress | None = None
    """Address where the service really listens."""
    script: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: bool = True


class Instances:
    """The instances of one local cloud.

    Args:
        folder: Folder that gets one for each instance; instances of a killed predecessor are ended.
        spawner: Spawner that starts the instances' processes.
    """

    def __init__(self, folder: Path, spawner: processes.Spawner) -> None:
        self._folder = files.make_private_folder(folder)
        self._spawner = spawner
        self._instances: dict[str, _RunningInstance] = {}
        for left_over in self._folder.iterdir():
            self._remove(left_over)

    def start(self, spec: InstanceSpec) -> None:
        """Start an instance; one that is started already stays as it is.

        Returns when the process is started: whether its service answers is for health checks.

        Raises:
            DataPlaneError: The id or the user data cannot be used, or the host is not this one's.
        """
        if not _INSTANCE_ID.fullmatch(spec.instance_id):
            raise DataPlaneError(f"{spec.instance_id!r} is no instance id.")
        known = self._instances.get(spec.instance_id)
        if known is not None and known.started:
            return
        data = user_data.parse(spec.user_data)
        home = self._home(spec.instance_id)
        instance = _RunningInstance(spec.host)
        files.make_private_folder(home)
        if data.skipped:
            files.write_private(home / "skipped.json", json.dumps(data.skipped, indent=2))
        if data.service is not None:
            self._serve(spec, data.service, instance, home)
        self._instances[spec.instance_id] = instance

    def _serve(
        self,
        spec: InstanceSpec,
        service: user_data.InstanceService,
        instance: _RunningInstance,
        home: Path,
    ) -> None:
        script = home / "root" / service.script
        files.make_private_folder(script.parent)
        files.write_private(script, service.content)
        taken = frozenset(other.socket for other in self._instances.values() if other.socket)
        socket = ports.choose(spec.host, service.port, taken)
        instance.port, instance.socket, instance.script = service.port, socket, script
        self._run(spec.instance_id, instance)

    def _run(self, instance_id: str, instance: _RunningInstance) -> None:
        assert instance.socket is not None  # noqa: S101
        options = ["--bind", instance.socket.host, "--port", str(instance.socket.port)]
        environment = {
            "INSTANCE_ID": instance_id,
            "PATH": os.environ.get("PATH", os.defpath),
        }
        command = [sys.executable, "-I", str(instance.script), *options]
        home = self._home(instance_id)
        instance.process = self._spawner.start(command, environment, home / "log", limited=True)
        files.write_private(home / "pid", str(instance.process.pid))

    def list_watched(self) -> Iterator[Watched]:
        """List the processes that shall run."""
        for instance_id, instance in self._instances.items():
            if instance.process is not None:
                yield Watched(
                    f"Instance {instance_id}",
                    instance.process,
                    partial(self._start_again, instance_id, instance),
                    str(self._home(instance_id) / "log"),
                )

    def _start_again(self, instance_id: str, instance: _RunningInstance) -> None:
        if instance.process is not None:
            processes.stop(instance.process)  # its own children may have its port
        self._run(instance_id, instance)

    def stop(self, instance_id: str) -> None:
        """End an instance and remove its folder; one that is not started is no error."""
        instance = self._instances.get(instance_id)
        if instance is None or not instance.started:
            return
        if instance.process is not None:
            processes.stop(instance.process)
        # Its address stays known: a backend may outlive the instance, and is unhealthy then.
        self._instances[instance_id] = _RunningInstance(instance.host, started=False)
        shutil.rmtree(self._home(instance_id), ignore_errors=True)

    def stop_all(self) -> None:
        """End every instance."""
        for instance_id in list(self._instances):
            self.stop(instance_id)

    def is_running(self, instance_id: str) -> bool:
        """Tell whether an instance is started, and its process, if it has one, lives."""
        instance = self._instances.get(instance_id)
        if instance is None or not instance.started:
            return False
        return instance.process is None or instance.process.poll() is None

    def backend_socket(self, instance_id: str, port: int) -> SocketAddress:
        """Address at which a port of an instance really is; nothing need listen there.

        Raises:
            DataPlaneError: No such instance was started.
        """
        instance = self._instances.get(instance_id)
        if instance is None:
            raise DataPlaneError(f"No instance {instance_id} was started.")
        if instance.socket is not None and port == instance.port:
            return instance.socket
        return SocketAddress(instance.host, port)

    def _home(self, instance_id: str) -> Path:
        return self._folder / instance_id

    @staticmethod
    def _remove(left_over: Path) -> None:
        processes.stop_left_over(left_over / "pid", f"{left_over / 'root'}{os.sep}")
        shutil.rmtree(left_over, ignore_errors=True)
