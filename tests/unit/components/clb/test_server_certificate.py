"""The load balancer's certificate comes from one of three sources, and its key stays secret."""

from __future__ import annotations

import pulumi
import pytest
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from components.arguments.certificates import ServerArguments
from components.clb.server_certificate import ServerCertificate
from tests.unit.components.mock_cloud import ADDRESS, CA_KEY_ID, ISSUED, deploy, existing_authority
from tests.unit.test_brought_along import PKCS1, certificate

ISSUE, UPLOAD = "dynamic/pki:ServerCertificate", "slb/serverCertificate:ServerCertificate"
TAGS = {"team": "edge"}


def deployed(server=None, *, address=ADDRESS, **options):
    def program():
        certificate = ServerCertificate(
            "test",
            {
                "server": server or {},
                "authority": existing_authority(),
                "address": pulumi.Output.from_input(address),
                "tags": TAGS,
            },
        )
        for name in ("id", "certificate", "issuer", "names"):
            pulumi.export(name, getattr(certificate, name))

    return deploy(program, **options)


@pytest.fixture(scope="module")
def brought_along():
    return {"certificate": certificate(), "private_key": PKCS1}


def test_the_private_ca_issues_for_the_domains_and_the_address():
    server = ServerArguments(
        domains=("www.example.com", "example.com"), key_bits=4096, validity="90d"
    )
    asked = deployed(server).one(ISSUE).inputs
    assert asked["common_name"] == "www.example.com"
    assert asked["dns_names"] == ["www.example.com", "example.com"]
    assert asked["ip_addresses"] == [ADDRESS]
    assert (asked["key_bits"], asked["validity"], asked["renew_before"]) == (4096, "90d", "30d")
    authority = ISSUED["CertificateAuthority"]
    assert asked["ca_certificate"] == authority["certificate"]
    assert asked["ca_private_key"] == authority["private_key"]
    assert asked["ca_key_id"] == CA_KEY_ID


def test_without_domains_the_certificate_is_for_the_address():
    asked = deployed().one(ISSUE).inputs
    assert (asked["common_name"], asked["dns_names"]) == (ADDRESS, [])


def test_further_addresses_follow_the_load_balancers_own():
    server = ServerArguments(domains=("www.example.com",), ip_addresses=("2001:db8::10", ADDRESS))
    deployment = deployed(server)
    assert deployment.one(ISSUE).inputs["ip_addresses"] == [ADDRESS, "2001:db8::10", ADDRESS]
    assert deployment.outputs["names"] == ["www.example.com", ADDRESS, "2001:db8::10"]


def test_further_addresses_are_asked_for_before_the_own_one_is_known():
    deployment = deployed(
        ServerArguments(ip_addresses=("2001:db8::10",)), address=UNKNOWN, preview=True
    )
    own, further = deployment.one(ISSUE).inputs["ip_addresses"]
    assert isinstance(own, Unknown)
    assert further == "2001:db8::10"


def test_what_the_private_ca_issued_is_uploaded():
    deployment = deployed(ServerArguments(domains=("www.example.com",)))
    upload = deployment.one(UPLOAD)
    assert upload.inputs == {
        "serverCertificate": ISSUED["ServerCertificate"]["certificate"],
        "privateKey": ISSUED["ServerCertificate"]["private_key"],
        "tags": TAGS,
    }
    assert deployment.outputs == {
        "id": "ServerCertificate test",
        "certificate": ISSUED["ServerCertificate"]["certificate"],
        "issuer": "private",
        "names": ["www.example.com", ADDRESS],
    }


def test_a_pair_brought_along_is_uploaded_and_nothing_is_issued(brought_along):
    deployment = deployed(brought_along)
    upload = deployment.one(UPLOAD)
    assert upload.inputs == {
        "serverCertificate": brought_along["certificate"],
        "privateKey": brought_along["private_key"],
        "tags": TAGS,
    }
    assert "privateKey" in upload.secret_inputs
    assert not deployment.all(ISSUE)
    assert deployment.outputs["certificate"] == brought_along["certificate"]
    assert deployment.outputs["issuer"] == "other"


def test_a_certificate_of_the_cloud_is_named_by_its_id():
    deployment = deployed(ServerArguments(alicloud_certificate_id="1234567-cn-hangzhou"))
    assert deployment.one(UPLOAD).inputs == {
        "alicloudCertificateId": "1234567-cn-hangzhou",
        "tags": TAGS,
    }
    assert not deployment.all(ISSUE)
    assert deployment.outputs["certificate"] == ""
    assert deployment.outputs["issuer"] == "other"


@pytest.mark.parametrize("source", ["issued", "brought along"])
def test_the_key_is_secret_in_the_state(source, brought_along):
    deployment = deployed(brought_along if source == "brought along" else None)
    assert "privateKey" in deployment.one(UPLOAD).request.additionalSecretOutputs
    if source == "issued":
        issue = deployment.one(ISSUE)
        assert list(issue.request.additionalSecretOutputs) == ["private_key"]
        assert "ca_private_key" in issue.secret_inputs


def test_a_new_certificate_is_uploaded_before_the_old_one_goes():
    upload = deployed().one(UPLOAD)
    # With a name of its own, pulumi-alicloud would have to delete the old one first.
    assert "name" not in upload.inputs
    assert "serverCertificateName" not in upload.inputs
    assert not upload.request.deleteBeforeReplace


def test_children_belong_to_the_component():
    deployment = deployed()
    component = deployment.one("index:ServerCertificate")
    assert {deployment.one(kind).parent for kind in (ISSUE, UPLOAD)} == {component.urn}


def test_a_preview_does_not_know_the_certificate():
    deployment = deployed(preview=True)
    assert isinstance(deployment.one(UPLOAD).inputs["serverCertificate"], Unknown)
    assert isinstance(deployment.outputs["id"], Unknown)
