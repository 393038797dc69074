"""A question that is not answered changes nothing, however the command ends.

The Pulumi CLI is a script that plays its part; `tests/engine/test_unanswered.py` has the real one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from operations.project import PROJECT
from tests import processes
from tests.terminal import at_a_terminal
from toolchain import versions

STACK_FILE = """\
# The team's, with a comment.\r
config:\r
    alicloud:region:   cn-hangzhou   # four spaces\r
\r
    slb-mutual-tls:certificate_authority: {next_generation: 2}\r
    slb-mutual-tls:clients:\r
        browser: {}\r
        1001:\r
"""

CLI = """\
#!/bin/sh
echo "$*" >> $STUB/log
case "$1 $2" in
  "version ") echo v%(version)s ;;
  "plugin ls") echo '[{"name": "alicloud", "version": "%(alicloud)s"}]' ;;
  "stack output") cat $STUB/outputs.json ;;
  "stack export") cat $STUB/state.json ;;
  "stack history") echo '[]' ;;
  "whoami --verbose") echo '{"user": "somebody", "url": "https://api.pulumi.com"}' ;;
  "state delete") grep -v "$3" $STUB/state.json > $STUB/left; mv $STUB/left $STUB/state.json ;;
  preview*|import*)
    [ "$1" = preview ] || cp $STUB/imported.json $STUB/state.json
    echo "this is a $1"
    if [ -e $STUB/$1-hangs ]; then
      echo $$ > $STUB/pid
      trap 'exit 1' INT TERM
      echo "it hangs"
      while :; do sleep 0.05; done
    fi
    if [ -e $STUB/$1-fails ]; then exit 1; fi ;;
  up*) exit 77 ;;
esac
"""

STATE = """\
{"deployment": {"resources": [
%s
{"urn": "urn:root", "type": "pulumi:pulumi:Stack"}
]}}
"""
IMPORTED = """\
{"urn": "urn:component", "type": "slb-mutual-tls:index:MutualTlsLoadBalancer"},
{"urn": "urn:listener", "type": "alicloud:slb/listener:Listener"},
"""

IMPORT = """
import sys
from operations import __main__
from operations.clb import existing
from operations.commands import clb
from tests.unit.operations.clb.existing import existing as made
clb.SlbApi = lambda region, environ: None
existing.read_existing = lambda api, identifier, port: made()
sys.exit(__main__.main())
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The commands in a folder of their own, which they take for the project."""
    folder = tmp_path_factory.mktemp("copy") / "project"
    unwanted = shutil.ignore_patterns(".*", "tests", "docs", "__pycache__", "out", "benchmarks")
    shutil.copytree(PROJECT, folder, ignore=unwanted)
    python = folder / "policy/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    return folder


class Site:
    """A stack in an account, its file behind a link, and the CLI's part."""

    def __init__(self, folder: Path, copy: Path, document: dict) -> None:
        self.copy = copy
        self.stub = folder / "stub"
        self.kept = folder / "kept"
        self.temporary = folder / "tmp"
        for one in (self.stub, self.kept, self.temporary):
            one.mkdir()
        (self.stub / "pulumi").write_text(
            CLI
            % {
                "version": versions.write_dotted(versions.PULUMI_MINIMUM),
                "alicloud": versions.ALICLOUD,
            }
        )
        (self.stub / "pulumi-language-python").write_text("#!/bin/sh\n")
        for one in self.stub.iterdir():
            one.chmod(0o755)
        (self.stub / "outputs.json").write_text(json.dumps(document))
        self.put_state("state.json", "")
        self.put_state("imported.json", IMPORTED)
        self.file = self.kept / "stack.yaml"
        self.file.write_bytes(STACK_FILE.encode())
        self.file.chmod(0o640)
        self.link = copy / "Pulumi.dev.yaml"
        self.link.unlink()
        self.link.symlink_to(self.file)

    def put_state(self, name, resources):
        (self.stub / name).write_text(STATE % resources)

    def does(self, *parts):
        """Have the CLI do otherwise, e.g. `preview-fails`."""
        for part in parts:
            (self.stub / part).touch()

    @property
    def environment(self):
        unwanted = {"SLB_MUTUAL_TLS_HOME", "SLB_MUTUAL_TLS_LOCAL_CLOUD"}
        kept = {k: v for k, v in processes.of_a_fresh_shell().items() if k not in unwanted}
        return {
            **kept,
            "PATH": f"{self.stub}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "SLB_MUTUAL_TLS_TOOLCHAIN": "path",
            "STUB": str(self.stub),
            "TMPDIR": str(self.temporary),
        }

    def line(self, command, *arguments):
        started = ["-c", IMPORT] if command == "import" else ["-m", "operations"]
        return [sys.executable, *started, command, *arguments, "--stack", "dev"]

    def at_a_terminal(self, command, *arguments):
        return at_a_terminal(self.line(command, *arguments), cwd=self.copy, env=self.environment)

    def done(self):
        """What the CLI was told to do."""
        return [line.split()[0] for line in (self.stub / "log").read_text().splitlines()]

    def is_as_it_was(self, *, killed=False):
        assert self.file.read_bytes() == STACK_FILE.encode()
        assert stat.S_IMODE(self.file.stat().st_mode) == 0o640
        assert self.link.is_symlink()
        assert [one.name for one in self.kept.iterdir()] == ["stack.yaml"]
        assert killed or list(self.temporary.iterdir()) == []
        assert "up" not in self.done()
        assert (self.stub / "state.json").read_text() == STATE % ""
        pid = self.stub / "pid"
        if pid.exists() and not killed:
            assert not psutil.pid_exists(int(pid.read_text()))


