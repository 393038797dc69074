"""Hostile requests to the local cloud's API: refused, without a fault, and nothing is made."""

from __future__ import annotations

import json
import random
from urllib.parse import urlencode

import pytest
from hypothesis import strategies as st

from localcloud.api import signatures
from localcloud.api.gateway import COMMON, Credentials
from localcloud.products import PRODUCTS
from localcloud.services import load
from localcloud.store import Store
from tests.fuzz.cases import documents, given, plain, texts, tried
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.site import signed
from tests.unit.localcloud.test_api import Client

load()
ACTIONS = sorted((product.version, action) for product in PRODUCTS for action in product.actions)
FIELDS = sorted(
    {
        field
        for product in PRODUCTS
        for action in product.actions.values()
        for field in action.request.model_fields
    }
)
CREDENTIALS = Credentials("id", "secret")
FORGED = Credentials("id", "guessed")

wire_names = st.one_of(
    st.sampled_from(FIELDS),
    st.sampled_from(["Tag.1.Key", "Tag.1", "Tag", "Tag.0.Key", "Tag.99999999999.Key", "a..b", "."]),
    st.tuples(st.sampled_from(FIELDS), st.integers(-1, 10**12)).map(lambda p: f"{p[0]}.{p[1]}"),
    texts,
)
wire_values = st.one_of(
    texts,
    plain.map(str),
    documents.map(lambda value: json.dumps(value, default=str)),
)
parameters = st.dictionaries(wire_names, wire_values, max_size=6)


def encodable(given_parameters):
    """Without lone surrogates, which no client can put on the wire."""
    return {
        name.encode(errors="replace").decode(): value.encode(errors="replace").decode()
        for name, value in given_parameters.items()
        if name not in COMMON
    }


@pytest.fixture
def account(tmp_path):
    store = Store(tmp_path / "cloud.sqlite")
    yield Account(store)
    store.close()


@pytest.fixture
def client(account: Account) -> Client:
    return Client(account.api.app())


def kept(account):
    return {kind: sorted(map(repr, items)) for kind, items in account.store.everything().items()}


def refused(account, before, answer):
    """It is one of the API's own errors, and all is as it was."""
    tried["API requests"] += 1
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["Code"] != "InternalError"
    assert "Traceback" not in answer.text
    assert kept(account) == before


@given(action=st.sampled_from(ACTIONS), chosen=parameters)
def test_signed_requests_of_any_content(account, client, action, chosen):
    """Whatever an action is given, it does it or says no in the API's own words."""
    before = kept(account)
    version, name = action
    answer = client.call(name, version, **encodable(chosen))
    if answer.status_code == 200:
        tried["API requests"] += 1
        assert answer.json()["RequestId"]
    else:
        refused(account, before, answer)


@given(
    action=st.sampled_from(ACTIONS), chosen=parameters, place=st.sampled_from(["params", "data"])
)
def test_forged_signatures(account, client, action, chosen, place):
    before = kept(account)
    version, name = action
    sent = signed(FORGED, "POST", name, version, **encodable(chosen))
    refused(account, before, client.request("POST", **{place: sent}))


@given(chosen=parameters, extra=st.dictionaries(st.sampled_from(sorted(COMMON)), wire_values))
def test_unsigned_requests(account, client, chosen, extra):
    before = kept(account)
    sent = {**encodable(chosen), **{k: v for k, v in extra.items() if k != "Signature"}}
    sent = {name: value.encode(errors="replace").decode() for name, value in sent.items()}
    refused(account, before, client.request("POST", data=sent))


@given(action=st.sampled_from(ACTIONS), data=st.data())
def test_signed_requests_changed_on_the_way(account, client, action, data):
    before = kept(account)
    version, name = action
    sent = signed(CREDENTIALS, "POST", name, version, VpcName="a")
    field = data.draw(st.sampled_from(sorted(sent)))
    value = data.draw(texts.filter(lambda text: text != sent[field]))
    changed = {**sent, field: value.encode(errors="replace").decode()}
    refused(account, before, client.request("POST", data=changed))


@given(action=st.sampled_from(ACTIONS), chosen=parameters)
def test_requests_that_come_twice(account, client, action, chosen):
    version, name = action
    sent = signed(CREDENTIALS, "POST", name, version, **encodable(chosen))
    client.request("POST", data=sent)
    before = kept(account)
    again = client.request("POST", data=sent)
    refused(account, before, again)
    assert again.json()["Code"] == "SignatureNonceUsed"


@given(
    repeated=st.sampled_from(["Action", "Version", "VpcName", "CidrBlock", "AccessKeyId"]),
    value=wire_values,
    split=st.booleans(),
    seed=st.integers(),
)
def test_a_parameter_that_comes_twice(account, client, repeated, value, split, seed):
    """Signed by its owner, even: the signature does not say which of the two is meant."""
    before = kept(account)
    value = value.encode(errors="replace").decode()
    unsigned = signed(CREDENTIALS, "POST", "CreateVpc", "2016-04-28", VpcName="a")
    del unsigned["Signature"]
    unsigned.setdefault("CidrBlock", "10.0.0.0/8")
    pairs = [*unsigned.items(), (repeated, value)]
    text = signatures.string_to_sign_v1("POST", pairs)
    pairs.append(("Signature", signatures.sign_v1(CREDENTIALS.access_key_secret, text)))
    random.Random(seed).shuffle(pairs)
    query = [pair for pair in pairs if split and pair[0] != repeated]
    form = [pair for pair in pairs if pair not in query]
    answer = client.request(
        "POST",
        params=query,
        content=urlencode(form),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    refused(account, before, answer)


@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from(["application/x-www-form-urlencoded", "application/json", "", "text/xml"]),
    query=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=80),
)
def test_bytes_of_any_kind(account, client, body, kind, query):
    before = kept(account)
    headers = {"Content-Type": kind} if kind else {}
    refused(account, before, client.request("POST", f"/?{query}", content=body, headers=headers))


@given(
    header=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=200),
    name=st.sampled_from(["Authorization", "x-acs-date", "x-acs-action", "x-acs-signature-nonce"]),
)
def test_headers_of_any_content(account, client, header, name):
    before = kept(account)
    claimed = f"ACS3-HMAC-SHA256 {header}" if name == "Authorization" else header
    answer = client.request(
        "POST",
        headers={
            "Authorization": "ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host;x-acs-action;"
            "x-acs-version;x-acs-date;x-acs-signature-nonce,Signature=0",
            "x-acs-action": "CreateVpc",
            "x-acs-version": "2016-04-28",
            "x-acs-date": "2026-11-24T03:00:00Z",
            "x-acs-signature-nonce": "n",
            name: claimed,
        },
    )
    refused(account, before, answer)
