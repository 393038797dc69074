"""Arguments that other resources give: outputs, known or not, in place of plain values."""

from __future__ import annotations

from datetime import UTC, datetime

import pulumi
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from components.arguments.errors import SettingsError
from components.arguments.service import (
    MutualTlsServiceArguments,
    PrivateCertificateAuthorityArguments,
)
from components.arguments.validation import validate
from components.inputs import read_arguments
from components.pki import certificates
from components.service import MutualTlsService
from tests.unit.components.mock_cloud import deploy
from tests.unit.components.pki.material import issuer
from tests.unit.components.test_private_ca import signing_request
from tests.unit.test_brought_along import PKCS1, certificate

REGISTER, CA = "dynamic/pki:CertificateRegister", "dynamic/pki:CertificateAuthority"
INSTANCE = "ecs/instance:Instance"
CLB = "slb/applicationLoadBalancer:ApplicationLoadBalancer"
UPLOAD = "slb/serverCertificate:ServerCertificate"

AUTHORITY = issuer(since=datetime.now(UTC))
PAIR = {
    "certificate": certificates.pem(AUTHORITY.certificate),
    "private_key": AUTHORITY.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode(),
}
SITE = {
    "switches": {"vsw-a": ("vpc-a", "cn-hangzhou-b"), "vsw-b": ("vpc-a", "cn-hangzhou-g")},
    "groups": {"sg-a": "vpc-a"},
    "instances": ("i-a", "i-b"),
    "vpcs": ("vpc-a",),
    "balancers": {"lb-a": {}},
    "types": {"ecs.a.large": ["cn-hangzhou-b", "cn-hangzhou-g"]},
}


def late(value):
    return pulumi.Output.from_input(value)


def everywhere_late(values):
    """The same values, each as an output of its own."""
    if isinstance(values, dict):
        return {key: everywhere_late(value) for key, value in values.items()}
    if isinstance(values, list):
        return [everywhere_late(value) for value in values]
    return late(values)


def unknown(_value=None):
    """An output of a resource that a preview has yet to make."""
    made = pulumi.Output.from_input("")
    return pulumi.Output(made.resources(), made.future(), _false(), made.is_secret())


async def _false():
    return False


def served(args, **options):
    return deploy(lambda: MutualTlsService("shop", args), **{**SITE, **options})


GIVEN = [
    ({"network": {"vswitch_ids": ["vsw-a", "vsw-b"]}}, ["network.vswitch_ids"]),
    (
        {
            "network": {"vswitch_ids": ["vsw-a"], "vpc_id": "vpc-a"},
            "backends": {"security_group_id": "sg-a", "image_id": "m-a"},
        },
        ["network", "backends"],
    ),
    ({"network": {"vpc_id": "vpc-a", "cidr_block": "10.1.0.0/16"}}, ["network.vpc_id"]),
    ({"backends": {"instance_ids": ["i-a", "i-b"]}}, ["backends.instance_ids"]),
    ({"load_balancer": {"id": "lb-a"}}, ["load_balancer.id"]),
    (
        {"load_balancer": {"address_type": "intranet", "vswitch_id": "vsw-a"}},
        ["load_balancer.vswitch_id"],
    ),
    ({"load_balancer": {"resource_group_id": "rg-a"}}, ["load_balancer.resource_group_id"]),
    ({"listener": {"acl": {"type": "white", "ids": ["acl-a"]}}}, ["listener.acl.ids"]),
    (
        {
            "load_balancer": {"id": "lb-a"},
            "additional_listeners": {"b": {"port": 8443, "server_group_id": "rsp-a"}},
        },
        ["additional_listeners.b.server_group_id"],
    ),
    ({"tags": {"team": "edge"}}, ["tags"]),
    ({"server": {"certificate": certificate(), "private_key": PKCS1}}, ["server"]),
    ({"server": {"alicloud_certificate_id": "1-cn"}}, ["server"]),
    ({"server": {"ip_addresses": ["203.0.113.77"]}}, ["server"]),
    (
        {"listener": {"domain_extensions": {"api.example.com": {"alicloud_certificate_id": "1"}}}},
        ["listener.domain_extensions"],
    ),
    ({"clients": {"a": {"pass_phrase": "correct horse"}}}, ["clients.a.pass_phrase"]),
    ({"clients": {"a": {"signing_request": signing_request(2048)}}}, ["clients.a"]),
    ({"certificate_authority": PAIR}, ["certificate_authority"]),
]


