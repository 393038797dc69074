"""The provider's test sources as they are built: without what reaches out, and under other names.

Nothing of them is kept in this repository: they come from the module that the toolchain builds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import ToolchainError

HELPERS = ("provider_test.go", "common_test.go", "service_alicloud_common_test.go")
"""Files of tests from which nothing is run, but which the others need."""

TESTED = (
    "data_source_alicloud_images_test.go",
    "data_source_alicloud_instance_types_test.go",
    "data_source_alicloud_instances_test.go",
    "data_source_alicloud_regions_test.go",
    "data_source_alicloud_security_group_rules_test.go",
    "data_source_alicloud_security_groups_test.go",
    "data_source_alicloud_slb_*_test.go",
    "data_source_alicloud_vpcs_test.go",
    "data_source_alicloud_vswitches_test.go",
    "data_source_alicloud_zones_test.go",
    "resource_alicloud_instance_test.go",
    "resource_alicloud_security_group_rule_test.go",
    "resource_alicloud_security_group_test.go",
    "resource_alicloud_slb_*_test.go",
    "resource_alicloud_vpc_test.go",
    "resource_alicloud_vswitch_test.go",
)
"""Test files that are run: of what the program makes and asks for, and all of SLB."""

ALSO_SERVED = {
    "resources": ("alicloud_slb_attachment",),
    "dataSources": (
        "alicloud_account",
        "alicloud_resource_manager_resource_groups",
        "alicloud_security_group_rules",
        "alicloud_slb_attachments",
        "alicloud_slb_rules",
    ),
}
"""Resources that tests need beside what the toolchain's provider serves."""

STARTS = {"provider_test.go": "\tsetStsCredential()\n"}
"""Line that is cut out of a file's init, by file.

The line asks a bucket for the authors' credentials, and would use them in place of those that were
given.
"""

REACHING_OUT = {
    "provider_test.go": {
        "setStsCredential": 'bucket.GetObject("sts/credential.json")',
        "sendMessage": "http.Post(webhookURL",
    }
}
"""Functions that lose their bodies, by file, each with what it is known to do."""

NOWHERE = re.compile(
    r"\b(?:http\.(?:Get|Head|Post|PostForm|NewRequest\w*|DefaultClient|Client)|oss\.New|GetObject"
    r"|net\.(?:Dial\w*|Listen\w*)|smtp\.|exec\.Command\w*|os\.StartProcess|syscall\.)\b"
)
"""Calls by which a test would leave the local cloud, of which none may be left."""

SWEEPERS = re.compile(r"^func init\(\) \{\n\tresource\.AddTestSweepers\(.*?^\}\n", re.M | re.S)
"""Sweepers, which remove everything in an account whose name begins as the tests name things."""

INIT = re.compile(r"^func init\(\)", re.M)

DESCRIBING = re.compile(r"^func \(\w+ \*(?:Ecs|Slb|Vpc)Service(?:V2)?\) (Describe\w+)\(", re.M)
"""Methods that the tests call by names that they make up at run time."""

TEST = re.compile(r"^func (TestAcc\w+)\(\w+ \*testing\.T\)", re.M)


def find_test_files(package: Path) -> tuple[list[Path], list[Path]]:
    """List the helpers and the tests of the provider's package.

    Raises:
        ToolchainError: A file that should be there is missing.
    """
    helpers = [package / name for name in HELPERS]
    tests: list[Path] = []
    for pattern in TESTED:
        matching = sorted(package.glob(pattern))
        if not matching:
            raise ToolchainError(f"The provider's module has no {pattern}: acceptance/sources.py")
        tests += matching
    for path in helpers:
        if not path.is_file():
            raise ToolchainError(f"The provider's module has no {path.name}: acceptance/sources.py")
    return helpers, tests


def compiled_name(test_file: str) -> str:
    """Name under which Go compiles a test file into the package itself."""
    return test_file.removesuffix("_test.go") + "_acceptance.go"


