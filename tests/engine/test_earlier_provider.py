"""A stack that was brought up with another release of the provider's SDK goes on with this one.

`kept_deployment/sdk-4.0.0.json` is the stack `local` as the program brought it up with
pulumi-alicloud 4.0.0: the state as the engine exported it, with secrets encrypted, and what the
local cloud remembered, without the server's key. The tests of this file share it, and run in order.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.trial import local_cloud
from localcloud.documents import KINDS
from localcloud.home import Home
from localcloud.store import Store
from operations.project import PROJECT
from tests import processes
from tests.engine.clock import later
from tests.engine.conftest import Engine

FILE = Path(__file__).parent / "kept_deployment/sdk-4.0.0.json"
SERVER_CERTIFICATE = "alicloud:slb/serverCertificate:ServerCertificate"
PROVIDER = "pulumi:providers:alicloud::default_"
TAGGED = {
    "alicloud:ecs/instance:Instance",
    "alicloud:ecs/securityGroup:SecurityGroup",
    "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer",
    "alicloud:slb/caCertificate:CaCertificate",
    SERVER_CERTIFICATE,
    "alicloud:vpc/network:Network",
    "alicloud:vpc/switch:Switch",
}


@pytest.fixture(scope="module")
def kept():
    return json.loads(FILE.read_text())


def then(kept):
    """The clock of the time at which the stack was brought up."""
    since = datetime.fromisoformat(kept["moment"]) - datetime.now(UTC)
    return later(since / timedelta(days=1))


def remember(home, documents, server_key):
    """Have a local cloud that is down remember what was kept."""
    kinds = {kind.kind: kind for kind in KINDS}
    store = Store(home.state)
    try:
        for name, _, body in documents:
            key = {"private_key": server_key} if name == "server_certificate" else {}
            store.put(kinds[name].model_validate({**body, **key}))
    finally:
        store.close()


@pytest.fixture(scope="module")
def brought_in(kept, toolchain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("earlier") / "local"
    home = Home(folder / "cloud")
    (home.path / "networks.json").write_text(json.dumps(kept["networks"]))
    (folder / "passphrase").write_text("of a test")
    with local_cloud(folder) as local:
        engine = Engine(local, toolchain, "local", kept["values"])
        processes.printed(
            [toolchain.pulumi, "stack", "import", "--stack", "local"],
            cwd=PROJECT,
            env=engine.stack.environment,
            text=json.dumps(kept["state"]),
        )
        resources = json.loads(engine.state(show_secrets=True))["deployment"]["resources"]
        (uploaded,) = (one for one in resources if one["type"] == SERVER_CERTIFICATE)
        local.stop_cloud()
        server_key = json.loads(uploaded["inputs"]["privateKey"]["plaintext"])
        remember(home, kept["documents"], server_key)
        local.start_cloud(0)
        engine.configure()
        yield engine


def ours(steps):
    """Without the providers, of which another release is another resource."""
    return {name: step for name, step in steps.items() if not name.startswith(PROVIDER)}


def test_the_file_shows_no_secret_and_no_path_of_the_machine_where_it_was_made(kept):
    text = json.dumps(kept)
    assert "PRIVATE KEY" not in text
    assert "plaintext" not in text
    assert "project:///" not in text
    assert str(Path.home()) not in text


def test_it_is_of_the_earlier_release(brought_in):
    assert f"{PROVIDER}4_0_0" in brought_in.state()


def test_a_preview_shows_nothing_to_do(brought_in, kept):
    assert ours(brought_in.steps(variables=then(kept))) == {}


def test_an_update_takes_the_present_release_and_changes_nothing(brought_in, kept):
    before = json.loads(brought_in.state())["deployment"]["resources"]
    brought_in.up(variables=then(kept))
    state = brought_in.state()
    assert f"{PROVIDER}3_105_0" in state
    ids = {one["urn"]: one.get("id") for one in json.loads(state)["deployment"]["resources"]}
    kept_ids = {one["urn"]: one.get("id") for one in before}
    assert ours_by_urn(ids) == ours_by_urn(kept_ids)
    assert brought_in.steps(variables=then(kept)) == {}


def ours_by_urn(ids):
    return {urn: value for urn, value in ids.items() if "::pulumi:providers:" not in urn}


def test_the_cloud_is_as_the_state_says(brought_in, kept):
    assert ours(brought_in.steps("--refresh", variables=then(kept))) == {}


def test_a_renamed_stack_keeps_what_it_has(brought_in, kept, tmp_path):
    # Not in the project's folder, whose Pulumi.local.yaml it would rename.
    shutil.copy(PROJECT / "Pulumi.yaml", tmp_path)
    processes.printed(
        [brought_in.stack.toolchain.pulumi, "stack", "rename", "renamed", "--stack", "local"],
        cwd=tmp_path,
        env=brought_in.stack.environment,
    )
    brought_in.stack = dataclasses.replace(brought_in.stack, name="renamed")
    before = brought_in.outputs()
    steps = brought_in.steps(variables=then(kept))
    assert set(steps.values()) == {"update"}, steps
    assert {name.split("::")[0] for name in steps} == TAGGED
    brought_in.up(variables=then(kept))
    after = brought_in.outputs()
    assert (after.address, after.ca_certificate) == (before.address, before.ca_certificate)
    assert brought_in.steps(variables=then(kept)) == {}
