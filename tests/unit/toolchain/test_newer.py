"""Tries of newer releases: what is chosen, what is set in a copy, and what is told of it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from toolchain import newer, versions
from toolchain.errors import ToolchainError
from toolchain.newer import Attempt, Pair, Step

PROJECT = Path(__file__).resolve().parents[3]
NOW = Pair("3.276.0", "3.105.0")


@pytest.mark.parametrize(
    ("engines", "providers", "wanted"),
    [
        (["v3.276.0"], ["3.105.0"], []),
        (["v3.277.1", "v3.9.0"], ["3.105.0"], [("3.277.1", "3.105.0")]),
        (["v3.276.0"], ["3.109.1", "3.99.9"], [("3.276.0", "3.109.1")]),
        # Another major version is tried beside the newest of this one, not in its place.
        (
            ["v3.277.0"],
            ["3.109.1", "4.0.0"],
            [("3.277.0", "3.109.1"), ("3.277.0", "4.0.0")],
        ),
        ([], ["4.0.0"], [("3.276.0", "4.0.0")]),
        # Pre-releases, and what an index or proxy lists late.
        (["v3.278.0-alpha.1"], ["4.1.0a1792646557", "3.105.0rc1"], []),
        (["v3.275.0"], ["3.104.0"], []),
    ],
)
def test_what_is_tried(engines, providers, wanted):
    assert newer.choose_candidates(NOW, engines, providers) == [Pair(*pair) for pair in wanted]


def test_versions_are_set_where_this_project_has_them():
    pair = Pair("9.8.7", "6.5.4")
    text = newer.replace_versions((PROJECT / "toolchain/versions.py").read_text(), pair)
    found: dict[str, object] = {}
    exec(text.replace("from __future__ import annotations", ""), found)
    assert (found["PULUMI"], found["ALICLOUD"]) == ("9.8.7", "6.5.4")
    changed = newer.replace_provider((PROJECT / "requirements.in").read_text(), pair)
    before = (PROJECT / "requirements.in").read_text()
    assert [line for line in changed.splitlines() if line not in before.splitlines()] == [
        f"pulumi-alicloud==6.5.4{before.partition(f'pulumi-alicloud=={versions.ALICLOUD}')[2]}".splitlines()[
            0
        ]
    ]


def test_a_file_without_the_version_is_not_taken_for_changed():
    with pytest.raises(ToolchainError, match="0 lines are like"):
        newer.replace_provider("pulumi-alicloud>=3\n", NOW)


@pytest.mark.parametrize("name", newer.REQUIREMENTS)
def test_the_compiled_files_are_compiled_by_their_own_command(name):
    command = newer.find_compile_command((PROJECT / name).read_text(), "/bin/uv")
    assert command[:3] == ["/bin/uv", "pip", "compile"]
    assert f"--output-file={name}" in command
    # All others stay as they are.
    assert "--upgrade" not in command
    assert command[-4:] == ["--upgrade-package", "pulumi", "--upgrade-package", "pulumi-alicloud"]


def test_a_compiled_file_without_its_command_is_told():
    with pytest.raises(ToolchainError, match="make lock"):
        newer.find_compile_command("httpx==1\n", "/bin/uv")


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("https://goproxy.cn,direct", "https://goproxy.cn"),
        ("off,http://127.0.0.1:3000/|https://goproxy.cn", "http://127.0.0.1:3000"),
    ],
)
def test_the_user_s_module_proxy_is_asked(setting, wanted):
    assert newer.choose_go_proxy(setting) == wanted


@pytest.mark.parametrize("setting", ["", "off", "direct"])
def test_where_no_module_proxy_is_named_a_sentence_says_what_to_set(setting):
    with pytest.raises(ToolchainError, match="set it to one"):
        newer.choose_go_proxy(setting)


def test_what_is_told():
    failed = Step("up", 61.4, "a\n" * 100 + "error: the end\n")
    text = newer.summarize(
        NOW,
        [
            Attempt(Pair("3.277.0", "3.109.1"), tuple(Step(name, 2.0) for name in newer.STEPS)),
            Attempt(Pair("3.277.0", "4.0.0"), (Step("requirements", 3.0), failed)),
        ],
    )
    assert "In use: Pulumi CLI 3.276.0, pulumi-alicloud 3.105.0." in text
    assert "| 3.277.0 | 3.109.1 | passed, 2 s | passed, 2 s | passed, 2 s | passed, 2 s |" in text
    assert "| 3.277.0 | 4.0.0 | passed, 3 s | — | failed, 61 s | — |" in text
    assert "<summary>3.277.0 with 4.0.0: up</summary>" in text
    assert "error: the end" in text
    assert text.count("\na") < newer.TAIL
    assert "There is nothing newer." in newer.summarize(NOW, [])


class Registries:
    """PyPI and a Go proxy, as far as they are asked."""

    def __init__(self):
        self.engines = [f"v{versions.PULUMI}"]
        self.providers = {versions.ALICLOUD: [{"yanked": False}]}

    def answer(self, path):
        if path == "/pypi/pulumi-alicloud/json":
            return json.dumps({"releases": self.providers})
        if path == "/github.com/pulumi/pulumi/pkg/v3/@v/list":
            return "\n".join(self.engines)
        return None


@pytest.fixture
def registries():
    found = Registries()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            text = found.answer(self.path)
            self.send_response(404 if text is None else 200)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        found.arguments = ["--pypi", base, "--go-proxy", base]
        yield found
        server.shutdown()
        thread.join()


MAKEFILE = """\
.PHONY: toolchain
toolchain:
\t@cat toolchain/versions.py requirements.txt >> $(LOG)
\t@echo "$$PWD/cli"
up:
\t@grep -q 127.0.0.1:7443 Pulumi.local.yaml && exit 1; echo up >> $(LOG); ! test -e $(LOG).fail
.venv/development:
\t@mkdir -p .venv/bin && cp python .venv/bin/python
clean:
\t@echo clean >> $(LOG)
"""

CLI = f"""\
#!{sys.executable}
import re, sys
engine, provider = re.findall('= "(.*)"', open("toolchain/versions.py").read())
print(f"v{{engine}}" if sys.argv[1] == "version" else f'[{{{{"version": "{{provider}}"}}}}]')
"""

VERSIONS = f'PULUMI = "{versions.PULUMI}"\nALICLOUD = "{versions.ALICLOUD}"\n'
HEADER = "# Made by uv via the following command:\n#    uv pip compile {} --output-file={}\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose make, uv, CLI and Python write down what they were asked."""
    folder = tmp_path / "project"
    (folder / "toolchain").mkdir(parents=True)
    (folder / "policy").mkdir()
    files = {
        "Makefile": MAKEFILE,
        "Pulumi.local.yaml": "- ecs: 127.0.0.1:7443\n",
        "toolchain/versions.py": VERSIONS,
        "requirements.in": f"pulumi-alicloud=={versions.ALICLOUD}  # the SDK\n",
        "python": '#!/bin/sh\necho "tests $*" >> "$LOG"\n',
        "cli": CLI,
    }
    for name in newer.REQUIREMENTS:
        files[name] = HEADER.format(name.replace(".txt", ".in"), name)
    for name, text in files.items():
        (folder / name).write_text(text)
    for name in ("python", "cli"):
        (folder / name).chmod(0o755)
    commands = tmp_path / "bin"
    commands.mkdir()
    uv = commands / "uv"
    uv.write_text('#!/bin/sh\necho "uv $*" >> "$LOG"\n')
    uv.chmod(0o755)
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(command, cwd=folder, check=True)
    log = tmp_path / "log"
    log.touch()
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.delenv(newer.SOURCE_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "executable", str(commands / "python"))
    return folder