def remove_reaching_out(name: str, text: str) -> str:
    """Remove from a test file's text the calls that leave the local cloud.

    Args:
        name: Name of the file.
        text: The file's whole text.

    Raises:
        ToolchainError: A call is not where it is known to be, or there is one that is not known.
    """
    if line := STARTS.get(name):
        text = _remove_once(name, text, line)
    for function, known in REACHING_OUT.get(name, {}).items():
        text = _remove_body(name, text, function, known)
    text = SWEEPERS.sub(_blank, text)
    if call := NOWHERE.search(text):
        raise _source_changed(
            name, f"it calls {call[0]}, which is not known to stay on this machine"
        )
    left = len(INIT.findall(text))
    if left != (name in STARTS):
        raise _source_changed(name, f"it has {left} functions init that are not known")
    return text


def _remove_once(name: str, text: str, line: str) -> str:
    if text.count(line) != 1:
        raise _source_changed(
            name, f"{line.strip()} is there {text.count(line)} times and not once"
        )
    return text.replace(line, "\n")


def _remove_body(name: str, text: str, function: str, known: str) -> str:
    whole = re.compile(rf"^(func {function}\([^)]*\) \{{\n)(.*?)^\}}\n", re.M | re.S)
    functions = whole.findall(text)
    if len(functions) != 1 or known not in functions[0][1]:
        raise _source_changed(name, f"it has no function {function} that does {known}")
    return whole.sub(lambda match: match[1] + "\n" * match[2].count("\n") + "}\n", text)


def _blank(match: re.Match[str]) -> str:
    """Replace a text by as many empty lines, so that messages name the right ones."""
    return "\n" * match[0].count("\n")


def _source_changed(name: str, why: str) -> ToolchainError:
    return ToolchainError(
        f"The provider's {name} is not what was looked through: {why}. Look through it again, and "
        "change acceptance/sources.py; nothing was built."
    )


def find_test_names(text: str) -> list[str]:
    """List a file's acceptance tests. Its unit tests replace the API, and so cannot judge it."""
    return TEST.findall(text)


def write_list_of_tests(names: list[str], methods: list[str]) -> str:
    """Write a Go file that lists tests for the command that runs them.

    Args:
        names: Names of the tests.
        methods: Methods that the tests call by name, so that these are not cut out.
    """
    tests = "".join(f'\t{{Name: "{name}", F: {name}}},\n' for name in names)
    called = "".join(f'\t"{name}",\n' for name in methods)
    return (
        'package alicloud\n\nimport "testing"\n\n'
        "// AcceptanceTests are the tests of the files that were chosen.\n"
        f"var AcceptanceTests = []testing.InternalTest{{\n{tests}}}\n\n"
        "// CalledByName are methods that the tests find by reflection.\n"
        f"var CalledByName = []string{{\n{called}}}\n"
    )


def read_served(main: str) -> Mapping[str, list[str]]:
    """Read what the toolchain's provider serves from the Go source of its command.

    Raises:
        ToolchainError: The source is not written as expected.
    """
    names_by_variable = {}
    for variable in ALSO_SERVED:
        table = re.search(
            rf"^var {variable} = map\[string\]string\{{\n(.*?)^\}}", main, re.M | re.S
        )
        names = re.findall(r'^\t"(alicloud_\w+)":', table[1], re.M) if table else []
        if not names:
            raise ToolchainError(f"alicloud-provider/main.go has no map {variable}")
        names_by_variable[variable] = names
    return names_by_variable


def write_keys(served: Mapping[str, list[str]]) -> str:
    """Write a Go file that says which resources and data sources the tests have."""
    parts = ["package main\n"]
    for variable, more in ALSO_SERVED.items():
        lines = "".join(f'\t"{name}": true,\n' for name in [*served[variable], *more])
        parts.append(f"var {variable} = map[string]bool{{\n{lines}}}\n")
    return "\n".join(parts)
