"""The default server group of a load balancer, and its health."""

from __future__ import annotations

from localcloud.cloud import Cloud
from localcloud.documents import BackendServer, Instance, Listener, LoadBalancer
from localcloud.products import SLB, Answer
from localcloud.services.load_balancers import OfLoadBalancer, find_load_balancer
from localcloud.services.server_lists import GivenServer, read_servers, require_running


class AddBackendServers(OfLoadBalancer):
    BackendServers: str


class SetBackendServers(OfLoadBalancer):
    BackendServers: str


class RemoveBackendServers(OfLoadBalancer):
    BackendServers: str


class DescribeHealthStatus(OfLoadBalancer):
    ListenerPort: int | None = None
    ListenerProtocol: str = ""


@SLB.action
def add_backend_servers(cloud: Cloud, request: AddBackendServers) -> Answer:
    found = find_load_balancer(cloud, request)
    present = {one.server_id for one in found.backends}
    for given in read_servers(GivenServer, request.BackendServers):
        require_running(cloud, given.ServerId, found.region)
        if given.ServerId not in present:
            present.add(given.ServerId)
            found.backends.append(
                BackendServer(
                    server_id=given.ServerId, weight=given.Weight, description=given.Description
                )
            )
    return _saved(cloud, found)


@SLB.action
def set_backend_servers(cloud: Cloud, request: SetBackendServers) -> Answer:
    found = find_load_balancer(cloud, request)
    changed = {given.ServerId: given for given in read_servers(GivenServer, request.BackendServers)}
    for one in found.backends:
        if given := changed.get(one.server_id):
            one.weight = given.Weight
            one.description = given.Description or one.description
    return _saved(cloud, found)


@SLB.action
def remove_backend_servers(cloud: Cloud, request: RemoveBackendServers) -> Answer:
    found = find_load_balancer(cloud, request)
    gone = {given.ServerId for given in read_servers(GivenServer, request.BackendServers)}
    found.backends = [one for one in found.backends if one.server_id not in gone]
    answer = _saved(cloud, found)
    for member in answer["BackendServers"]["BackendServer"]:
        member["Weight"] = int(member["Weight"])  # text in the other answers
    return answer


@SLB.action
def describe_health_status(cloud: Cloud, request: DescribeHealthStatus) -> Answer:
    found = find_load_balancer(cloud, request)
    answers = []
    for listener in cloud.store.all(Listener, load_balancer_id=found.id):
        if request.ListenerPort not in {None, listener.port}:
            continue
        if request.ListenerProtocol not in {"", listener.protocol}:
            continue
        for member in cloud.health(listener):
            instance = cloud.store.get(Instance, member.server_id)
            answers.append(
                {
                    "ServerId": member.server_id,
                    "ServerIp": instance.private_ip if instance else "",
                    "Port": member.port,
                    "ListenerPort": listener.port,
                    "Protocol": listener.protocol,
                    "ServerHealthStatus": member.status,
                }
            )
    return {"BackendServers": {"BackendServer": answers}}


def _saved(cloud: Cloud, found: LoadBalancer) -> Answer:
    cloud.store.put(found)
    cloud.apply()
    members = [
        {
            "ServerId": one.server_id,
            "Weight": str(one.weight),
            "Type": "ecs",
            "Description": one.description,
        }
        for one in found.backends
    ]
    return {"LoadBalancerId": found.id, "BackendServers": {"BackendServer": members}}
