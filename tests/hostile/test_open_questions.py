"""Every open question at servers that answer it one way and the other.

The local cloud's data plane answers as docs/open-questions.md says, and otherwise where it is told
to. What HAProxy cannot answer otherwise, other servers do.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.instance_page import cloud_config
from components.pki import certificates, keys
from localcloud.dataplane import haproxy_binary
from localcloud.dataplane.model import (
    OPEN_QUESTIONS,
    BackendSpec,
    DataPlaneError,
    DomainSpec,
    InstanceSpec,
    ListenerSpec,
)
from localcloud.dataplane.plane import DataPlane
from operations import outputs
from operations.clb import experiment
from operations.clb.questions import QUESTIONS
from operations.clb.throwaway import Throwaways
from tests import go
from tests.conformance import specimens
from tests.hostile import servers

BY_DEFAULT = {
    "no_certificate": "page",
    "ec_keys": "yes",
    "lower_ca": "yes",
    "name_constraints": "yes",
    "sessions": "no",
    "sessions_after_switch": "no",
    "no_server_name": "own",
    "long_headers": "yes",
    "many_requests": "no",
}


SERVER_PEM = certificates.pem(specimens.server("ascii").certificate) + keys.pkcs1(
    specimens.key("server")
)
PEER = Path(servers.__file__).parent / "peer"


def stack(address, ca, **changes):
    """Outputs of a stack whose listener is at this address."""
    return outputs.parse(
        {
            "url": f"https://{address.host}:{address.port}/",
            "address": address.host,
            "region": "cn-hangzhou",
            "load_balancer_id": "lb-probed",
            "listener_port": address.port,
            "server_names": [specimens.HOST],
            "server_certificate_issuer": "private",
            "ca_certificate": certificates.pem(ca.certificate),
            "server_certificate": certificates.pem(specimens.server("ascii").certificate),
            "clients": {},
            "client_bundles": {},
            **changes,
        }
    )


def never(_ways):
    raise AssertionError("nobody has to be asked")


@functools.cache
def throwaways(ca):
    return Throwaways(specimens.root(ca), datetime.now(UTC))


def put(address, ca="rotating", switch=never, **changes):
    issuer = throwaways(ca)
    return experiment.put_questions(stack(address, issuer.ca, **changes), issuer, switch).answers


def words(answers):
    return {key: answer.word for key, answer in answers.items()}


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    made = DataPlane(tmp_path_factory.mktemp("plane"), haproxy_binary.ensure(print))
    made.start_instance(InstanceSpec("i-probed", servers.loopback(), cloud_config.render(8080)))
    servers.wait(lambda: servers.answers(made.backend_socket("i-probed", 8080)))
    yield made
    made.stop()


@pytest.fixture
def listening(plane):
    """Serves a listener that trusts a CA, with these questions answered otherwise."""
    host = servers.loopback()

    def serve(ca="rotating", otherwise=(), **changes):
        listener = ListenerSpec(
            load_balancer_id="lb-probed",
            address=host,
            port=8443,
            protocol="https",
            backends=(BackendSpec("i-probed", plane.backend_socket("i-probed", 8080)),),
            server_certificate=SERVER_PEM,
            ca_certificate=certificates.pem(specimens.root(ca).certificate),
            tls_cipher_policy=servers.STRONG,
        )
        listener = replace(listener, **changes)
        plane.answer_otherwise(otherwise)
        return plane.apply_listeners([listener])[listener.key]

    return serve


def test_the_local_cloud_answers_as_documented(listening):
    answers = put(listening())
    assert words(answers) == BY_DEFAULT, answers


NOT_TRIED = dict.fromkeys(QUESTIONS, "not tried")
OTHERWISE = {
    "no_certificate": {"no_certificate": "alert"},
    "ec_keys": {"ec_keys": "no"},
    # Name constraints are tried by such a chain.
    "lower_ca": {"lower_ca": "no", "name_constraints": "not tried"},
    # A ticket outlives the worker that gave it; what goes by an id is remembered by the worker.
    "sessions": {"sessions": "yes", "sessions_after_switch": "some"},
    # Without SNI there is no handshake, and the stack's address is no domain.
    "no_server_name": {**NOT_TRIED, "no_certificate": "alert", "no_server_name": "refused"},
    "long_headers": {"long_headers": "no"},
    "many_requests": {"many_requests": "yes"},
}


def test_each_switch_is_tried():
    assert OTHERWISE.keys() == set(OPEN_QUESTIONS)
    assert BY_DEFAULT.keys() == QUESTIONS.keys()


@pytest.mark.parametrize("question", OTHERWISE)
def test_one_switch_changes_one_answer(listening, question, monkeypatch):
    # It is not waited for that a session ends.
    monkeypatch.setattr(experiment, "LONGEST_SECONDS", 0)
    address = listening(otherwise=[question])

    @contextlib.contextmanager
    def switched():
        assert listening("beyond-ascii", otherwise=[question]) == address
        yield
        assert listening(otherwise=[question]) == address

    asked = []

    def switch(ways):
        asked.append(ways)
        return switched()

    answers = put(address, switch=switch)
    assert words(answers) == BY_DEFAULT | OTHERWISE[question], answers
    assert bool(asked) is (question == "sessions")
    if question == "sessions":
        assert "TLS 1.3, ticket (good for 60 s)" in answers["sessions"].seen
        after = answers["sessions_after_switch"].seen
        assert "TLS 1.2, ticket: still let its client through after " in after
        assert "TLS 1.2, id: refused at once" in after


def test_who_applies_no_name_constraints_is_told(tmp_path):
    """HAProxy cannot be told not to apply them."""
    server, authority = tmp_path / "server.pem", tmp_path / "ca.pem"
    server.write_text(SERVER_PEM)
    authority.write_text(certificates.pem(specimens.root("rotating").certificate))
    peer = go.program("peer", PEER, ("main.go", "go.mod"))
    with servers.go(peer, server, {"ca": authority}, names=False) as addresses:
        answers = put(addresses["ca"], switch=lambda _ways: None)
    assert words(answers) == BY_DEFAULT | {
        "no_certificate": "alert",
        "name_constraints": "no",
        # Go resumes by tickets alone.
        "sessions": "some",
        "sessions_after_switch": "not tried",
        "long_headers": "no",
    }
    assert "--yes" in answers["sessions_after_switch"].seen


def test_without_a_ca_below_the_ca_s_own_constraints_are_tried(listening):
    """At a listener that follows no chain."""
    answers = put(listening("constrained", otherwise=["lower_ca"]), "constrained")
    assert answers["name_constraints"].word == "yes", answers["name_constraints"]
    assert "domain outside: " in answers["name_constraints"].seen


def test_a_ca_that_allows_none_below_it_is_tried_with_one_of_its_own_name(listening):
    answers = put(listening("ascii"), "ascii")
    assert words(answers) == BY_DEFAULT
    answers = put(listening("ascii", otherwise=["lower_ca"]), "ascii")
    assert answers["lower_ca"].word == "unclear"
    assert "make rotate STEP=prepare" in answers["lower_ca"].seen


DOMAIN = "other.example.com"


@pytest.fixture(scope="module")
def of_domain():
    """PEM of another server certificate, with its key."""
    issuer = specimens.root("rotating")
    key = specimens.key("domain")
    made = certificates.issue_server(
        issuer,
        issuer.certificate.subject,
        key.public_key(),
        specimens.opening_now(specimens.ServerArguments()),
        certificates.alternative_names([DOMAIN], []),
    )
    return certificates.pem(made), keys.pkcs1(key)


def test_which_of_several_certificates_is_shown_without_sni(listening, of_domain):
    own, pair = certificates.pem(specimens.server("ascii").certificate), "".join(of_domain)
    at = listening(domain_extensions=(DomainSpec(DOMAIN, pair),))
    known = {DOMAIN: {"certificate": of_domain[0], "issuer": "private"}}
    answer = put(at, domain_certificates=known)["no_server_name"]
    assert (answer.word, answer.seen) == (
        "own",
        "the listener's own; for a domain that nobody has: the same",
    )
    # As if what it shows without SNI were the domain's: its own would be the other.
    swapped = {specimens.HOST: {"certificate": own, "issuer": "private"}}
    answer = put(at, domain_certificates=swapped, server_certificate=of_domain[0])["no_server_name"]
    assert (answer.word, answer.seen) == (
        "other",
        f"that of {specimens.HOST}; for a domain that nobody has: the same",
    )


def test_without_the_ca_s_key_only_what_needs_it_is_not_tried(listening):
    at = listening()
    issuer = specimens.root("rotating")
    findings = experiment.put_questions(stack(at, issuer), None, never)
    assert words(findings.answers) == NOT_TRIED | {
        "no_certificate": "page",
        "no_server_name": "own",
    }
    held = {"browser": as_bundle(throwaways("rotating").client())}
    findings = experiment.put_questions(stack(at, issuer, client_bundles=held), None, never)
    lacking = dict.fromkeys(("ec_keys", "lower_ca", "name_constraints"), "not tried")
    assert words(findings.answers) == BY_DEFAULT | lacking
    assert "does not hold the CA's key" in findings.answers["ec_keys"].seen


def test_nobody_there_proves_nothing():
    nowhere = servers.free_address()
    answers = put(nowhere)
    assert set(words(answers).values()) == {"not tried", "unclear"}
    issuer = throwaways("rotating")
    assert experiment.put_questions(stack(nowhere, issuer.ca), issuer, never).exit_status == 1


def as_bundle(identity):
    """A client's bundle as the outputs have it."""
    return {
        "certificate": identity.certificates,
        "chain": "",
        "pkcs12": "none",
        "private_key": identity.encrypted_key,
        "pass_phrase": identity.pass_phrase,
    }


def test_what_is_no_question_is_refused_and_changes_nothing(listening, plane):
    at = listening(otherwise=["ec_keys"])
    with pytest.raises(DataPlaneError, match="no question 'ec_key': no_certificate, ec_keys, "):
        plane.answer_otherwise(["ec_key"])
    assert put(at)["ec_keys"].word == "no"
