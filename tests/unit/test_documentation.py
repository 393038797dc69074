"""README and pages against the code: keys, defaults, ranges, outputs, commands, links."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import json
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.base_name import OUTPUT
from components.clb.listener_arguments import ListenerOptions
from configuration.outputs import SECRET_OUTPUTS, StackOutputs
from configuration.settings import Settings, parse
from documentation import architecture
from documentation.__main__ import make_pages
from documentation.configuration import NOT_WRITTEN
from localcloud import __main__ as cloud
from localcloud import services
from localcloud.dataplane.haproxy_binary import dotted_minimum
from localcloud.products import ECS, SLB, VPC
from operations import __main__ as program
from operations.certificates import client_bundle
from operations.verification.checks import TITLES
from toolchain import go_build, versions

PROJECT = Path(__file__).resolve().parents[2]
READMES = {"en": PROJECT / "README.md", "zh": PROJECT / "README.zh.md"}
PAGES = {
    language: {"README": readme, **{path.stem: path for path in sorted(folder.glob("*.md"))}}
    for language, readme in READMES.items()
    for folder in [PROJECT / "docs" / language]
}
"""By language and name, the same names in each: README, and what it leads to."""

OTHERS = [path for folder in ("docs", "docs/clients") for path in (PROJECT / folder).glob("*.md")]
"""Reports and pages in English alone."""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


TEXTS = {language: "\n".join(map(read, pages.values())) for language, pages in PAGES.items()}
"""All that is written in a language."""

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

each_language = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
each_page = pytest.mark.parametrize("name", PAGES["en"])


def schema_of(settings: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a field takes, with `$ref` resolved and the `null` of an optional one taken away."""
    branches = [branch for branch in node.get("anyOf", []) if branch.get("type") != "null"]
    node = branches[0] if branches else node
    if "$ref" in node:
        node = settings["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def keys() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Dotted name, schema and default of every key; `NAME` stands for a name in a map.

    Of an additional listener these are the keys that it alone has: of the others the page says
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


@each_language
def test_the_table_has_every_key_and_no_other(text: str) -> None:
    assert cells(text, 4).keys() == KEYS.keys()


@each_language
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


@each_language
def test_each_key_has_its_range_and_its_meaning(text: str) -> None:
    table = cells(text, 4)
    wrong = {}
    for key, (schema, _) in KEYS.items():
        choices = schema.get("enum", schema.get("items", {}).get("enum", []))
        expected = [f"`{choice}`" for choice in choices]
        bounds = schema.get("items", schema)
        if "minimum" in bounds:
            expected = [str(bounds[name]) for name in ("minimum", "maximum") if bounds[name]]
        said = table[key][2]
        if said == NOT_WRITTEN or not all(
            re.search(rf"(?<!\d){re.escape(one)}(?!\d)", said) for one in expected
        ):
            wrong[key] = said
    assert not wrong


def test_pages_that_are_made_from_the_code_are_up_to_date() -> None:
    for path, text in make_pages():
        assert read(path) == text, "python -m documentation brings it up to date"


@each_language
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
    parts = re.split(r"^#+ ", text, flags=re.MULTILINE)
    [part] = [one for one in parts if one.startswith(("Where the ranges", "取值范围的来源"))]
    return part


@each_language
def test_outputs_are_those_of_the_program(text: str) -> None:
    exported = StackOutputs.model_fields.keys() - {OUTPUT}
    documented = {name: row[0] for name, row in cells(text, 2).items() if name in exported}
    assert documented.keys() == exported
    secret = {name for name, shape in documented.items() if shape.startswith(("secret", "机密"))}
    assert secret == set(SECRET_OUTPUTS)


@each_language
def test_environment_variables_are_those_that_the_code_reads(text: str) -> None:
    pattern = re.compile(r"\bSLB_MUTUAL_TLS_[A-Z_]+\b")
    folders = ("components", "localcloud", "operations", "toolchain")
    read = {
        name
        for folder in folders
        for path in (PROJECT / folder).rglob("*.py")
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert {name for name in cells(text, 2) if pattern.fullmatch(name)} == read


@each_language
def test_every_make_command_is_there_and_exists(text: str) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) | {"help"}
    used = re.findall(r"\bmake(?: -s| [A-Z]+=\S+)* ([a-z][a-z-]*)", "\n".join(code(text)))
    assert set(used) == targets


@each_language
def test_every_module_that_is_run_exists_with_its_command(text: str) -> None:
    known = {
        "localcloud": {one.name or one.callback.__name__ for one in cloud.app.registered_commands},
        "operations": {
            one.name or one.callback.__name__ for one in program.app.registered_commands
        },
    }
    run = re.findall(r"python -m ([\w.]+)(?: ([a-z]+))?", "\n".join(code(text)))
    assert {module for module, _ in run} >= {"localcloud", "operations", "toolchain", "pytest"}
    for module, command in run:
        assert importlib.util.find_spec(module), module
        assert not command or module not in known or command in known[module], command


@each_language
def test_ids_of_checks_are_listed_in_order(text: str) -> None:
    assert ", ".join(f"`{name}`" for name in TITLES) in text.replace("、", ", ")


@each_language
def test_versions_and_sizes_are_those_of_the_toolchain(text: str) -> None:
    expected = {
        "Pulumi CLI " + versions.write_dotted(versions.PULUMI_MINIMUM[:2]),
        f"Pulumi {versions.PULUMI} could not be downloaded",
        f"plugin install resource alicloud {versions.ALICLOUD}",
        f"HAProxy {dotted_minimum()}",
        f"{go_build.PEAK_MEMORY / 2**30:.1f} GB",
        f"{go_build.PEAK_MEMORY_WHOLE / 2**30:.1f} GB",
        f"{go_build.PEAK_MEMORY_UNOPTIMISED / 2**30:.1f} GB",
    }
    assert {part for part in expected if part not in text} == set()


def headings(text: str) -> list[str]:
    """Titles of a page's sections."""
    return re.findall(r"^#+ (.+)$", without_blocks(text), re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """What a link may have after its `#`: as GitHub makes it, and mkdocs.yml has it made."""
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in headings(read(path))
    }


@pytest.mark.parametrize(
    "path",
    [*(path for pages in PAGES.values() for path in pages.values()), *OTHERS],
    ids=lambda path: str(path.relative_to(PROJECT)),
)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", without_blocks(read(path))):
        target, _, anchor = link.partition("#")
        if not target.startswith("https://"):
            file = path.parent / target if target else path
            assert file.is_file(), link
            assert not anchor or anchor in anchors(file), link


@pytest.mark.parametrize("language", PAGES)
def test_readme_leads_to_every_page(language: str) -> None:
    there = re.findall(rf"\]\(docs/{language}/([\w-]+)\.md", read(READMES[language]))
    assert set(there) == PAGES[language].keys() - {"README", "index"}


def references() -> Iterator[tuple[str, str, str]]:
    """Where the code or its files name a section of a page: place, page, title."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    pattern = re.compile(
        r"""(README(?:\.zh)?(?:\.md)?|docs/[\w/-]+\.md),[\s#'"]+?"([A-Z][^"]+)\\?\"""",
    )
    for name in tracked:
        path = PROJECT / name
        if path.suffix in {".py", ".yml", ".yaml", ".toml", ".json", ".in", ""} and path.is_file():
            for page, title in pattern.findall(path.read_text(encoding="utf-8", errors="replace")):
                yield name, page, title


def test_sections_that_messages_and_comments_name_exist() -> None:
    found = list(references())
    assert ("components/dynamic/state.py", "docs/en/troubleshooting.md", "Restoring a state") in [
        (name, page, title) for name, page, title in found
    ]
    for name, page, title in found:
        assert title in headings(read(PROJECT / page)), name


def test_pages_that_the_code_names_exist() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "*.py", "*.yml", "*.yaml", "*.toml", "Makefile", "renovate.json"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, tracked):
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", read(PROJECT / name)):
            assert (PROJECT / page).is_file(), f"{name} names {page}"


