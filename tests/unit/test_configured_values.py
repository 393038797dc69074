"""Values as people and YAML write them: each is taken, or told of in words that help."""

from __future__ import annotations

import pytest

from components.arguments.errors import SettingsError
from configuration.settings import Settings, parse

FILE = "Pulumi.test.yaml"


def mistake(values, secret_keys=()):
    with pytest.raises(SettingsError) as caught:
        parse(values, file=FILE, secret_keys=secret_keys)
    return str(caught.value).removeprefix(f"{FILE}: ")


@pytest.mark.parametrize(
    "values",
    [
        {"listener": None},
        {"listener": ""},  # What today's engine makes of nothing behind a key of the first level.
        {"listener": {"health_check": None, "port": None}},
        {"clients": None, "tags": "", "published_port": ""},
        {"server": {"domains": None}, "network": {"cidr_block": None}},
    ],
)
def test_a_key_with_nothing_behind_it_is_as_if_it_were_not_there(values):
    assert parse(values, file=FILE) == Settings()


def test_a_client_and_a_domain_with_nothing_behind_them_are_there():
    values = {"clients": {"browser": None}, "listener": {"domain_extensions": {"a.example": None}}}
    settings = parse(values, file=FILE)
    assert settings.client("browser").validity == "365d"
    assert settings.listener.domain_extensions["a.example"].issued_here


def test_nothing_is_kept_where_it_is_a_value():
    listeners = {"a": {"port": 8443, "acl": None}}
    acl = {"type": "white", "entries": {"203.0.113.7": None}}
    settings = parse({"listener": {"acl": acl}, "additional_listeners": listeners}, file=FILE)
    assert settings.completed_listeners()["a"].acl is None


BY_TYPE = [
    (
        {"certificate_authority": {"subject": {"organization": 360}}},
        "certificate_authority.subject.organization: a text belongs here, and this is read as a "
        "number: put it in quotes, or `pulumi config set --type string --path "
        "'slb-mutual-tls:certificate_authority.subject.organization'`, which takes it from "
        "standard input",
    ),
    (
        {"tags": {"release": 1.1}},
        "tags.release: a text belongs here, and this is read as a number: put it in quotes, or "
        "`pulumi config set --type string --path 'slb-mutual-tls:tags.release'`, which takes it "
        "from standard input",
    ),
    (
        {"certificate_authority": {"subject": {"country": False}}},
        "certificate_authority.subject.country: a text belongs here, and this is read as true or "
        "false: put it in quotes, or `pulumi config set --type string --path "
        "'slb-mutual-tls:certificate_authority.subject.country'`, which takes it from standard "
        "input",
    ),
    (
        {"clients": {"alice.smith": {"pass_phrase": 4711}}},
        'clients["alice.smith"].pass_phrase: a text belongs here, and this is read as a number: '
        "put it in quotes, or `pulumi config set --secret --path "
        "'slb-mutual-tls:clients[\"alice.smith\"].pass_phrase'`, which takes it from standard "
        "input",
    ),
    ({"tags": {"a": None}}, "tags.a: nothing stands behind it: write a text, or leave the key out"),
    ({"tags": {"a": ["b"]}}, "tags.a: one text belongs here, and neither a list nor keys below it"),
    ({"listener": {"port": "no"}}, "listener.port: a whole number belongs here"),
    ({"backends": {"count": True}}, "backends.count: a whole number belongs here"),
    ({"listener": {"gzip": "maybe"}}, "listener.gzip: true or false belongs here"),
    (
        {"server": {"domains": "www.example.com"}},
        "server.domains: a list belongs here: each of its values on a line of its own, indented, "
        "after a dash; or all of them as [first, second]",
    ),
    (
        {"tags": {"date": "2026-01-01 00:00:00 +0000 UTC"}},
        "tags.date: YAML reads this as a date: put it in quotes",
    ),
    (
        {"clients": {"2026-01-01 00:00:00 +0000 UTC": {}}},
        "clients.2026-01-01 00:00:00 +0000 UTC: YAML reads this as a date: put it in quotes",
    ),
    (
        {"clients": {"<nil>": {}}},
        "clients.<nil>: YAML reads a key as nothing, ~ or null: put it in quotes",
    ),
    (
        {"clients": {"a": {"subject": {"email": "not an address"}}}},
        "clients.a.subject.email: 'not an address' is no e-mail address in ASCII, such as "
        "name@example.com",
    ),
    (
        {"clients": {"a": {"subject": {"country": "China"}}}},
        "clients.a.subject.country: country is 'China': it is two capital letters, such as CN (ISO "
        "3166)",
    ),
]


