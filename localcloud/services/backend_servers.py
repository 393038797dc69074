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
    balancer = find_load_balancer(cloud, request)
    present = {backend.server_id for backend in balancer.backends}
    for server in read_servers(GivenServer, request.BackendServers):
        require_running(cloud, server.ServerId, balancer.region)
        if server.ServerId not in present:
            present.add(server.ServerId)
            balancer.backends.append(
                BackendServer(
                    server_id=server.ServerId, weight=server.Weight, description=server.Description
                )
            )
    return _save(cloud, balancer)


@SLB.action
def set_backend_servers(cloud: Cloud, request: SetBackendServers) -> Answer:
    balancer = find_load_balancer(cloud, request)
    changed = {
        server.ServerId: server for server in read_servers(GivenServer, request.BackendServers)
    }
    for backend in balancer.backends:
        if server := changed.get(backend.server_id):
            backend.weight = server.Weight
            backend.description = server.Description or backend.description
    return _save(cloud, balancer)


@SLB.action
def remove_backend_servers(cloud: Cloud, request: RemoveBackendServers) -> Answer:
    balancer = find_load_balancer(cloud, request)
    gone = {server.ServerId for server in read_servers(GivenServer, request.BackendServers)}
    balancer.backends = [backend for backend in balancer.backends if backend.server_id not in gone]
    answer = _save(cloud, balancer)
    for member in answer["BackendServers"]["BackendServer"]:
        member["Weight"] = int(member["Weight"])  # text in the other answers
    return answer


@SLB.action
def describe_health_status(cloud: Cloud, request: DescribeHealthStatus) -> Answer:
    balancer = find_load_balancer(cloud, request)
    answers = []
    for listener in cloud.store.all(Listener, load_balancer_id=balancer.id):
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


def _save(cloud: Cloud, balancer: LoadBalancer) -> Answer:
    cloud.store.put(balancer)
    cloud.apply()
    members = [
        {
            "ServerId": backend.server_id,
            "Weight": str(backend.weight),
            "Type": "ecs",
            "Description": backend.description,
        }
        for backend in balancer.backends
    ]
    return {"LoadBalancerId": balancer.id, "BackendServers": {"BackendServer": members}}
