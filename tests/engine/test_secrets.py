"""No key, pass phrase or bundle is in the clear in anything that the engine prints or writes.

Looked for are the values themselves, in each form that they could have (`leaks.py`). The tests of
this file share one stack and run in order; the last one searches what the others left.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import yaml
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from components.pki import keys
from localcloud import control
from localcloud.home import Home
from operations import outputs
from operations.project import POLICY_PACK, PROJECT
from operations.report.contents import gather_contents, read_rules
from operations.report.page import render_page
from operations.review import plan
from operations.review.comment import render_markdown
from operations.stacks.pulumi_cli import CLEAN_LEVEL, CLEAN_LEVEL_OF_PROVIDERS
from tests import processes
from tests.conformance import specimens
from tests.engine import leaks
from tests.homes import dump_of

pytestmark = pytest.mark.in_order

PASS_PHRASE = 'correct "horse" \\ <Batterie> für 马'
VERBOSE = (f"-v={CLEAN_LEVEL}", "--debug")
PROVIDERS_TOO = (f"-v={CLEAN_LEVEL_OF_PROVIDERS}", "--logflow", "--debug")
SOON = {"SLB_MUTUAL_TLS_CLOCK_OFFSET": "340d"}
"""Everything but the CA is due then."""


class Sandbox:
    """A stack whose commands write nowhere but here, with all that they print."""

    def __init__(self, engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.printed: dict[str, str] = {}
        self.secrets = leaks.Secrets()
        self.command_lines: set[bytes] = set()
        for name in ("tmp", "pulumi"):
            (folder / name).mkdir()
        installed = Path.home() / ".pulumi" / "plugins"
        if installed.is_dir():
            (folder / "pulumi" / "plugins").symlink_to(installed)

    def run(self, title, command, *arguments, variables=None, fails=False):
        """Run a command, and keep what it prints and how its processes were started."""
        here = {"TMPDIR": str(self.folder / "tmp"), "PULUMI_HOME": str(self.folder / "pulumi")}
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(done,))
        watch.start()
        try:
            answer = self.engine.run(command, *arguments, variables={**here, **(variables or {})})
        finally:
            done.set()
            watch.join()
        assert (answer.returncode != 0) is fails, answer.stdout[-2000:]
        self.printed[f"{title}: standard output"] = answer.stdout
        self.printed[f"{title}: standard error"] = answer.stderr
        return answer

    def _watch(self, done: threading.Event) -> None:
        while not done.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                try:
                    self.command_lines.add("\0".join(process.cmdline()).encode())
                except psutil.Error:
                    continue  # It has ended.

    def learn(self) -> str:
        """Take up the secrets that there are now; return the state that shows them."""
        state = self.engine.state(show_secrets=True)
        bundles = json.loads(self.engine.stack.outputs()["client_bundles"])
        self.secrets.add_all(leaks.secrets_of(state, bundles))
        return state

    def keep_state(self, title: str) -> None:
        self.printed[title] = self.engine.state()

    def keep_report(self, title: str) -> None:
        found = self.engine.outputs()
        contents = gather_contents("test", found, read_rules(POLICY_PACK), None, datetime.now(UTC))
        self.printed[title] = render_page(contents, "en")

    def configure_secret(self, path: str, value: str) -> None:
        """Set a secret as README says, and have the stack keep it."""
        stack = self.engine.stack
        processes.printed(
            stack.command_line("config", "set", "--secret", "--path", f"slb-mutual-tls:{path}"),
            cwd=PROJECT,
            env=stack.environment,
            text=value,
        )
        self.engine.values = yaml.safe_load(stack.config_file.read_text())
        self.secrets.add_text(f"configured {path}", value)

    def found(self) -> dict[str, set[str]]:
        """Which secrets are where, by what was printed and by file."""
        places = {title: text.encode() for title, text in self.printed.items()}
        for number, line in enumerate(sorted(self.command_lines)):
            places[f"command line {number}: {line[:60]!r}"] = line
        for path, content in leaks.files(self.folder, self.engine.local.home):
            places[str(path)] = content
        found = {place: self.secrets.in_(content) for place, content in places.items()}
        return {place: names for place, names in found.items() if names}


@pytest.fixture(scope="module")
def sandbox(engine, tmp_path_factory):
    return Sandbox(engine, tmp_path_factory.mktemp("sandbox"))


def test_the_search_finds_every_secret_where_it_is_shown(sandbox):
    sandbox.configure_secret("clients.partner.pass_phrase", PASS_PHRASE)
    sandbox.run("first preview", "preview", "--diff", *PROVIDERS_TOO)
    sandbox.run("up", "up", "--yes", "--skip-preview", *VERBOSE)
    shown = sandbox.learn()
    clients = ("browser", "partner")
    assert sandbox.secrets.names == {
        "configured clients.partner.pass_phrase",
        "key of CertificateAuthority",
        "key of ServerCertificate",
        "expired_probe",
        "pass phrase of browser",
        *(f"{what} of {client}" for client in clients for what in ("bundle", "encrypted key")),
        *(f"key of {client}" for client in clients),
    }
    # The clients' own keys are encrypted in it by their pass phrases.
    unseen = {f"key of {client}" for client in clients}
    assert sandbox.secrets.in_(shown.encode()) == sandbox.secrets.names - unseen


def test_state_and_outputs_are_kept(sandbox):
    sandbox.keep_state("state after up")
    sandbox.printed["outputs"] = sandbox.engine.stack.capture("output", "--json").stdout
    public = outputs.public(sandbox.engine.outputs())
    sandbox.printed["make outputs"] = json.dumps(public)
    sandbox.keep_report("make report")
    sandbox.printed["the local cloud's dump"] = dump_of(sandbox.engine.local)
    secret = json.loads(sandbox.engine.state())["deployment"]["resources"]
    for resource in secret:
        if "ca_private_key" in resource.get("inputs", {}):
            assert leaks.SIGNATURE in resource["inputs"]["ca_private_key"]


def test_previews_and_plans_of_renewals_are_kept(sandbox):
    folder = sandbox.folder
    sandbox.run("preview --diff", "preview", "--diff", *VERBOSE, variables=SOON)
    saved = ("--save-plan", str(folder / "plan.json"), "--event-log", str(folder / "events.json"))
    automation = {**SOON, "PULUMI_DEBUG_COMMANDS": "true"}
    sandbox.run("preview --json", "preview", "--json", *saved, variables=automation)
    assert (folder / "plan.json").stat().st_size > 1000
    events = (folder / "events.json").read_text()
    sandbox.printed["make review"] = render_markdown(plan.parse_plan(events), "test", status=0)
    assert "not_after" in sandbox.printed["preview --diff: standard output"]


def test_a_refusal_of_the_cloud_is_kept(sandbox):
    engine = sandbox.engine
    engine.configure(server={"domains": ["www.example.com"]})
    home = Home(engine.local.home / "cloud")
    fault = {"action": "UploadServerCertificate", "code": "CertificateAndPrivateKeyIsRequired"}
    control.ask(home, "POST", "/faults", {**fault, "times": 20})
    sandbox.run("failed up", "up", "--yes", "--skip-preview", *PROVIDERS_TOO, fails=True)
    control.ask(home, "DELETE", "/faults", {})
    assert "UploadServerCertificate" in sandbox.printed["failed up: standard output"]
    sandbox.learn()


def test_material_that_is_brought_along_and_the_next_ca_are_kept(sandbox):
    made, key = specimens.server("ascii"), keys.pkcs1(specimens.key("server"))
    authority = sandbox.engine.values["config"]["slb-mutual-tls:certificate_authority"]
    sandbox.engine.configure(
        server={"certificate": made.pem}, certificate_authority={**authority, "next_generation": 2}
    )
    sandbox.configure_secret("server.private_key", key)
    sandbox.secrets.add_key("server's own key", load_pem_private_key(key.encode(), None))
    sandbox.run("second up", "up", "--yes", "--skip-preview", "--logtostderr", *VERBOSE)
    sandbox.learn()
    sandbox.keep_state("state after second up")
    sandbox.keep_report("make report during a rotation")
    assert {"server's own key", "next_private_key"} <= sandbox.secrets.names
    sandbox.run("refresh", "refresh", "--yes", "--skip-preview", *PROVIDERS_TOO)


def test_no_secret_is_in_anything_that_was_printed_or_written(sandbox):
    sandbox.run("destroy", "destroy", "--yes", "--skip-preview", *VERBOSE)
    logs = [path.name for path, _ in leaks.files(sandbox.folder / "tmp")]
    assert sum(name.startswith("pulumi.") for name in logs) >= 5
    kept = [path for path, _ in leaks.files(sandbox.folder / "pulumi" / "logs")]
    assert len(kept) >= 7, "the engine keeps a log of each run"
    assert len(sandbox.command_lines) > 5
    # The load balancer's own copy of the server's key is what the local cloud is there for.
    cloud = str(sandbox.engine.local.home / "cloud")
    servers = {"key of ServerCertificate", "server's own key", "configured server.private_key"}
    found = sandbox.found()
    elsewhere = {place: names for place, names in found.items() if not place.startswith(cloud)}
    assert elsewhere == {}
    for place, names in found.items():
        assert names <= servers
        assert Path(place).stat().st_mode & 0o077 == 0
