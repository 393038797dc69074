from __future__ import annotations

import dataclasses
import json
import re

import pytest
from cryptography import x509

from components.pki import certificates, name_constraints
from components.pki.names import distinguished_name
from operations import outputs as stack_outputs
from operations.certificates.inventory import STATES
from operations.report import words
from operations.report.markup import element, escaped, joined
from operations.report.page import render_page
from operations.verification.checks import TITLES
from operations.verification.report import Report, parse_report
from tests.unit.operations.report import samples
from tests.unit.operations.report.samples import VERIFICATION, Page, issued

CONSTRAINTS = {
    "permitted": {"domains": ["corp.example"], "ip_ranges": ["192.0.2.0/24"]},
    "excluded": {"email_domains": [".bad.example"]},
}


@pytest.fixture(scope="module")
def present():
    return samples.authority("Report <CA>", constraints=name_constraints.extension(CONSTRAINTS))


@pytest.fixture(scope="module")
def following():
    return samples.authority("Report CA G2")


@pytest.fixture
def make(document, present):
    def make(entries, **changes):
        return stack_outputs.parse(
            document(
                ca_certificate=certificates.pem(present.certificate),
                issued=entries,
                renewal={"clients": {one["name"]: "30d" for one in entries}},
                **changes,
            )
        )

    return make


@pytest.fixture
def found(make):
    return make(
        [
            issued("browser", -100, 265),
            issued("browser", -400, 20, "superseded"),
            issued("partner", -340, 25),
            issued("phone", -10, 80, key="ECDSA P-256", subject="CN=phone,O=Example <Ltd>"),
            issued(
                "gone",
                -50,
                100,
                "revoked",
                revoked_at="2030-05-01T00:00:00Z",
                reason="keyCompromise",
            ),
        ],
        backends=[{"server_id": "i-one", "weight": 100}, {"server_id": "i-two", "weight": 0}],
        listeners=[
            {
                "name": "listener",
                "port": 443,
                "scheduler": "wrr",
                "sticky_session": "server",
                "cookie": "SID",
                "acl": "white",
            },
            {"name": "partners", "port": 8443, "server_group_id": "rsp-1", "health_check": False},
        ],
        redirect_port=80,
    )


def text_of(contents, language="en"):
    return " ".join(Page(render_page(contents, language)).texts)


def test_every_certificate_is_there_with_its_holder_key_state_and_times(found):
    contents = samples.contents(found)
    text = text_of(contents)
    assert len(contents.items) == 7
    for item in contents.items:
        for part in (item.name, item.key, item.serial_number, item.fingerprint_sha256):
            assert part in text
        assert f"{item.not_after:%Y-%m-%d}" in text
    assert re.search("revoked +on 2030-05-01: keyCompromise", text)
    assert "CN=phone,O=Example <Ltd>" in text
    assert "CN=partner" not in text
    assert "3 clients in force" in text
    assert "RSA 2048 (2), ECDSA P-256 (1)" in text


def test_the_line_has_a_drawing_with_a_title_and_a_description_for_each_holder(found):
    text = render_page(samples.contents(found), "en")
    drawings = re.findall(
        r"<svg[^>]*role=\"img\"[^>]*><title>(.*?)</title><desc>(.*?)</desc>", text
    )
    assert {title for title, _ in drawings} == {
        "CA",
        "server",
        "browser",
        "partner",
        "phone",
        "gone",
    }
    described = dict(drawings)
    assert described["partner"] == (
        "partner: valid from 2029-06-26 until 2030-06-26, due, due for renewal on 2030-05-27"
    )
    assert described["browser"].endswith("; and 1 earlier")
    assert text.count('role="img"') == len(drawings)


def test_listeners_backends_and_redirect_are_named(found):
    text = text_of(samples.contents(found))
    for part in ("weighted round robin", "server (SID)", "whitelist", "rsp-1", "port 80", "8443"):
        assert part in text
    assert "0 (gets no requests)" in text