def made_late(values, places, change=everywhere_late, before=()):
    if ".".join(before) in places:
        return change(values)
    if isinstance(values, dict):
        return {
            key: made_late(value, places, change, (*before, key)) for key, value in values.items()
        }
    return values


def deployed_late(values, places, change=everywhere_late, **options):
    """What a program makes in which values at some places are late."""
    return deploy(
        lambda: MutualTlsService("shop", made_late(values, places, change)), **{**SITE, **options}
    )


def registered(deployment):
    """What the engine was asked for, order and secrets aside."""
    return sorted((one.type, one.name, repr(sorted(one.inputs.items()))) for one in
                  deployment.registrations)  # fmt: skip


@pytest.mark.parametrize(("values", "places"), GIVEN, ids=[" ".join(one[1]) for one in GIVEN])
def test_outputs_make_what_plain_values_make(values, places):
    plain = registered(served(values))
    assert registered(deployed_late(values, places)) == plain


@pytest.mark.parametrize(("values", "places"), GIVEN, ids=[" ".join(one[1]) for one in GIVEN])
def test_what_is_not_known_in_a_preview_waits(values, places):
    def unknown_everywhere(given):
        if isinstance(given, dict):
            return {key: unknown_everywhere(value) for key, value in given.items()}
        return [unknown(one) for one in given] if isinstance(given, list) else unknown(given)

    deployment = deployed_late(values, places, unknown_everywhere, preview=True)
    assert {one.kind for one in deployment.registrations} == {
        one.kind for one in served(values, preview=True).registrations
    }


WRONG = [
    {"network": {"vswitch_ids": ["switch"]}},
    {"backends": {"instance_ids": ["i_a"]}},
    {"load_balancer": {"id": "clb"}},
    {"tags": {"team": "acs:edge"}},
    {"server": {"certificate": "PEM", "private_key": PKCS1}},
    {"server": {"ip_addresses": ["localhost"]}},
    {"clients": {"a": {"pass_phrase": "with\nbreaks"}}},
    {"clients": {"a": {"signing_request": "PEM"}}},
    {"listener": {"acl": {"type": "white", "ids": ["list"]}}},
    {"certificate_authority": {**PAIR, "private_key": PKCS1}},  # Each is good by itself.
    {"server": {"certificate": certificate(), "private_key": PAIR["private_key"]}},
]


@pytest.mark.parametrize("values", WRONG, ids=range(len(WRONG)))
def test_a_late_value_that_is_wrong_is_refused_with_the_configurations_sentence(values):
    with pytest.raises(SettingsError) as plain:
        validate(MutualTlsServiceArguments, values, source="shop", secret_keys=values.keys())
    with pytest.raises(pulumi.RunError) as found:
        # Without resources: tests/engine/test_elsewhere.py has some that such a value goes into.
        deploy(
            lambda: (
                read_arguments(MutualTlsServiceArguments, made_late(values, list(values)), "shop")
                and None
            )
        )
    assert str(found.value) == str(plain.value)


@pytest.mark.parametrize("given", [lambda: "PEM", lambda: late("PEM")], ids=["plain", "late"])
def test_a_server_certificate_that_is_none_is_refused_in_a_sentence(given):
    def program():
        values = {"other_certificates": [given()]}
        read_arguments(PrivateCertificateAuthorityArguments, values, "shop")

    with pytest.raises(pulumi.RunError, match=r"^shop: other_certificates\[0\]: .*PEM"):
        deploy(program)


def test_what_does_not_exist_is_refused_once_its_id_is_known():
    with pytest.raises(pulumi.RunError, match=r"^network\.vswitch_ids names vsw-z, which the"):
        deployed_late({"network": {"vswitch_ids": ["vsw-z"]}}, ["network"])


@pytest.mark.parametrize("change", [everywhere_late, pulumi.Output.secret])
def test_secrets_are_secret_also_where_somebody_forgot_to_mark_them(change):
    values = {"clients": {"a": {"pass_phrase": "correct horse"}}}
    deployment = deployed_late(values, ["clients.a.pass_phrase"], change)
    assert "clients" in deployment.one(REGISTER).secret_inputs
    deployment = deployed_late({"certificate_authority": PAIR}, ["certificate_authority"])
    assert "adopted_private_key" in deployment.one(CA).secret_inputs
