"""A stack's file as the commands take it: what the engine would read, or one sentence."""

from __future__ import annotations

import pytest

from operations import project
from operations.certificates import rotation
from operations.errors import OperationError
from operations.stacks import environment
from operations.stacks.environment import (
    LocalEnvironment,
    local_api_port,
    parse_configuration,
    section,
)
from operations.stacks.stack import Stack
from toolchain.install import Toolchain

NAMES = """\
config:
  slb-mutual-tls:clients:
    1001: {}
    on: {}
    no:
    true: {}
    1.5: {}
    2026-x: {}
  tags: {zip: "007", country: NO}
"""


def of(text: str):
    return parse_configuration(text.encode(), "Pulumi.dev.yaml")


def test_each_name_is_the_text_that_is_written():
    config = of(NAMES)["config"]
    names = ["1001", "on", "no", "true", "1.5", "2026-x"]
    assert list(section(config, "clients")) == names
    # Without a namespace it is the project's, as in the engine.
    assert section(config, "tags") == {"zip": "007", "country": "NO"}
    for name in names:
        assert rotation.revocation_changes(of(NAMES), name, "keyCompromise")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("007", "line 3: 007 is no text in YAML, and would be read as 7"),
        ("1.10", "would be read as 1.1."),
        ("~", "would be read as <nil>"),
        ("0x1F", "would be read as 31"),
        ("2026-01-01", "would be read as 2026-01-01 00:00:00 +0000 UTC"),
        ("True", "would be read as true"),
    ],
)
def test_a_name_that_would_be_read_as_another_is_refused(name, told):
    text = f"config:\n  slb-mutual-tls:clients:\n    {name}: {{}}\n"
    with pytest.raises(OperationError) as caught:
        of(text)
    assert told in str(caught.value)
    advice = str(caught.value).split("Write it in quotes: ")[1].removesuffix(".")
    assert list(section(of(text.replace(name, advice))["config"], "clients")) == [name]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("config: [a]\n", "there has to be a map of keys below config"),
        ("- a\n", "there has to be a map of keys below config"),
        ("config: {a: 1, a: 2}\n", "the key a is there twice"),
        # As yaml.v3 refuses them: "map merge requires map or sequence of maps as the value",
        # "invalid map key", "anchor 'a' value contains itself".
        ("config: {a: {<<: 1}}\n", "a merge .<<. takes a mapping"),
        ("config:\n  a:\n    <<:\n", "a merge .<<. takes a mapping"),
        ("config: {a: {<<: [1]}}\n", "a merge .<<. takes a mapping"),
        ("config: {[a]: 1}\n", "a key is a single value"),
        ("config: {a: &a [*a]}\n", "an anchor contains itself"),
        ("config: {\n", "is not valid YAML"),
    ],
)
def test_what_is_no_configuration_is_one_sentence(text, told):
    with pytest.raises(OperationError, match=told):
        of(text)


def test_what_is_in_another_encoding_is_one_sentence():
    with pytest.raises(OperationError, match=r"Pulumi\.dev\.yaml is not in UTF-8"):
        parse_configuration("config: {a: é}".encode("latin-1"), "Pulumi.dev.yaml")


@pytest.mark.parametrize("text", ["", "config:\n", "# nothing\n"])
def test_an_empty_configuration_is_one(text):
    assert of(text)["config"] == {}


NULLS = """\
config:
  alicloud:endpoints: {endpoints}
  slb-mutual-tls:listener:
  slb-mutual-tls:clients:
  slb-mutual-tls:certificate_authority:
  slb-mutual-tls:server:
  slb-mutual-tls:backends: 5
"""


@pytest.mark.parametrize("endpoints", ["", "here", "[here]", "[{slb: }]"])
def test_sections_without_content_are_taken(endpoints):
    values = of(NULLS.format(endpoints=endpoints))
    assert local_api_port(values) is None
    assert rotation.read_generations(values) == (1, None)
    assert section(values["config"], "backends") == {}
    with pytest.raises(OperationError, match="has no client 'x'; it has none"):
        rotation.revocation_changes(values, "x", "keyCompromise")
    assert environment.move_to_local_cloud(values)["config"]["alicloud:endpoints"]


def test_a_generation_that_is_no_number_is_one_sentence():
    values = of("config: {slb-mutual-tls:certificate_authority: {generation: two}}\n")
    with pytest.raises(OperationError, match=r"generation in the configuration is no whole number"):
        rotation.read_generations(values)


def test_the_local_cloud_s_copy_says_the_same(tmp_path, monkeypatch):
    local = LocalEnvironment(tmp_path)
    status = {"endpoint": "https://127.0.0.1:7501", "listeners": []}
    monkeypatch.setattr(local, "cloud_status", lambda: status)
    monkeypatch.setattr(local, "_salt", lambda stack: "v1:salt")
    stack = Stack("dev", Toolchain(tmp_path, ()), config_file=tmp_path / "Pulumi.dev.yaml")
    text = f"{NAMES}  slb-mutual-tls:listener:\n  alicloud:endpoints: [{{slb: 127.0.0.1:7443}}]\n"
    local.configure(stack, of(text))
    written = (tmp_path / "Pulumi.dev.yaml").read_text()
    config = parse_configuration(written.encode(), "Pulumi.dev.yaml")["config"]
    changed = {"alicloud:endpoints": [{"slb": "127.0.0.1:7501"}]}
    assert config == {**of(text)["config"], **changed}


@pytest.mark.parametrize("name", ["no", "on", "slb-mutual-tls"])
def test_the_project_s_name_is_the_text_that_is_written(tmp_path, monkeypatch, name):
    (tmp_path / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    monkeypatch.setattr(project, "PROJECT", tmp_path)
    assert project.project_name() == name