def test_the_verification_is_shown_with_its_time_and_where_there_is_none_how_to_add_one(found):
    text = text_of(samples.contents(found))
    assert "the result was written at 2030-06-01 00:00 UTC" in text
    assert "2 passed, 1 failed, 1 skipped" in text
    assert "2 of 3 checks passed" in text
    without = text_of(samples.contents(found, None))
    assert "make verify STACK=dev ARGS=--json > verification.json" in without
    assert "no verification given" in without


def test_a_verification_is_read_as_verify_wrote_it():
    assert parse_report(VERIFICATION.report.to_json()) == VERIFICATION.report
    for wrong in ("", "[]", '{"url": 1, "checks": []}', '{"checks": []}', "\ud800"):
        with pytest.raises(ValueError, match=r".") as caught:
            parse_report(wrong)
        assert "\n" not in str(caught.value)
    later = json.loads(VERIFICATION.report.to_json()) | {"at": "2030-01-01"}
    assert isinstance(parse_report(json.dumps(later)), Report)


def test_rules_are_those_of_the_pack_as_they_are_configured(found):
    contents = samples.contents(found)
    text = text_of(contents)
    assert len(contents.rules) >= 9
    for rule in contents.rules:
        assert rule.name in text
        assert rule.description in text
    assert "client_days: minimum 1, maximum 398" in text
    assert "stacks: prod, staging" in text


def test_name_constraints_are_those_of_the_certificate(found, present):
    text = text_of(samples.contents(found))
    assert name_constraints.of(present.certificate) is not None
    assert r"CN=Report \<CA\>" in text  # As RFC 4514 has it.
    for part in (
        "DNS name corp.example and below",
        "IP addresses 192.0.2.0/24",
        "e-mail addresses of .bad.example",
    ):
        assert part in text
    assert "every name" not in text


def test_names_of_every_form_are_named(make):
    name = distinguished_name({"common_name": "below"})
    forms = [
        x509.DirectoryName(name),
        x509.UniformResourceIdentifier("host.example"),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
    ]
    ca = samples.authority("Forms", constraints=x509.NameConstraints(None, forms))
    values = make([]).model_copy(update={"ca_certificate": certificates.pem(ca.certificate)})
    text = text_of(samples.contents(values))
    assert "names below CN=below" in text
    assert "URIs at host.example" in text
    assert "RegisteredID: " in text


def test_a_rotation_that_is_prepared_names_whom_completing_it_cuts_off(found, following):
    assert "No rotation of the CA's key is prepared" in text_of(samples.contents(found))
    pem = certificates.pem(following.certificate)
    prepared = found.model_copy(update={"next_ca_certificate": pem})
    text = text_of(samples.contents(prepared))
    assert "CN=Report CA G2" in text
    assert "cuts off 3 certificates in force" in text
    assert "partner (" in text
    signer = certificates.key_identifier(following.certificate).digest.hex()
    entries = tuple(dataclasses.replace(one, authority_key_id=signer) for one in prepared.issued)
    done = prepared.model_copy(update={"issued": entries})
    assert "Every certificate in force has a successor" in text_of(samples.contents(done))


def test_nothing_that_comes_from_outside_is_more_than_text(make):
    entries = [issued(name, -number, 300) for number, name in enumerate(samples.HOSTILE)]
    parts = {
        "server_names": list(samples.HOSTILE),
        "region": samples.HOSTILE[0],
        "load_balancer_id": samples.HOSTILE[1],
        "listeners": [
            {"name": name, "cookie": name, "sticky_session": "server"} for name in samples.HOSTILE
        ],
        "backends": [{"server_id": name, "weight": 1} for name in samples.HOSTILE],
    }
    plain = render_page(samples.contents(make([issued("a", -1, 300)])), "en")
    shown = Page(render_page(samples.contents(make(entries, **parts)), "en"))
    assert shown.unclosed == []
    assert {tag for tag, _ in shown.elements} <= {tag for tag, _ in Page(plain).elements} | {
        "ul",
        "li",
    }
    assert shown.all("script") == shown.all("img") == []
    for tag, attributes in shown.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    text = "".join(shown.texts)
    for name in filter(str.isprintable, samples.HOSTILE):
        assert text.count(name) >= 4, name
    # What would turn the direction of writing, or be seen by nobody, is named.
    assert text.isprintable() or set(filterfalse_printable(text)) <= {"\n"}
    assert "admin⟨U+202E⟩gnp.exe⟨U+2066⟩⟨U+200F⟩" in text
    assert "nul⟨U+0000⟩ bell⟨U+0007⟩ lone⟨U+D800⟩ soft⟨U+00AD⟩" in text


