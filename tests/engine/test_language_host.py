"""What the engine expects of a Python language host, whichever one the toolchain has.

Here it is asked as the engine asks it, by the LanguageRuntime protocol. What is expected was read
from pulumi-language-python v3.276.0; where the official one is in use, these tests judge it too.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
import signal
import threading
import time
import venv
from importlib.metadata import version
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import (
    analyzer_pb2,
    analyzer_pb2_grpc,
    language_pb2,
)

from tests.engine import language_host
from tests.engine.language_host import VIRTUALENV, Project, installed, plugin
from toolchain import versions


@pytest.fixture(scope="module")
def engine():
    with language_host.serving() as served:
        yield served


@pytest.fixture
def start(toolchain, engine, tmp_path):
    """Start a host."""
    return functools.partial(language_host.started, toolchain, engine, tmp_path)


@pytest.fixture
def host(start):
    with start() as started:
        yield started


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


@pytest.fixture
def run(engine, project):
    """Run a program."""

    def call(host, program, **options):
        if program is not None:
            project.write("__main__.py", program)
        return language_host.run(host, engine, project, **options)

    return call


def test_a_program_runs_with_its_configuration_and_its_output_shows(host, run):
    answer = run(
        host,
        "import sys, pulumi\n"
        "config = pulumi.Config()\n"
        "print(pulumi.get_project(), pulumi.get_stack(), config.get('name'), config.get('more'))\n"
        "print(pulumi.runtime.is_dry_run(), sys.prefix)\n"
        "print('to standard error', file=sys.stderr)\n",
        config={"project:name": "value"},
    )
    assert (answer.error, answer.bail) == ("", False)
    out, err = host.printed()
    assert out == f"project dev value None\nTrue {VIRTUALENV}\n"
    assert err == "to standard error\n"


def test_secret_configuration_stays_secret(host, run):
    answer = run(
        host,
        "from pulumi.runtime import config\nprint(config.is_config_secret('project:key'))\n",
        config={"project:key": "value"},
        secrets=["project:key"],
    )
    assert not answer.error
    assert host.printed()[0] == "True\n"


def test_a_mistake_that_the_user_was_told_of_is_not_told_twice(host, engine, run):
    answer = run(host, "def broken():\n    raise ValueError('no good')\n\nbroken()\n")
    assert (answer.error, answer.bail) == ("", True)
    assert "ValueError: no good" in engine.logged[-1]


def test_a_run_error_is_told_and_counts_as_a_failure(host, engine, run):
    answer = run(host, "import pulumi\nraise pulumi.RunError('one clear sentence')\n")
    assert (answer.error, answer.bail) == ("program exited with non-zero exit code: 1", False)
    assert engine.logged[-1] == "one clear sentence"


def test_an_exit_status_is_reported(host, run):
    answer = run(host, "import os\nos._exit(7)\n")
    assert answer.error == "program exited with non-zero exit code: 7"


def test_a_program_that_is_missing_is_told(host, engine, run, project):
    answer = run(host, None)
    assert (answer.error, answer.bail) == ("", True)
    sentence = f"unable to find main python program `__main__.py` in `{project.folder}`"
    assert sentence in engine.logged


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"virtualenv": "nowhere"}, "The 'virtualenv' option in Pulumi.yaml is set to \"nowhere\""),
        ({"virtualenv": 1}, "virtualenv option must be a string"),
        ({"toolchain": "conda"}, "unsupported toolchain option: conda"),
        ({"toolchain": True}, "toolchain option must be a string"),
    ],
    ids=str,
)
def test_wrong_options_are_told(host, run, options, sentence):
    with pytest.raises(grpc.RpcError) as caught:
        run(host, "", **options)
    assert sentence in caught.value.details()


def test_cancel_interrupts_the_program(host, project, run):
    program = (
        "import pathlib, time\n"
        "try:\n"
        "    pathlib.Path('started').touch()\n"
        "    time.sleep(600)\n"
        "except KeyboardInterrupt:\n"
        "    pathlib.Path('cleaned-up').touch()\n"
        "    raise\n"
    )
    answers = []
    thread = threading.Thread(target=lambda: answers.append(run(host, program)))
    thread.start()
    while not (project.folder / "started").exists():
        time.sleep(0.05)
    host.call.Cancel(Empty(), timeout=60)
    thread.join(timeout=60)
    (answer,) = answers
    assert answer.error or answer.bail
    assert (project.folder / "cleaned-up").exists()


# The engine interrupts the whole process group.
@pytest.mark.parametrize("interrupt", [os.killpg, os.kill], ids=["group", "host"])
def test_a_program_ends_with_its_host(host, project, run, interrupt):
    if interrupt is os.kill and "-go-" not in str(host.process.args[0]):
        pytest.skip("the official host waits for the program to end by itself")
    program = (
        "import os, pathlib, time\n"
        "pathlib.Path('pid').write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    ended = []

    def follow():
        try:
            ended.append(run(host, program))
        except grpc.RpcError as error:
            ended.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    pid = project.folder / "pid"
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.05)
    interrupt(host.process.pid, signal.SIGINT)
    out, err = host.process.communicate(timeout=60)
    assert host.process.returncode == 0
    thread.join(timeout=60)
    assert len(ended) == 1
    assert not psutil.pid_exists(int(pid.read_text()))
    if "-go-" in str(host.process.args[0]):
        # Where it was is of no use to whoever interrupted it; the official host tells it.
        assert (out, err) == ("", "")


def test_the_providers_of_the_programs_packages_are_required(host, project):
    request = language_pb2.GetRequiredPackagesRequest(info=project.info())
    packages = host.call.GetRequiredPackages(request, timeout=60).packages
    assert [(one.name, one.kind, one.version) for one in packages] == [
        ("alicloud", "resource", f"v{versions.ALICLOUD}")
    ]


@pytest.mark.parametrize(
    ("released", "declared", "expected"),
    [
        ("1.2", None, ("pulumi-made-up", "v1.2.0")),
        ("1.2.3rc4", None, ("pulumi-made-up", "v1.2.3-rc.4")),
        ("1.2.3.post4", None, ("pulumi-made-up", "v1.2.3+post4")),
        ("1!2", None, None),
        ("1.0.0", {"resource": False}, None),
        ("1.0.0", {"resource": True}, ("pulumi-made-up", "v1.0.0")),
        (
            "1.0.0",
            {"resource": True, "name": "other", "version": "2.0.0", "server": "https://x"},
            ("other", "v2.0.0"),
        ),
    ],
)
def test_what_a_package_says_of_its_provider(host, project, released, declared, expected):
    # An environment in which nothing else is installed.
    site = _bare_environment(project.folder / "bare")
    metadata = site / f"pulumi_made_up-{released}.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: pulumi-made-up\nVersion: {released}\n")
    (site / "pulumi_made_up").mkdir()
    if declared is not None:
        (site / "pulumi_made_up/pulumi-plugin.json").write_text(json.dumps(declared))
    request = language_pb2.GetRequiredPackagesRequest(info=project.info(virtualenv="bare"))
    packages = host.call.GetRequiredPackages(request, timeout=60).packages
    found = [(one.name, one.version) for one in packages]
    name = expected and expected[0].removeprefix("pulumi-")
    assert found == ([(name, expected[1])] if expected else [])


def _bare_environment(folder):
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python3*/site-packages")
    # What the official host calls to list packages.
    shutil.copytree(next(Path(VIRTUALENV).glob("lib/python3*/site-packages/pip")), site / "pip")
    return site


def test_dependencies_are_those_of_the_programs_environment(host, project):
    listed = host.call.GetProgramDependencies(
        language_pb2.GetProgramDependenciesRequest(
            info=project.info(), transitiveDependencies=True
        ),
        timeout=60,
    ).dependencies
    assert {one.name: one.version for one in listed}["pulumi"] == version("pulumi")
    assert host.call.GetPluginInfo(Empty(), timeout=60).version.startswith("v3.")


@pytest.mark.parametrize("options", [{}, {"toolchain": "pip"}], ids=["none", "pip"])
def test_versions_are_those_of_the_programs_environment(host, project, options):
    request = language_pb2.AboutRequest(info=project.info(**options))
    about = host.call.About(request, timeout=60)
    assert about.executable == f"{VIRTUALENV}/bin/python"
    assert about.version == platform.python_version()
    # By semantic versioning, with three numbers.
    major, minor, patch = (*version("pip").split("."), "0")[:3]
    assert about.metadata["toolchainVersion"] == f"{major}.{minor}.{patch}"


def test_a_plugin_runs_where_and_how_the_engine_says(host, project):
    project.write(
        "__main__.py",
        "import os, sys\n"
        "print(os.getcwd(), sys.argv[1:], os.environ['GIVEN'], sys.prefix)\n"
        "print('to standard error', file=sys.stderr)\n",
    )
    assert plugin(host, project, env=["GIVEN=value"]) == (
        0,
        f"/ ['first'] value {VIRTUALENV}\n",
        "to standard error\n",
    )


def test_a_plugins_exit_status_follows_its_last_words(host, project):
    project.write("__main__.py", "import sys\nprint('last')\nsys.exit(5)\n")
    assert plugin(host, project) == (5, "last\n", "")


def test_a_folder_that_is_no_plugin_is_told(host, project):
    with pytest.raises(grpc.RpcError) as caught:
        plugin(host, project)
    assert "it provides neither __main__.py nor a buildable pyproject.toml" in (
        caught.value.details()
    )


def test_a_plugin_ends_with_the_call(host, project):
    project.write(
        "__main__.py", "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n"
    )
    request = language_pb2.RunPluginRequest(
        pwd="/", info=project.info(), kind="resource", name="plugin"
    )
    call = host.call.RunPlugin(request, timeout=60)
    process = psutil.Process(int(next(iter(call)).stdout))
    call.cancel()
    process.wait(timeout=60)


def test_a_policy_pack_learns_its_stack_before_it_starts(host, project, engine):
    # What pulumi-policy does of the protocol, without its packages.
    project.write(
        "__main__.py",
        "import os, sys, time, grpc, pulumi\n"
        "from concurrent import futures\n"
        "from pulumi.runtime import proto\n"
        "from pulumi.runtime.proto import analyzer_pb2_grpc\n"
        "name = f'{pulumi.get_project()}-{pulumi.get_stack()}-{os.getcwd()}'\n"
        "info = proto.AnalyzerInfo(name=name, version=pulumi.Config().get('key'))\n"
        "class Pack(analyzer_pb2_grpc.AnalyzerServicer):\n"
        "    def GetAnalyzerInfo(self, request, context):\n"
        "        return info\n"
        "server = grpc.server(futures.ThreadPoolExecutor(2))\n"
        "analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Pack(), server)\n"
        "print(server.add_insecure_port('127.0.0.1:0'), flush=True)\n"
        "server.start()\n"
        "time.sleep(600)\n",
    )
    request = language_pb2.RunPluginRequest(
        pwd="/", args=[engine.address], info=project.info(), kind="analyzer", name="pack"
    )
    call = host.call.RunPlugin(request, timeout=60)
    port = int(next(iter(call)).stdout)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        analyzer = analyzer_pb2_grpc.AnalyzerStub(channel)
        analyzer.ConfigureStack(
            analyzer_pb2.AnalyzerStackConfigureRequest(
                project="project", stack="prod", dry_run=True, config={"project:key": "value"}
            ),
            timeout=60,
        )
        info = analyzer.GetAnalyzerInfo(Empty(), timeout=60)
    call.cancel()
    assert (info.name, info.version) == (f"project-prod-{project.folder}", "value")


def test_dependencies_that_cannot_be_installed_are_told(start, project, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    project.write("requirements.txt", "no-such-package\n")
    with start() as host, pytest.raises(grpc.RpcError) as caught:
        installed(host, project, virtualenv="made")
    assert "pip" in caught.value.details()
    assert (project.folder / "made/bin/python").exists()
