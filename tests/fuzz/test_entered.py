"""Whatever the configuration takes of what was made elsewhere, the state reads again.

A CA, a client's certificate and an index of any content go through the configuration, and if it
takes them through creation, a second look, a revocation and the revocation list.
"""

from __future__ import annotations

import copy

import pytest
from hypothesis import strategies as st

from components.arguments.errors import SettingsError
from components.dynamic import certificate_authority, certificate_register, revocation_list
from components.pki import keys
from components.private_ca import _adopted_key_id, _requests
from configuration.settings import parse
from tests.fuzz.cases import ROUNDS, given, tried
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import AUTHORITY, register, revocations
from tests.unit.components.pki import odd
from tests.unit.components.pki.material import key

FEWER = max(20, ROUNDS // 8)
"""A case signs and issues, which takes tenths of a second."""

FILE = "Pulumi.fuzz.yaml"
SECRETS = ("certificate_authority",)

serials = st.one_of(
    st.sampled_from([0, 1, -1, -128, 127, 128, (1 << 159) - 1, 1 << 159, 1 << 160, 1 << 300]),
    st.integers(-(1 << 80), 1 << 200),
)
times = st.sampled_from(
    [
        (odd.UTC_TIME, b"500101000000Z"),
        (odd.UTC_TIME, b"491231235959Z"),
        (odd.UTC_TIME, b"260101000000Z"),
        (odd.GENERALIZED_TIME, b"19491231235959Z"),
        (odd.GENERALIZED_TIME, b"00010101000000Z"),
        (odd.GENERALIZED_TIME, b"20500101000000Z"),
        (odd.GENERALIZED_TIME, b"99991231235959Z"),
    ]
)
tags = st.sampled_from([odd.UTF8, odd.PRINTABLE, odd.T61, odd.IA5, odd.BMP, 0x03, 0x1C])
attributes = st.builds(
    odd.attribute,
    st.sampled_from([3, 4, 5, 6, 7, 8, 10, 11, 45, 99]),
    st.one_of(
        st.sampled_from([b"", b"China", b"CN", b"a\0b", b"\0a\0b", b"M\xfcller", b"x" * 300]),
        st.text(max_size=12).map(lambda text: text.encode(errors="replace")),
        st.binary(max_size=8),
    ),
    tags,
)
names = st.lists(st.lists(attributes, max_size=3), max_size=3).map(lambda some: odd.name(*some))
common_names = st.one_of(names, st.just(odd.named("Old CA")), st.just(odd.named("")))
public_keys = st.sampled_from(odd.KINDS).map(odd.other_key)
client_extensions = st.lists(
    st.sampled_from(
        [
            odd.basic_constraints(ca=False),
            odd.purposes(odd.CLIENT_AUTH),
            odd.policy_with_text(0x1A, "Größe".encode()),
            odd.extension("2a0304", b"\x05\x00"),
        ]
    ),
    max_size=3,
)
texts = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\t\n\r"), max_size=20
)
lines = st.builds(
    lambda status, end, number, subject: (
        f"{status}\t{end}\t{'260101000000Z,keyCompromise' if status == 'R' else ''}\t{number}"
        f"\tunknown\t{subject}\n"
    ),
    st.sampled_from("VRE"),
    st.sampled_from(["351231235959Z", "500101000000Z", "99991231235959Z", "260101000000Z"]),
    st.one_of(st.sampled_from(["00", "0A1B", "a1b", "F" * 60]), st.integers(0).map("{:X}".format)),
    st.one_of(st.sampled_from(["/CN=a", "/CN=", "", "/O=x+CN=y"]), texts.map("/CN={}".format)),
)


def gone_through(authority, client, index):
    """What was taken, through the resources as the engine calls them; None if it was refused."""
    tried["what was brought along"] += 1
    pair = {"certificate": authority, "private_key": keys.pkcs1(key("ca")), "index": index}
    values = {
        "certificate_authority": pair,
        "clients": {"browser": {}, **({"old": {"certificate": client}} if client else {})},
    }
    try:
        settings = parse(values, file=FILE, secret_keys=SECRETS)
    except SettingsError as error:
        message = str(error)
        assert all(line.startswith(FILE) for line in message.splitlines())
        return None
    configured = settings.certificate_authority
    ca, kept, listed = (
        Kept(certificate_authority.Provider()),
        Kept(certificate_register.Provider()),
        Kept(revocation_list.Provider()),
    )
    asked = {
        **AUTHORITY,
        "subject": configured.distinguished_name("shop-dev CA"),
        "adopted_certificate": configured.certificate,
        "adopted_private_key": configured.private_key.get_secret_value(),
    }
    everybody = _requests(settings, asked["subject"])
    issued = {"index": configured.index, "adopted_key_id": _adopted_key_id(configured)}
    assert ca.up(asked) == "create"
    assert ca.up(asked) == "same"
    assert kept.up(register(ca, everybody, **issued)) == "create"
    assert kept.up(register(ca, everybody, **issued)) == "same"
    kept.up(register(ca, {"browser": everybody["browser"]}, **issued))
    listed.up(revocations(ca, kept))
    assert listed.up(revocations(ca, kept)) == "same"
    return kept


@pytest.fixture(scope="module", autouse=True)
def quick_keys():
    made = keys.generate(2048)
    with pytest.MonkeyPatch.context() as patch:
        # The same for all: whose key it is does not matter here.
        patch.setattr(keys, "generate", lambda _bits: copy.copy(made))
        yield


@given(serials, times, times, common_names, public_keys, client_extensions, rounds=FEWER)
def test_clients_certificates(serial, beginning, end, subject, public_key, extensions):
    client = odd.certificate(
        serial=serial,
        beginning=beginning,
        end=end,
        subject=subject,
        public_key=public_key,
        extensions=extensions,
    )
    gone_through(odd.authority(), client, "")


@given(serials, times, times, common_names, rounds=FEWER)
def test_cas(serial, beginning, end, subject):
    authority = odd.authority(serial=serial, beginning=beginning, end=end, subject=subject)
    client = odd.certificate(issuer=subject, extensions=[odd.purposes(odd.CLIENT_AUTH)])
    gone_through(authority, client, "")


@given(st.lists(lines, max_size=4).map("".join), rounds=FEWER)
def test_indexes(index):
    gone_through(odd.authority(), None, index)


def test_plain_ones_are_taken():
    client = odd.certificate(extensions=[odd.purposes(odd.CLIENT_AUTH)])
    index = "R\t351231235959Z\t260101000000Z,keyCompromise\t00\tunknown\t/CN=first\n"
    assert gone_through(odd.authority(), client, index)
