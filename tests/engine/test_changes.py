"""A reviewer's preview tells the truth: what each kind of change plans, and what `up` then does.

`CHANGES` is the table. One stack is changed step by step, so that its tests run in order: each
change is made to what the ones above it have left.
"""

from __future__ import annotations

import copy
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from operations.project import PROJECT
from operations.review import plan
from operations.review.comment import render_markdown
from operations.stacks import environment
from tests.engine.clock import later
from tests.engine.conftest import copy_of_the_project

pytestmark = [pytest.mark.in_order, pytest.mark.long]

TITLE = "slb-mutual-tls-test"

UPDATE, REPLACE, CREATE, DELETE = "update", "replace", "create", "delete"
OLD_FIRST = "replace, old one first"
"""Nothing answers in between."""


@dataclass(frozen=True)
class Change:
    """A kind of change.

    Attributes:
        name: Of the kind.
        settings: What is set in the configuration; maps are merged into what is there.
        plan: What the preview is to say and `up` to do, by resource; all others stay.
        edit: A source file, and a line that is added to it.
        variables: Environment of preview and `up`.
        refused: What the preview and `up` say, where there is no such change.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, str] = field(default_factory=dict)
    edit: tuple[str, str] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    refused: str | None = None


REGISTER = {"pki:CertificateRegister": UPDATE}
REVOKING = {**REGISTER, "pki:RevocationList": UPDATE}
LISTENER = {"slb:Listener": UPDATE}
LOAD_BALANCER = {"slb:ApplicationLoadBalancer": UPDATE}
RECORD = {"pki:CertificateRecord": UPDATE}
SERVER_CERTIFICATE = {
    "pki:ServerCertificate": UPDATE,
    **RECORD,
    "slb:ServerCertificate": REPLACE,
    **LISTENER,
}
ANOTHER_CA = {
    "pki:CertificateAuthority": REPLACE,
    **REVOKING,
    "slb:CaCertificate": REPLACE,
    **SERVER_CERTIFICATE,
}
NEW_INSTANCES = {
    "ecs:Instance-0": REPLACE,
    "ecs:Instance-1": REPLACE,
    "slb:BackendServer": UPDATE,
}
NOTHING: Mapping[str, str] = {}

AUDITOR = {"subject": {"organization": "Auditors"}}

CHANGES = [
    Change("nothing", plan=NOTHING),
    Change("README", edit=("README.md", "A line."), plan=NOTHING),
    Change(
        "comment in a component", edit=("components/clb/load_balancer.py", "# A."), plan=NOTHING
    ),
    Change(
        "comment in a dynamic resource",
        edit=("components/dynamic/certificate_register.py", "# A."),
        plan=NOTHING,
    ),
    # Clients
    Change("client added", {"clients": {"auditor": {}}}, REGISTER),
    Change("client's subject", {"clients": {"auditor": AUDITOR}}, REGISTER),
    Change("client's bundle", {"clients": {"auditor": {"bundle_encoding": "legacy"}}}, REGISTER),
    Change("client's validity", {"clients": {"auditor": {"validity": "60d"}}}, REGISTER),
    Change("client's key size", {"clients": {"auditor": {"key_bits": 4096}}}, REGISTER),
    Change(
        "client's key algorithm",
        {"clients": {"auditor": {"key_algorithm": "ECDSA", "key_bits": None}}},
        REGISTER,
    ),
    Change("client revoked", {"clients": {"auditor": {"revoked": "superseded"}}}, REVOKING),
    Change("client removed", {"clients": {"partner": None}}, REVOKING),
    Change("clients' window", {"client_defaults": {"renew_before": "40d"}}, NOTHING),
    # Certificates
    Change(
        "list's validity", {"revocation_list": {"validity": "60d"}}, {"pki:RevocationList": UPDATE}
    ),
    Change("domain added", {"server": {"domains": ["service.test"]}}, SERVER_CERTIFICATE),
    Change("server's key size", {"server": {"key_bits": 4096}}, SERVER_CERTIFICATE),
    Change("server's validity", {"server": {"validity": "200d"}}, SERVER_CERTIFICATE),
    Change("server's window", {"server": {"renew_before": "40d"}}, NOTHING),
    Change(
        "CA's validity",
        {"certificate_authority": {"validity": "4000d"}},
        {"pki:CertificateAuthority": UPDATE, "slb:CaCertificate": REPLACE, **LISTENER, **RECORD},
    ),
    Change("CA's generation", {"certificate_authority": {"generation": 2}}, ANOTHER_CA),
    Change("CA's name", {"certificate_authority": {"subject": {"common_name": "B"}}}, ANOTHER_CA),
    # Listener
    Change("timeout", {"listener": {"idle_timeout": 30}}, LISTENER),
    Change("TLS policy", {"listener": {"tls_cipher_policy": "tls_cipher_policy_1_2"}}, LISTENER),
    Change("HTTP/2", {"listener": {"http2": False}}, LISTENER),
    Change("scheduler", {"listener": {"scheduler": "wrr"}}, LISTENER),
    Change("forwarded header", {"listener": {"forwarded_headers": {"slb_id": True}}}, LISTENER),
    Change("health check", {"listener": {"health_check": {"interval": 3}}}, LISTENER),
    Change("listener's port", {"listener": {"port": 8443}}, {"slb:Listener": OLD_FIRST}),
    # Load balancer
    Change("load balancer's name", {"load_balancer": {"name": "front-door"}}, LOAD_BALANCER),
    Change("protection", {"load_balancer": {"deletion_protection": True}}, LOAD_BALANCER),
    Change("no protection", {"load_balancer": {"deletion_protection": False}}, LOAD_BALANCER),
    Change(
        "charge type",
        {"load_balancer": {"instance_charge_type": "PayBySpec", "specification": "slb.s1.small"}},
        refused="load_balancer.instance_charge_type is PayBySpec, and this instance is PayByCLCU",
    ),
    Change(
        "tag",
        {"tags": {"owner": "platform"}},
        {
            **LOAD_BALANCER,
            "slb:CaCertificate": UPDATE,
            "slb:ServerCertificate": UPDATE,
            "ecs:Instance-0": UPDATE,
            "ecs:Instance-1": UPDATE,
            "ecs:SecurityGroup": UPDATE,
            "vpc:Network": UPDATE,
            "vpc:Switch-0": UPDATE,
            "vpc:Switch-1": UPDATE,
        },
    ),
    # Backends
    Change(
        "backend added",
        {"backends": {"count": 3}},
        {"ecs:Instance-2": CREATE, "slb:BackendServer": UPDATE},
    ),
    Change(
        "backend removed",
        {"backends": {"count": 2}},
        {"ecs:Instance-2": DELETE, "slb:BackendServer": UPDATE},
    ),
    Change(
        "backends' port",
        {"backends": {"port": 8080}},
        {
            **NEW_INSTANCES,
            "ecs:SecurityGroupRule-load-balancer": REPLACE,
            "slb:Listener": OLD_FIRST,
        },
    ),
    Change("instances' type", {"backends": {"instance_type": "ecs.c7.large"}}, NEW_INSTANCES),
    Change(
        "instances' image",
        {"backends": {"image_id": "aliyun_3_x64_20G_alibase_20260318.vhd"}},
        NEW_INSTANCES,
    ),
    Change(
        "network's block",
        {"network": {"cidr_block": "172.16.0.0/16"}},
        {
            **NEW_INSTANCES,
            "vpc:Network": REPLACE,
            "vpc:Switch-0": REPLACE,
            "vpc:Switch-1": REPLACE,
            "ecs:SecurityGroup": REPLACE,
            "ecs:SecurityGroupRule-load-balancer": REPLACE,
        },
    ),
    Change(
        "comment in what instances serve",
        edit=("components/instance_page/serve.py", "# A."),
        plan=NOTHING,
    ),
    Change(
        "what instances serve",
        edit=("components/instance_page/serve.py", "RETRY_SECONDS = 3"),
        plan=NEW_INSTANCES,
    ),
    Change(
        "address type",
        {"load_balancer": {"address_type": "intranet"}},
        {
            "slb:ApplicationLoadBalancer": REPLACE,
            "slb:BackendServer": REPLACE,
            **SERVER_CERTIFICATE,
            "slb:Listener": OLD_FIRST,
        },
    ),
    # The calendar
    Change(
        "renewal due",
        variables=later(340),
        plan={**REVOKING, **SERVER_CERTIFICATE},
    ),
    # As of now, what was issued then would not be valid yet, and so due.
    Change("renewed", variables=later(340), plan=NOTHING),
]


class Site:
    """A stack of a copy of the project, with a local cloud of its own."""

    def __init__(self, local, stack, values, project, log) -> None:
        self.local = local
        self.stack = stack
        self.values = values
        self.project = project
        self.log = log

    def configure(self, settings: Mapping[str, Any]) -> None:
        merge(self.values["config"], {f"slb-mutual-tls:{k}": v for k, v in settings.items()})
        self.local.configure(self.stack, self.values)

    def run(self, command: str, *options: str, **variables: str) -> tuple[int, str, dict[str, str]]:
        """Exit status, what was printed, and what was planned or done."""
        self.log.unlink(missing_ok=True)
        arguments = ("--color", "never", "--event-log", str(self.log), *options)
        answer = subprocess.run(
            self.stack.command_line(command, *arguments),
            cwd=self.project,
            env={**self.stack.environment, "PULUMI_DEBUG_COMMANDS": "true", **variables},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        found = plan.parse_plan(self.log.read_text(encoding="utf-8"))
        changes = {resource(one): operation(one) for one in found.changes}
        return answer.returncode, answer.stdout + answer.stderr, changes


def merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Set what `patch` has; None takes a key out."""
    for key, value in patch.items():
        if value is None:
            target.pop(key)
        elif isinstance(value, Mapping) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = copy.deepcopy(value)