def without_blocks(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def code(text: str) -> list[str]:
    """Everything in code font."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", without_blocks(text))]


def commands(text: str) -> list[str]:
    """Lines of shell blocks, without comments."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]


@each_language
def test_the_partner_s_page_has_the_commands_of_make_client(text: str) -> None:
    told = [
        client_bundle.write_instructions(
            "partner", "https://service.example.com/", Path(), keeps_its_key=keeps_its_key
        )
        for keeps_its_key in (False, True)
    ]
    lines = [line[4:] for part in told for line in part.splitlines() if line[:4] == "    "]
    page = read(PAGES["en" if text is TEXTS["en"] else "zh"]["partner"])
    blocks = re.findall(r"^```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines() if line]
    # The formatter has quotes of its own for what is Python.
    assert sorted(shown) == sorted(re.sub(r"'(\.|https:[^']*)'(?=[,)])", r'"\1"', x) for x in lines)


@each_page
def test_examples_of_the_configuration_are_taken(name: str) -> None:
    page = read(PAGES["en"][name])
    for block in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if "slb-mutual-tls:" in block:
            found = yaml.safe_load(block)
            own = {key.removeprefix("slb-mutual-tls:"): value for key, value in found.items()}
            assert len(own) == len([key for key in found if ":" in key])
            assert parse(own, file="Pulumi.example.yaml") != Settings()


def is_mark(character: str) -> bool:
    """Whether it is punctuation, or a symbol, in the sense of CommonMark."""
    return unicodedata.category(character)[0] in "PS"


def unseen_emphasis(text: str) -> Iterator[str]:
    """Stars that CommonMark, and so GitHub, shows as stars: where Chinese has no space (6.2)."""
    prose = re.sub(r"`[^`\n]*`", lambda found: "x" * len(found[0]), without_blocks(text))
    for line in prose.splitlines():
        for number, run in enumerate(re.finditer(r"\*+", re.sub(r"^\s*\* ", "", line))):
            before = run.string[: run.start()][-1:] or " "
            after = run.string[run.end() :][:1] or " "
            inside, outside = (after, before) if number % 2 == 0 else (before, after)
            seen = not is_mark(inside) or outside.isspace() or is_mark(outside)
            if inside.isspace() or not seen:
                yield f"{before}{run[0]}{after}"


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        ("**a.** b", []),
        ("x**甲**y", []),
        ("**甲。**乙", ["。**乙"]),
        ("甲*《乙》*", ["甲*《"]),
        ("甲《*乙*》", []),
        ("`*` 甲**乙**", []),
    ],
)
def test_emphasis_that_is_not_seen_is_found(text: str, unseen: list[str]) -> None:
    assert list(unseen_emphasis(text)) == unseen


