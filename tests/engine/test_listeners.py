"""The load balancer's features by the real engine: put on, tried from outside, taken off again.

The tests of this file share one stack and run in order.
"""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from operations.clb.api import SlbHealth
from operations.verification import probes, verification
from operations.verification.identity import bundle_identity
from operations.verification.probes import ProbeTarget, Unreachable, is_success
from tests.homes import dump_of

pytestmark = pytest.mark.in_order

NAME = "slb-mutual-tls-test"
HERE = {"127.0.0.0/8": "this machine"}
ELSEWHERE = {"203.0.113.0/24": "office", "198.51.100.7": None}
DOMAINS = {"api.example.com": {}, "*.example.org": {"key_bits": 4096}}
EVERYTHING = {
    "backends": {"weights": [100, 25]},
    "load_balancer": {"modification_protection": True},
    "listener": {
        "scheduler": "wrr",
        "sticky_session": {"type": "insert", "cookie_timeout": 3600},
        "acl": {"type": "white", "entries": HERE | ELSEWHERE},
        "redirect_port": 80,
        "domain_extensions": DOMAINS,
        "idle_timeout": 30,
        "request_timeout": 90,
        "gzip": False,
        "http2": False,
        "bandwidth": 100,
        "tls_cipher_policy": "tls_cipher_policy_1_2_strict",
        "forwarded_headers": {"proto": False, "slb_id": True, "slb_ip": True},
        "health_check": {"method": "get", "http_codes": ["http_2xx", "http_3xx"], "interval": 1},
    },
    "additional_listeners": {"partners": {"port": 8443, "sticky_session": None, "acl": None}},
}
NOTHING = {"backends": {}, "load_balancer": {}, "listener": {}, "additional_listeners": {}}


