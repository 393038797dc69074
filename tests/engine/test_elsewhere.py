"""The service as a component of programs that are not this repository's."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

from operations.project import PROJECT
from tests import processes
from toolchain import install, versions
from toolchain.progress import Reporter

pytestmark = pytest.mark.long

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The repository's tracked files: building leaves things behind beside them."""
    folder = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def site(source, tmp_path_factory):
    """A folder with the installed package, without what it depends on."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--no-index", "--target", str(folder), str(source)),
        ],
        check=True,
    )
    return folder


class Program:
    """Another project with a stack on the local cloud."""

    def __init__(self, engine, folder, variables=None):
        self.folder = folder
        self._engine = engine
        self.environment = {**engine.stack.environment, **(variables or {})}
        config = yaml.safe_load(engine.stack.config_file.read_text())["config"]
        provider = {key: value for key, value in config.items() if key.startswith("alicloud:")}
        (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": provider}))
        self.pulumi("stack", "select", "--create")

    def pulumi(self, *arguments):
        return processes.printed(
            [self._engine.stack.toolchain.pulumi, *arguments, "--stack=dev", "--color=never"],
            cwd=self.folder,
            env=self.environment,
        )

    def outputs(self):
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))

    def state(self):
        return self.pulumi("stack", "export")


def status(address, ca_certificate, bundle=None, folder=None):
    """The HTTP status that a client gets."""
    context = ssl.create_default_context(cadata=ca_certificate)
    if bundle is not None:
        (folder / "client.crt").write_text(bundle["certificate"] + bundle["chain"])
        (folder / "client.key").write_text(bundle["private_key"])
        context.load_cert_chain(
            folder / "client.crt", folder / "client.key", password=bundle["pass_phrase"]
        )
    with httpx.Client(verify=context, trust_env=False) as client:
        # 502 until the backends' first health checks are through.
        for _ in range(120):
            answer = client.get(f"https://{address}/").status_code
            if answer != 502:
                break
            time.sleep(0.5)
        return answer


@pytest.fixture(scope="module")
def with_package(engine, site, tmp_path_factory):
    """Makes projects of the programs here that have the installed package."""

    def made(name):
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(PROGRAMS / name, folder, dirs_exist_ok=True)
        return Program(engine, folder, {"PYTHONPATH": str(site)})

    return made


@pytest.fixture(scope="module")
def with_pip(with_package):
    program = with_package("another_program")
    yield program
    program.pulumi("destroy", "--yes", "--skip-preview")


def serves_its_client_alone(program, bundles, ca_certificate, tmp_path):
    """Bring a program up; its outputs have the names that its language gives them."""
    program.pulumi("up", "--yes", "--skip-preview")
    found = program.outputs()
    bundle = found[bundles]["partner"]
    assert status(found["address"], found[ca_certificate], bundle, tmp_path) == 200
    assert status(found["address"], found[ca_certificate]) == 400
    assert "PRIVATE KEY" not in program.state()
    program.pulumi("preview", "--expect-no-changes")


def test_nothing_is_installed_beside_the_one_package_and_its_command(site):
    assert {path.name for path in site.iterdir() if path.suffix != ".dist-info"} == {
        "slb_mutual_tls",
        "bin",
    }
    assert {path.name for path in (site / "bin").iterdir()} == {"slb-mutual-tls"}


def test_another_program_uses_the_installed_package(with_pip, tmp_path):
    serves_its_client_alone(with_pip, "client_bundles", "ca_certificate", tmp_path)


@pytest.fixture(scope="module")
def with_outputs(with_package):
    program = with_package("outputs_of_others")
    yield program
    program.pulumi("config", "rm", "wrong")
    program.pulumi("destroy", "--yes", "--skip-preview")


def test_a_program_hands_over_outputs_of_its_own_resources(with_outputs, tmp_path):
    with_outputs.pulumi("preview")
    serves_its_client_alone(with_outputs, "client_bundles", "ca_certificate", tmp_path)
    found = with_outputs.outputs()
    assert found["client_bundles"]["partner"]["pass_phrase"] == found["pass_phrase"]
    assert found["pass_phrase"] not in with_outputs.state()
    # What is wrong with an output is one sentence, as with a plain value.
    with_outputs.pulumi("config", "set", "wrong", "true")
    sentence = r"shop: server\.ip_addresses\[0\]: this is no IP address, such as 203\.0\.113\.10"
    with pytest.raises(AssertionError, match=sentence) as refused:
        with_outputs.pulumi("preview")
    assert "Traceback" not in str(refused.value)


@pytest.fixture(scope="module")
def with_nodejs(engine, source, tmp_path_factory):
    """A TypeScript program, with the SDK that `pulumi package add` made for it."""
    if shutil.which("npm") is None:
        pytest.skip("needs Node.js with npm on PATH")
    with Reporter() as reporter:
        toolchain = install.add_nodejs(engine.stack.toolchain, reporter)
    home = tmp_path_factory.mktemp("pulumi")
    _offer_provider(home, toolchain)
    folder = tmp_path_factory.mktemp("typescript")
    shutil.copytree(PROGRAMS / "typescript_program", folder, dirs_exist_ok=True)
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    project["runtime"]["options"]["virtualenv"] = str(source / "package/.venv")
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    variables = {**toolchain.environment(), "PULUMI_HOME": str(home)}
    program = Program(engine, folder, variables)
    # The SDK of the provider that is here: with a newer one, the engine would download another.
    constraint = folder / "constraint.txt"
    constraint.write_text(f"pulumi-alicloud=={versions.ALICLOUD}\n")
    subprocess.run(
        [toolchain.pulumi, "package", "add", source / "package"],
        cwd=folder,
        env={**program.environment, "PIP_CONSTRAINT": str(constraint)},
        check=True,
        stdin=subprocess.DEVNULL,
    )
    yield program
    program.pulumi("destroy", "--yes", "--skip-preview")


def _offer_provider(home, toolchain):
    """Put the provider among the installed plugins, where a package is looked for its own."""
    built = shutil.which("pulumi-resource-alicloud", path=toolchain.environment()["PATH"])
    if built:
        folder = home / f"plugins/resource-alicloud-v{versions.ALICLOUD}"
        folder.mkdir(parents=True)
        (folder / "pulumi-resource-alicloud").symlink_to(built)


def test_a_typescript_program_uses_the_component_package(with_nodejs, tmp_path):
    serves_its_client_alone(with_nodejs, "clientBundles", "caCertificate", tmp_path)
