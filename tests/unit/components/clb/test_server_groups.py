"""Who answers a listener's requests: the default server group, or a VServer group."""

from __future__ import annotations

from tests.unit.components.balancers import (
    ATTACHED,
    GROUP,
    LISTENER,
    MEMBER,
    TAGS,
    deployed,
    named,
)


def test_all_backends_are_attached_with_their_weights_before_the_listener_starts():
    deployment = deployed()
    attached = deployment.one(ATTACHED)
    assert attached.inputs["loadBalancerId"] == "ApplicationLoadBalancer test"
    assert attached.inputs["backendServers"] == [
        {"serverId": server_id, "weight": weight, "type": "ecs"}
        for server_id, weight in (("i-a", 100), ("i-b", 20))
    ]
    assert attached.urn in deployment.one(LISTENER).request.dependencies


def test_a_vserver_group_has_ports_of_its_own():
    deployment = deployed(others={"scaled": {"port": 8443, "server_group_id": "rsp-1"}})
    asked = named(deployment, LISTENER, "test-listener-scaled")
    assert asked.inputs["serverGroupId"] == "rsp-1"
    assert "backendPort" not in asked.inputs
    assert "healthCheckConnectPort" not in asked.inputs
    assert list(asked.request.ignoreChanges) == ["backendPort"]


def test_an_existing_load_balancers_default_server_group_is_left_alone():
    deployment = deployed(
        load_balancer={"id": "lb-1"},
        others={"same": {"port": 8443}, "else": {"port": 9443, "backend_port": 9090}},
        balancers={"lb-1": {}},
    )
    # It may hold others' servers, all of which the resource would take for its own.
    assert not deployment.all(ATTACHED)
    groups = {one.name: one.inputs for one in deployment.all(GROUP)}
    assert groups == {
        f"test-{port}": {"loadBalancerId": "lb-1", "tags": TAGS} for port in (8080, 9090)
    }
    members = [
        (
            one.inputs["serverGroupId"],
            one.inputs["serverId"],
            one.inputs["port"],
            one.inputs["weight"],
        )
        for one in deployment.all(MEMBER)
    ]
    assert members == [
        (f"ServerGroup test-{port}", server_id, port, weight)
        for port in (8080, 9090)
        for server_id, weight in (("i-a", 100), ("i-b", 20))
    ]
    used = {one.name: one.inputs["serverGroupId"] for one in deployment.all(LISTENER)}
    assert used == {
        "test": "ServerGroup test-8080",
        "test-listener-same": "ServerGroup test-8080",
        "test-listener-else": "ServerGroup test-9090",
    }
    assert {one.inputs["healthCheckConnectPort"] for one in deployment.all(LISTENER)} == {
        8080,
        9090,
    }


def test_members_are_replaced_one_at_a_time_and_each_before_its_successor():
    first, second = deployed(load_balancer={"id": "lb-1"}, balancers={"lb-1": {}}).all(MEMBER)
    assert first.request.deleteBeforeReplace
    assert second.request.deleteBeforeReplace
    assert first.urn in second.request.dependencies
