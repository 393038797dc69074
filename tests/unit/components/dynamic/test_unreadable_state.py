"""A state that no version has written is refused: with the property, the reason and no value."""

from __future__ import annotations

import json

import pytest

from components.dynamic import certificate_record, revocation_list, server_certificate
from components.dynamic.properties import unpack
from components.dynamic.state import UnreadableStateError
from components.pki import keys
from tests.unit.components.dynamic.engine import Kept, wire
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    present,
    register,
    revocations,
    server,
    two,
)
from tests.unit.components.pki.material import key, small_key

PREPARED = {**AUTHORITY, "next_generation": 2}


@pytest.fixture
def kept(request, ca, kept_register):
    """The resource that a case is about, and the inputs that it has."""
    if request.param == "server":
        own = Kept(server_certificate.Provider())
        own.up(server(ca))
        return own, server(ca)
    if request.param == "list":
        listed = Kept(revocation_list.Provider())
        listed.up(revocations(ca, kept_register))
        return listed, revocations(ca, kept_register)
    if request.param == "record":
        recorded = Kept(certificate_record.Provider())
        recorded.up(present(ca))
        return recorded, present(ca)
    if request.param == "rotating":
        ca.up(PREPARED)
        return ca, PREPARED
    return (ca, AUTHORITY) if request.param == "ca" else (kept_register, register(ca))


def without(*names):
    return lambda whole: {name: value for name, value in whole.items() if name not in names}


def put(name, value):
    return lambda whole: {**whole, name: value}


def within(name, edit):
    """An edit of what a packed property holds."""
    return lambda whole: {**whole, name: json.dumps(edit(unpack(whole[name])))}


def first_entry(**changes):
    return within("issued", lambda entries: [{**entries[0], **changes}, *entries[1:]])


def recorded_entry(**changes):
    return within("entries", lambda entries: [{**entries[0], **changes}, *entries[1:]])


def bundle(edit):
    return within(
        "bundles",
        lambda found: {
            **found,
            "clients": {**found["clients"], "phone": edit(found["clients"]["phone"])},
        },
    )


OUTPUTS = [
    ("ca", without("private_key"), "private_key is missing"),
    ("ca", without("subject"), "subject: it is missing"),
    ("ca", put("subject", "CN=x"), "subject: it is no object"),
    ("ca", put("key_bits", "2048"), "key_bits: it is no number"),
    ("ca", put("not_after", "2027-03-13"), "not_after: it is a time without a time zone"),
    ("ca", put("not_after", "1999-03-13T00:00:00Z"), "not_after is before not_before"),
    ("ca", put("validity", "ever"), "validity: it is no length of time"),
    ("ca", put("certificate", "none"), "certificate: this is no certificate in PEM"),
    ("ca", put("private_key", "none"), "private_key: this is no private key in PEM"),
    ("ca", put("private_key", 7), "private_key: it is no text"),
    (
        "ca",
        lambda whole: {**whole, "private_key": keys.pkcs1(small_key())},
        "private_key is not the key of certificate",
    ),
    ("rotating", without("next_private_key"), "next_private_key is missing"),
    ("rotating", without("next_key_id"), "next_key_id is missing"),
    ("rotating", put("next_subject", {}), "next_subject: it is no subject of a certificate"),
    (
        "rotating",
        put("next_cross_name", "é.invalid"),
        "next_cross_name: it is no host of a rotation",
    ),
    ("server", put("dns_names", "www"), "dns_names: "),
    ("server", without("private_key"), "private_key: it is missing"),
    ("list", without("number"), "number: it is missing"),
    ("list", put("number", "two"), "number: it is no CRL number"),
    ("list", put("number", "9" * 48), "number: it is no CRL number"),
    ("record", without("entries"), "entries: it is missing"),
    ("record", put("entries", "[{"), "entries: it is no JSON"),
    ("record", recorded_entry(status="lost"), "entries.0.status: "),
    ("record", recorded_entry(not_after="x"), "entries.0.not_after: it is no time in RFC 3339"),
    ("register", put("issued", "[{"), "issued: it is no JSON"),
    ("register", put("issued", "[" * 100_000), "issued: it is no JSON"),
    ("register", first_entry(status="lost"), "issued.0.status: "),
    ("register", first_entry(owner="me"), "issued.0: it has a field that this version does not"),
    ("register", first_entry(serial_number="x"), "issued.0: its serial_number is not hex"),
    ("register", first_entry(not_after="x"), "issued.0: its not_after: it is no time"),
    ("register", first_entry(status="revoked"), "issued.0: its reason is none of RFC 5280"),
    ("register", bundle(put("chain", 9)), "bundles: phone: its chain is not among chains"),
    ("register", bundle(put("owner", 1)), "bundles.clients.phone.owner: this version does not"),
    ("register", bundle(without("pkcs12")), "bundles.clients.phone: a part of pkcs12, pass_phrase"),
    ("register", bundle(put("certificate", "x")), "bundles.clients.phone.certificate: this is no"),
    (
        "register",
        within("clients", without("phone")),
        "clients and bundles are not of the same clients",
    ),
]


