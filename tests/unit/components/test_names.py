"""Names stay within what the cloud's APIs take, however long project and stack are called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from components.names import bound_name
from tests.unit.test_main import EVERYTHING, run

LONG = "a-project-with-a-name-that-says-everything-" * 4
"""More characters than any API takes, of the 201 that project and stack can have together."""

COMPLETED = {"ServerCertificate", "ServerGroup", "Acl"}
"""Resources of which the provider makes the name, of 80 characters at most, by adding 8."""

BOUNDS = {
    "vpcName": 128,
    "vswitchName": 128,
    "instanceName": 128,
    "securityGroupName": 128,
    "loadBalancerName": 80,
    "caCertificateName": 80,
    "description": 80,
}
"""By input: CreateVpc, CreateVSwitch, RunInstances, CreateSecurityGroup and SLB's actions; a
security group's description may be longer."""


@given(st.text(max_size=210), st.text(max_size=20), st.integers(60, 130))
def test_a_name_is_kept_if_it_fits_and_else_shortened(name, suffix, longest):
    found = bound_name(name, longest, suffix)
    assert len(found) <= longest
    assert found.endswith(suffix)
    assert found == name + suffix or len(name + suffix) > longest


def test_names_that_are_shortened_differ_still():
    assert bound_name("a" * 100 + "b", 80) != bound_name("a" * 100 + "c", 80)


def test_what_the_program_makes_is_within_the_bounds_of_the_apis():
    found = run(EVERYTHING, outputs={"name": LONG}).registrations
    for one in found:
        for name, longest in BOUNDS.items():
            assert len(one.inputs.get(name) or "") <= longest, (one.type, name)
        if one.type.startswith("alicloud:slb") and one.type.split(":")[-1] in COMPLETED:
            assert len(one.name) <= 72, one.type
    (authority,) = (one for one in found if one.type.endswith(":CertificateAuthority"))
    assert len(authority.inputs["subject"]["common_name"]) <= 64