@pytest.fixture
def site(tmp_path, copy, document):
    bundles = document()["client_bundles"]
    return Site(tmp_path, copy, document(client_bundles={"1001": bundles["browser"]}))


COMMANDS = {
    "revoke": ("revoke", "1001"),
    "complete": ("rotate", "complete"),
    "abort": ("rotate", "abort"),
}
ENDS = {
    "no": lambda terminal: terminal.type("n\n"),
    "Ctrl-C": lambda terminal: terminal.type("\x03"),
    "Ctrl-D": lambda terminal: terminal.type("\x04"),
    "window closed": lambda terminal: terminal.close(),
    "SIGTERM": lambda terminal: terminal.process.send_signal(signal.SIGTERM),
    "SIGKILL": lambda terminal: terminal.process.kill(),
}
SIGNALS = ("Ctrl-C", "window closed", "SIGTERM")


@pytest.mark.parametrize(
    ("command", "end"),
    [*(("revoke", end) for end in ENDS), ("complete", "Ctrl-C"), ("abort", "window closed")],
)
def test_a_question_that_is_not_answered_by_yes_changes_nothing(site, command, end):
    with site.at_a_terminal(*COMMANDS[command]) as terminal:
        terminal.wait_for("[y/N]")
        ENDS[end](terminal)
        assert terminal.end() != 0
    site.is_as_it_was(killed=end == "SIGKILL")
    if end in {"no", "Ctrl-C", "Ctrl-D"}:
        assert "Nothing was done; Pulumi.dev.yaml is as it was." in terminal.text
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize("end", SIGNALS)
def test_a_preview_that_is_cut_short_changes_nothing(site, end):
    site.does("preview-hangs")
    with site.at_a_terminal(*COMMANDS["revoke"]) as terminal:
        terminal.wait_for("it hangs")
        ENDS[end](terminal)
        assert terminal.end() != 0
    site.is_as_it_was()
    assert "Traceback" not in terminal.text


def test_a_preview_that_fails_changes_nothing(site):
    site.does("preview-fails")
    with site.at_a_terminal(*COMMANDS["revoke"], "--yes") as terminal:
        assert terminal.end() == 1
    site.is_as_it_was()
    assert "Nothing was done; Pulumi.dev.yaml is as it was.\r\n" in terminal.text


def test_where_nobody_can_be_asked_nothing_changes(site):
    line = site.line(*COMMANDS["complete"])
    answer = processes.run(line, cwd=site.copy, env=site.environment)
    assert answer.returncode == 1
    assert "To go on without a question: ARGS=--yes." in answer.stderr
    site.is_as_it_was()


def test_a_yes_is_written_at_once_and_then_carried_out(site):
    with site.at_a_terminal(*COMMANDS["revoke"]) as terminal:
        terminal.wait_for("[y/N]")
        assert site.file.read_bytes() == STACK_FILE.encode()
        terminal.type("y\n")
        assert terminal.end() == 77
    changed = STACK_FILE.replace("1001:", "1001: {revoked: keyCompromise}")
    changed = changed.replace("{next_generation: 2}", "{generation: 3}")
    assert site.file.read_bytes() == changed.encode()
    assert stat.S_IMODE(site.file.stat().st_mode) == 0o640
    assert site.link.is_symlink()
    assert list(site.temporary.iterdir()) == []
    assert "up" in site.done()


