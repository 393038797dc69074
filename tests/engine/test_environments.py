"""Every environment's configuration by the real engine, on the local cloud."""

from __future__ import annotations

import pytest

from operations.stacks import environment
from tests.engine.conftest import Engine


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_an_environment_previews(local, toolchain, name):
    values = environment.move_to_local_cloud(environment.read_configuration(name))
    engine = Engine(local, toolchain, name, values)
    steps = engine.steps()
    assert set(steps.values()) == {"create"}
    title = f"slb-mutual-tls-{name}"
    assert f"alicloud:slb/listener:Listener::{title}" in steps
    count = values["config"]["slb-mutual-tls:backends"]["count"]
    instances = [step for step in steps if step.startswith("alicloud:ecs/instance:Instance::")]
    assert len(instances) == count