def contents(folder):
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def test_nothing_newer_is_nothing_to_do(registries, project, tmp_path, capsys):
    assert newer.main(registries.arguments, project) == 0
    assert "There is nothing newer." in capsys.readouterr().out
    assert (tmp_path / "log").read_text() == ""


def test_a_newer_release_is_tried_in_a_copy(registries, project, tmp_path, capsys):
    registries.engines.append("v99.0.1")
    before = contents(project)
    assert newer.main(registries.arguments, project) == 0
    told = capsys.readouterr().out
    assert f"| 99.0.1 | {versions.ALICLOUD} | passed" in told
    assert (tmp_path / "summary.md").read_text() == told
    done = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in done if line[0] != "#"] == [
        *["uv"] * 3,
        *["PULUMI", "ALICLOUD"],
        *["up", "tests", "clean"],
    ]
    assert 'PULUMI = "99.0.1"' in done
    assert f"tests -m pytest -q {newer.TESTS}" in done
    assert contents(project) == before


def test_another_major_version_may_fail_and_another_release_may_not(
    registries, project, tmp_path, capsys
):
    (tmp_path / "log.fail").touch()
    registries.providers["99.0.0"] = [{"yanked": False}]
    registries.providers["100.0.0"] = [{"yanked": True}]
    assert newer.main(registries.arguments, project) == 0
    told = capsys.readouterr().out
    assert f"| {versions.PULUMI} | 99.0.0 | passed" in told
    assert "| failed, " in told
    assert "100.0.0" not in told
    assert (tmp_path / "log").read_text().endswith("clean\n")
    registries.engines.append("v99.0.1")
    assert newer.main(registries.arguments, project) == 1


def test_what_was_built_of_other_modules_is_not_taken_for_the_release(registries, project, capsys):
    registries.providers["3.999.0"] = [{"yanked": False}]
    (project / "cli").write_text(CLI.replace("{provider}", versions.ALICLOUD))
    assert newer.main(registries.arguments, project) == 1
    assert "The provider's release 3.999.0 was not to be had" in capsys.readouterr().out


def test_a_registry_out_of_reach_is_one_sentence(project, capsys):
    arguments = ["--pypi", "http://127.0.0.1:9", "--go-proxy", "http://127.0.0.1:9"]
    assert newer.main(arguments, project) == 1
    assert capsys.readouterr().err.startswith("error: ")
