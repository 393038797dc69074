"""The verification against listeners that behave, and against each that does not."""

from __future__ import annotations

import json
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from operations import outputs as stack_outputs
from operations.verification import verification
from operations.verification.checks import BackendHealth, HealthError, HealthUnavailableError
from tests.unit.operations.conftest import (
    NO_CERTIFICATE_PAGE,
    ListenerImitation,
    bundle,
    record,
    response,
)

HEALTHY = [BackendHealth("i-aaa1", "normal"), BackendHealth("i-bbb2", "normal")]


class Health:
    """Answers in turn with each of the given states or errors; the last one stays."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    def backends(self):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def run(document, health=HEALTHY, *, settle=0.0, **options):
    source = Health(health) if isinstance(health, list) else health
    return verification.verify(
        stack_outputs.parse(document), source, settle=settle, wait=lambda _: None, **options
    )


def statuses(report):
    return {check.id: check.status for check in report.checks}


def details(report):
    return {check.id: check.detail for check in report.checks}


def failures(report):
    return {check.id for check in report.checks if check.status == "failed"}


def test_mutual_tls_passes_every_check(serve, listener, document):
    report = run(document(serve(listener()).port))
    assert set(statuses(report).values()) == {"passed"}, report.to_json()
    assert report.exit_status == 0
    seen = details(report)
    assert seen["no_certificate"] == "HTTP 400 (No required SSL certificate was sent)"
    assert seen["other_ca"] == "TLS alert: decrypt error"
    assert seen["expired"] == "TLS alert: certificate expired"
    assert seen["clients"] == "browser (RSA 2048), partner (RSA 2048): HTTP 200, TLSv1.3"
    assert seen["balancing"] == "i-aaa1 2, i-bbb2 2, strictly in turn"
    assert seen["tls_1_0"] == "TLS alert: protocol version"
    assert seen["client_validity"].startswith("browser 365 (until ")


@pytest.mark.parametrize(
    ("newest", "alert"),
    [
        (ssl.TLSVersion.TLSv1_2, "handshake failure"),
        (ssl.TLSVersion.TLSv1_3, "certificate required"),
    ],
)
def test_refusal_by_tls_alert_counts(serve, listener, document, newest, alert):
    report = run(document(serve(listener(strict=True, newest=newest)).port))
    assert failures(report) == set(), report.to_json()
    assert alert in details(report)["no_certificate"]


def test_one_way_tls_is_found_out(serve, listener, document):
    report = run(document(serve(listener(client_ca=None)).port))
    assert failures(report) == {"no_certificate", "other_ca", "expired"}
    assert report.exit_status == 1
    assert details(report)["no_certificate"] in {
        "HTTP 200 from i-aaa1; expected HTTP 400 or a TLS alert",
        "HTTP 200 from i-bbb2; expected HTTP 400 or a TLS alert",
    }


def test_backend_answering_400_is_no_refusal(serve, listener, document):
    page = b"<title>i-aaa1</title>"
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)
    report = run(document(serve(listener(client_ca=None, answer=answer)).port))
    assert {"no_certificate", "other_ca", "expired", "clients"} <= failures(report)


def test_unhealthy_backends_answer_502_is_no_refusal(serve, listener, document):
    answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
    report = run(document(serve(listener(client_ca=None, answer=answer)).port))
    assert details(report)["no_certificate"].startswith("HTTP 502 (Bad Gateway); expected")
    assert details(report)["clients"].endswith("expected HTTP 200")


@pytest.mark.parametrize("oldest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.parametrize("strict", [False, True])
def test_old_tls_is_found_out(serve, listener, document, oldest, strict):
    report = run(document(serve(listener(oldest=oldest, strict=strict)).port))
    expected = {"tls_1_1"} | ({"tls_1_0"} if oldest == ssl.TLSVersion.TLSv1 else set())
    assert failures(report) == expected
    assert "the handshake goes on (HTTP 200" in details(report)["tls_1_1"]


def test_old_tls_is_skipped_where_the_local_openssl_has_none(
    serve, listener, document, monkeypatch
):
    monkeypatch.setattr(verification, "can_speak", lambda *_: False)
    report = run(document(serve(listener()).port))
    assert statuses(report)["tls_1_0"] == "skipped"
    assert report.exit_status == 0


def test_one_answering_backend_is_found_out(serve, listener, document):
    server = serve(listener(instances=("i-aaa1",)))
    report = run(document(server.port))
    assert failures(report) == {"balancing"}
    assert details(report)["balancing"] == "seen i-aaa1 20; expected evenly i-aaa1, i-bbb2"


def test_answer_of_an_unhealthy_backend_is_found_out(serve, listener, document):
    report = run(document(serve(listener()).port), [BackendHealth("i-aaa1", "normal")])
    assert failures(report) == {"balancing"}


def test_balancing_is_skipped_where_pages_name_no_instance(serve, listener, document):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    report = run(document(serve(listener(answer=answer)).port))
    assert statuses(report)["balancing"] == "skipped"


def test_instance_is_read_from_the_header(serve, listener, document):
    answer = b"HTTP/1.1 200 OK\r\nX-Instance-Id: i-aaa1\r\nContent-Length: 2\r\n\r\nhi"
    report = run(document(serve(listener(answer=answer)).port), [BackendHealth("i-aaa1", "normal")])
    assert details(report)["balancing"] == "i-aaa1 2, strictly in turn"


def test_certificate_of_a_stranger_is_found_out(pki, serve, listener, document):
    stranger = pki.issue("Other CA", key="b")
    server = pki.issue("server", key="b", issuer=stranger, server=True)
    report = run(document(serve(listener(server=server)).port))
    assert {"served_certificate", "server_chain", "clients"} <= failures(report)
    assert "the server's certificate is not trusted" in details(report)["clients"]


def test_renewed_certificate_fails_only_the_comparison_with_state(pki, serve, listener, document):
    renewed = pki.issue("server", key="server", issuer=pki.ca, server=True, days=500)
    report = run(document(serve(listener(server=renewed)).port))
    assert failures(report) == {"served_certificate"}
    assert "; expected " in details(report)["served_certificate"]


def test_certificate_for_other_names_is_found_out(pki, serve, listener, document):
    server = pki.issue("server", key="server", issuer=pki.ca, server=True, names=("a.test",))
    port = serve(listener(server=server)).port
    changes = {"server_certificate": server.pem, "server_names": ["a.test"]}
    report = run(document(port, **changes))
    assert failures(report) == {"server_names"}
    assert "IP address mismatch" in details(report)["server_names"]


def test_missing_name_is_found_out(serve, listener, document):
    report = run(document(serve(listener()).port, server_names=["127.0.0.1", "b.test"]))
    assert failures(report) == {"server_names"}
    assert details(report)["server_names"].startswith("it lacks b.test; it has localhost")


def test_certificate_brought_along_needs_no_known_root_and_no_address(
    pki, serve, listener, document
):
    elsewhere = pki.issue("Company CA", key="b")
    server = pki.issue("server", key="server", issuer=elsewhere, server=True, names=("a.test",))
    port = serve(listener(server=server)).port
    changes = {
        "server_certificate": server.pem + elsewhere.pem,
        "server_names": ["a.test"],
        "server_certificate_issuer": "other",
    }
    report = run(document(port, **changes))
    assert failures(report) == set(), report.to_json()
    assert "reach the service so, not by 127.0.0.1" in details(report)["server_names"]
    assert "this machine does not know it" in details(report)["server_chain"]


def test_expired_server_certificate_is_found_out(pki, serve, listener, document):
    server = pki.issue("server", key="server", issuer=pki.ca, server=True, days=-1)
    report = run(document(serve(listener(server=server)).port, server_certificate=server.pem))
    assert {"server_validity", "clients"} <= failures(report)
    assert "certificate has expired" in details(report)["clients"]


def test_dead_address_gives_one_clear_sentence(document):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    report = run(document(port))
    assert report.exit_status == 1
    sentence = f"127.0.0.1:{port} cannot be reached: Connection refused"
    assert set(details(report).values()) >= {sentence}
    assert statuses(report)["no_certificate"] == "failed"
    assert statuses(report)["ca_validity"] == "passed"


def test_server_that_closes_every_connection_proves_nothing(document, serving):
    with serving(lambda connection: connection.close()) as port:
        report = run(document(port))
    assert {"no_certificate", "other_ca", "expired", "clients", "tls_1_0"} <= failures(report)


def test_probe_that_has_not_expired_proves_nothing(pki, serve, listener, document):
    probe = {"certificate": pki.browser.pem, "private_key": pki.browser.key_pem()}
    report = run(document(serve(listener()).port, expired_probe=probe))
    assert failures(report) == {"expired"}
    assert details(report)["expired"].startswith("could not be tried: the probe is valid until")


def test_expired_probe_of_another_ca_proves_nothing(pki, serve, listener, document):
    other = pki.issue("Test CA", key="b")
    pair = pki.issue("expired", key="a", issuer=other, days=-1)
    probe = {"certificate": pair.pem, "private_key": pair.key_pem()}
    report = run(document(serve(listener()).port, expired_probe=probe))
    assert details(report)["expired"].endswith("not issued by the stack's CA")


def test_absent_expired_probe_is_skipped(serve, listener, document):
    report = run(document(serve(listener()).port, expired_probe=None))
    assert statuses(report)["expired"] == "skipped"


def test_bundle_with_the_wrong_pass_phrase_is_found_out(serve, listener, document):
    values = document(serve(listener()).port)
    values["client_bundles"]["partner"]["pass_phrase"] = "wrong"
    report = run(values)
    assert failures(report) == {"clients"}
    assert details(report)["clients"].startswith(
        "partner (RSA 2048): its certificate cannot be presented"
    )
    assert "wrong" not in report.to_json()


def test_client_of_a_ca_that_the_listener_does_not_take_is_found_out(
    pki, serve, listener, document
):
    other = pki.issue("Other CA", key="b")
    report = run(document(serve(listener(client_ca=other)).port))
    assert {"clients", "balancing"} <= failures(report)
    assert "TLS alert: unknown ca" in details(report)["clients"]


def test_expired_client_is_found_out_without_a_request(pki, serve, listener, document):
    values = document(serve(listener()).port)
    values["clients"]["partner"]["not_after"] = "2020-01-01T00:00:00Z"
    report = run(values)
    assert "client_validity" in failures(report)
    assert details(report)["client_validity"].startswith("partner expired on 2020-01-01, browser")


def test_revoked_clients_are_not_expected_to_get_through(serve, listener, document):
    values = document(serve(listener()).port)
    values["clients"]["partner"]["status"] = "revoked"
    values["clients"]["partner"]["not_after"] = "2020-01-01T00:00:00Z"
    report = run(values)
    assert failures(report) == set()
    assert details(report)["clients"] == "browser (RSA 2048): HTTP 200, TLSv1.3"


def test_stack_without_clients_is_still_checked(serve, listener, document):
    report = run(document(serve(listener()).port, clients={}, client_bundles={}))
    assert statuses(report)["clients"] == "skipped"
    assert statuses(report)["no_certificate"] == "passed"


def test_health_is_waited_for(serve, listener, document):
    starting = [BackendHealth("i-aaa1", "normal"), BackendHealth("i-bbb2", "unavailable")]
    source = Health(HealthUnavailableError("busy"), starting, HEALTHY)
    announced = []
    report = run(document(serve(listener()).port), source, settle=60, announce=announced.append)
    assert failures(report) == set()
    assert source.asked == 3
    assert announced == ["backends' health: busy", "backends' health: i-bbb2 unavailable"]


def test_health_that_stays_abnormal_is_found_out(serve, listener, document):
    states = [BackendHealth("i-aaa1", "normal"), BackendHealth("i-bbb2", "abnormal")]
    report = run(document(serve(listener(instances=("i-aaa1",))).port), states, settle=0.02)
    assert failures(report) == {"health"}
    assert details(report)["health"] == "i-bbb2 abnormal"


def test_health_that_is_refused_is_not_asked_again(serve, listener, document):
    source = Health(HealthError("No credentials"))
    report = run(document(serve(listener()).port), source, settle=60)
    assert source.asked == 1
    assert failures(report) == {"health"}
    assert details(report)["health"] == "No credentials"
    assert statuses(report)["balancing"] == "skipped"


def test_listener_without_backends_is_found_out(serve, listener, document):
    report = run(document(serve(listener()).port), [])
    assert "health" in failures(report)


def test_health_can_be_left_out(serve, listener, document):
    report = run(document(serve(listener()).port), None)
    assert statuses(report)["health"] == "skipped"
    assert report.exit_status == 0


def test_clients_are_waited_for(serve, listener, document, monkeypatch):
    server = listener()
    serve(server)
    ready = server.respond
    first = iter([b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"] * 2)
    monkeypatch.setattr(server, "respond", lambda *of: next(first, None) or ready(*of))
    announced = []
    report = run(document(server.port), settle=60, announce=announced.append)
    assert failures(report) == set()
    assert announced == ["clients to get through: browser: HTTP 502 (Bad Gateway)"]


def test_json_has_the_documented_shape(serve, listener, document):
    report = run(document(serve(listener()).port))
    loaded = json.loads(report.to_json())
    assert set(loaded) == {"url", "passed", "checks"}
    assert loaded["passed"] is True
    assert [set(check) for check in loaded["checks"]] == [{"id", "title", "status", "detail"}] * 14


def test_no_secret_reaches_the_report(serve, listener, document):
    values = document(serve(listener()).port)
    text = run(values).to_json() + repr(stack_outputs.parse(values))
    assert "PRIVATE KEY" not in text
    assert values["client_bundles"]["browser"]["pass_phrase"] not in text
    assert values["client_bundles"]["browser"]["pkcs12"] not in text


def keeping_their_keys(document, names):
    """Outputs in which these clients have certificates alone."""
    bundles = document["client_bundles"]
    own = {n: {f: bundles[n][f] for f in ("certificate", "chain")} for n in names}
    return {**document, "client_bundles": {**bundles, **own}}


def test_a_client_that_keeps_its_key_is_counted_and_not_tried(serve, listener, document):
    values = keeping_their_keys(document(serve(listener()).port), ["partner"])
    report = run(values)
    assert failures(report) == set(), report.to_json()
    assert details(report)["clients"] == "browser (RSA 2048): HTTP 200, TLSv1.3 (1 of 2 tried)"


def test_where_all_keep_their_keys_what_needs_one_is_skipped(serve, listener, document):
    values = keeping_their_keys(document(serve(listener()).port), ["browser", "partner"])
    report = run(values)
    skipped = {check.id for check in report.checks if check.status == "skipped"}
    assert skipped == {"clients", "balancing"}, report.to_json()
    assert failures(report) == set(), report.to_json()
    assert details(report)["clients"] == (
        "every client keeps its key to itself, so none can be tried"
    )


class OnlyRsa(ListenerImitation):
    """Refuses clients that sign by an elliptic curve, as a real listener might."""

    def respond(self, connection, request):
        shown = connection.getpeercert(binary_form=True)
        if shown and not isinstance(
            x509.load_der_x509_certificate(shown).public_key(), RSAPublicKey
        ):
            return response(400, NO_CERTIFICATE_PAGE)
        return super().respond(connection, request)


def with_phone(document, pki, port, others=()):
    """A stack with a client on a curve, and with others besides."""
    made = document(port)
    pairs = {"phone": pki.phone, **dict.fromkeys(others, pki.browser)}
    made["clients"] |= {name: record(pair) for name, pair in pairs.items()}
    made["client_bundles"] |= {name: bundle(name, pair, pki) for name, pair in pairs.items()}
    return made


def test_each_clients_key_is_named_and_each_kind_is_tried(serve, listener, document, pki):
    report = run(with_phone(document, pki, serve(listener()).port, ("a", "b", "c", "d")))
    assert details(report)["clients"] == (
        "a (RSA 2048), b (RSA 2048), phone (ECDSA P-256): HTTP 200, TLSv1.3 (3 of 7 tried)"
    )


def test_a_listener_that_refuses_a_kind_of_key_is_told_of_plainly(serve, document, pki):
    port = serve(OnlyRsa(server=pki.server, client_ca=pki.ca)).port
    report = run(with_phone(document, pki, port))
    assert "clients" in failures(report)
    assert details(report)["clients"] == (
        "phone (ECDSA P-256): HTTP 400 (No required SSL certificate was sent); expected HTTP 200; "
        "the listener refuses clients with a key of ECDSA P-256 and admits those with RSA 2048: "
        "give the former such a key, by key_algorithm and its size"
    )


def test_nobodys_key_is_blamed_where_nobody_gets_in(serve, listener, document, pki):
    answer = response(400, NO_CERTIFICATE_PAGE)
    report = run(with_phone(document, pki, serve(listener(answer=answer)).port))
    assert "the listener refuses clients with a key" not in details(report)["clients"]
