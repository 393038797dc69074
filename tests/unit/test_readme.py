"""Both READMEs against the code: keys, defaults, ranges, outputs, commands, links."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from localcloud import services
from localcloud.dataplane.haproxy_binary import dotted_minimum
from localcloud.products import ECS, SLB, VPC
from operations.outputs import SECRET_OUTPUTS, StackOutputs
from operations.verification.checks import TITLES
from settings import ListenerOptions, Settings
from toolchain import go_build, versions

PROJECT = Path(__file__).resolve().parents[2]
NAMES = ("README.md", "README.zh.md")
TEXTS = {name: (PROJECT / name).read_text(encoding="utf-8") for name in NAMES}

TYPES = {
    "string": {"text", "文本"},
    "duration": {"duration", "时长"},
    "integer": {"integer", "整数"},
    "boolean": {"boolean", "布尔"},
    "array": {"list of texts", "文本列表"},
    "array of integers": {"list of integers", "整数列表"},
    "object": {"map", "映射"},
}
DURATIONS = {"validity", "renew_before"}
EN_DASH = "\u2013"

each_readme = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())


def schema_of(settings: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a field takes, with `$ref` resolved and the `null` of an optional one taken away."""
    branches = [branch for branch in node.get("anyOf", []) if branch.get("type") != "null"]
    node = branches[0] if branches else node
    if "$ref" in node:
        node = settings["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def keys() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Dotted name, schema and default of every key; `NAME` stands for a name in a map.

    Of an additional listener these are the keys that it alone has: of the others the README says
    that they are as `listener` has them.
    """
    root = Settings.model_json_schema()

    def walk(model: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any], Any]]:
        for name, field in model["properties"].items():
            schema = schema_of(root, field)
            if prefix == "additional_listeners.NAME." and name in ListenerOptions.model_fields:
                continue
            if "properties" in schema:
                yield from walk(schema, f"{prefix}{name}.")
                continue
            default = field.get("default", {} if schema["type"] == "object" else None)
            yield f"{prefix}{name}", schema, default
            patterns = schema.get("patternProperties", {})
            for value in (*patterns.values(), schema.get("additionalProperties", {})):
                if isinstance(value, dict) and "properties" in schema_of(root, value):
                    yield from walk(schema_of(root, value), f"{prefix}{name}.NAME.")

    return walk(root, "")


KEYS = {name: (schema, default) for name, schema, default in keys()}


def cells(text: str, columns: int) -> dict[str, list[str]]:
    """Rows of tables that have so many columns and begin with a name in code font."""
    rows = (re.split(r" *\| *", line.strip("| ")) for line in text.splitlines() if line[:1] == "|")
    return {
        row[0].strip("`"): row[1:]
        for row in rows
        if len(row) == columns and re.fullmatch(r"`[\w.]+`", row[0])
    }


def shown(default: Any) -> str:
    if default is None:
        return "—"
    if isinstance(default, list):
        return f"`[{', '.join(default)}]`"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def test_the_models_are_walked_to_their_leaves() -> None:
    assert {
        "certificate_authority.subject.country",
        "clients.NAME.pass_phrase",
        "listener.health_check.http_codes",
        "listener.sticky_session.cookie",
        "listener.domain_extensions.NAME.private_key",
        "additional_listeners.NAME.port",
        "tags",
    } <= KEYS.keys()


@each_readme
def test_the_table_has_every_key_and_no_other(text: str) -> None:
    assert cells(text, 4).keys() == KEYS.keys()


@each_readme
def test_each_key_has_its_type_and_default(text: str) -> None:
    table = cells(text, 4)
    wrong = {}
    for key, (schema, default) in KEYS.items():
        kind, written, _ = table[key]
        is_duration = key.rsplit(".", 1)[-1] in DURATIONS
        several = schema.get("items", {}).get("type") == "integer"
        kind_of = f"{schema['type']}{' of integers' if several else ''}"
        kinds = TYPES["duration" if is_duration else kind_of]
        if kind not in kinds or written != shown(default):
            wrong[key] = (kind, written)
    assert not wrong


@each_readme
def test_each_key_has_its_range(text: str) -> None:
    table = cells(text, 4)
    wrong = {}
    for key, (schema, _) in KEYS.items():
        choices = schema.get("enum", schema.get("items", {}).get("enum", []))
        expected = [f"`{choice}`" for choice in choices]
        bounds = schema.get("items", schema)
        if "minimum" in bounds:
            expected.append(f"{bounds['minimum']}{EN_DASH}{bounds['maximum']}")
        missing = [part for part in expected if part not in table[key][2]]
        if missing:
            wrong[key] = missing
    assert not wrong


@each_readme
def test_each_range_has_a_source(text: str) -> None:
    rows = re.findall(r"^\| (`[^|]*[*`]\S*) \| (.+) \|$", sources(text), re.MULTILINE)
    used = set()
    for key, (schema, _) in KEYS.items():
        fitting = [row for row, _ in rows if any(fnmatch(key, one) for one in code(row))]
        assert fitting or schema["type"] == "boolean", key
        used |= set(fitting[:1])
    assert [row for row, _ in rows if row not in used] == []


def sources(text: str) -> str:
    """The part on where ranges come from."""
    parts = text.split("\n### ")
    [part] = [one for one in parts if one.startswith(("Where the ranges", "取值范围的来源"))]
    return part


@each_readme
def test_outputs_are_those_of_the_program(text: str) -> None:
    program = ast.parse((PROJECT / "__main__.py").read_text(encoding="utf-8"))
    exported = {
        node.args[0].value
        for node in ast.walk(program)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "export"
        and isinstance(node.args[0], ast.Constant)
    }
    documented = {name: row[0] for name, row in cells(text, 2).items() if name in exported}
    assert documented.keys() == exported == set(StackOutputs.model_fields)
    secret = {name for name, shape in documented.items() if shape.startswith(("secret", "机密"))}
    assert secret == set(SECRET_OUTPUTS)


@each_readme
def test_environment_variables_are_those_that_the_code_reads(text: str) -> None:
    pattern = re.compile(r"\bSLB_MUTUAL_TLS_[A-Z_]+\b")
    folders = ("components", "localcloud", "operations", "pki", "toolchain")
    read = {
        name
        for folder in folders
        for path in (PROJECT / folder).rglob("*.py")
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert {name for name in cells(text, 2) if pattern.fullmatch(name)} == read


@each_readme
def test_every_make_command_is_there_and_exists(text: str) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) | {"help"}
    used = re.findall(r"\bmake(?: -s| [A-Z]+=\S+)* ([a-z][a-z-]*)", "\n".join(code(text)))
    assert set(used) == targets


@each_readme
def test_ids_of_checks_are_listed_in_order(text: str) -> None:
    assert ", ".join(f"`{name}`" for name in TITLES) in text.replace("、", ", ")


@each_readme
def test_versions_and_sizes_are_those_of_the_toolchain(text: str) -> None:
    expected = {
        "Pulumi CLI " + versions.dotted(versions.PULUMI_MINIMUM[:2]),
        f"Pulumi {versions.PULUMI} could not be downloaded",
        f"plugin install resource alicloud {versions.ALICLOUD}",
        f"HAProxy {dotted_minimum()}",
        f"{go_build.PEAK_MEMORY / 2**30:.1f} GB",
        f"{go_build.PEAK_MEMORY_WHOLE / 2**30:.1f} GB",
        f"{go_build.PEAK_MEMORY_UNOPTIMISED / 2**30:.1f} GB",
    }
    assert {part for part in expected if part not in text} == set()


@each_readme
def test_links_lead_somewhere(text: str) -> None:
    anchors = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("https://"):
            assert (PROJECT / target).is_file(), target


def code(text: str) -> list[str]:
    """Everything in code font."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", prose)]


