"""What somebody changes in the console is found: by a refresh, and from outside in any case.

The tests of this file share one stack and run in order.
"""

from __future__ import annotations

import json
import re

import pytest
from alibabacloud_slb20140515 import models

from localcloud.home import Home
from operations.clb.api import SlbHealth
from operations.verification import verification
from tests.engine.console import console

pytestmark = pytest.mark.in_order

LISTENER = "alicloud:slb/listener:Listener::slb-mutual-tls-test"
ATTACHED = "alicloud:slb/backendServer:BackendServer::slb-mutual-tls-test"


@pytest.fixture(scope="module")
def outputs(deployed):
    found = deployed.outputs()
    # It waits for the backends, whose health is no part of what is tried here.
    report = deployed.verify()
    assert report.passed, report.to_json()
    return found


class Somebody:
    """Changes that the stack knows nothing of."""

    def __init__(self, client, outputs) -> None:
        self._client = client
        self._of_load_balancer = {
            "region_id": outputs.region,
            "load_balancer_id": outputs.load_balancer_id,
        }
        self._port = outputs.listener_port

    def set_listener(self, **values) -> None:
        request = models.SetLoadBalancerHTTPSListenerAttributeRequest(
            listener_port=self._port, **self._of_load_balancer, **values
        )
        self._client.set_load_balancer_httpslistener_attribute(request)

    def set_weight(self, server_id: str, weight: int) -> None:
        request = models.SetBackendServersRequest(
            backend_servers=json.dumps([{"ServerId": server_id, "Weight": weight}]),
            **self._of_load_balancer,
        )
        self._client.set_backend_servers(request)


@pytest.fixture(scope="module")
def somebody(local, outputs):
    with console(Home(local.cloud)) as signed_in:
        yield Somebody(signed_in.slb, outputs)


def verify(deployed, outputs):
    source = SlbHealth(outputs, deployed.stack.variables)
    return verification.verify(outputs, source, settle=0.0)


def failures(report):
    return {check.id for check in report.checks if check.status == "failed"}


def test_mutual_authentication_that_was_turned_off_is_found_from_outside(
    deployed, outputs, somebody
):
    somebody.set_listener(cacertificate_id="")
    # State has it as it was, and a preview compares with that.
    assert deployed.steps() == {}
    assert failures(verify(deployed, outputs)) == {"no_certificate", "other_ca", "expired"}


def test_a_refresh_finds_it_and_up_turns_it_on_again(deployed, outputs):
    assert deployed.steps("--refresh") == {LISTENER: "update"}
    deployed.up("--refresh")
    report = verify(deployed, outputs)
    assert report.passed, report.to_json()


def test_settings_that_were_changed_are_found_by_a_refresh(deployed, somebody):
    somebody.set_listener(
        tlscipher_policy="tls_cipher_policy_1_0",
        enable_http_2="off",
        idle_timeout=60,
        health_check_uri="/other",
        scheduler="wrr",
    )
    assert deployed.steps("--refresh") == {LISTENER: "update"}
    shown = deployed.succeed("preview", "--refresh", "--diff")
    for name in ("tlsCipherPolicy", "enableHttp2", "idleTimeout", "healthCheckUri", "scheduler"):
        assert re.search(rf"~ {name} *: ", shown), name
    deployed.up("--refresh")
    assert deployed.steps("--refresh") == {}


def test_a_weight_that_was_changed_is_found_by_a_refresh(deployed, outputs, somebody):
    somebody.set_weight(outputs.backends[0].server_id, 7)
    assert deployed.steps("--refresh") == {ATTACHED: "update"}
    deployed.up("--refresh")
    assert deployed.steps("--refresh") == {}