def resource(change: plan.Change) -> str:
    """Such as `slb:Listener` or `ecs:Instance-0`."""
    _, module, kind = change.type.split(":")
    (part,) = (
        part for part in module.split("/") if part not in {"dynamic", kind[0].lower() + kind[1:]}
    )
    return f"{part}:{kind}{change.name.removeprefix(TITLE)}"


def operation(change: plan.Change) -> str:
    return OLD_FIRST if change.deletes_first else change.operation


@pytest.fixture(scope="module")
def site(local, toolchain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("changes")
    project = copy_of_the_project(folder / "project")
    values = environment.read_configuration("local")
    found = Site(local, local.stack("test", toolchain, values), values, project, folder / "log")
    status, text, _ = found.run("up", "--yes", "--skip-preview")
    assert status == 0, text
    return found


def test_the_table_has_twenty_kinds_and_more():
    assert len({change.name for change in CHANGES}) == len(CHANGES) > 20


@pytest.mark.parametrize("page", ["README.md", "docs/en/preview.md"])
def test_the_review_on_the_pages_is_what_a_review_says(site, page):
    """The review is that of the change on the page; the date alone is another."""
    before = copy.deepcopy(site.values)
    text = (PROJECT / page).read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(\*\*1 to update.*?)^```$", text, re.MULTILINE | re.DOTALL)
    site.configure({"clients": {"auditor": {"validity": "90d"}}})
    status, printed, _ = site.run("preview")
    site.values = before
    site.configure({})
    assert status == 0, printed
    said = render_markdown(plan.parse_plan(site.log.read_text(encoding="utf-8")), "local")

    def undated(text):
        return re.sub(r"\d{4}-\d\d-\d\d", "DATE", text)

    assert undated(shown.replace("-local`", "-test`")) in undated(said)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_up_does_what_the_preview_said(site, change):
    before = copy.deepcopy(site.values)
    site.configure(change.settings)
    if change.edit is not None:
        path = site.project / change.edit[0]
        path.write_text(f"{path.read_text()}{change.edit[1]}\n")
    status, text, planned = site.run("preview", **change.variables)
    if change.refused is not None:
        assert status != 0
        assert change.refused in text
        status, text, _ = site.run("up", "--yes", "--skip-preview")
        assert status != 0
        assert change.refused in text
        site.values = before
        site.configure({})
        status, text, planned = site.run("preview", "--refresh")
        assert (status, planned) == (0, NOTHING), text
        return
    assert status == 0, text
    assert planned == change.plan
    status, text, done = site.run("up", "--yes", "--skip-preview", **change.variables)
    assert status == 0, text
    assert done == planned
