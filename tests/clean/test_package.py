"""The package that other programs install: its types, its modules, its command."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib

import pytest

from operations.project import PROJECT

PROGRAM = """\
import pulumi
from slb_mutual_tls import MutualTlsService, MutualTlsServiceArgs

vpc: pulumi.Output[str] = pulumi.Output.from_input("vpc-a")
args: MutualTlsServiceArgs = {
    "network": {"vpc_id": vpc, "vswitch_ids": [vpc, "vsw-a"]},
    "clients": {"partner": {"pass_phrase": pulumi.Output.secret("x"), "validity": "90d"}},
    "tags": {"owner": "a", "vpc": vpc},
}
service = MutualTlsService("shop", args)
MutualTlsService("inline", {"clients": {"a": {}}, "listener": {"port": 8443}})
pulumi.export("address", service.address)
"""
WRONG = {
    '{"clientz": {}}': 'Extra key "clientz"',
    '{"listener": {"port": "8443"}}': 'TypedDict item "port" has type "int"',
    '{"backends": {"count": vpc}}': 'TypedDict item "count" has type "int"',
}


@pytest.fixture
def command():
    """The module of the console command; its package needs `components` below it."""
    path = PROJECT / "slb_mutual_tls/_repository.py"
    spec = importlib.util.spec_from_file_location("_repository", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def installed(tmp_path):
    """The package's files as pip puts them."""
    folder = tmp_path / "site/slb_mutual_tls"
    folder.mkdir(parents=True)
    for name in ("__init__.py", "py.typed"):
        (folder / name).symlink_to(PROJECT / "slb_mutual_tls" / name)
    (folder / "components").symlink_to(PROJECT / "components")
    return folder.parent


@pytest.mark.long  # mypy reads the provider's SDK.
def test_type_checkers_take_outputs_where_they_may_stand_and_find_what_is_wrong(
    installed, tmp_path
):
    wrong = "".join(f'MutualTlsService("w", {args})\n' for args in WRONG)
    (tmp_path / "program.py").write_text(PROGRAM + wrong)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "program.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(installed), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if ": error: " in line]
    first = PROGRAM.count("\n") + 1
    assert len(found) == len(WRONG), done.stdout + done.stderr
    for number, (line, reason) in enumerate(zip(found, WRONG.values(), strict=True), first):
        assert line.startswith(f"program.py:{number}: ")
        assert reason in line


def test_every_folder_of_the_components_is_in_the_package():
    listed = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent for path in (PROJECT / "components").rglob("*.py")}
    expected = {".".join(("slb_mutual_tls", *one.relative_to(PROJECT).parts)) for one in folders}
    assert set(listed["packages"]) == expected | {"slb_mutual_tls"}


def test_the_console_command_of_the_package_alone_says_what_it_needs(
    monkeypatch, capsys, command, tmp_path
):
    monkeypatch.setattr(command, "ROOT", tmp_path)
    assert command.main() == 1
    assert "pip install --editable ." in capsys.readouterr().err


def test_the_console_command_is_that_of_the_repository(monkeypatch, capsys, command):
    monkeypatch.setattr(sys, "argv", ["slb-mutual-tls", "--help"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 0
    assert "verify" in capsys.readouterr().out