@pytest.mark.parametrize(("values", "sentence"), BY_TYPE, ids=[case[1][:40] for case in BY_TYPE])
def test_a_value_of_another_type_is_told_what_to_write(values, sentence):
    assert mistake(values) == sentence


SECRET = "hunter2"
MISPLACED = [
    {"clients": {"a": {"bundle_encoding": SECRET}}},
    {"clients": {"a": {"validity": SECRET}}},
    {"clients": {"a": {"key_bits": SECRET}}},
    {"clients": {"a": {"pasphrase": SECRET}}},
    {"clients": {"a": {"subject": {"email": SECRET, "country": SECRET}}}},
    {"clients": {"a": {"revoked": SECRET}}},
    {"clients": {"a": SECRET}},
    {"clients": SECRET},
    {"client_defaults": {"bundle_encoding": SECRET}},
    {"server": {"ip_addresses": [SECRET]}},
    {"server": {"domains": [f"{SECRET}."]}},
    {"server": {"certificate": SECRET}},
    {"listener": {"scheduler": SECRET}},
    {"listener": {"domain_extensions": {"a.example": {"validity": SECRET}}}},
    {"load_balancer": {"specification": SECRET}},
    {"network": {"cidr_block": SECRET}},
    {"certificate_authority": {"name_constraints": {"permitted": {"domains": [f"*{SECRET}"]}}}},
    {"certificate_authority": {"name_constraints": {"permitted": {"ip_ranges": [SECRET]}}}},
    {
        "certificate_authority": {
            "name_constraints": {"permitted": {"email_domains": [f"..{SECRET}"]}}
        }
    },
]


@pytest.mark.parametrize("values", MISPLACED, ids=str)
def test_what_is_known_to_be_secret_is_not_repeated_wherever_it_was_put(values):
    assert SECRET not in mistake(values, secret_keys=values)


def test_a_wrong_value_is_quoted_where_it_is_no_secret():
    assert mistake({"clients": {"a": {"bundle_encoding": "modren"}}}) == (
        "clients.a.bundle_encoding: 'modren' is not one of 'modern' or 'legacy'"
    )


def test_a_pass_phrase_beyond_ascii_is_taken_with_a_word_on_java():
    """Java's PBEKey takes the characters from 0x20 to 0x7E and no others."""
    values = {"clients": {"alice.smith": {"pass_phrase": "密码-2026"}, "b": {"pass_phrase": "ok"}}}
    [remark] = parse(values, file=FILE, secret_keys=["clients"]).remarks()
    assert remark.startswith('clients["alice.smith"].pass_phrase has characters beyond ASCII: Java')
    assert "密码" not in remark


NAMES = {
    "https://www.example.com/": "but a URL or a path",
    "www.example.com:443": "but has a port",
    "203.0.113.10": "is it an address?",
    "2001:db8::1": "but an IP address",
    "[2001:db8::1]": "but an IP address",
    "www.example.com.": "it ends in a dot",
    "*": "a wildcard is the whole first label",
    "*.com": "a wildcard is the whole first label",
    "w*.example.com": "a wildcard is the whole first label",
    "www.*.example.com": "a wildcard is the whole first label",
    f"{'a' * 64}.example.com": "63 between two dots",
    ".".join(["a" * 49] * 5 + ["exam"]): "253 characters at most",
    "straße.example": "write its A-label, which begins xn--: xn--strae-oqa or strasse",
    "my_host.example.com": "is no DNS name",
}


@pytest.mark.parametrize("name", NAMES)
def test_one_validator_judges_every_dns_name(name):
    brought = {"alicloud_certificate_id": "12345"}
    assert NAMES[name] in mistake({"server": {"domains": [name]}})
    assert NAMES[name] in mistake({"server": {"domains": [name], **brought}})
    assert NAMES[name] in mistake({"listener": {"domain_extensions": {name: {}}}})
    if "*" not in name:
        constraints = {"permitted": {"domains": [name]}}
        assert NAMES[name] in mistake({"certificate_authority": {"name_constraints": constraints}})


def test_a_name_beyond_ascii_becomes_its_a_label_everywhere():
    values = {
        "server": {"domains": ["BÜCHER.example"]},
        "listener": {"domain_extensions": {"*.bücher.example": {}}},
        "certificate_authority": {
            "name_constraints": {"permitted": {"domains": ["bücher.example"]}}
        },
    }
    settings = parse(values, file=FILE)
    assert settings.server.domains == ("xn--bcher-kva.example",)
    assert list(settings.listener.domain_extensions) == ["*.xn--bcher-kva.example"]
