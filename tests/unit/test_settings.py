"""Every mistake in a stack's configuration gets a sentence; what is right is taken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from components.arguments import certificates as certificate_arguments
from components.arguments.errors import SettingsError
from components.pki import certificates, keys
from components.pki.name_constraints import extension
from components.pki.names import distinguished_name
from components.pki.windows import Window
from configuration.settings import Settings, check_region, parse
from operations.certificates import client_bundle
from tests.unit.components.pki.material import CA_SUBJECT, YEAR, issuer, key

FILE = "Pulumi.test.yaml"


def mistake(values: dict[str, object], **options: object) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(values, file=FILE, **options)
    return str(caught.value)


def test_an_empty_configuration_is_the_safe_default():
    settings = parse({}, file=FILE)
    assert settings == Settings()
    assert settings.listener.tls_cipher_policy == "tls_cipher_policy_1_2_strict_with_1_3"
    assert settings.load_balancer.instance_charge_type == "PayByCLCU"
    assert settings.backends.count == 2


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"clients": {"a/b": {}}},
            "Pulumi.test.yaml: clients.a/b: a client's name becomes a file name: 1 to 64 letters, "
            "digits, dots, dashes or underscores, the first one a letter or digit",
        ),
        (
            {"listner": {}},
            "Pulumi.test.yaml: listner: there is no such key; did you mean listener?",
        ),
        (
            {"listener": {"health_check": {"url": "/x"}}},
            "Pulumi.test.yaml: listener.health_check.url: there is no such key; did you mean uri?",
        ),
        (
            {"clients": {"partner": {"validty": "3d"}}},
            "Pulumi.test.yaml: clients.partner.validty: there is no such key; did you mean "
            "validity?",
        ),
        (
            {"clients": {"partner": {"validity": "10d"}}},
            "Pulumi.test.yaml: clients.partner: renew_before is 30d and validity is 10d: the "
            "certificate would be due for renewal the moment it is issued; make renew_before "
            "shorter than validity",
        ),
        (
            {"server": {"validity": "10d", "renew_before": "10d"}},
            "Pulumi.test.yaml: server: renew_before is 10d and validity is 10d: the certificate "
            "would be due for renewal the moment it is issued; make renew_before shorter than "
            "validity",
        ),
        (
            {"server": {"ip_addresses": ["203.0.113.010"]}},
            "Pulumi.test.yaml: server.ip_addresses[0]: '203.0.113.010' is no IP address, such as "
            "203.0.113.10 or 2001:db8::10",
        ),
        (
            {"server": {"ip_addresses": ["fe80::1%eth0"]}},
            "Pulumi.test.yaml: server.ip_addresses[0]: 'fe80::1%eth0' has a zone, which no "
            "certificate can name: leave %… out",
        ),
        (
            {"listener": {"bandwidth": 5000}},
            "Pulumi.test.yaml: listener.bandwidth: bandwidth is 5000: it is -1 (no limit) or 1 to "
            "1000 Mbit/s",
        ),
        (
            {"load_balancer": {"bandwidth": 6000}},
            "Pulumi.test.yaml: load_balancer.bandwidth: input should be less than or equal to 5000",
        ),
        (
            {"clients": {"partner": {"validity": "1000d"}}},
            "Pulumi.test.yaml: clients.partner is valid longer than "
            "certificate_authority.renew_before (730d), so it could outlive the CA's certificate: "
            "shorten its validity, or renew the CA earlier",
        ),
        (
            {"load_balancer": {"instance_charge_type": "PayBySpec"}},
            "Pulumi.test.yaml: load_balancer: instance_charge_type is PayBySpec, which needs a "
            "specification such as slb.s1.small (shared-performance instances are no longer sold)",
        ),
        (
            {"listener": {"scheduler": "wlc"}},
            "Pulumi.test.yaml: listener.scheduler: 'wlc' is not one of 'rr' or 'wrr'",
        ),
        (
            {"network": {"cidr_block": "8.8.8.0/24"}},
            "Pulumi.test.yaml: network.cidr_block: it is 8.8.8.0/24, and a VPC takes a private IPv4"
            " block between /8 and /24, such as 192.168.0.0/16",
        ),
        (
            {"backends": {"instance_ids": ["vm-1"]}},
            "Pulumi.test.yaml: backends.instance_ids[0]: this is no ECS instance's id: it is i- "
            "and small letters and digits, as the console shows it",
        ),
        (
            {"backends": {"instance_ids": [f"i-{number}" for number in range(20)]}},
            "Pulumi.test.yaml: backends.instance_ids: 20 instances are given, and the load "
            "balancer takes 19 at once: leave some out",
        ),
        (
            {"backends": {"instance_ids": ["i-a", "i-b", "i-a"]}},
            "Pulumi.test.yaml: backends.instance_ids: i-a is given more than once: give each once",
        ),
        (
            {"backends": {"count": 20}},
            "Pulumi.test.yaml: backends.count: input should be less than or equal to 19",
        ),
        (
            {"clients": {"chain": {}}},
            "Pulumi.test.yaml: clients.chain: its certificate would overwrite its bundle's own "
            "chain.crt: give the client another name",
        ),
        (
            {"clients": {"CA": {}}},
            "Pulumi.test.yaml: clients.CA: its certificate would overwrite its bundle's own "
            "ca.crt: give the client another name",
        ),
        (
            {"clients": {"partner": "365d"}},
            "Pulumi.test.yaml: clients.partner: keys belong below it, each on a line of its own "
            "and indented, and no single value or list: such as subject, key_bits, validity",
        ),
        (
            {"certificate_authority": {"name_constraints": {"permitted": {"domains": ["*.a"]}}}},
            "Pulumi.test.yaml: certificate_authority.name_constraints.permitted.domains[0]: '*.a': "
            "write example.com for that domain and all below it",
        ),
        (
            {"certificate_authority": {"name_constraints": {"permited": {}}}},
            "Pulumi.test.yaml: certificate_authority.name_constraints.permited: there is no such "
            "key; did you mean permitted?",
        ),
        (
            {"tags": "team"},
            "Pulumi.test.yaml: tags: keys belong below it, each on a line of its own and indented, "
            "and no single value or list",
        ),
        (
            {"tags": {f"t{number}": "" for number in range(19)}},
            "Pulumi.test.yaml: tags: 19 are given, and with project and stack, which are added, a "
            "resource has at most 20: leave some out",
        ),
        (
            {"tags": {"": "shop"}},
            "Pulumi.test.yaml: tags: there is a tag without a name: give it one",
        ),
        (
            {"tags": {"t" * 65: ""}},
            f"Pulumi.test.yaml: tags.{'t' * 65}: this tag's text has 65 characters: 64 at most",
        ),
        (
            {"tags": {"team": "t" * 129}},
            "Pulumi.test.yaml: tags.team: this tag's text has 129 characters: 128 at most",
        ),
        (
            {"tags": {"ACS:rm": "x"}},
            "Pulumi.test.yaml: tags.ACS:rm: aliyun and acs: begin Alibaba Cloud's own tags: begin "
            "otherwise",
        ),
        (
            {"tags": {"docs": "see https://example.com"}},
            "Pulumi.test.yaml: tags.docs: a tag cannot have http:// or https:// in it: leave that "
            "out",
        ),
        (
            {"load_balancer": {"name": "shop dev"}},
            "Pulumi.test.yaml: load_balancer.name: the load balancer's name has 1 to 80 letters, "
            "digits, dots, dashes, slashes and underscores: give one such as shop-dev",
        ),
        (
            {"listener": {"health_check": {"uri": "/"}}},
            "Pulumi.test.yaml: listener.health_check.uri: this is no path of 2 to 80 letters, "
            "digits and -_/.%?#&=~ that begins with /: give one such as /healthz, which every "
            "backend answers",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_mistake_gets_one_sentence(values, sentence):
    assert mistake(values) == sentence


def test_every_mistake_is_named_at_once():
    assert (
        len(mistake({"clients": {"a/b": {}, "c d": {}}, "listener": {"port": 0}}).split("\n")) == 3
    )


def test_a_pass_phrase_in_the_clear_is_refused_and_not_repeated():
    values = {"clients": {"partner": {"pass_phrase": "correct horse"}}}
    message = mistake(values)
    assert message == (
        "Pulumi.test.yaml: clients.partner.pass_phrase is a secret in the clear; give it by "
        "`pulumi config set --secret --path 'slb-mutual-tls:clients.partner.pass_phrase'`"
    )
    assert parse(values, file=FILE, secret_keys=["clients"]).clients["partner"].pass_phrase


@pytest.mark.parametrize(
    ("pass_phrase", "sentence"),
    [
        ("", "the pass phrase is empty: leave the key out, and one is generated"),
        *(
            (
                pass_phrase,
                "the pass phrase has control characters, such as a line break at its end, which "
                "cannot be typed: give it without, e.g. by `printf %s`",
            )
            for pass_phrase in ("correct horse\n", "correct\x7fhorse", "correct\x00", "\x85horse")
        ),
    ],
)
def test_a_pass_phrase_that_cannot_be_typed_is_refused_and_not_repeated(pass_phrase, sentence):
    values = {"clients": {"partner": {"pass_phrase": pass_phrase}}}
    assert mistake(values, secret_keys=["clients"]) == (
        f"Pulumi.test.yaml: clients.partner.pass_phrase: {sentence}"
    )


@pytest.mark.parametrize("pass_phrase", ["correct horse", 'a "b" \\', "Straße 馬"])
def test_a_pass_phrase_that_can_be_typed_is_taken(pass_phrase):
    values = {"clients": {"partner": {"pass_phrase": pass_phrase}}}
    taken = parse(values, file=FILE, secret_keys=["clients"]).clients["partner"].pass_phrase
    assert taken.get_secret_value() == pass_phrase


def test_an_address_has_one_form():
    server = parse({"server": {"ip_addresses": ["2001:DB8:0::10"]}}, file=FILE).server
    assert server.ip_addresses == ("2001:db8::10",)


def test_as_many_tags_are_taken_as_a_resource_can_have():
    tags = {f"t{number}": "v" * 128 for number in range(18)} | {"project": "shop", "stack": "dev"}
    assert parse({"tags": tags}, file=FILE).tags == tags


def test_nineteen_existing_instances_are_taken():
    ids = [f"i-{number}" for number in range(19)]
    assert parse({"backends": {"instance_ids": ids}}, file=FILE).backends.instance_ids == (*ids,)


def test_names_that_bundles_use_themselves_are_the_same_everywhere():
    assert certificate_arguments.SHARED_NAMES == client_bundle.SHARED_NAMES


def test_a_secret_of_the_wrong_type_is_not_repeated():
    assert "hunter2" not in mistake({"server": {"certificate": "x", "private_key": ["hunter2"]}})


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"load_balancer": {"specification": "\ud800"}}, "load_balancer.specification"),
        ({"clients": {"a\ud800": {}}}, "clients.a\\ud800"),
        ({"backends": {"instance_ids": ["i-a", "i-\ud800"]}}, "backends.instance_ids[1]"),
    ],
)
def test_half_a_character_is_named(values, place):
    """JSON can escape one, and nothing that prints or encodes texts takes it."""
    sentence = "\\ud800 is one half of a character: write the whole character"
    assert mistake(values) == f"{FILE}: {place}: {sentence}"


@pytest.mark.parametrize(
    ("region", "sentence"),
    [
        (
            "cn-hangzou",
            "Pulumi.test.yaml: alicloud:region is 'cn-hangzou', which does not exist; did you mean "
            "cn-hangzhou?",
        ),
        ("mars", "alicloud:region is 'mars', which does not exist; take one such as cn-hangzhou"),
        (None, "alicloud:region is not set; set it to one like cn-hangzhou"),
    ],
)
def test_a_region_that_does_not_exist_is_refused(region, sentence):
    with pytest.raises(SettingsError, match="alicloud:region") as caught:
        check_region(region, file=FILE)
    assert sentence in str(caught.value)


def test_a_client_takes_the_defaults_that_it_does_not_set_itself():
    settings = parse(
        {
            "client_defaults": {"validity": "90d", "renew_before": "10d"},
            "clients": {"a": {}, "b": {"validity": "30d", "bundle_encoding": "legacy"}},
        },
        file=FILE,
    )
    assert settings.client("a").validity == "90d"
    assert settings.client("b").validity == "30d"
    assert settings.client("b").renew_before == "10d"
    assert settings.client("b").bundle_encoding == "legacy"


def test_a_client_has_the_algorithm_and_size_of_its_key_or_the_defaults():
    settings = parse(
        {
            "client_defaults": {"key_algorithm": "ECDSA", "key_curve": "P-384"},
            "clients": {
                "a": {},
                "b": {"key_curve": "P-256"},
                "c": {"key_algorithm": "RSA"},
                "d": {"key_algorithm": "RSA", "key_bits": 3072},
                "e": {"key_algorithm": None},
            },
        },
        file=FILE,
    )
    found = {name: str(settings.client(name).key) for name in settings.clients}
    assert found == {
        "a": "ECDSA P-384",
        "b": "ECDSA P-256",
        "c": "RSA 2048",
        "d": "RSA 3072",
        "e": "ECDSA P-384",
    }
    assert str(parse({"clients": {"a": {}}}, file=FILE).client("a").key) == "RSA 2048"


ONLY_RSA = "takes RSA keys of 2048 or 4096 bits and no elliptic curves"


@pytest.mark.parametrize(
    ("values", "place", "reason"),
    [
        (
            {"client_defaults": {"key_algorithm": "ECDSA", "key_bits": 4096}},
            "client_defaults",
            "key_bits is the length of an RSA key, and key_algorithm is ECDSA",
        ),
        (
            {"client_defaults": {"key_curve": "P-384"}},
            "client_defaults",
            "key_curve is of an ECDSA key, and key_algorithm is RSA: set key_algorithm to ECDSA",
        ),
        (
            {"client_defaults": {"key_algorithm": "ECDSA"}, "clients": {"a": {"key_bits": 4096}}},
            "clients.a",
            "leave key_bits out, or set key_algorithm to RSA",
        ),
        (
            {"clients": {"a": {"key_curve": "P-256"}}},
            "clients.a",
            "key_curve is of an ECDSA key, and key_algorithm is RSA",
        ),
        (
            {"clients": {"a": {"key_algorithm": "Ed25519"}}},
            "clients.a.key_algorithm",
            "'Ed25519' is not one of 'RSA' or 'ECDSA'",
        ),
        (
            {"clients": {"a": {"key_algorithm": "ECDSA", "key_curve": "P-521"}}},
            "clients.a.key_curve",
            "'P-521' is not one of 'P-256' or 'P-384'",
        ),
        ({"clients": {"a": {"key_bits": 1024}}}, "clients.a.key_bits", "2048, 3072 or 4096"),
        ({"server": {"key_bits": 3072}}, "server.key_bits", ONLY_RSA),
        # As programs in other languages hand numbers over.
        ({"server": {"key_bits": 3072.0}}, "server.key_bits", ONLY_RSA),
        ({"server": {"key_algorithm": "ECDSA"}}, "server.key_algorithm", ONLY_RSA),
        (
            {"certificate_authority": {"key_curve": "P-256"}},
            "certificate_authority.key_curve",
            ONLY_RSA,
        ),
        (
            {"listener": {"domain_extensions": {"api.example.com": {"key_bits": 3072}}}},
            'listener.domain_extensions["api.example.com"].key_bits',
            ONLY_RSA,
        ),
    ],
)
def test_a_kind_of_key_that_cannot_be_is_refused_with_the_true_reason(values, place, reason):
    text = mistake(values)
    assert text.startswith(f"{FILE}: {place}: ")
    assert reason in text


CONSTRAINTS = {
    "permitted": {"domains": ["example.com"], "email_domains": ["example.com"]},
    "excluded": {"domains": ["lab.example.com"]},
}


def constrained(**values: object) -> dict[str, object]:
    return {"certificate_authority": {"name_constraints": CONSTRAINTS}, **values}


def test_names_that_the_ca_may_certify_are_taken():
    clients = {"alice": {"subject": {"email": "alice@example.com"}}, "a.example.com": {}}
    values = constrained(server={"domains": ["www.example.com"]}, clients=clients)
    assert parse(values, file=FILE).server.domains == ("www.example.com",)


def test_names_that_the_ca_may_not_certify_are_refused_all_at_once():
    clients = {
        "alice.smith": {},
        "bob": {"subject": {"email": "bob@example.org"}},
        "carol": {"subject": {"common_name": "carol.lab.example.com"}},
        "gone.example.org": {"revoked": "keyCompromise"},
    }
    values = constrained(server={"domains": ["www.example.org"]}, clients=clients)
    as_dns = "which is read as a DNS name where there is no other, is"
    assert mistake(values) == (
        "Pulumi.test.yaml: server: the DNS name www.example.org is outside of the CA's permitted "
        'domains (example.com); clients["alice.smith"]: the common name alice.smith, '
        f"{as_dns} outside of the CA's permitted domains (example.com); clients.bob: the e-mail "
        "address bob@example.org is outside of the CA's permitted e-mail domains (example.com); "
        f"clients.carol: the common name carol.lab.example.com, {as_dns} within the CA's excluded "
        "domains (lab.example.com)"
    )


def test_further_addresses_of_the_server_are_constrained_too():
    ranges = {"name_constraints": {"permitted": {"ip_ranges": ["10.0.0.0/8"]}}}
    values = {"certificate_authority": ranges, "server": {"ip_addresses": ["192.0.2.1"]}}
    assert mistake(values) == (
        "Pulumi.test.yaml: server: the IP address 192.0.2.1 is outside of the CA's permitted IP "
        "ranges (10.0.0.0/8)"
    )


def test_a_server_without_domains_needs_one_under_permitted_domains():
    assert mistake(constrained()) == (
        "Pulumi.test.yaml: server: domains is empty, so the load balancer's address becomes the "
        "common name, which is read as a DNS name where there is no other, and outside of the CA's "
        "permitted domains: set domains to one that is permitted"
    )
    excluded = {"name_constraints": {"excluded": {"domains": ["example.com"]}}}
    parse({"certificate_authority": excluded}, file=FILE)


def test_a_server_certificate_of_another_ca_is_not_constrained():
    parse(constrained(server={"alicloud_certificate_id": "1234567-cn-hangzhou"}), file=FILE)


def test_name_constraints_need_the_key_of_an_adopted_ca():
    authority = {"certificate": certificates.pem(issuer(since=datetime.now(UTC)).certificate)}
    assert mistake({"certificate_authority": {"name_constraints": CONSTRAINTS, **authority}}) == (
        "Pulumi.test.yaml: certificate_authority: name_constraints make another certificate of the "
        "CA, and its private_key, which signs it, is not here: give it, or leave name_constraints "
        "out"
    )


def test_an_adopted_cas_own_name_constraints_count():
    name, window = distinguished_name(CA_SUBJECT), Window.opening(datetime.now(UTC), YEAR)
    own = extension({"permitted": {"domains": ["example.net"]}})
    made = certificates.issue_authority(name, key("ca"), window, constraints=own)
    pair = {"certificate": certificates.pem(made), "private_key": keys.pkcs1(key("ca"))}
    values = {"server": {"domains": ["www.example.com"]}, "certificate_authority": pair}
    assert mistake(values, secret_keys=["certificate_authority"]) == (
        "Pulumi.test.yaml: server: the DNS name www.example.com is outside of the CA's permitted "
        "domains (example.net)"
    )
    values["certificate_authority"] = {**pair, "name_constraints": CONSTRAINTS}
    parse(values, file=FILE, secret_keys=["certificate_authority"])