@pytest.mark.parametrize(("kept", "edit", "told"), OUTPUTS, indirect=["kept"])
def test_old_outputs_are_refused_by_diff(kept, edit, told):
    resource, news = kept
    with pytest.raises(UnreadableStateError) as refused:
        resource.provider.diff(resource.id, edit(wire(resource.outputs)), resource.checked(news))
    assert f"cannot be read: {told}" in str(refused.value)
    assert "Restoring a state" in str(refused.value)


@pytest.mark.parametrize(
    ("kept", "edit"),
    # A server's certificate is issued anew whatever was there.
    [(kind, edit) for kind, edit, _ in OUTPUTS if kind != "server"],
    indirect=["kept"],
)
def test_old_outputs_are_refused_by_an_update_that_builds_on_them(kept, edit):
    resource, news = kept
    with pytest.raises(UnreadableStateError):
        resource.provider.update(resource.id, edit(wire(resource.outputs)), resource.checked(news))


INPUTS = [
    ("ca", put("not_after", "soon"), "not_after: it is no time in RFC 3339"),
    ("ca", without("not_before"), "not_before: it is missing"),
    ("rotating", without("next_not_after"), "next_not_after is missing"),
    ("server", put("key_bits", True), "key_bits: it is no number"),
    ("list", without("not_after"), "not_after is missing"),
    ("record", put("certificates", [{"role": "ca"}]), "certificates.0.name: it is missing"),
    ("register", put("clients", []), "clients: it is no object"),
    ("register", put("clients", {"a phone": {}}), "clients.…."),
    ("register", put("revoked", "phone"), "revoked: it is no object"),
    ("register", put("left", [{"name": "phone"}]), "left.0: it is no text"),
    ("rotating", put("withdrawn", None), "withdrawn: it is null"),
]


@pytest.mark.parametrize(("kept", "edit", "told"), INPUTS, indirect=["kept"])
def test_old_inputs_are_a_failure_of_the_check(kept, edit, told):
    resource, news = kept
    found = resource.provider.check(edit(wire(resource.inputs)), wire(news))
    [failure] = found.failures
    # The engine prints the value of a property that a failure names.
    assert failure.property == ""
    assert f"cannot be read: {told}" in failure.reason


OF_ANOTHER = keys.encrypted_pkcs8(key("another client"), "another")


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ({"pass_phrase": "another"}, "pass_phrase does not open private_key"),
        (
            {"private_key": OF_ANOTHER, "pass_phrase": "another"},
            "private_key is not the key of certificate",
        ),
    ],
)
def test_a_key_that_does_not_open_or_is_anothers_is_found_before_it_is_bundled_anew(
    ca, kept_register, edits, told
):
    spoilt = wire(kept_register.outputs)
    for name, value in edits.items():
        spoilt = bundle(put(name, value))(spoilt)
    clients = {name: {**one, "bundle_encoding": "legacy"} for name, one in two().items()}
    same, legacy = (kept_register.checked(register(ca, asked)) for asked in (two(), clients))
    assert not kept_register.provider.diff(kept_register.id, spoilt, same).changes
    for call in (kept_register.provider.diff, kept_register.provider.update):
        with pytest.raises(UnreadableStateError, match=told):
            call(kept_register.id, spoilt, legacy)
