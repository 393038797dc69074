"""`make up`, interrupted where a test says, and what the next one has to have put in order."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import yaml
from cryptography import x509

from components.dynamic.register_state import read_bundles, read_issued
from localcloud import control
from localcloud.home import Home
from tests.engine import leaks
from tests.engine.kept_stack import shown

ENGINE = "engine"
PROVIDER = "provider"
DYNAMIC = "dynamic provider"
CLOUD = "local cloud"

WHO: Mapping[str, Callable[[list[str]], bool]] = {
    ENGINE: lambda words: Path(words[0]).name == "pulumi",
    PROVIDER: lambda words: Path(words[0]).name == "pulumi-resource-alicloud",
    DYNAMIC: lambda words: "pulumi.dynamic" in words,
}
"""Processes that `make up` starts, by their command lines."""

PATIENCE = 900.0
"""Seconds until a test gives up waiting; the provider itself retries for five minutes."""

HELD = 600
"""Seconds for which an answer is held back; whoever waits for it is killed long before."""

BEGUN, MADE = "resourcePreEvent", "resOutputsEvent"
"""Operations on a resource, in the engine's event log."""

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def called(urn: str) -> str:
    """A resource of the stack `local`, such as `slb:Listener` or `ecs:Instance-0`."""
    parents_and_type, name = urn.split("::")[2:4]
    _, module, kind = parents_and_type.rsplit("$", 1)[-1].split(":")
    module = module.removeprefix("dynamic/").split("/")[0]
    return f"{module}:{kind}{name.removeprefix('slb-mutual-tls-local')}"


@dataclass(frozen=True)
class Point:
    """Where an `up` is interrupted.

    Attributes:
        killed: Who is killed; None if nobody is, and the answer to a call is lost.
        call: Action of the API that was carried out and is not answered; "" for none.
        nth: Which of the calls of this action, from 0.
        boundary: A resource that was just begun or made: `vpc:Switch-0`, by `called`.
        made: Whether it was made.
    """

    killed: str | None = None
    call: str = ""
    nth: int = 0
    boundary: str = ""
    made: bool = True

    @property
    def changes(self) -> bool:
        """Whether the answer to a call is lost that changes something in the cloud."""
        reads = self.call.startswith(("Describe", "List"))
        return self.killed is None and not reads

    def __str__(self) -> str:
        """What a table says."""
        if self.call:
            what = f"{self.call} carried out" + (f" ({self.nth + 1})" if self.nth else "")
            return f"{what}, {self.killed} killed" if self.killed else f"{what}, answer lost"
        return f"{self.boundary} {'made' if self.made else 'begun'}, {self.killed} killed"


@dataclass(frozen=True)
class Ended:
    """A command that has ended.

    Attributes:
        status: Exit status.
        text: What it printed.
        reached: Whether it came to the point at which it was to be interrupted.
        killed: How many processes were killed there.
    """

    status: int
    text: str
    reached: bool = True
    killed: int = 0


