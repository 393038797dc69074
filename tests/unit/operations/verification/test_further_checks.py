"""What a stack has beside one plain listener is told from what it should be."""

from __future__ import annotations

import contextlib

import pytest

from operations import outputs as stack_outputs
from operations.verification import verification
from operations.verification.checks import BackendHealth

MAIN = {"name": "listener", "port": 443}
BACKENDS = [{"server_id": "i-aaa1", "weight": 100}, {"server_id": "i-bbb2", "weight": 100}]
HEALTHY = [BackendHealth("i-aaa1", "normal"), BackendHealth("i-bbb2", "normal")]


class Health:
    def __init__(self, states):
        self.states = states

    def backends(self):
        return self.states


def run(document, health=HEALTHY, **options):
    return verification.verify(
        stack_outputs.parse(document), Health(health), settle=0.0, wait=lambda _: None, **options
    )


def check(report, key):
    (found,) = [one for one in report.checks if one.id == key]
    return found.status, found.detail


def failures(report):
    return {one.id for one in report.checks if one.status == "failed"}


@pytest.fixture
def plain(serving):
    """Serve one answer to plain requests; gives the port."""
    with contextlib.ExitStack() as stack:

        def start(answer: bytes) -> int:
            def handle(connection):
                connection.recv(4096)
                connection.sendall(answer)

            return stack.enter_context(serving(handle))

        yield start


def test_a_report_has_no_check_of_what_there_is_not(serve, listener, document):
    report = run(document(serve(listener()).port, listeners=[MAIN], backends=BACKENDS))
    assert failures(report) == set()
    assert [one.id for one in report.checks][-3:] == [
        "ca_validity",
        "server_validity",
        "client_validity",
    ]
    assert not {"sticky_session", "redirect", "domain_certificates", "additional_listeners"} & {
        one.id for one in report.checks
    }


WEIGHED = [{"server_id": "i-aaa1", "weight": 100}, {"server_id": "i-bbb2", "weight": 50}]


def test_backends_are_seen_by_their_weights(serve, listener, document):
    weighed = serve(listener(instances=("i-aaa1", "i-aaa1", "i-bbb2")))
    main = {**MAIN, "scheduler": "wrr"}
    report = run(document(weighed.port, listeners=[main], backends=WEIGHED))
    assert check(report, "balancing") == ("passed", "i-aaa1 4, i-bbb2 2")


LOPSIDED = [{"server_id": "i-aaa1", "weight": 100}, {"server_id": "i-bbb2", "weight": 20}]


@pytest.mark.parametrize(("turns", "status"), [(5, "passed"), (1, "failed")])
def test_the_share_of_each_is_compared_with_its_weight(serve, listener, document, turns, status):
    weighed = serve(listener(instances=("i-aaa1",) * turns + ("i-bbb2",)))
    main = {**MAIN, "scheduler": "wrr"}
    report = run(document(weighed.port, listeners=[main], backends=LOPSIDED))
    assert check(report, "balancing")[0] == status


def test_backends_that_are_seen_against_their_weights_are_found_out(serve, listener, document):
    weighed = serve(listener(instances=("i-aaa1", "i-bbb2", "i-bbb2", "i-bbb2")))
    main = {**MAIN, "scheduler": "wrr"}
    report = run(document(weighed.port, listeners=[main], backends=WEIGHED))
    status, detail = check(report, "balancing")
    assert status == "failed"
    assert detail.endswith("; expected i-aaa1 by weight 100, i-bbb2 by weight 50")


def test_round_robin_takes_no_weight_into_account(serve, listener, document):
    report = run(document(serve(listener()).port, listeners=[MAIN], backends=WEIGHED))
    assert check(report, "balancing")[0] == "passed"


DRAINED = [{"server_id": "i-aaa1", "weight": 100}, {"server_id": "i-bbb2", "weight": 0}]


def test_a_drained_backend_gets_nothing_and_need_not_be_healthy(serve, listener, document):
    alone = serve(listener(instances=("i-aaa1",)))
    states = [BackendHealth("i-aaa1", "normal"), BackendHealth("i-bbb2", "abnormal")]
    report = run(document(alone.port, listeners=[MAIN], backends=DRAINED), states)
    assert check(report, "health") == ("passed", "i-aaa1: normal; drained: i-bbb2 abnormal")
    assert check(report, "balancing") == (
        "passed",
        "i-aaa1 2, strictly in turn; none to i-bbb2, which is drained",
    )


def test_a_drained_backend_that_answers_is_found_out(serve, listener, document):
    report = run(document(serve(listener()).port, listeners=[MAIN], backends=DRAINED))
    assert failures(report) == {"balancing"}


