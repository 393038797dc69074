"""Probes against servers that are silent, slow, broken, or speak something else."""

from __future__ import annotations

import gc
import select
import socket
import ssl
import stat
import struct
import tempfile
from pathlib import Path

import pytest

from operations import outputs as stack_outputs
from operations.verification.identity import bundle_identity, expired_identity, issue_impostor
from operations.verification.probes import (
    ANSWER_BYTES,
    OLD_VERSIONS,
    Answered,
    ProbeTarget,
    Rejected,
    Unreachable,
    can_speak,
    handshake,
    probe,
    unverified_context,
)


def probe_port(port, **options):
    return probe(ProbeTarget("127.0.0.1", port), unverified_context(), **options)


@pytest.fixture
def answering(serve, listener):
    """Probe a listener that gives this answer."""

    def ask(answer):
        return probe_port(serve(listener(client_ca=None, answer=answer)).port)

    return ask


def test_silent_server_is_given_up(serving):
    with serving(lambda connection: connection.recv(1 << 20) and connection.recv(1)) as port:
        outcome = probe_port(port, limit=0.1)
    assert outcome == Unreachable(f"127.0.0.1:{port} does not answer within 0.1 s")


def test_server_that_never_ends_its_answer_is_given_up(pki, serving, listener):
    context = listener(client_ca=None).context(pki)

    def drip(plain):
        with context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(4096)
            while True:
                connection.sendall(b"x" * 64)

    with serving(drip) as port:
        assert isinstance(probe_port(port, limit=0.3), Unreachable)


def test_no_more_than_the_limit_is_read(answering):
    outcome = answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * ANSWER_BYTES * 3
    )
    assert isinstance(outcome, Answered)


def test_plain_http_is_told_from_tls(serving):
    with serving(lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        outcome = probe_port(port)
    assert isinstance(outcome, Unreachable)
    assert "does not speak TLS as expected" in outcome.reason


def test_other_protocol_behind_tls(answering):
    outcome = answering(b"220 mail.test ESMTP\r\n")
    assert isinstance(outcome, Unreachable)
    assert outcome.reason.endswith("does not speak HTTP behind TLS")


def test_no_answer_at_all_is_a_closed_connection(answering):
    assert answering(b"") == Rejected(None)


def test_unknown_host():
    outcome = probe(ProbeTarget("host.invalid", 443), unverified_context())
    assert isinstance(outcome, Unreachable)
    assert outcome.reason.startswith("host.invalid:443 cannot be reached: ")


def test_server_cannot_write_its_own_lines_into_a_report(answering):
    page = b"<title>400 a\r\n\x1b[31mb&lt;c " + b"y" * 200 + b"</title>"
    outcome = answering(b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))
    assert str(outcome).startswith("HTTP 400 (a [31mb<c yyy")
    assert str(outcome).isprintable()
    assert len(str(outcome)) < 100


@pytest.mark.parametrize(
    ("body", "instance"),
    [
        (b"<h1>i-bp1abc</h1>", "i-bp1abc"),
        (b"{font: system-ui, ui-monospace} wi-fi", None),
        (b"instance i-1.", "i-1"),
    ],
)
def test_instance_in_the_body(answering, body, instance):
    outcome = answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert isinstance(outcome, Answered)
    assert outcome.instance == instance


def test_handshake_tells_the_served_certificate(pki, serve, listener):
    target = ProbeTarget("127.0.0.1", serve(listener()).port)
    served = handshake(target, unverified_context())
    assert served == ssl.PEM_cert_to_DER_cert(pki.server.pem)


NAMELESS = {ssl.ALERT_DESCRIPTION_CLOSE_NOTIFY, ssl.ALERT_DESCRIPTION_UNKNOWN_PSK_IDENTITY}
"""No error, and one for which Python has no name: it answers a key that no probe offers."""


@pytest.mark.parametrize(
    "description", [one for one in ssl.AlertDescription if one not in NAMELESS]
)
def test_every_alert_is_told_from_a_server_that_speaks_no_tls(pki, serving, listener, description):
    """OpenSSL names those of RFC 6066 without the word."""
    context = listener(client_ca=None).context(pki)
    context.sni_callback = lambda *_: description

    def refuse(plain):
        with (
            context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as tls,
            pytest.raises(ssl.SSLError),
        ):
            tls.do_handshake()

    with serving(refuse) as port:
        outcome = probe(
            ProbeTarget("127.0.0.1", port, server_name="a.example"), unverified_context()
        )
    assert isinstance(outcome, Rejected)
    assert outcome.alert


def test_ipv6_address_in_brackets():
    assert str(ProbeTarget("::1", 8443)) == "[::1]:8443"


class Recorder:
    """Stands in for an SSL context and notes the files it was given."""

    def load_cert_chain(self, certificate, key, password):
        folder = Path(key).parent
        self.modes = {stat.S_IMODE(Path(p).stat().st_mode) for p in (certificate, key)}
        self.folder_mode = stat.S_IMODE(folder.stat().st_mode)
        self.key = Path(key).read_text()
        self.password = password()


@pytest.mark.parametrize("kind", ["bundle", "expired", "impostor"])
def test_no_plain_key_touches_the_disk(kind, document, pki, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    parsed = stack_outputs.parse(document())
    identity = {
        "bundle": lambda: bundle_identity(parsed.client_bundles["browser"]),
        "expired": lambda: expired_identity(parsed.expired_probe),
        "impostor": lambda: issue_impostor(parsed.ca),
    }[kind]()
    recorder = Recorder()
    identity.load_into(recorder)
    assert recorder.key.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert recorder.modes == {0o600}
    assert recorder.folder_mode == 0o700
    assert list(tmp_path.iterdir()) == []
    assert recorder.password not in repr(identity)
    assert recorder.key not in repr(identity)


def test_impostor_has_the_name_of_the_real_ca(pki):
    from cryptography import x509

    leaf, false_ca = x509.load_pem_x509_certificates(
        issue_impostor(pki.ca.certificate).certificates.encode()
    )
    assert leaf.issuer == false_ca.subject == pki.ca.certificate.subject
    leaf.verify_directly_issued_by(false_ca)


def test_old_versions_can_be_spoken_with_this_openssl(pki):
    identity = issue_impostor(pki.ca.certificate)
    spoken = [name for name, version in OLD_VERSIONS.items() if can_speak(version, identity)]
    if not spoken:
        pytest.skip("this OpenSSL has no TLS 1.0 and 1.1")
    assert spoken == ["TLS 1.0", "TLS 1.1"]


def test_a_version_that_fails_counts_as_not_spoken(pki, monkeypatch):
    def refuse(*_):
        raise ssl.SSLError("no protocols available")

    monkeypatch.setattr("operations.verification.probes.restrict_to", refuse)
    assert not can_speak(ssl.TLSVersion.TLSv1, issue_impostor(pki.ca.certificate))


def test_a_connection_that_is_reset_before_the_handshake_leaves_no_socket_open(monkeypatch):
    """As an access control list does, where the answer is quicker than the question."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = socket.create_connection

        def connected_and_reset(*arguments, **options):
            connection = connect(*arguments, **options)
            accepted, _ = server.accept()
            # Closed without lingering: the other side gets a reset.
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
            select.select([connection], [], [], 5)
            return connection

        monkeypatch.setattr(socket, "create_connection", connected_and_reset)
        outcome = probe_port(server.getsockname()[1])
    gc.collect()  # What was left open would be warned of here.
    assert isinstance(outcome, Rejected)
