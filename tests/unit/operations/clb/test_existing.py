from __future__ import annotations

from types import SimpleNamespace

import pytest

from operations.clb.existing import read_existing
from operations.errors import OperationError
from tests.unit.operations.clb.existing import existing, several


class Api:
    """The API of SLB with some listeners on one load balancer."""

    def __init__(self, *listeners, **found):
        self.found = existing(**found)
        self.found.instance.listener_ports_and_protocol = several(
            "listener_port_and_protocol", (listener(*one) for one in listeners)
        )

    def ask(self, action, **parameters):
        if action == "DescribeLoadBalancerAttribute":
            return self.found.instance
        if action == "DescribeCACertificates":
            return SimpleNamespace(cacertificates=several("cacertificate", [self.ca()]))
        assert action == "DescribeLoadBalancerHTTPSListenerAttribute"
        return self.found.listener

    def ca(self):
        return {"fingerprint": "AB:CD"}


def listener(protocol, port, redirects_to=None):
    return {
        "listener_protocol": protocol,
        "listener_port": port,
        "listener_forward": "on" if redirects_to else "off",
        "forward_port": redirects_to or 0,
    }


def test_the_only_https_listener_is_taken():
    found = read_existing(Api(("http", 80), ("https", 443)), "lb-1", None)
    assert (found.port, found.ca_fingerprint) == (443, "abcd")
    assert (found.redirect_port, found.other_listeners) == (None, ("http:80",))


def test_one_redirect_to_it_is_taken():
    listeners = (("https", 443), ("https", 8443), ("http", 81, 8443), ("http", 82, 443))
    found = read_existing(Api(*listeners, ("http", 80, 443)), "lb-1", 443)
    assert found.redirect_port == 80
    assert found.other_listeners == ("https:8443", "http:81", "http:82")


@pytest.mark.parametrize(
    ("listeners", "port", "sentence"),
    [
        ([("http", 80)], None, r"does not have one HTTPS listener \(.*: none\)"),
        ([("https", 443), ("https", 8443)], None, "443, 8443"),
        ([("https", 443)], 8443, "does not have an HTTPS listener at port 8443"),
    ],
)
def test_a_listener_that_cannot_be_told_is_refused(listeners, port, sentence):
    with pytest.raises(OperationError, match=sentence):
        read_existing(Api(*listeners), "lb-1", port)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"listener": {"vserver_group_id": "rsp-1"}}, "answers from VServer group rsp-1"),
        ({"weights": {}}, "The default server group is empty"),
        (
            {
                "instance": {
                    "backend_servers": several(
                        "backend_server", [{"server_id": "eni-1", "weight": 100, "type": "eni"}]
                    )
                }
            },
            "has eni-1, no ECS instances",
        ),
        ({"instance": {"pay_type": "PrePay"}}, "is a subscription"),
        ({"instance": {"load_balancer_spec": ""}}, "shared-performance instance"),
    ],
    ids=["group", "empty", "network interface", "subscription", "shared"],
)
def test_what_the_program_does_not_take_is_refused(found, sentence):
    with pytest.raises(OperationError, match=sentence):
        read_existing(Api(("https", 443), **found), "lb-1", None)
