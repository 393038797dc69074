"""Both signatures, against vectors and signers that others wrote."""

from __future__ import annotations

import dataclasses
import hashlib
from urllib.parse import urlencode

import pytest
from alibabacloud_tea_openapi.utils import Utils
from aliyunsdkcore.auth.composer import rpc_signature_composer
from darabonba.request import DaraRequest

from localcloud.api import signatures
from localcloud.api.signatures import Signed

GO_SDK = {
    "AccessKeyId": "accessKeyId",
    "Action": "",
    "Format": "JSON",
    "RegionId": "regionId",
    "SignatureMethod": "HMAC-SHA1",
    "SignatureNonce": "MOCK_UUID",
    "SignatureType": "",
    "SignatureVersion": "1.0",
    "Timestamp": "mock date",
    "Version": "",
}
"""rpc_signature_composer_test.go of alibaba-cloud-sdk-go 1.63.107."""

MANUAL = {
    "AccessKeyId": "testid",
    "Action": "DescribeRegions",
    "Format": "XML",
    "SignatureMethod": "HMAC-SHA1",
    "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
    "SignatureVersion": "1.0",
    "TimeStamp": "2016-02-23T12:46:24Z",
    "Version": "2014-05-26",
}
"""The example of Alibaba Cloud's documentation, TimeStamp spelled as there."""

AWKWARD = {
    "Tag.1.Key": "Farbe",
    "Tag.1.Value": "grün + *weiß* ~/% &=",
    "BackendServers": "[{'ServerId':'i-1', 'Weight':'100'}]",
    "Empty": "",
    "": "80",
}
"""Spaces, signs that encoders disagree on, a blank value, a parameter without a name."""


@pytest.mark.parametrize(
    ("parameters", "secret", "signature"),
    [
        (GO_SDK, "accessKeySecret", "7loPmFjvDnzOVnQeQNj85S6nFGY="),
        (
            {**GO_SDK, "SecurityToken": "accessKeyStsToken"},
            "accessKeySecret",
            "5Nxdcler+ihqWqv0Hr2On4PsBf4=",
        ),
        (MANUAL, "testsecret", "CT9X0VtwR86fNWSnsc6v8YGOjuE="),
    ],
    ids=["access key", "security token", "manual"],
)
def test_version_1_makes_the_published_signatures(parameters, secret, signature) -> None:
    text = signatures.string_to_sign_v1("GET", parameters.items())
    assert signatures.sign_v1(secret, text) == signature


def test_version_1_leaves_the_signature_itself_out() -> None:
    signed = {**GO_SDK, "Signature": "7loPmFjvDnzOVnQeQNj85S6nFGY="}
    assert signatures.string_to_sign_v1("GET", signed.items()) == signatures.string_to_sign_v1(
        "GET", GO_SDK.items()
    )


@pytest.mark.parametrize("in_body", [False, True])
def test_version_1_agrees_with_the_python_sdk_on_awkward_parameters(in_body: bool) -> None:
    query, form = ({}, AWKWARD) if in_body else (AWKWARD, {})
    url, text = rpc_signature_composer.get_signed_url(
        dict(query), "id", "secret", "JSON", "POST", dict(form)
    )
    request = Signed("POST", signatures.decode_pairs(url[2:]), list(form.items()), {}, b"")
    claim = signatures.read_claim(request)
    assert claim is not None
    assert claim.string_to_sign == text
    assert claim.is_signed_with("secret")
    assert not claim.is_signed_with("Secret")


def signed_v3(query: dict[str, str], body: bytes = b"", **headers: str) -> Signed:
    """A request that the official SDK's code has signed with `secret`."""
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", "/", query
    request.headers = {
        "host": "127.0.0.1:7443",
        "x-acs-action": "DescribeRegions",
        "x-acs-version": "2014-05-15",
        "x-acs-date": "2026-11-24T03:00:00Z",
        "x-acs-signature-nonce": "nonce",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        **headers,
    }
    request.headers = {k: v for k, v in request.headers.items() if v}
    authorization = Utils.get_authorization(
        request, "ACS3-HMAC-SHA256", hashlib.sha256(body).hexdigest(), "id", "secret"
    )
    sent = {**request.headers, "authorization": authorization}
    return Signed("POST", signatures.decode_pairs(urlencode(query)), [], sent, body)


def test_version_3_accepts_what_the_official_sdk_signs() -> None:
    claim = signatures.read_claim(signed_v3(AWKWARD, b"a=1", **{"content-type": "text/plain"}))
    assert claim is not None
    assert (claim.access_key_id, claim.nonce, claim.version) == ("id", "nonce", 3)
    assert claim.time is not None
    assert claim.time.isoformat() == "2026-11-24T03:00:00+00:00"
    assert claim.is_signed_with("secret")
    assert not claim.is_signed_with("other")


@pytest.mark.parametrize(
    "change",
    [
        {"body": b"a=2"},
        {"method": "GET"},
        {"query": [("RegionId", "cn-beijing")]},
        {"query": []},
    ],
    ids=["body", "method", "value", "parameter gone"],
)
def test_version_3_refuses_what_was_changed_on_the_way(change) -> None:
    request = signed_v3(
        {"RegionId": "cn-hangzhou"}, b"a=1", **{"content-type": "application/octet-stream"}
    )
    claim = signatures.read_claim(dataclasses.replace(request, **change))
    assert claim is not None
    assert not claim.is_signed_with("secret")


@pytest.mark.parametrize(
    "name",
    [
        "host",
        "x-acs-action",
        "x-acs-version",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-content-sha256",
        "content-type",
    ],
)
def test_version_3_refuses_a_header_that_was_changed_on_the_way(name: str) -> None:
    request = signed_v3({}, b"a=1", **{"content-type": "text/plain"})
    claim = signatures.read_claim(
        dataclasses.replace(request, headers={**request.headers, name: "other"})
    )
    assert claim is not None
    assert not claim.is_signed_with("secret")


@pytest.mark.parametrize(
    "name", ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"]
)
def test_version_3_needs_these_headers_signed(name: str) -> None:
    assert signatures.read_claim(signed_v3({}, **{name: ""})) is None


def test_version_3_needs_a_body_s_type_signed() -> None:
    """Else its form could be made no form, and its parameters be gone."""
    assert signatures.read_claim(signed_v3({}, b"a=1")) is None


def test_unsigned_requests_claim_nothing() -> None:
    assert signatures.read_claim(Signed("GET", [("Action", "A")], [], {}, b"")) is None


def test_other_methods_of_signing_claim_nothing() -> None:
    parameters = {**GO_SDK, "SignatureMethod": "HMAC-MD5"}
    assert signatures.read_claim(Signed("GET", list(parameters.items()), [], {}, b"")) is None


def test_pairs_keep_blank_values_and_missing_names() -> None:
    assert signatures.decode_pairs("SignatureType=&=80&a=b%2Bc+d&lone") == [
        ("SignatureType", ""),
        ("", "80"),
        ("a", "b+c d"),
        ("lone", ""),
    ]
