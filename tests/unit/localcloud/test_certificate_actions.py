"""What CLB takes of certificates, and what it refuses."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from localcloud.documents import CaCertificate, UploadedServerCertificate
from localcloud.products import SLB
from tests.unit.components.pki.material import with_bit_strings
from tests.unit.localcloud.certificates import (
    certificate,
    ec_key,
    encrypted,
    private_key,
    rsa_key,
)
from tests.unit.localcloud.fake_plane import Account

CERTIFICATE = certificate(rsa_key())
KEY = private_key(rsa_key())
FORMAT = "InvalidParameter"
BROKEN_NAME = with_bit_strings(CERTIFICATE)
FIRST_BLOCK_CUT = CERTIFICATE.replace("\n", "\n\n", 1)


def upload(account: Account, **changes: str) -> str:
    given = {"ServerCertificate": CERTIFICATE, "PrivateKey": KEY, **changes}
    return account.slb("UploadServerCertificate", **given)["ServerCertificateId"]


@pytest.mark.parametrize("size", [2048, 4096])
def test_an_rsa_certificate_and_its_pkcs1_key_are_taken(account: Account, size: int) -> None:
    key = upload(
        account,
        ServerCertificate=certificate(rsa_key(size), "www.example.com"),
        PrivateKey=private_key(rsa_key(size)),
        ServerCertificateName="web-2026",
    )
    listed = account.slb("DescribeServerCertificates", ServerCertificateId=key)
    [found] = listed["ServerCertificates"]["ServerCertificate"]
    assert found["ServerCertificateName"] == "web-2026"
    assert found["CommonName"] == "www.example.com"
    assert found["SubjectAlternativeNames"]["SubjectAlternativeName"] == ["www.example.com"]
    assert len(found["Fingerprint"].split(":")) == 20
    assert found["ExpireTimeStamp"] > found["CreateTimeStamp"]


@pytest.mark.parametrize(
    "text",
    [
        CERTIFICATE + certificate(rsa_key(), "issuer"),
        CERTIFICATE.strip(),
        CERTIFICATE.replace("\n", "\r\n"),
        f"\n{CERTIFICATE}\n\n",
    ],
    ids=["chain", "no last line end", "CRLF", "blank lines around"],
)
def test_these_shapes_of_a_chain_are_taken(account: Account, text: str) -> None:
    assert upload(account, ServerCertificate=text)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ServerCertificate": certificate(ec_key())}, FORMAT),
        ({"ServerCertificate": certificate(rsa_key(3072))}, FORMAT),
        ({"ServerCertificate": "garbage"}, FORMAT),
        ({"ServerCertificate": KEY}, FORMAT),
        ({"ServerCertificate": CERTIFICATE + KEY}, FORMAT),
        ({"ServerCertificate": f"{CERTIFICATE}\n{CERTIFICATE}"}, FORMAT),
        ({"ServerCertificate": f"subject=CN\n{CERTIFICATE}"}, FORMAT),
        ({"ServerCertificate": FIRST_BLOCK_CUT}, FORMAT),
        ({"ServerCertificate": CERTIFICATE.replace("MII", "AII", 1)}, FORMAT),
        ({"ServerCertificate": BROKEN_NAME}, FORMAT),
        ({"ServerCertificate": CERTIFICATE + certificate(ec_key())}, FORMAT),
        ({"ServerCertificate": ""}, "MissingParameter"),
        ({"PrivateKey": ""}, "MissingParameter"),
        ({"PrivateKey": private_key(rsa_key(), PrivateFormat.PKCS8)}, "KeyFormatError"),
        ({"PrivateKey": private_key(ec_key())}, "KeyFormatError"),
        ({"PrivateKey": "garbage"}, "KeyFormatError"),
        ({"PrivateKey": private_key(rsa_key(3072))}, FORMAT),
        ({"PrivateKey": KEY.replace("MII", "AII", 1)}, FORMAT),
        (
            {"PrivateKey": encrypted(rsa_key(), PrivateFormat.TraditionalOpenSSL)},
            "PrivateKeyEncryption",
        ),
        ({"PrivateKey": encrypted(rsa_key(), PrivateFormat.PKCS8)}, "PrivateKeyEncryption"),
        ({"PrivateKey": private_key(rsa_key(2048, 1))}, "CertificateNotMatchPrivateKey"),
        ({"ServerCertificateName": "1st"}, FORMAT),
        ({"ServerCertificateName": "a" * 81}, FORMAT),
        ({"AliCloudCertificateId": "123"}, "NotEmulated"),
    ],
    ids=[
        "EC certificate",
        "RSA 3072",
        "garbage",
        "key for certificate",
        "key after certificate",
        "blank line between blocks",
        "text before the block",
        "blank line within a block",
        "broken DER",
        "broken name",
        "EC issuer",
        "no certificate",
        "no key",
        "PKCS#8",
        "EC key",
        "garbage key",
        "RSA 3072 key",
        "broken key",
        "encrypted PKCS#1",
        "encrypted PKCS#8",
        "other key",
        "name begins with a digit",
        "name too long",
        "certificate service",
    ],
)
def test_server_certificates_that_are_refused(account: Account, changes, code: str) -> None:
    given = {"ServerCertificate": CERTIFICATE, "PrivateKey": KEY, **changes}
    error = account.refusal(SLB, "UploadServerCertificate", **given)
    assert (error.status, error.code) == (400, code)
    for line in (line for value in given.values() for line in value.splitlines() if line):
        assert line not in error.message
    assert account.store.all(UploadedServerCertificate) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CERTIFICATE + certificate(rsa_key(), "second"), FORMAT),
        (certificate(ec_key()), FORMAT),
        (certificate(rsa_key(3072)), FORMAT),
        ("garbage", FORMAT),
        (BROKEN_NAME, FORMAT),
        (CERTIFICATE + KEY, FORMAT),
    ],
    ids=["bundle", "EC", "RSA 3072", "garbage", "broken name", "with a key"],
)
def test_ca_certificates_that_are_refused(account: Account, text: str, code: str) -> None:
    error = account.refusal(SLB, "UploadCACertificate", CACertificate=text)
    assert (error.status, error.code) == (400, code)
    assert account.store.all(CaCertificate) == []


def test_a_ca_certificate_is_taken_renamed_and_deleted(account: Account) -> None:
    text = certificate(rsa_key(), "Client CA")
    key = account.slb("UploadCACertificate", CACertificate=text, CACertificateName="ca")[
        "CACertificateId"
    ]
    account.slb("SetCACertificateName", CACertificateId=key, CACertificateName="ca-2")
    [found] = account.slb("DescribeCACertificates", CACertificateId=key)["CACertificates"][
        "CACertificate"
    ]
    assert (found["CACertificateName"], found["CommonName"]) == ("ca-2", "Client CA")
    account.slb("DeleteCACertificate", CACertificateId=key)
    assert account.slb("DescribeCACertificates", CACertificateId=key)["CACertificates"] == {
        "CACertificate": []
    }


def test_a_server_certificate_is_renamed_and_deleted(account: Account) -> None:
    key = upload(account)
    account.slb("SetServerCertificateName", ServerCertificateId=key, ServerCertificateName="b")
    listed = account.slb("DescribeServerCertificates", ServerCertificateId=key)
    [found] = listed["ServerCertificates"]["ServerCertificate"]
    assert found["ServerCertificateName"] == "b"
    account.slb("DeleteServerCertificate", ServerCertificateId=key)
    listed = account.slb("DescribeServerCertificates", ServerCertificateId=key)
    assert listed["ServerCertificates"]["ServerCertificate"] == []


def test_no_answer_holds_a_key(account: Account) -> None:
    upload(account)
    account.slb("DescribeServerCertificates")
    assert "PRIVATE KEY" not in repr(account.answers)
    assert "PRIVATE KEY" not in repr(account.store.all(UploadedServerCertificate))


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("DeleteServerCertificate", {}, "ServerCertificateId.NotFound"),
        (
            "SetServerCertificateName",
            {"ServerCertificateName": "b"},
            "ServerCertificateId.NotFound",
        ),
    ],
)
def test_a_certificate_belongs_to_its_region(account: Account, action, parameters, code) -> None:
    key = upload(account)
    elsewhere = {"RegionId": "cn-beijing", "ServerCertificateId": key}
    error = account.refusal(SLB, action, **elsewhere, **parameters)
    assert (error.status, error.code) == (404, code)
    listed = account.slb("DescribeServerCertificates", **elsewhere)
    assert listed["ServerCertificates"]["ServerCertificate"] == []


def test_a_ca_certificate_belongs_to_its_region(account: Account) -> None:
    key = account.slb("UploadCACertificate", CACertificate=CERTIFICATE)["CACertificateId"]
    elsewhere = {"RegionId": "cn-beijing", "CACertificateId": key}
    error = account.refusal(SLB, "DeleteCACertificate", **elsewhere)
    assert (error.status, error.code) == (404, "CACertificateId.NotFound")
    assert account.slb("DescribeCACertificates", **elsewhere)["CACertificates"] == {
        "CACertificate": []
    }