def commands(text: str) -> list[str]:
    """Lines of shell blocks, without comments."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]


def test_both_languages_have_the_same_structure() -> None:
    english, chinese = TEXTS.values()

    def outline(text: str) -> list[str]:
        prose = re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        return re.findall(r"^(#+ |\|---.*|- |\d\. )", prose, re.MULTILINE)

    assert outline(chinese) == outline(english)
    assert commands(chinese) == commands(english)
    assert sum(line[:1] == "|" for line in chinese.splitlines()) == sum(
        line[:1] == "|" for line in english.splitlines()
    )


def test_both_languages_give_the_same_figures() -> None:
    figures = re.compile(r"\d+ (?:s|min|GB|Mbit/s)\b")
    english, chinese = (sorted(figures.findall(text)) for text in TEXTS.values())
    assert chinese == english


NOT_ASKED = {
    "ecs:DescribeImageSupportInstanceTypes",
    "ecs:DescribeRegions",
    "ecs:ModifySecurityGroupEgressRule",
    "slb:CreateLoadBalancerTCPListener",
    "slb:CreateRules",
    "slb:DeleteRules",
    "slb:DescribeLoadBalancerTCPListenerAttribute",
    "slb:DescribeRegions",
    "slb:DescribeRuleAttribute",
    "slb:DescribeRules",
    "slb:SetLoadBalancerTCPListenerAttribute",
    "slb:SetRule",
    "vpc:AssociateVpcCidrBlock",
    "vpc:ModifyRouteTableAttributes",
    "vpc:MoveResourceGroup",
    "vpc:UnassociateVpcCidrBlock",
}
"""Actions that the local cloud answers to others than this program."""


def test_the_ram_policy_allows_what_the_local_cloud_answers_and_no_more() -> None:
    services.load()
    answered = {
        f"{product.name.lower()}:{action}"
        for product in (SLB, ECS, VPC)
        for action in product.actions
    }
    policy = json.loads((PROJECT / "docs/ram-policy.json").read_text(encoding="utf-8"))
    assert set(policy["Statement"][0]["Action"]) == answered - NOT_ASKED
