"""What the components' docstrings show is a program that runs, each example after the last one."""

from __future__ import annotations

import re
import textwrap

import pulumi
import pytest

from components.backend_servers import BackendServers
from components.clb.load_balancer import MutualTlsLoadBalancer
from components.clb.server_certificate import ServerCertificate
from components.private_ca import PrivateCertificateAuthority
from components.service import MutualTlsService
from tests.unit.components.mock_cloud import deploy

COMPONENTS = [
    PrivateCertificateAuthority,
    BackendServers,
    ServerCertificate,
    MutualTlsLoadBalancer,
    MutualTlsService,
]


def example(component):
    """The code in a component's docstring."""
    (code,) = re.findall(r"```python\n(.*?)```", component.__doc__, re.DOTALL)
    return textwrap.dedent(f"    {code}" if not code.startswith(" ") else code)


def test_each_component_is_shown_and_the_examples_run_one_after_the_other():
    names = {"pulumi": pulumi, **{component.__name__: component for component in COMPONENTS}}

    def program():
        for component in COMPONENTS:
            exec(example(component), names)

    deployment = deploy(program)
    assert {"ca_certificate", "server_certificate", "address"} <= set(deployment.outputs)
    assert isinstance(names["service"], MutualTlsService)


@pytest.mark.parametrize("component", [ServerCertificate, MutualTlsLoadBalancer])
def test_an_argument_that_is_required_and_missing_is_named(component):
    with pytest.raises(pulumi.RunError, match="shop: authority is missing: give it the Private"):
        deploy(lambda: component("shop", {}))


@pytest.mark.parametrize(
    "component", [PrivateCertificateAuthority, BackendServers, MutualTlsService]
)
def test_an_argument_that_there_is_none_of_is_refused(component):
    with pytest.raises(pulumi.RunError, match="shop: cleints"):
        deploy(lambda: component("shop", {"cleints": {}}))
