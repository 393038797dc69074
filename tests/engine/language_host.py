"""An engine with as much to it as a language host needs, and a project for the host to run."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent import futures
from contextlib import contextmanager, suppress

import grpc
import psutil
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from operations.project import PROJECT

VIRTUALENV = str(PROJECT / ".venv")


class LogEngine(engine_pb2_grpc.EngineServicer):
    """Keeps what is logged."""

    def __init__(self):
        self.logged = []

    def Log(self, request, _context):  # noqa: N802
        self.logged.append(request.message)
        return Empty()


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Knows no features, and takes every resource."""

    def SupportsFeature(self, _request, _context):  # noqa: N802
        return resource_pb2.SupportsFeatureResponse(hasSupport=False)

    def RegisterResource(self, request, _context):  # noqa: N802
        urn = f"urn:pulumi:dev::project::{request.type}::{request.name}"
        return resource_pb2.RegisterResourceResponse(urn=urn, id="id", object=request.object)

    def RegisterResourceOutputs(self, _request, _context):  # noqa: N802
        return Empty()


@contextmanager
def serving():
    """An engine with its monitor, at its `address` until the end of the block."""
    server = grpc.server(futures.ThreadPoolExecutor(8))
    served = LogEngine()
    engine_pb2_grpc.add_EngineServicer_to_server(served, server)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(), server)
    served.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield served
    finally:
        server.stop(None).wait()


class Host:
    """A language host, and what its programs print."""

    def __init__(self, process):
        self.process = process
        port = int(process.stdout.readline())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.call = language_pb2_grpc.LanguageRuntimeStub(self.channel)

    def printed(self):
        """Everything on standard output and on standard error; ends the host."""
        self.channel.close()
        self.process.terminate()
        return self.process.communicate(timeout=30)


@contextmanager
def started(toolchain, engine, folder):
    """A host that runs in this folder until the end of the block."""
    environment = toolchain.environment()
    command = shutil.which("pulumi-language-python", path=environment["PATH"])
    process = subprocess.Popen(
        [command, engine.address],
        cwd=folder,
        env={**os.environ, **environment},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Host(process)
    finally:
        # Killed, the host cannot end a plugin that it still runs.
        plugins = []
        with suppress(psutil.NoSuchProcess):
            plugins = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for plugin in plugins:
            with suppress(psutil.NoSuchProcess):
                plugin.kill()
        process.communicate()


class Project:
    """A project's folder; `write(name, text)` puts a file into it."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def info(self, **options):
        info = language_pb2.ProgramInfo(
            root_directory=str(self.folder),
            program_directory=str(self.folder),
            entry_point=".",
        )
        info.options.update({"virtualenv": VIRTUALENV, **options})
        return info


def run(host, engine, project, *, config=None, secrets=(), **options):
    """Run the project's program."""
    request = language_pb2.RunRequest(
        project="project",
        stack="dev",
        pwd=str(project.folder),
        program=".",
        config=config or {},
        configSecretKeys=secrets,
        dryRun=True,
        parallel=4,
        monitor_address=engine.address,
        organization="organization",
        info=project.info(**options),
    )
    return host.call.Run(request, timeout=60)


def plugin(host, project, *, kind="resource", env=(), args=("first",), **options):
    """Run a plugin; returns exit status, standard output and standard error."""
    request = language_pb2.RunPluginRequest(
        pwd="/", args=args, env=env, info=project.info(**options), kind=kind, name="plugin"
    )
    status, out, err = 0, b"", b""
    for part in host.call.RunPlugin(request, timeout=60):
        status = part.exitcode if part.WhichOneof("output") == "exitcode" else status
        out += part.stdout
        err += part.stderr
    return status, out.decode(), err.decode()


def installed(host, project, **options):
    """Install what the project depends on; returns what is printed."""
    request = language_pb2.InstallDependenciesRequest(info=project.info(**options))
    return b"".join(
        part.stdout + part.stderr for part in host.call.InstallDependencies(request, timeout=120)
    ).decode()
