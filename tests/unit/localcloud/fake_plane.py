"""A data plane that records what it is asked, and a client that acts on a cloud over it."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from localcloud.api.app import Api
from localcloud.api.faults import Faults
from localcloud.api.gateway import Call, Credentials, Gateway
from localcloud.api.nonces import Nonces
from localcloud.cloud import Cloud
from localcloud.dataplane.model import (
    BackendKey,
    DataPlaneError,
    InstanceSpec,
    ListenerKey,
    ListenerSpec,
    ServerHealth,
    SocketAddress,
)
from localcloud.errors import ApiError
from localcloud.products import ECS, SLB, VPC, Product
from localcloud.store import Store

REGION = "cn-hangzhou"
ZONE = f"{REGION}-h"
IMAGE = "aliyun_3_x64_20G_alibase_20260915.vhd"
USER_DATA = base64.b64encode(b"#cloud-config\n{}\n").decode()


class FakePlane:
    """Records what it serves and runs; can be told to fail."""

    def __init__(self) -> None:
        self.served: dict[ListenerKey, ListenerSpec] = {}
        self.instances: dict[str, InstanceSpec] = {}
        self.failing: set[str] = set()

    def fail_at(self, method: str, *, forever: bool = False) -> None:
        """Have the next call of a method fail, or all of them."""
        self.failing.add(f"{method} forever" if forever else method)

    def start_instance(self, spec: InstanceSpec) -> None:
        self._fail("start_instance")
        self.instances[spec.instance_id] = spec

    def stop_instance(self, instance_id: str) -> None:
        self._fail("stop_instance")
        self.instances.pop(instance_id, None)

    def is_instance_running(self, instance_id: str) -> bool:
        return instance_id in self.instances

    def is_serving(self, key: ListenerKey) -> bool:
        return key in self.served

    def problems(self) -> list[str]:
        return []

    def backend_socket(self, instance_id: str, port: int) -> SocketAddress:
        if instance_id not in self.instances:
            raise DataPlaneError(f"{instance_id} was never started.")
        return SocketAddress(self.instances[instance_id].host, port)

    def apply_listeners(
        self, listeners: Sequence[ListenerSpec]
    ) -> dict[ListenerKey, SocketAddress]:
        self._fail("apply_listeners")
        self.served = {one.key: one for one in listeners}
        return {one.key: SocketAddress(one.address, one.port) for one in listeners}

    def health(self, key: ListenerKey) -> Mapping[BackendKey, ServerHealth]:
        return {one.key: "normal" for one in self.served[key].backends}

    def stop(self) -> None:
        self.served, self.instances = {}, {}

    def _fail(self, method: str) -> None:
        if {method, f"{method} forever"} & self.failing:
            self.failing.discard(method)
            raise DataPlaneError("The data plane was told to fail.")


class Clock:
    """Seconds since the epoch, as tests set them."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Account:
    """Calls actions as an admitted caller does: by product, name and flat parameters."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.plane = FakePlane()
        self.clock = Clock()
        self.cloud = Cloud(store, self.plane, now=self.clock)  # type: ignore[arg-type]
        self.api = Api(self.cloud, Gateway(Credentials("id", "secret"), Nonces()), Faults())
        self.answers: list[tuple[str, str, dict[str, Any]]] = []

    def call(self, product: Product, action: str, **parameters: Any) -> dict[str, Any]:
        """Act; parameters' double underscores are dots. Listeners are checked unless they say."""
        if action.startswith("CreateLoadBalancerHTTP"):
            parameters = {"HealthCheck": "on", **parameters}
        flat = {name.replace("__", "."): str(value) for name, value in parameters.items()}
        answer = self.api.act(Call(product.version, action, {"RegionId": REGION, **flat}))
        self.answers.append((product.name, action, answer))
        return answer

    def slb(self, action: str, **parameters: Any) -> dict[str, Any]:
        return self.call(SLB, action, **parameters)

    def ecs(self, action: str, **parameters: Any) -> dict[str, Any]:
        return self.call(ECS, action, **parameters)

    def vpc(self, action: str, **parameters: Any) -> dict[str, Any]:
        return self.call(VPC, action, **parameters)

    def refusal(self, product: Product, action: str, **parameters: Any) -> ApiError:
        """The error that an action answers with."""
        with pytest.raises(ApiError) as caught:
            self.call(product, action, **parameters)
        return caught.value

    def settle(self) -> None:
        """Let the time pass that resources take to be ready."""
        self.clock.ahead += 5

    def make_vpc(self) -> str:
        key = self.vpc("CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
        self.settle()
        return key

    def make_vswitch(self, vpc: str, block: str = "10.1.0.0/24") -> str:
        return self.vpc("CreateVSwitch", VpcId=vpc, ZoneId=ZONE, CidrBlock=block)["VSwitchId"]

    def make_group(self, vpc: str) -> str:
        return self.ecs("CreateSecurityGroup", VpcId=vpc)["SecurityGroupId"]

    def make_instance(self, **parameters: Any) -> str:
        """An instance that runs; in a network of its own unless one is given."""
        if "VSwitchId" not in parameters:
            vpc = self.make_vpc()
            parameters["VSwitchId"] = self.make_vswitch(vpc)
            parameters["SecurityGroupIds__1"] = self.make_group(vpc)
        given = {
            "InstanceType": "ecs.t6-c1m1.large",
            "ImageId": IMAGE,
            "UserData": USER_DATA,
            **parameters,
        }
        key = self.ecs("RunInstances", **given)["InstanceIdSets"]["InstanceIdSet"][0]
        self.settle()
        return key

    def make_load_balancer(self, **parameters: Any) -> str:
        given = {"InstanceChargeType": "PayByCLCU", **parameters}
        return self.slb("CreateLoadBalancer", **given)["LoadBalancerId"]
