"""Domain extensions: further domains of a listener."""

from __future__ import annotations

import pytest

from localcloud.documents import DomainExtension
from localcloud.products import SLB
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.listener_site import ListenerSite, upload


def certificate_for(site: ListenerSite, name: str) -> str:
    key = rsa_key()
    return upload(
        site.account, ServerCertificate=certificate(key, name), PrivateKey=private_key(key)
    )


@pytest.fixture
def listening(site: ListenerSite) -> ListenerSite:
    site.create(CACertificateId=site.ca_certificate)
    site.call("StartLoadBalancerListener")
    return site


def make(site: ListenerSite, domain: str, key: str | None = None) -> str:
    key = key or certificate_for(site, domain)
    answer = site.call("CreateDomainExtension", Domain=domain, ServerCertificateId=key)
    found: str = answer["DomainExtensionId"]
    return found


def domains(site: ListenerSite) -> list[str]:
    return [one.domain for one in site.served[0].domain_extensions]


def test_a_domain_comes_changes_and_goes(listening: ListenerSite) -> None:
    key = make(listening, "api.example.com")
    assert domains(listening) == ["api.example.com"]
    of = {"DomainExtensionId": key}
    shown = listening.account.slb("DescribeDomainExtensionAttribute", **of)
    assert (shown["Domain"], shown["LoadBalancerId"], shown["ListenerPort"]) == (
        "api.example.com",
        listening.balancer,
        443,
    )
    before = listening.served[0].domain_extensions[0].server_certificate
    new = certificate_for(listening, "api.example.com")
    listening.account.slb("SetDomainExtensionAttribute", **of, ServerCertificateId=new)
    assert listening.served[0].domain_extensions[0].server_certificate != before
    assert listening.served[0].ca_certificate is not None
    listening.account.slb("DeleteDomainExtension", **of)
    assert domains(listening) == []
    error = listening.account.refusal(SLB, "DescribeDomainExtensionAttribute", **of)
    # The provider takes 404 for "is gone", and asks again and again for anything else.
    assert (error.status, error.code) == (404, "InvalidParameter.DomainExtensionId")


def test_domains_are_listed_with_the_listener_and_alone(listening: ListenerSite) -> None:
    first, second = make(listening, "a.example.com"), make(listening, "*.b.example.com")
    shown = listening.describe()["DomainExtensions"]["DomainExtension"]
    listed = listening.call("DescribeDomainExtensions")["DomainExtensions"]["DomainExtension"]
    assert shown == listed
    assert [one["DomainExtensionId"] for one in listed] == [first, second]
    one = listening.call("DescribeDomainExtensions", DomainExtensionId=second)
    assert [each["Domain"] for each in one["DomainExtensions"]["DomainExtension"]] == [
        "*.b.example.com"
    ]


def test_a_wildcard_s_certificate_serves_each_of_its_domains(listening: ListenerSite) -> None:
    key = certificate_for(listening, "*.example.com")
    make(listening, "*.example.com", key)
    make(listening, "API.example.com", key)


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ("a.example.com", "InvalidParameter.Domain"),
        ("A.example.com", "InvalidParameter.Domain"),
        ("other.example.net", "InvalidParameter"),
        ("*", "InvalidParameter"),
        ("a.*.example.com", "InvalidParameter"),
        ("-a.example.com", "InvalidParameter"),
        ("a example.com", "InvalidParameter"),
        ("192.0.2.7", "InvalidParameter"),
        ("a.example.com\n", "InvalidParameter"),
    ],
)
def test_domains_that_cannot_be(listening: ListenerSite, domain: str, code: str) -> None:
    key = certificate_for(listening, "a.example.com")
    make(listening, "a.example.com", key)
    given = {"Domain": domain, "ServerCertificateId": key}
    assert listening.refusal("CreateDomainExtension", **given) == (400, code)


def test_a_domain_needs_a_certificate_that_is_there(listening: ListenerSite) -> None:
    given = {"Domain": "a.example.com", "ServerCertificateId": "none"}
    code = "InvalidParameter.ServerCertificateId"
    assert listening.refusal("CreateDomainExtension", **given) == (400, code)


def test_a_listener_has_three_further_domains(listening: ListenerSite) -> None:
    key = certificate_for(listening, "*.example.com")
    for name in ("a", "b", "c"):
        make(listening, f"{name}.example.com", key)
    given = {"Domain": "d.example.com", "ServerCertificateId": key}
    assert listening.refusal("CreateDomainExtension", **given) == (400, "OverQuota")


def test_a_domain_needs_its_https_listener(site: ListenerSite) -> None:
    key = certificate_for(site, "a.example.com")
    given = {"Domain": "a.example.com", "ServerCertificateId": key}
    assert site.refusal("CreateDomainExtension", **given) == (404, "ListenerNotFound")


def test_a_certificate_of_a_domain_stays(listening: ListenerSite) -> None:
    key = certificate_for(listening, "a.example.com")
    extension = make(listening, "a.example.com", key)
    of = {"ServerCertificateId": key}
    error = listening.account.refusal(SLB, "DeleteServerCertificate", **of)
    assert (error.status, error.code) == (400, "CertificateAndPrivateKeyIsRefered")
    listening.account.slb("DeleteDomainExtension", DomainExtensionId=extension)
    listening.account.slb("DeleteServerCertificate", **of)


@pytest.mark.parametrize("action", ["DeleteLoadBalancerListener", "DeleteLoadBalancer"])
def test_domains_go_with_their_listener(listening: ListenerSite, action: str) -> None:
    make(listening, "a.example.com")
    given = {} if action == "DeleteLoadBalancer" else {"ListenerPort": 443}
    listening.account.slb(action, LoadBalancerId=listening.balancer, **given)
    assert listening.account.store.all(DomainExtension) == []
