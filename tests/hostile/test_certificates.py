"""Hostile clients at the listener and at three judges, as docs/hostile-clients.md has it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from components.pki import certificates, keys
from localcloud.dataplane import haproxy_binary
from tests import go
from tests.conformance import specimens
from tests.hostile import servers
from tests.hostile.certificates import CASES
from tests.hostile.forging import anchor
from tests.hostile.servers import HandshakeAttempt

pytestmark = pytest.mark.commands("go", "nginx", "openssl")

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/hostile-clients.md"
PEER = Path(__file__).parent / "peer"
JUDGES = ("pages", "strict", "nginx", "openssl", "go")
VERSIONS = ("1.2", "1.3")
OLD = "tls_cipher_policy_1_0"
ADMITTED, PAGE, CLOSED = "admitted", "400", "closed"


def documented() -> dict[str, list[str]]:
    """The document's table: cells by the first one of their row."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line)
    return {row[0]: row[1:] for row in rows if len(row) == 2 + len(JUDGES)}


TABLE = documented()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What came of each case, judge and version of TLS, and why nginx said no."""
    folder = tmp_path_factory.mktemp("hostile")
    server_pem = certificates.pem(specimens.server("ascii").certificate)
    server_pem += keys.pkcs1(specimens.key("server"))
    authorities = {
        name: certificates.pem(anchor(name).certificate) for name in ("project", "unlimited")
    }
    files = {name: folder / f"{name}.pem" for name in authorities}
    for name, text in authorities.items():
        files[name].write_text(text)
    server = folder / "server.pem"
    server.write_text(server_pem)
    haproxy = haproxy_binary.ensure(print)
    peer = go.program("peer", PEER, ("main.go", "go.mod"))
    shown = {name: make() for name, make in CASES.items()}
    with contextlib.ExitStack() as stack:
        planes = {"pages": {}, "strict": {"strict": True}, OLD: {"policy": OLD}}
        listening = {
            name: stack.enter_context(
                servers.haproxy(folder / name, haproxy, server_pem, authorities, **options)
            )
            for name, options in planes.items()
        }
        listening |= {
            "nginx": stack.enter_context(servers.nginx(folder, server, files)),
            "openssl": stack.enter_context(servers.openssl(server, files)),
            "go": stack.enter_context(servers.go(peer, server, files)),
        }
        # The policy of TLS 1.0 has no TLS 1.3.
        wanted = [
            (name, judge, version)
            for name in shown
            for judge in listening
            for version in (VERSIONS if judge != OLD else VERSIONS[:1])
        ]
        attempts = [
            HandshakeAttempt(listening[judge][shown[name].anchor], version, shown[name])
            for name, judge, version in wanted
        ]
        found = dict(zip(wanted, servers.outcomes(peer, attempts), strict=True))
        log = (folder / "error.log").read_text()
    return found, {wanted[number]: reason for number, reason in nginx_reasons(log).items()}


def nginx_reasons(log: str) -> dict[int, str]:
    """OpenSSL's number and words for each refused request, by the request's number."""
    pattern = r'verify error: \((\d+:[^)]+)\).*"GET /(\d+) '
    return {int(number): reason for reason, number in re.findall(pattern, log)}


def verdict(outcome: str) -> str:
    if outcome.startswith("200 "):
        return ADMITTED
    return PAGE if outcome.startswith("400 ") else CLOSED


def test_the_document_has_every_case_in_order():
    assert list(TABLE)[2:] == list(CASES)
    assert len(CASES) > 40


@pytest.mark.parametrize("name", CASES)
def test_the_listener_and_the_judges_do_as_documented(measured, name):
    found = {
        judge: [verdict(measured[0][name, judge, version]) for version in VERSIONS]
        for judge in JUDGES
    }
    assert found == {
        judge: by_version(cell) for judge, cell in zip(JUDGES, TABLE[name], strict=False)
    }


def by_version(cell: str) -> list[str]:
    """What a cell says of TLS 1.2 and of TLS 1.3: mostly the same."""
    found = cell.split(", ")
    return found * 2 if len(found) == 1 else found


@pytest.mark.parametrize("name", CASES)
def test_nginx_refuses_for_the_documented_reason(measured, name):
    """So that a case is not refused for another fault than the one it is about."""
    given = {measured[1].get((name, "nginx", version)) for version in VERSIONS}
    documented = TABLE[name][-1]
    if TABLE[name][JUDGES.index("nginx")] == PAGE and name != "No certificate":
        # The words differ between versions of OpenSSL, the numbers do not.
        assert {reason.partition(":")[0] for reason in given} == {documented.split()[0]}
    else:
        assert given == {None}


@pytest.mark.parametrize("version", VERSIONS)
def test_pages_name_what_is_wrong_as_nginx_does(measured, version):
    for name in CASES:
        ours, theirs = (measured[0][name, judge, version] for judge in ("pages", "nginx"))
        if verdict(ours) == PAGE:
            assert ours == theirs, name


def test_whoever_the_listener_refuses_no_judge_admits_but_for_the_documented(measured):
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.partition("## Where the judges differ")[2].partition("\n## ")[0]
    explained = re.findall(r"^- \*\*(.+?)\.\*\* ", section, re.MULTILINE)
    differing = [
        name
        for name, (pages, strict, *others, _) in ((name, TABLE[name]) for name in CASES)
        if len({ADMITTED in by_version(cell) for cell in (pages, strict, *others)}) > 1
    ]
    assert differing
    assert explained == differing


def test_strict_and_pages_admit_the_same():
    for name in CASES:
        pages, strict = TABLE[name][:2]
        assert (pages == ADMITTED) is (strict == ADMITTED), name
        assert strict in {ADMITTED, CLOSED}, name


def test_old_policies_admit_weak_signatures_and_nobody_else(measured):
    admitted = {
        name
        for name in CASES
        if verdict(measured[0][name, OLD, "1.2"]) == ADMITTED
        and verdict(measured[0][name, "pages", "1.2"]) != ADMITTED
    }
    assert admitted == {"Signed over SHA-1", "Signed over MD5", "RSA key of 1024 bits"}