@pytest.mark.parametrize("language", PAGES)
@each_page
def test_emphasis_is_seen_on_github_too(language: str, name: str) -> None:
    assert list(unseen_emphasis(read(PAGES[language][name]))) == []


def test_both_languages_have_the_same_pages() -> None:
    assert PAGES["en"].keys() == PAGES["zh"].keys()


@each_page
def test_both_languages_have_the_same_structure(name: str) -> None:
    english, chinese = (read(pages[name]) for pages in PAGES.values())

    def outline(text: str) -> list[str]:
        return re.findall(r"^(#+ |\|---.*|- |\d\. )", without_blocks(text), re.MULTILINE)

    assert outline(chinese) == outline(english)
    assert commands(chinese) == commands(english)
    assert sum(line[:1] == "|" for line in chinese.splitlines()) == sum(
        line[:1] == "|" for line in english.splitlines()
    )


@each_page
def test_both_languages_have_the_same_code(name: str) -> None:
    english, chinese = (read(pages[name]) for pages in PAGES.values())

    def blocks(text: str) -> list[str]:
        found = re.findall(r"^```(\w*\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
        return [re.sub(r"\s+# .*", "", block) for block in found]

    assert blocks(chinese) == blocks(english)


@each_page
def test_both_languages_give_the_same_figures(name: str) -> None:
    figures = re.compile(r"\d+ (?:s|min|GB|Mbit/s)\b")
    english, chinese = (sorted(figures.findall(read(pages[name]))) for pages in PAGES.values())
    assert chinese == english


@each_page
def test_both_languages_give_the_same_numbers(name: str) -> None:
    """Numbers have two digits or more: smaller ones are words in one of the languages."""
    english, chinese = (read(pages[name]) for pages in PAGES.values())

    def numbers(text: str) -> list[str]:
        prose = re.sub(r"`[^`]*`|\]\([^)]*\)", "", without_blocks(text))
        return sorted(re.findall(r"(?<![\w.-])\d{2,}(?:[.,]\d+)*", prose))

    assert numbers(chinese) == numbers(english)


@each_page
def test_both_languages_name_the_same_things(name: str) -> None:
    english, chinese = (read(pages[name]) for pages in PAGES.values())

    def named(text: str) -> set[str]:
        return set(re.findall(r"`([^`\n]+)`", without_blocks(text)))

    assert named(chinese) == named(english)


def imports(place: Path) -> set[str]:
    """Top-level modules that a module, or those of a package, import."""
    files = [place] if place.is_file() else place.rglob("*.py")
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(read(file))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found


def folders() -> set[str]:
    """The project's folders that have code."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "*/*.py"], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    return {name.split("/")[0] for name in filter(None, tracked)} - {"docs"}


def test_the_picture_of_the_architecture_has_every_folder_and_no_other() -> None:
    own = {name for name, part in architecture.PARTS.items() if part.own}
    assert {name for name in own if not name.endswith(".py")} == folders()
    for name in own:
        assert (PROJECT / name).exists(), name


def test_the_picture_of_the_architecture_has_imports_as_they_are() -> None:
    program = {"__main__.py", "components", "configuration"} & {*architecture.PARTS}
    for first, second in itertools.permutations(program, 2):
        imported = second.removesuffix(".py") in imports(PROJECT / first)
        shown = (first, second) in architecture.IMPORTS
        assert shown <= imported, (first, second)
        # What is reached through another need not be drawn a second time.
        between = {end for begin, end in architecture.IMPORTS if begin == first}
        reached = any((other, second) in architecture.IMPORTS for other in between)
        both_ways = (second, first) in architecture.IMPORTS
        assert not imported or shown or reached or both_ways, (first, second)


@pytest.mark.parametrize("language", PAGES)
def test_the_list_of_folders_has_every_one(language: str) -> None:
    page = read(PAGES[language]["architecture"])
    first = re.findall(r"^\| (`.*?`) \| ", page, re.MULTILINE)
    listed = {name.split("/")[0] for cell in first for name in code(cell)}
    assert folders() <= listed


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