class Site:
    """The stack as it is now, seen from outside."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.outputs = engine.outputs()
        self.target = probes.target_of(self.outputs)
        name = self.outputs.clients_in_force()[0]
        self.client = bundle_identity(self.outputs.client_bundles[name])

    def get(self, *, cookies=(), port=None, client=True):
        target = ProbeTarget(self.target.host, port or self.target.port)
        identity = self.client if client else None
        context = probes.stack_context(self.outputs)
        return probes.probe(target, context, identity, cookies=cookies)

    def seen(self, requests, **options):
        return Counter(self.get(**options).instance for _ in range(requests))

    def verify(self, **options):
        health = SlbHealth(self.outputs, self.engine.stack.variables)
        return verification.verify(self.outputs, health, **options)


def listeners(local):
    """Attributes of each listener in the cloud, by port; without ids, which differ in each.

    Access control that is off keeps its list and type: they say nothing.
    """
    found = json.loads(dump_of(local))["listener"]
    return {
        one["port"]: {
            key: value
            for key, value in one["attributes"].items()
            if key not in {"ServerCertificateId", "CACertificateId"}
            and (key not in {"AclId", "AclType"} or one["attributes"]["AclStatus"] == "on")
        }
        for one in found
    }


@pytest.fixture(scope="module")
def before(deployed, local):
    return listeners(local)


def of(listener):
    return {"listener": listener}


LISTENER, CLB = (
    f"alicloud:slb/listener:Listener::{NAME}",
    (f"alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer::{NAME}"),
)
ATTACHED = f"alicloud:slb/backendServer:BackendServer::{NAME}"


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (of({"sticky_session": {"type": "insert", "cookie_timeout": 60}}), {LISTENER: "update"}),
        (of({"sticky_session": {"type": "server", "cookie": "A"}}), {LISTENER: "update"}),
        (
            of({"acl": {"type": "white", "entries": HERE}}),
            {LISTENER: "update", f"alicloud:slb/acl:Acl::{NAME}": "create"},
        ),
        (of({"acl": {"type": "black", "ids": ["acl-a"]}}), {LISTENER: "update"}),
        (
            of({"redirect_port": 80}),
            {f"alicloud:slb/listener:Listener::{NAME}-redirect": "create"},
        ),
        (
            of({"domain_extensions": {"api.example.com": {}}}),
            {
                f"pulumi-python:dynamic/pki:CertificateRecord::{NAME}": "update",
                **{
                    f"{kind}::{NAME}-api.example.com": "create"
                    for kind in (
                        "slb-mutual-tls:index:ServerCertificate",
                        "pulumi-python:dynamic/pki:ServerCertificate",
                        "alicloud:slb/serverCertificate:ServerCertificate",
                        "alicloud:slb/domainExtension:DomainExtension",
                    )
                },
            },
        ),
        (of({"health_check": {"enabled": False}}), {LISTENER: "update"}),
        (of({"health_check": {"domain": "health.example.com"}}), {LISTENER: "update"}),
        ({"backends": {"weights": [100, 0]}}, {ATTACHED: "update"}),
        ({"load_balancer": {"deletion_protection": True}}, {CLB: "update"}),
        ({"load_balancer": {"modification_protection": True}}, {CLB: "update"}),
        ({"load_balancer": {"modification_protection": False}}, {}),
        (
            {"additional_listeners": {"b": {"port": 8443}}},
            {f"alicloud:slb/listener:Listener::{NAME}-listener-b": "create"},
        ),
    ],
    ids=lambda value: re.sub(r"\W+", " ", str(value))[:60],
)
def test_a_preview_of_one_option_shows_that_and_nothing_else(deployed, settings, expected):
    deployed.configure(**{**NOTHING, **settings})
    try:
        assert deployed.steps() == expected
    finally:
        deployed.configure(**NOTHING)


@pytest.fixture(scope="module")
def everything(deployed, before):
    deployed.configure(**EVERYTHING)
    deployed.up()
    return Site(deployed)


def test_all_of_it_passes_the_verification(everything):
    report = everything.verify()
    assert report.passed, report.to_json()
    assert {check.status for check in report.checks} == {"passed"}, report.to_json()
    assert {"sticky_session", "redirect", "domain_certificates", "additional_listeners"} <= {
        check.id for check in report.checks
    }


def test_a_second_up_changes_nothing(everything, deployed):
    assert deployed.steps() == {}
    assert re.search(r"Resources:\n +\d+ unchanged\n", deployed.up())


def test_a_refresh_changes_nothing(everything, deployed):
    text = deployed.succeed("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert re.search(r"Resources:\n +\d+ unchanged\n", text)


def test_a_sticky_session_sticks(everything):
    first = everything.get()
    assert first.cookies
    assert set(everything.seen(10, cookies=first.cookies)) == {first.instance}


def test_requests_without_the_cookie_go_by_weight(everything):
    one, other = (backend.server_id for backend in everything.outputs.backends)
    seen = everything.seen(50)
    assert set(seen) == {one, other}
    # 40 to 10 by weight; the listener may be in the middle of a round.
    assert 36 <= seen[one] <= 44


def test_port_80_redirects_to_the_listener(everything):
    answer = probes.plain_http(ProbeTarget(everything.target.host, 80))
    assert answer.status == 302
    assert answer.location == everything.outputs.url


def test_an_additional_domain_shows_its_own_certificate_to_whoever_asks_for_it(everything):
    outputs = everything.outputs

    def served(name, port):
        target = ProbeTarget(everything.target.host, port, server_name=name)
        return probes.handshake(target, probes.unverified_context(), everything.client)

    own = outputs.domain_certificates
    for port in (443, 8443):
        assert served("api.example.com", port) == _der(own["api.example.com"].parsed)
        assert served("www.example.org", port) == _der(own["*.example.org"].parsed)
        assert served("other.example.net", port) == _der(outputs.server)


def _der(certificate):
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def test_the_additional_listener_is_one_of_mutual_tls_with_settings_of_its_own(everything, local):
    assert everything.get(port=8443).status == 200
    assert not everything.get(port=8443).cookies
    assert everything.get(port=8443, client=False).status == 400
    settings = listeners(local)[8443]
    assert (settings["StickySession"], settings["AclStatus"]) == ("off", "off")
    assert settings["TLSCipherPolicy"] == "tls_cipher_policy_1_2_strict"


def test_other_entries_make_another_acl_and_no_other_change(everything, deployed):
    others = {"192.0.2.0/24": "shop"}
    deployed.configure(
        listener={**EVERYTHING["listener"], "acl": {"type": "white", "entries": HERE | others}}
    )
    assert deployed.steps() == {f"alicloud:slb/acl:Acl::{NAME}": "replace", LISTENER: "update"}
    deployed.up()
    (acl,) = json.loads(dump_of(everything.engine.local))["acl"]
    assert everything.get().status == 200
    assert "192.0.2.0/24" in json.dumps(acl)


def test_an_acl_shuts_out_and_the_verification_says_what_to_think_of(everything, deployed):
    deployed.configure(
        listener={**EVERYTHING["listener"], "acl": {"type": "black", "entries": HERE}}
    )
    deployed.up()
    shut_out = Site(deployed)
    assert not is_success(shut_out.get())
    report = shut_out.verify(settle=0.0)
    assert not report.passed
    (clients,) = [check for check in report.checks if check.id == "clients"]
    assert clients.detail.endswith("; does listener.acl, a black list, admit this machine?")
    # Its own list is none.
    assert shut_out.get(port=8443).status == 200


def test_a_drained_backend_gets_nothing_and_the_verification_passes(everything, deployed):
    deployed.configure(
        backends={"weights": [100, 0]}, listener={"acl": {"type": "white", "entries": HERE}}
    )
    deployed.up()
    site = Site(deployed)
    kept, _ = (backend.server_id for backend in site.outputs.backends)
    assert site.seen(10) == {kept: 10}
    report = site.verify()
    assert report.passed, report.to_json()
    (balancing,) = [check for check in report.checks if check.id == "balancing"]
    assert balancing.detail.endswith("which is drained")


def test_what_is_taken_off_is_off(everything, deployed, before, local):
    deployed.configure(**NOTHING)
    deployed.up()
    assert deployed.steps() == {}
    site = Site(deployed)
    report = site.verify()
    assert {check.status for check in report.checks} == {"passed"}, report.to_json()
    assert listeners(local) == before
    left = json.loads(dump_of(local))
    assert not left.get("acl")
    assert not left.get("domain_extension")
    assert isinstance(probes.plain_http(ProbeTarget(site.target.host, 80)), Unreachable)
    # Its key was taken out, which leaves it on: the provider has no way to tell.
    (balancer,) = left["load_balancer"]
    assert "ConsoleProtection" in json.dumps(balancer)


def test_modification_protection_is_taken_off_by_saying_so(deployed, local):
    deployed.configure(load_balancer={"modification_protection": False})
    assert deployed.steps() == {CLB: "update"}
    deployed.up()
    assert "ConsoleProtection" not in dump_of(local)
    deployed.configure(load_balancer={})
    assert deployed.steps() == {}


def test_a_listener_on_other_ports_is_made_after_the_old_one_is_gone(deployed):
    deployed.configure(
        backends={"port": 8080},
        listener={
            "port": 9443,
            "redirect_port": 80,
            "domain_extensions": {"api.example.com": {}},
        },
    )
    steps = deployed.steps()
    assert steps[LISTENER] == "replace"
    # Changed in place, an instance would go on serving its page on the old port.
    assert steps[f"alicloud:ecs/instance:Instance::{NAME}-0"] == "replace"
    deployed.up()
    report = Site(deployed).verify()
    assert report.passed, report.to_json()
    assert deployed.steps() == {}


def test_everything_that_hangs_on_a_replaced_listener_is_made_anew(deployed):
    deployed.configure(
        backends={},
        listener={
            "port": 443,
            "redirect_port": 80,
            "domain_extensions": {"api.example.com": {}},
        },
    )
    steps = deployed.steps()
    assert steps[LISTENER] == "replace"
    assert steps[f"{LISTENER}-redirect"] == "replace"
    extension = f"alicloud:slb/domainExtension:DomainExtension::{NAME}-api.example.com"
    assert steps[extension] == "replace"
    deployed.up()
    report = Site(deployed).verify()
    assert {check.status for check in report.checks} == {"passed"}, report.to_json()
    assert deployed.steps() == {}


def test_a_load_balancer_that_is_protected_from_deletion_stays(deployed):
    deployed.configure(**NOTHING)
    deployed.configure(load_balancer={"deletion_protection": True})
    deployed.up()
    text = deployed.fail("destroy", "--yes", "--skip-preview")
    assert "DeleteProtection" in text or "deletion protection" in text.lower()
    deployed.configure(load_balancer={})
    deployed.up("--refresh")
    assert Site(deployed).verify().passed