def filterfalse_printable(text):
    return [character for character in text if not character.isprintable()]


def test_the_page_loads_nothing_and_runs_nothing(found):
    text = render_page(samples.contents(found), "en")
    shown = Page(text)
    (policy,) = (
        one["content"]
        for one in shown.all("meta")
        if one.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    for _, attributes in shown.elements:
        assert not {"src", "srcset", "action", "data", "style"} & set(attributes)
        assert attributes.get("href", "#").startswith("#")
    assert "@import" not in text
    assert "url(" not in text


def test_ten_thousand_clients_are_a_page_that_can_be_used(make):
    found = make([issued(f"client-{n}", -(n % 340), 365 - n % 340) for n in range(10_000)])
    text = render_page(samples.contents(found), "en")
    assert len(text.encode()) < 12 * 2**20
    assert text.count("<svg") < 40
    assert "10,000 names hold 10,000 certificates" in text
    assert all(f"<bdi>client-{n}</bdi>" in text for n in range(0, 10_000, 97))


def test_both_languages_say_the_same(found):
    def digits(text):
        return sorted(re.findall(r"[0-9a-f]{6,}|\d+", text))

    english, chinese = (text_of(samples.contents(found), language) for language in ("en", "zh"))
    assert digits(english) == digits(chinese)
    assert 'lang="zh-CN"' in render_page(samples.contents(found), "zh")
    for key, (one, other) in words.TEXTS.items():
        assert set(re.findall(r"\{[^}]*\}", one)) == set(re.findall(r"\{[^}]*\}", other)), key


def test_every_check_rule_and_state_is_said_in_chinese(found):
    rules = samples.contents(found).rules
    wanted = {f"check_{name}" for name in TITLES} | {f"rule_{rule.name}" for rule in rules}
    assert words.IN_CHINESE.keys() == wanted
    assert {f"state_{state}" for state in STATES} <= words.TEXTS.keys()


def test_tables_have_headers_for_columns_and_rows(found):
    shown = Page(render_page(samples.contents(found), "en"))
    tables = len(shown.all("table"))
    assert tables == 5
    scopes = [attributes["scope"] for attributes in shown.all("th")]
    rows = len(shown.all("tr"))
    assert scopes.count("row") == rows - tables
    assert {attributes["role"] for attributes in shown.all("td")} == {"cell"}


def test_a_cell_is_one_thing_beside_its_heading_on_a_telephone(found):
    """There a cell has two columns: its heading, and its only child."""
    cells = re.findall(
        r'<td data-label="[^"]*" role="cell">(.*?)</td>', render_page(samples.contents(found), "en")
    )
    assert len(cells) > 60
    for cell in cells:
        depth, outermost = 0, []
        for closing, tag in re.findall(r"<(/?)(\w+)", cell):
            if not closing and not depth:
                outermost.append(tag)
            depth += -1 if closing else 1
        assert len(outermost) <= 1, cell
        assert not outermost or (cell[0], cell[-1]) == ("<", ">"), cell


def test_markup_is_taken_as_it_is_and_text_is_not():
    assert element("p", "a<b", element("b", "&"), None, class_='x"y') == (
        '<p class="x&quot;y">a&lt;b<b>&amp;</b></p>'
    )
    assert joined("<", element("meta", charset="utf-8"), None) == '&lt;<meta charset="utf-8">'
    assert escaped("a\tb\nc\u00a0d") == "a b c⟨U+00A0⟩d"