def test_without_health_checks_every_backend_is_expected_to_answer(serve, listener, document):
    main = {**MAIN, "health_check": False}
    states = [BackendHealth("i-aaa1", "unavailable"), BackendHealth("i-bbb2", "unavailable")]
    report = run(document(serve(listener()).port, listeners=[main], backends=BACKENDS), states)
    assert check(report, "health") == (
        "skipped",
        "health checks are off (listener.health_check.enabled)",
    )
    assert check(report, "balancing")[0] == "passed"


STICKY = {**MAIN, "sticky_session": "insert"}


def test_a_session_stays_and_requests_without_its_cookie_alternate(serve, listener, document):
    report = run(document(serve(listener(sticky=True)).port, listeners=[STICKY], backends=BACKENDS))
    assert failures(report) == set()
    status, detail = check(report, "sticky_session")
    assert status == "passed"
    assert detail.startswith("6 requests with SERVERID to i-")


def test_a_session_that_wanders_is_found_out(serve, listener, document):
    page = b"<title>i-aaa1</title>"
    turn = iter(range(1000))

    def answer():
        name = b"i-aaa1" if next(turn) % 2 else b"i-bbb2"
        return (
            b"HTTP/1.1 200 OK\r\nSet-Cookie: SERVERID=1; Path=/\r\n"
            b"Content-Length: %d\r\n\r\n<title>%s</title>" % (len(page), name)
        )

    server = listener()
    server.respond = lambda *_: answer()
    report = run(document(serve(server).port, listeners=[STICKY], backends=BACKENDS))
    status, detail = check(report, "sticky_session")
    assert status == "failed"
    assert "first, then with its cookie" in detail


def test_a_listener_that_sets_no_cookie_is_found_out(serve, listener, document):
    report = run(document(serve(listener()).port, listeners=[STICKY], backends=BACKENDS))
    assert check(report, "sticky_session") == ("failed", "the listener sets no cookie")


def test_a_cookie_that_the_page_does_not_set_cannot_be_tried(serve, listener, document):
    main = {**MAIN, "sticky_session": "server", "cookie": "JSESSIONID"}
    report = run(document(serve(listener()).port, listeners=[main], backends=BACKENDS))
    assert check(report, "sticky_session") == (
        "skipped",
        "the page sets no cookie JSESSIONID, which the backends would",
    )


def answered(status: int, location: bytes) -> bytes:
    head = b"HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
    return head % (status, location)


def test_a_redirect_to_the_listener_passes(serve, listener, document, plain):
    server = serve(listener())
    port = plain(answered(302, b"https://127.0.0.1:%d/" % server.port))
    values = document(server.port, listener_port=server.port, redirect_port=port)
    assert check(run(values), "redirect") == (
        "passed",
        f"HTTP 302 to https://127.0.0.1:{server.port}/",
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        answered(302, b"http://127.0.0.1/"),
        answered(302, b"https://elsewhere.example.com/"),
        answered(302, b"https://127.0.0.1:9999/"),
        answered(404, b"https://127.0.0.1/"),
    ],
)
def test_a_redirect_that_leads_elsewhere_is_found_out(serve, listener, document, plain, answer):
    server = serve(listener())
    values = document(server.port, listener_port=server.port, redirect_port=plain(answer))
    status, detail = check(run(values), "redirect")
    assert status == "failed"
    assert detail.endswith(f"; expected a redirect to https://127.0.0.1:{server.port}/")


def test_a_redirect_that_is_not_there_is_found_out_unless_ports_are_mapped(
    serve, listener, document
):
    server = serve(listener())
    values = document(server.port, listener_port=server.port, redirect_port=1)
    assert check(run(values), "redirect")[0] == "failed"
    values = document(server.port, redirect_port=1)
    assert check(run(values), "redirect") == (
        "skipped",
        "port 1 is mapped like the listener's; to which is not known",
    )


@pytest.fixture(scope="module")
def api(pki):
    return pki.issue("api", key="a", issuer=pki.ca, server=True, names=("api.example.com",))


@pytest.fixture(scope="module")
def wild(pki):
    return pki.issue("wild", key="b", issuer=pki.ca, server=True, names=("*.example.org",))


def test_each_domain_shows_its_certificate(serve, listener, document, api, wild):
    server = serve(listener(extensions={"api.example.com": api, "any.example.org": wild}))
    domains = {
        "api.example.com": {"certificate": api.pem, "issuer": "private"},
        "*.example.org": {"certificate": "", "issuer": "other"},
    }
    report = run(document(server.port, domain_certificates=domains))
    assert failures(report) == set()
    assert check(report, "domain_certificates") == (
        "passed",
        "api.example.com, *.example.org: each its own",
    )
    assert "api.example.com 36" in check(report, "server_validity")[1]


