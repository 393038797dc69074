"""`rotate`, as a person runs it: prepare, hand out, complete."""

from __future__ import annotations

import json
import stat

import pytest
import yaml

from configuration.outputs import StackOutputs
from operations.verification import probes
from operations.verification.identity import Identity
from operations.verification.probes import is_success

pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def deployed(run):
    answer = run("up", "--", "--skip-preview")
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.fixture(scope="module")
def target(run, deployed):
    """The service's address, which stays."""
    found = json.loads(run("outputs").stdout)
    return probes.target_of(StackOutputs.model_validate({**found, "client_bundles": {}}))


def configured(project):
    file = project / "Pulumi.local.yaml"
    return yaml.safe_load(file.read_text())["config"]["slb-mutual-tls:certificate_authority"]


@pytest.fixture
def handed_out(run, project, target):
    """A client's bundle as its holder has it, and whether it gets through."""

    class Holder:
        def __init__(self, name, directory):
            answer = run("client", name, "--dir", str(directory))
            assert answer.returncode == 0, answer.stderr
            modes = {path: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
            assert set(modes.values()) == {0o600}, modes
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
            files = {
                path.name: path.read_text()
                for path in directory.iterdir()
                if path.suffix in {".crt", ".key", ".txt"}
            }
            self.identity = Identity(
                files[f"{name}.crt"], files[f"{name}.key"], files["passphrase.txt"].rstrip()
            )
            self.trusted = files["ca.crt"]
            phrase = self.identity.pass_phrase
            assert [file for file, text in files.items() if phrase in text] == ["passphrase.txt"]
            assert phrase not in answer.stdout + answer.stderr
            assert "PRIVATE KEY" not in answer.stdout + answer.stderr

        def gets_through(self):
            context = probes.anchored_context(self.trusted)
            return is_success(probes.probe(target, context, self.identity))

    return lambda name, directory: Holder(name, project / "out" / directory)


@pytest.mark.usefixtures("deployed")
def test_nothing_is_rotated_without_a_yes(run, project):
    before = (project / "Pulumi.local.yaml").read_text()
    answer = run("rotate", "prepare", answer="n\n")
    assert answer.returncode == 1
    assert "Nothing was done; Pulumi.local.yaml is as it was." in answer.stderr
    assert (project / "Pulumi.local.yaml").read_text() == before
    refused = run("rotate", "complete", "--yes")
    assert refused.stderr.endswith("No rotation is prepared, so there is none to complete.\n")


@pytest.mark.usefixtures("deployed")
def test_old_and_new_bundles_work_between_the_steps_and_new_ones_after(run, project, handed_out):
    old = handed_out("browser", "before")
    assert old.gets_through()

    answer = run("rotate", "prepare", "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Earlier certificates still get" in answer.stdout
    assert "Hand out: make client NAME=browser STACK=local DIR=out/browser" in answer.stdout
    assert configured(project)["next_generation"] == 2
    new = handed_out("browser", "between")
    assert old.gets_through()
    assert new.gets_through()
    rows = json.loads(run("inventory", "--json").stdout)
    assert [row["name"] for row in rows if row["role"] == "ca"] == [
        "CA",
        "next CA",
        "CA",
        "next CA, signed by the CA",
    ]

    lists = run("crl", "--dir", str(project / "out" / "lists"))
    assert [line.rsplit("/", 1)[-1] for line in lists.stdout.splitlines()] == [
        "ca.crl.pem",
        "ca.crl",
        "next-ca.crl.pem",
        "next-ca.crl",
    ]

    again = run("rotate", "prepare", "--yes")
    assert again.returncode == 1
    assert "is prepared already" in again.stderr

    answer = run("rotate", "complete", "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert configured(project)["generation"] == 2
    assert "next_generation" not in configured(project)
    assert new.gets_through()
    assert not old.gets_through()
    assert handed_out("browser", "after").gets_through()


@pytest.mark.usefixtures("deployed")
def test_a_rotation_that_is_given_up_leaves_the_present_ca(run, project, handed_out):
    held = handed_out("partner", "kept")
    answer = run("rotate", "prepare", "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    given = handed_out("partner", "given")
    answer = run("rotate", "abort", "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert configured(project)["generation"] == 2
    assert held.gets_through()
    assert not given.gets_through()
    preview = run("preview", "--", "--expect-no-changes")
    assert preview.returncode == 0, preview.stdout