@dataclass
class ProjectCopy:
    """A copy of the project with a local cloud of its own, and all that was seen of its secrets."""

    project: Path
    texts: list[str] = field(default_factory=list)
    secrets: leaks.Secrets = field(default_factory=leaks.Secrets)
    serials: dict[int, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    handed_out: dict[str, str] = field(default_factory=dict)
    """Client certificates that somebody may hold: serial number to client."""
    _exports: str = ""

    @property
    def home(self) -> Home:
        """Folder of the local cloud."""
        return Home(self.project / ".local" / "cloud")

    def start_cloud(self) -> None:
        control.start(self.home, 0, lambda _: None)

    def stop_cloud(self) -> None:
        control.stop(self.home)

    def configure(self, **settings: Any) -> None:
        """Set keys of the stack's configuration file."""
        path = self.project / "Pulumi.local.yaml"
        document = yaml.safe_load(path.read_text())
        for key, value in settings.items():
            document["config"][f"slb-mutual-tls:{key}"] = value
        path.write_text(yaml.safe_dump(document))

    def operations(self, *arguments: str) -> Ended:
        """Run a command as a person does, to its end."""
        process = self._start(*arguments)
        return self._ended(process)

    def pulumi(self, *arguments: str) -> str:
        """Run the Pulumi CLI as `make env` says; what it prints may hold secrets."""
        if not self._exports:
            self._exports, _ = self._start("env").communicate(timeout=PATIENCE)
        script = f"{self._exports}\nexec pulumi {' '.join(arguments)}"
        answer = subprocess.run(
            ["bash", "-ec", script],
            cwd=self.project,
            capture_output=True,
            text=True,
            check=True,
        )
        return answer.stdout

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """What the local cloud has."""
        found: dict[str, list[dict[str, Any]]] = control.ask(self.home, "GET", "/dump")
        return found

    def boundaries(self) -> list[str]:
        """The resources that an `up` makes, in order; nobody interrupts it."""
        events = self.project.parent / "events.json"
        ended = self._ended(self._up_with_log(events))
        assert ended.status == 0, ended.text
        made = [urn for name, urn in _steps(events) if name == MADE]
        return [called(urn) for urn in made]

    def calls(self) -> list[str]:
        """The API calls that were made, in order."""
        text = self.home.log.read_text(encoding="utf-8")
        return re.findall(r"INFO (\w+) \d{3} ", text)

    def interrupted_up(self, point: Point) -> Ended:
        """Run `make up` and interrupt it at a point.

        It may end well all the same: what was killed may have had nothing left to do.
        """
        events = self.project.parent / "events.json"
        events.unlink(missing_ok=True)
        before = self.calls().count(point.call)
        if point.call:
            kind = "late" if point.killed else "drop"
            wanted = {"action": point.call, "kind": kind, "skip": point.nth, "seconds": HELD}
            control.ask(self.home, "POST", "/faults", wanted)
        process = self._up_with_log(events)
        if point.killed is None:
            ended_up = self._ended(process)
            reached = self.calls().count(point.call) > before + point.nth
            return replace(ended_up, reached=reached)
        arrived = (
            (lambda: self.calls().count(point.call) > before + point.nth)
            if point.call
            else (lambda: _at_boundary(events, point))
        )
        # Its output is read meanwhile, so that a full pipe does not stop it.
        ended: list[Ended] = []
        reader = threading.Thread(target=lambda: ended.append(self._ended(process)))
        reader.start()
        pause = threading.Event()
        while not (reached := arrived()) and reader.is_alive():
            pause.wait(0.01)
        # It may have come there and ended since the last look.
        reached = reached or arrived()
        children: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children(recursive=True)
        victims = self._victims(point.killed, children) if reached else []
        killed = 0
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
                killed += 1
        if point.killed == CLOUD:
            psutil.wait_procs(victims)
            self.start_cloud()
        if point.killed == ENGINE and reached:
            # What it had started would go on.
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        reader.join()
        control.ask(self.home, "DELETE", "/faults")
        return replace(ended[0], reached=reached, killed=killed)

    def _victims(self, killed: str, children: list[psutil.Process]) -> list[psutil.Process]:
        if killed == CLOUD:
            present = control.find_running(self.home)
            return [present.process] if present else []
        return [child for child in children if WHO[killed](_words(child))]

    def _up_with_log(self, events: Path) -> subprocess.Popen[str]:
        return self._start("up", "--", "--event-log", str(events), PULUMI_DEBUG_COMMANDS="true")

    def _start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if k != "SLB_MUTUAL_TLS_HOME"}
        return subprocess.Popen(
            [sys.executable, "-m", "operations", arguments[0], "--stack", "local", *arguments[1:]],
            cwd=self.project,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _ended(self, process: subprocess.Popen[str]) -> Ended:
        text, _ = process.communicate(timeout=PATIENCE)
        self.texts.append(text)
        return Ended(process.returncode, text)

    def remember(self) -> None:
        """Note the stack's secrets, serial numbers and client certificates, as they are now.

        Of an interrupted `up` there may be no stack yet, and no register.
        """
        if not json.loads(self.pulumi("stack", "ls", "--json")):
            return
        state = self.pulumi("stack", "export", "--show-secrets")
        resources = json.loads(state)["deployment"].get("resources", [])
        for outputs in (
            shown(one.get("outputs", {}))
            for one in resources
            if one["type"] == "pulumi-python:dynamic/pki:CertificateRegister"
        ):
            bundles = read_bundles(outputs["bundles"])
            self.secrets.add_all(leaks.secrets_of(state, bundles))
            issued = read_issued(outputs["issued"])
            self.handed_out |= {entry["serial_number"]: entry["name"] for entry in issued}
        for text in (state, json.dumps(self.dump())):
            for pem in CERTIFICATE.findall(re.sub(r"\\+n", "\n", text)):
                certificate = x509.load_pem_x509_certificate(pem.encode())
                self.serials[certificate.serial_number].add(certificate.tbs_certificate_bytes)

    def disorder(self) -> list[str]:
        """What is not as it has to be after a good `make up`; empty if all is."""
        return [
            *self._lost_or_left(),
            *self._of_the_register(),
            *(
                f"serial number {number:x} was used twice"
                for number, certificates in self.serials.items()
                if len(certificates) > 1
            ),
            *(f"{place} has in the clear: {found}" for place, found in self._leaks().items()),
        ]

    def _lost_or_left(self) -> list[str]:
        deployment = json.loads(self.pulumi("stack", "export"))["deployment"]
        in_state = {
            one["id"]
            for one in deployment["resources"]
            if one["type"].startswith("alicloud:") and "SecurityGroupRule" not in one["type"]
        }
        in_cloud = {one["id"] for found in self.dump().values() for one in found}
        found = [f"in the cloud alone: {one}" for one in sorted(in_cloud - in_state)]
        found += [f"in the state alone: {one}" for one in sorted(in_state - in_cloud)]
        if deployment.get("pending_operations"):
            found.append("operations are pending")
        preview = self.operations("preview", "--", "--expect-no-changes")
        if preview.status != 0:
            found.append(f"something is left to do: {preview.text}")
        return found

    def _of_the_register(self) -> list[str]:
        outputs = json.loads(self.pulumi("stack", "output", "--json"))
        issued = [entry["serial_number"] for entry in outputs["issued"]]
        found = [
            f"the register has lost {name}'s certificate {number}"
            for number, name in self.handed_out.items()
            if number not in issued
        ]
        if len(set(issued)) < len(issued):
            found.append("the register has a serial number twice")
        return found

    def _leaks(self) -> dict[str, set[str]]:
        places: dict[str, bytes] = {
            f"output {number}": text.encode() for number, text in enumerate(self.texts)
        }
        places["dump"] = json.dumps(self.dump()).encode()
        local = self.project / ".local"
        # The data plane has to have the server's key, and a client its own.
        for path, content in leaks.files(local / "state", local / "init"):
            places[str(path.relative_to(local))] = content
        places["log"] = self.home.log.read_bytes()
        places["configuration"] = (local / "Pulumi.local.yaml").read_bytes()
        return {place: found for place, text in places.items() if (found := self.secrets.in_(text))}


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() or [""]
    except psutil.Error:
        return [""]


def _at_boundary(events: Path, point: Point) -> bool:
    name = MADE if point.made else BEGUN
    return (name, point.boundary) in [(step, called(urn)) for step, urn in _steps(events)]


def _steps(events: Path) -> Iterator[tuple[str, str]]:
    """What an event log has of steps with resources of providers: name of the event, and URN.

    It is read as a whole each time: the update begins it anew after the preview.
    """
    if not events.exists():
        return
    for line in events.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):  # The last line may be half written.
            event = json.loads(line)
            for name in {BEGUN, MADE} & event.keys():
                metadata = event[name]["metadata"]
                resource = metadata.get("new") or metadata.get("old") or {}
                ours = resource.get("custom") and not metadata["type"].startswith("pulumi:")
                if ours and not event[name].get("planning") and not metadata.get("planning"):
                    yield name, metadata["urn"]