def test_a_client_that_keeps_its_key_is_cut_off_as_well(site):
    kept = json.loads((site.stub / "outputs.json").read_text())
    for part in ("pkcs12", "pass_phrase", "private_key"):
        del kept["client_bundles"]["1001"][part]
    (site.stub / "outputs.json").write_text(json.dumps(kept))
    with site.at_a_terminal(*COMMANDS["revoke"], "--yes") as terminal:
        assert terminal.end() == 77, terminal.text
    assert b"1001: {revoked: keyCompromise}" in site.file.read_bytes()


@pytest.mark.parametrize("colours", [{}, {"NO_COLOR": "1"}], ids=["colours", "none"])
def test_an_inventory_of_two_hundred_clients_fits_the_terminal(site, colours):
    entry = {
        "fingerprint_sha256": "00" * 32,
        "subject": "",
        "not_after": "2099-01-01T00:00:00Z",
        "status": "valid",
    }
    found = json.loads((site.stub / "outputs.json").read_text())
    found["issued"] = [
        {**entry, "name": f"client-{n}", "serial_number": f"{2**158 + n:x}"} for n in range(200)
    ]
    (site.stub / "outputs.json").write_text(json.dumps(found))
    line = [*site.line("inventory"), "--name", "client-*"]
    environment = {**site.environment, "TERM": "xterm-256color", **colours}
    with at_a_terminal(line, cwd=site.copy, env=environment) as terminal:
        assert terminal.end() == 0, terminal.text
    title = terminal.text.index("Certificates of stack dev")
    shown = terminal.text[title:]
    assert ("\x1b[" in shown) is not bool(colours)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).splitlines()
    assert max(map(len, lines)) <= 80
    assert len([one for one in lines if " client-" in one]) == 200
    assert lines[-1] == "200 in all: 200 valid"


def test_what_somebody_wrote_meanwhile_stays(site):
    with site.at_a_terminal(*COMMANDS["revoke"]) as terminal:
        terminal.wait_for("[y/N]")
        site.file.write_text("config: {}\n")
        terminal.type("y\n")
        assert terminal.end() == 1
    assert "Pulumi.dev.yaml was changed meanwhile." in terminal.text
    assert site.file.read_text() == "config: {}\n"
    assert "up" not in site.done()


@pytest.mark.parametrize(
    ("stage", "end"), [*(("import", end) for end in SIGNALS), ("preview", "window closed")]
)
def test_an_import_that_is_cut_short_leaves_nothing(site, stage, end):
    site.does(f"{stage}-hangs")
    with site.at_a_terminal("import", "lb-1") as terminal:
        terminal.wait_for("it hangs")
        ENDS[end](terminal)
        if end == "window closed":
            deadline = time.monotonic() + 60
            while terminal.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
        assert terminal.end() != 0
    site.is_as_it_was()
    assert "Traceback" not in terminal.text


def test_an_import_whose_preview_fails_leaves_nothing(site):
    site.does("preview-fails")
    with site.at_a_terminal("import", "lb-1") as terminal:
        assert terminal.end() == 1
    site.is_as_it_was()
    said = " ".join(terminal.text.split())
    assert "Nothing was imported; Pulumi.dev.yaml is as it was." in said


def test_an_import_that_was_killed_is_forgotten_by_the_next(site):
    site.put_state("state.json", IMPORTED)
    site.does("import-fails")
    with site.at_a_terminal("import", "lb-1") as terminal:
        assert terminal.end() == 1
    site.is_as_it_was()


def test_an_import_that_ends_well_is_in_the_file(site):
    with site.at_a_terminal("import", "lb-1") as terminal:
        assert terminal.end() == 0, terminal.text
    assert b"instance_ids" in site.file.read_bytes()
    assert (site.stub / "state.json").read_text() == STATE % IMPORTED
    again = site.line("import", "lb-1")
    answer = subprocess.run(
        again, cwd=site.copy, env=site.environment, capture_output=True, text=True, check=False
    )
    assert "Stack dev has a load balancer already." in answer.stderr
