"""The stacks of the environments: one configuration, different only where environments differ."""

from __future__ import annotations

import pytest
import yaml

from components.arguments.model import NAMESPACE
from configuration.settings import parse
from operations.project import PROJECT
from operations.stacks import environment

ENVIRONMENTS = ("dev", "staging", "prod")

MAY_DIFFER = {
    "certificate_authority.subject.common_name",
    "server.domains",
    "client_defaults.validity",
    "client_defaults.renew_before",
    "clients",
    "backends.count",
    "load_balancer.deletion_protection",
}


def settings(name):
    config = environment.read_configuration(name)["config"]
    prefix = f"{NAMESPACE}:"
    own = {k.removeprefix(prefix): v for k, v in config.items() if k.startswith(prefix)}
    return parse(own, file=f"Pulumi.{name}.yaml").model_dump()


def differing(one, other, path=""):
    if isinstance(one, dict) and one.keys() == other.keys() and one:
        for key in one:
            yield from differing(one[key], other[key], f"{path}.{key}" if path else key)
    elif one != other:
        yield path


@pytest.mark.parametrize("name", ["dev", "staging"])
def test_environments_differ_from_production_only_where_they_should(name):
    assert set(differing(settings(name), settings("prod"))) <= MAY_DIFFER


def test_what_may_differ_is_what_does():
    found = {
        path for name in ("dev", "staging") for path in differing(settings(name), settings("prod"))
    }
    assert found == MAY_DIFFER


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_file_says_the_same_things(name):
    def keys(value, path=""):
        if not isinstance(value, dict) or path.endswith(":clients"):
            return {path}
        return {path} | {deep for k, v in value.items() for deep in keys(v, f"{path}.{k}")}

    files = {other: environment.read_configuration(other) for other in ENVIRONMENTS}
    assert keys(files[name]) == keys(files["prod"])


def test_production_cannot_be_deleted_by_mistake():
    assert settings("prod")["load_balancer"]["deletion_protection"]


def test_on_the_local_cloud_only_the_provider_s_settings_are_others():
    values = environment.read_configuration("prod")
    moved = environment.move_to_local_cloud(values)["config"]
    own = {k: v for k, v in values["config"].items() if k.startswith(f"{NAMESPACE}:")}
    assert {k: v for k, v in moved.items() if k.startswith(f"{NAMESPACE}:")} == own
    assert moved["alicloud:region"] == values["config"]["alicloud:region"]
    assert environment.local_api_port({"config": moved}) is not None


def test_on_the_local_cloud_what_only_the_stack_can_decrypt_is_left_out():
    secret = {"secure": "v1:abc"}
    values = {
        "encryptionsalt": "v1:salt",
        "config": {
            "alicloud:region": "eu-central-1",
            "alicloud:profile": "mine",
            "slb-mutual-tls:clients": {"partner": {"pass_phrase": secret, "validity": "90d"}},
            "slb-mutual-tls:server": {"certificate": "PEM", "private_key": secret},
            "slb-mutual-tls:other": secret,
        },
    }
    moved = environment.move_to_local_cloud(values)
    assert moved.keys() == {"config"}
    own = {k: v for k, v in moved["config"].items() if k.startswith(f"{NAMESPACE}:")}
    assert own == {
        "slb-mutual-tls:clients": {"partner": {"validity": "90d"}},
        "slb-mutual-tls:server": {},
    }
    assert "alicloud:profile" not in moved["config"]
    assert moved["config"]["alicloud:region"] == "eu-central-1"
    assert values["config"]["slb-mutual-tls:server"]["certificate"] == "PEM"


def test_the_example_for_esc_fits_the_configuration():
    values = yaml.safe_load((PROJECT / "docs/esc.yaml").read_text(encoding="utf-8"))["values"]
    config = values["pulumiConfig"]
    pass_phrase = config["slb-mutual-tls:clients"]["partner"]["pass_phrase"]
    config["slb-mutual-tls:clients"]["partner"]["pass_phrase"] = pass_phrase["fn::secret"]
    own = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in config.items()}
    assert parse(own, file="docs/esc.yaml", secret_keys={"clients"}).tags == {"cost-centre": "4711"}
