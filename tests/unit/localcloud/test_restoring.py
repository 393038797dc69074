"""A start that cannot bring back all of its state: the rest is served, and what is not is named."""

from __future__ import annotations

import pytest

from localcloud.dataplane.model import DataPlaneError, ListenerSpec
from localcloud.documents import KINDS
from localcloud.products import ECS, SLB
from localcloud.store import Store
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.listener_site import ListenerSite
from tests.unit.localcloud.tour import tour


def spoil(store: Store, kind: str, body: str = "{}", key: str = "%") -> None:
    store._connection.execute(
        "UPDATE documents SET body = ? WHERE kind = ? AND id LIKE ?", (body, kind, key)
    )


def restored(account: Account) -> Account:
    """The same memory in another process."""
    again = Account(account.store)
    again.cloud.restore()
    return again


@pytest.fixture
def sites(site: ListenerSite) -> list[str]:
    """Listeners that run: one by itself, and three of another load balancer."""
    site.create()
    site.call("StartLoadBalancerListener")
    other = site.account.make_load_balancer()
    for port in (81, 82, 83):
        of = {"LoadBalancerId": other, "ListenerPort": port}
        site.account.slb("CreateLoadBalancerHTTPListener", **of, BackendServerPort=8080)
        site.account.slb("StartLoadBalancerListener", **of)
    return [site.balancer, other]


@pytest.mark.parametrize("bad", [{443}, {81}, {82, 83}, {81, 82, 83, 443}, set()])
def test_listeners_that_the_data_plane_refuses_are_named_and_the_others_served(
    site: ListenerSite, sites: list[str], monkeypatch: pytest.MonkeyPatch, bad: set[int]
) -> None:
    again = Account(site.account.store)
    apply = again.plane.apply_listeners

    def refusing(listeners: list[ListenerSpec]):
        for one in listeners:
            if one.port in bad:
                raise DataPlaneError(f"HAProxy refuses port {one.port}.")
        return apply(listeners)

    monkeypatch.setattr(again.plane, "apply_listeners", refusing)
    again.cloud.restore()
    ports = {81, 82, 83, 443}
    assert {port for _, _, port in again.plane.served} == ports - bad
    problems = again.cloud.problems()
    assert len(problems) == len(bad)
    for port in bad:
        assert any(
            f":{port} could not be served: HAProxy refuses port {port}." in p for p in problems
        )
    shown = again.slb("DescribeLoadBalancerListeners")["Listeners"]
    assert {one["ListenerPort"] for one in shown if one["Status"] == "running"} == ports - bad
    if bad == {81}:
        # The others go on being changed, and what could not be served comes back once it can.
        again.slb("StopLoadBalancerListener", LoadBalancerId=sites[1], ListenerPort=82)
        assert {port for _, _, port in again.plane.served} == {83, 443}
        of = {"LoadBalancerId": sites[1], "ListenerPort": 81}
        assert again.refusal(SLB, "StartLoadBalancerListener", **of).code == "NotEmulated"
        bad.clear()
        again.slb("StartLoadBalancerListener", **of)
        assert {port for _, _, port in again.plane.served} == {81, 83, 443}
        assert again.cloud.problems() == []


def test_what_is_new_is_refused_although_something_else_is_aside(
    site: ListenerSite, sites: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    again = Account(site.account.store)
    apply = again.plane.apply_listeners

    def refusing(listeners: list[ListenerSpec]):
        if any(one.port == 81 or one.idle_timeout == 7 for one in listeners):
            raise DataPlaneError("No.")
        return apply(listeners)

    monkeypatch.setattr(again.plane, "apply_listeners", refusing)
    again.cloud.restore()
    for port in (81, 82):
        with pytest.raises(DataPlaneError, match="No"):
            again.slb(
                "SetLoadBalancerHTTPListenerAttribute",
                LoadBalancerId=sites[1],
                ListenerPort=port,
                IdleTimeout=7,
            )
    assert {port for _, _, port in again.plane.served} == {82, 83, 443}


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
def test_a_row_that_cannot_be_read_is_named_and_the_rest_answers(
    site: ListenerSite, sites: list[str], kind: str
) -> None:
    account = site.account
    account.slb("CreateVServerGroup", LoadBalancerId=sites[0])
    account.slb("CreateAccessControlList", AclName="a")
    spoil(account.store, kind, body='{"id": 7, "private_key": "-----BEGIN RSA PRIVATE KEY-----"}')
    again = restored(account)
    rows = account.store._connection.execute(
        "SELECT count(*) FROM documents WHERE kind = ?", (kind,)
    ).fetchone()[0]
    problems = [one for one in again.cloud.problems() if f"What is remembered of {kind} " in one]
    assert len(problems) == rows
    assert "BEGIN RSA" not in "".join(again.cloud.problems())
    assert all("python -m localcloud reset" in one for one in problems)
    if kind not in {"listener", "load_balancer"}:
        assert {port for _, _, port in again.plane.served} >= {81, 82, 83}
    for action in ("DescribeLoadBalancers", "DescribeServerCertificates", "DescribeCACertificates"):
        again.slb(action)
    again.slb("DescribeLoadBalancerListeners")
    again.ecs("DescribeInstances")
    again.cloud.reset()
    assert again.cloud.problems() == []
    tour(again)  # All that can be done can be done again.


@pytest.mark.parametrize(
    "attributes",
    [{}, {"ListenerForward": "on"}, {"ListenerForward": 5, "AclStatus": "on"}, {"AclStatus": None}],
    ids=str,
)
def test_a_listener_without_what_it_needs_is_named(site: ListenerSite, sites, attributes) -> None:
    store = site.account.store
    [listener] = [d for d in store.everything()["listener"] if d.port == 443]
    store.put(listener.model_copy(update={"attributes": attributes}))
    again = restored(site.account)
    assert {port for _, _, port in again.plane.served} == {81, 82, 83}
    [problem] = again.cloud.problems()
    assert problem.startswith(f"Listener {listener.id} could not be served: what is remembered")


def test_an_instance_that_cannot_be_started_is_named_and_stopped_and_can_be_started(
    site: ListenerSite, sites: list[str]
) -> None:
    again = Account(site.account.store)
    again.plane.fail_at("start_instance")
    again.cloud.restore()
    [problem] = again.cloud.problems()
    assert problem == (
        f"Instance {site.instance} could not be started: The data plane was told to fail."
    )
    assert len(again.plane.served) == 4

    def status() -> str:
        return again.ecs("DescribeInstances")["Instances"]["Instance"][0]["Status"]

    again.settle()
    assert status() == "Stopped"
    again.ecs("StartInstance", InstanceId=site.instance)
    assert status() == "Running"
    assert again.cloud.problems() == []
    assert again.refusal(ECS, "StartInstance", InstanceId=site.instance).status == 403


def test_an_instance_whose_process_ended_is_starting(site: ListenerSite) -> None:
    del site.account.plane.instances[site.instance]
    [shown] = site.account.ecs("DescribeInstances")["Instances"]["Instance"]
    assert shown["Status"] == "Starting"


def test_a_listener_whose_haproxy_ended_is_starting(site: ListenerSite, monkeypatch) -> None:
    site.create()
    site.call("StartLoadBalancerListener")
    monkeypatch.setattr(site.account.plane, "is_serving", lambda _key: False)
    assert site.describe()["Status"] == "starting"
    [shown] = site.account.slb("DescribeLoadBalancerListeners")["Listeners"]
    assert shown["Status"] == "starting"
    site.call("StopLoadBalancerListener")
    assert site.describe()["Status"] == "stopped"