def test_a_domain_that_shows_another_certificate_is_found_out(serve, listener, document, api):
    domains = {
        "api.example.com": {"certificate": api.pem, "issuer": "private"},
        "www.example.com": {"certificate": "", "issuer": "other"},
    }
    report = run(document(serve(listener()).port, domain_certificates=domains))
    assert failures(report) == {"domain_certificates"}
    detail = check(report, "domain_certificates")[1]
    assert "api.example.com: SHA-256 " in detail
    assert "www.example.com: the certificate is for localhost, 127.0.0.1" in detail


def test_a_certificate_in_state_that_is_not_for_its_domain_is_found_out(
    serve, listener, document, api
):
    server = serve(listener(extensions={"www.example.com": api}))
    domains = {"www.example.com": {"certificate": api.pem, "issuer": "other"}}
    report = run(document(server.port, domain_certificates=domains))
    assert check(report, "domain_certificates") == (
        "failed",
        "www.example.com: the certificate is for api.example.com",
    )


def beside(server, **values):
    return [
        MAIN,
        {"name": "additional_listeners.partners", "port": server.port, **values},
    ]


def test_an_additional_listener_that_demands_a_certificate_passes(serve, listener, document):
    other = serve(listener())
    values = document(serve(listener()).port, listeners=beside(other), backends=BACKENDS)
    assert check(run(values), "additional_listeners") == ("passed", "additional_listeners.partners")


def test_an_additional_listener_of_one_way_tls_is_found_out(serve, listener, document):
    other = serve(listener(client_ca=None))
    values = document(serve(listener()).port, listeners=beside(other), backends=BACKENDS)
    report = run(values)
    assert failures(report) == {"additional_listeners"}
    assert check(report, "additional_listeners")[1].startswith(
        "additional_listeners.partners: HTTP 200 from i-"
    )


def test_an_additional_listener_that_admits_nobody_is_found_out(serve, listener, document):
    answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    other = serve(listener(answer=answer))
    values = document(serve(listener()).port, listeners=beside(other), backends=BACKENDS)
    assert check(run(values), "additional_listeners") == (
        "failed",
        "additional_listeners.partners: a client's request: HTTP 503 (Service Unavailable)",
    )
    # Of a VServer group of others that is no fault of this stack.
    listeners = beside(other, server_group_id="rsp-1")
    values = document(serve(listener()).port, listeners=listeners, backends=BACKENDS)
    assert check(run(values), "additional_listeners")[0] == "passed"


def test_whoever_is_shut_out_everywhere_is_told_of_the_acl(document, serving):
    with serving(lambda connection: connection.close()) as port:
        report = run(document(port, listeners=[{**MAIN, "acl": "white"}], backends=BACKENDS))
    assert check(report, "clients")[1].endswith(
        "; does listener.acl, a white list, admit this machine?"
    )


def test_an_address_that_is_dead_is_one_cause_for_every_check_of_it(document):
    listeners = [{**MAIN, "acl": "black"}, {**MAIN, "name": "additional_listeners.partners"}]
    report = run(document(1, listeners=listeners, backends=BACKENDS))
    found = {one.detail for one in report.checks if one.id not in verification.OFFLINE_CHECKS}
    (detail,) = found
    assert detail.endswith("; does listener.acl, a black list, admit this machine?")
    assert "additional_listeners" in {one.id for one in report.checks}
    assert "redirect" not in {one.id for one in report.checks}


def settled(values):
    """The report on what needs a while, and what was waited for."""
    announced = []
    report = verification.verify(
        stack_outputs.parse(values),
        Health(HEALTHY),
        settle=60.0,
        wait=lambda _: None,
        announce=announced.append,
    )
    return report, announced


def test_an_additional_listener_that_is_new_is_waited_for(serve, listener, document):
    other = listener()
    ready = other.respond
    unready = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
    first = iter([unready] * 3)
    other.respond = lambda *of: next(first, None) or ready(*of)
    values = document(serve(listener()).port, listeners=beside(serve(other)), backends=BACKENDS)
    report, announced = settled(values)
    assert failures(report) == set(), report.to_json()
    assert set(announced) == {"additional_listeners.partners: HTTP 502 (Bad Gateway)"}


def test_a_redirect_that_is_new_is_waited_for(serve, listener, document, serving):
    server = serve(listener())
    answer = answered(302, b"https://127.0.0.1:%d/" % server.port)
    first = iter([b""])

    def handle(connection):
        connection.recv(4096)
        connection.sendall(next(first, answer))

    with serving(handle) as port:
        values = document(server.port, listener_port=server.port, redirect_port=port)
        report, announced = settled(values)
    assert check(report, "redirect")[0] == "passed"
    (waited_for,) = announced
    assert waited_for.startswith(f"the redirect: 127.0.0.1:{port} cannot be reached: ")
