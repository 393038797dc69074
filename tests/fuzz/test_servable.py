"""What the API takes, the data plane serves: generated calls of every action, with a real HAProxy.

An action says no in the API's own words, or does what it was asked; then every listener can be
started, and everything can be described.
"""

from __future__ import annotations

import base64
import json
import random
import secrets
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from localcloud.api.app import Api
from localcloud.api.faults import Faults
from localcloud.api.gateway import Call, Credentials, Gateway
from localcloud.api.nonces import Nonces
from localcloud.cloud import Cloud
from localcloud.dataplane import haproxy_binary
from localcloud.dataplane.model import RefusedError
from localcloud.dataplane.plane import DataPlane
from localcloud.documents import Listener, LoadBalancer
from localcloud.errors import ApiError
from localcloud.home import choose_network
from localcloud.products import PRODUCTS, SLB, Action
from localcloud.services import load
from localcloud.store import Store
from tests.fuzz.cases import ROUNDS, tried
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.fake_plane import Account, Clock
from tests.unit.localcloud.listener_site import ListenerSite, waiting_for_a_listener
from tests.unit.localcloud.tour import RULE_OF_ITS_OWN

load()
SECONDS = ROUNDS / 10
"""Half a minute, and ten times as long in the long run."""

FRESH_AFTER = 40
"""Calls after which the cloud is emptied, so that no quota is reached."""

ACTIONS = [(product.version, action) for product in PRODUCTS for action in product.actions.values()]
SERVING = [
    (SLB.version, action)
    for action in SLB.actions.values()
    for _ in range(6 if "HTTP" in action.name else 3 if "TCP" in action.name else 1)
    for word in ("Listener", "Domain", "Entry", "Backend", "Rule", "Upload")
    if action.changes and word in action.name
]
"""Those by whose values something is served, listeners more than once: three calls in four."""

PRINTABLE = "".join(map(chr, range(33, 127)))
TEXTS = [
    "", " ", "/", "a", "a b", "a\nb", "\0", "é", "名", "$_ip", "%[src]", "'", '"', "\\", "#", "{x}",
    "a.example", ".a", "a_b.example", "*.a.example", "a" * 81, "a" * 300, "on", "off", "10.0.0.0/8",
    "::/0", "127.0.0.1/32", "/healthz?a=b#c", "/%zz", "/'\"", "http_2xx,http_3xx", "-520", "0",
    "-1", "1", "65535", "65536", "443", "80", "2147483648", "1e3", "true", "null",
]  # fmt: skip


class World(Account):
    """An account over a real data plane.

    HAProxy is asked each time whether it takes what it would have to serve, which takes a fraction
    of the time that serving takes; before the cloud is emptied it really serves.
    """

    def __init__(self, folder: Path, haproxy: Path) -> None:
        self.store = Store(folder / "cloud.sqlite")
        plane = DataPlane(folder / "plane", haproxy)
        self.plane = plane
        self._really_serve = plane._haproxy.apply
        self._ask = plane._haproxy._check
        self._taken_last = ""
        plane._haproxy.apply = self._only_ask
        self.clock = Clock()
        self.cloud = Cloud(
            self.store,
            self.plane,
            networks=(choose_network(), choose_network()),
            now=self.clock,
        )
        gateway = Gateway(Credentials("id", "secret"), Nonces())
        self.api = Api(self.cloud, gateway, Faults())
        self.answers = []
        self._site: ListenerSite | None = None
        self.calls = self.taken = 0

    def close(self) -> None:
        self.plane.stop()
        self.store.close()

    @property
    def site(self) -> ListenerSite:
        assert self._site is not None
        return self._site

    def ready(self) -> None:
        """A load balancer with a listener of each protocol, lists and groups to refer to."""
        if self._site is None or self.calls % FRESH_AFTER == 0:
            self.serve()
            self.cloud.reset()
            self._site = None
        self.calls += 1
        if self._site is None or self.store.get(LoadBalancer, self._site.balancer) is None:
            self._site = waiting_for_a_listener(self)
            entries = json.dumps([{"entry": "127.0.0.0/8"}])
            acl = self.slb("CreateAccessControlList", AclName=f"acl{self.calls}")["AclId"]
            self.slb("AddAccessControlListEntry", AclId=acl, AclEntrys=entries)
            group = self.slb("CreateVServerGroup", LoadBalancerId=self.site.balancer)
            self.site.create(CACertificateId=self._site.ca_certificate)
            self.site.call(
                "CreateLoadBalancerHTTPListener", ListenerPort=80, BackendServerPort=8080
            )
            self.site.call("CreateLoadBalancerTCPListener", ListenerPort=90, BackendServerPort=8080)
            rule = {"RuleName": "a", "Url": "/a", "VServerGroupId": group["VServerGroupId"]}
            [made] = self.site.call("CreateRules", RuleList=json.dumps([rule]))["Rules"]["Rule"]
            self.slb("SetRule", RuleId=made["RuleId"], **RULE_OF_ITS_OWN)
        self.start_all()

    def _only_ask(self, text: str) -> None:
        if text != self._taken_last:
            self._ask(text)
            self._taken_last = text

    def serve(self) -> None:
        """What was taken is really served."""
        haproxy = self.plane._haproxy
        haproxy.apply = self._really_serve
        try:
            self.cloud.apply()
        finally:
            haproxy.apply = self._only_ask

    def start_all(self) -> None:
        """Every listener that is there can be started."""
        for one in self.store.all(Listener, running=False):
            of = {"LoadBalancerId": one.load_balancer_id, "ListenerProtocol": one.protocol}
            self.slb("StartLoadBalancerListener", ListenerPort=one.port, **of)
        self.cloud.apply()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    haproxy = haproxy_binary.find()
    if haproxy is None:
        pytest.skip("HAProxy is not installed")
    found = World(tmp_path_factory.mktemp("world"), haproxy)
    yield found
    found.close()


class Calls:
    """Calls at random: mostly of what is there, and mostly of the right form."""

    def __init__(self, seed: int, world: World) -> None:
        self.dice = random.Random(seed)
        self.world = world

    def next(self) -> tuple[str, Action, dict[str, str]]:
        version, action = self.dice.choice(SERVING if self.dice.random() < 0.75 else ACTIONS)
        fields = action.request.model_fields
        required = [name for name, field in fields.items() if field.is_required()]
        others = [name for name in fields if name not in {*required, "RegionId"}]
        # Few at a time: of many, one is always wrong, and the others are never looked at.
        several = self.dice.sample(others, min(len(others), self.dice.randrange(3)))
        words = [name for name in others if "str" in str(fields[name].annotation)]
        several += self.dice.sample(words, min(len(words), 1))
        parameters = {"RegionId": "cn-hangzhou"}
        for name in (*required, *several):
            parameters |= self.flat(name, self.value(name, fields[name]))
        if action.name == "CreateLoadBalancerTCPListener":
            parameters.setdefault("BackendServerPort", "8080")
        if action.name.startswith("CreateLoadBalancerHTTP"):
            parameters.setdefault("BackendServerPort", "8080")
            parameters.setdefault("ServerCertificateId", self.world.site.server_certificate)
            if action.name.endswith("HTTPListener"):
                del parameters["ServerCertificateId"]
        return version, action, parameters

    def flat(self, name: str, value: Any) -> dict[str, str]:
        if isinstance(value, list):
            items = ((f"{name}.{place}", item) for place, item in enumerate(value, 1))
            return {k: v for key, item in items for k, v in self.flat(key, item).items()}
        if isinstance(value, dict):
            items = ((f"{name}.{key}", item) for key, item in value.items())
            return {k: v for key, item in items for k, v in self.flat(key, item).items()}
        return {name: str(value)}

    def value(self, name: str, field: FieldInfo) -> Any:
        if self.dice.random() < 0.05:
            return self.text()
        found = self.referred(name)
        if found is not None:
            return found
        return self.of(field.annotation, field)

    def of(self, kind: Any, field: FieldInfo) -> Any:
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if kind in {int, float}:
            found: Any = self.number(field)
        elif kind is bool:
            found = self.dice.choice(["true", "false"])
        elif kind is str:
            kept = [field.default] if isinstance(field.default, str) else []
            found = self.dice.choice([*kept, self.text(), self.text()])
        elif origin is typing.Literal:
            found = self.dice.choice(arguments)
        elif origin is typing.Annotated:
            found = self.of(arguments[0], FieldInfo.from_annotation(kind))
        elif origin is list:
            found = [self.of(arguments[0], field) for _ in range(self.dice.randrange(1, 3))]
        elif hasattr(kind, "model_fields"):
            inner = kind.model_fields.items()
            found = {name: self.of(one.annotation, one) for name, one in inner}
        else:
            members = [one for one in arguments if one is not type(None)]
            found = self.of(self.dice.choice(members), field)
        return found

    def number(self, field: FieldInfo) -> Any:
        bounds = [
            getattr(one, side)
            for one in field.metadata
            for side in ("ge", "le")
            if hasattr(one, side)
        ]
        low, high = (min(bounds), max(bounds)) if bounds else (0, 100)
        inside = self.dice.randint(low, high)
        return self.dice.choice([low, high, inside, inside, low - 1, high + 1])

    def text(self) -> str:
        if self.dice.random() < 0.5:
            return self.dice.choice(TEXTS)
        return "".join(self.dice.choices(PRINTABLE, k=self.dice.randrange(1, 90)))

    def referred(self, name: str) -> Any:
        """A value that means something in this cloud, for parameters that name such a thing."""
        site = self.world.site
        kinds = self.world.store.everything()
        ids: dict[str, Callable[[], list[Any]]] = {
            "LoadBalancerId": lambda: [site.balancer],
            "ListenerPort": lambda: [443, 80, 90, self.dice.randrange(1, 65536)],
            "ForwardPort": lambda: [443],
            "ListenerProtocol": lambda: ["http", "https", "tcp"],
            "RuleId": lambda: [one.id for one in kinds["rule"]],
            "RuleIds": lambda: [json.dumps([one.id]) for one in kinds["rule"]],
            "RuleList": self.rules,
            "ListenerSync": lambda: ["off", "off", "on"],
            "BackendServerPort": lambda: [8080, 1, 65535],
            "ServerCertificateId": lambda: [one.id for one in kinds["server_certificate"]],
            "CACertificateId": lambda: [*(one.id for one in kinds["ca_certificate"]), ""],
            "VServerGroupId": lambda: [*(one.id for one in kinds["vserver_group"]), ""],
            "AclId": lambda: [one.id for one in kinds["acl"]],
            "InstanceId": lambda: [site.instance],
            "DomainExtensionId": lambda: [one.id for one in kinds["domain_extension"]],
            "BackendServers": self.servers,
            "NewBackendServers": self.servers,
            "OldBackendServers": self.servers,
            "AclEntrys": self.entries,
            "HealthCheckURI": lambda: [f"/{self.text()}"],
            "HealthCheckHttpCode": lambda: ["http_2xx", "http_2xx,http_5xx", "http_6xx"],
            "Domain": lambda: ["a.example.com", "*.example.com", self.text()],
            "ServerCertificate": lambda: [certificate(rsa_key()), certificate(rsa_key(1024))],
            "CACertificate": lambda: [certificate(rsa_key()), certificate(rsa_key(1024))],
            "PrivateKey": lambda: [private_key(rsa_key()), private_key(rsa_key(1024))],
            "UserData": lambda: [base64.b64encode(self.text().encode()).decode()],
        }
        found = ids[name]() if name in ids else []
        return self.dice.choice(found) if found else None

    def servers(self) -> list[str]:
        server = {
            "ServerId": self.world.site.instance,
            "Port": self.dice.choice([8080, 1, 65535, 0]),
            "Weight": self.dice.choice([0, 1, 100, 101]),
            "Description": self.text(),
        }
        without = {name: server[name] for name in ("ServerId", "Weight")}
        return [json.dumps([server]), json.dumps([without])]

    def rules(self) -> list[str]:
        rule = {
            "RuleName": self.dice.choice(["a", "b", self.text()]),
            "VServerGroupId": self.referred("VServerGroupId"),
        }
        domain = {"Domain": self.referred("Domain")}
        url = {"Url": f"/{self.text()}"}
        return [json.dumps([rule | more]) for more in (domain, url, domain | url)]

    def entries(self) -> list[str]:
        blocks = ["10.0.0.0/8", "10.0.0.1/8", "::/0", "10.0.0.0/0008", "1.2.3.4", self.text()]
        return [json.dumps([{"entry": block, "comment": self.text()}]) for block in blocks]


LOOKS = (
    "DescribeLoadBalancers",
    "DescribeLoadBalancerListeners",
    "DescribeServerCertificates",
    "DescribeCACertificates",
    "DescribeAccessControlLists",
)


def fault_of(world: World, version: str, action: Action, parameters: dict[str, str]) -> str | None:
    """What a call brings about that must not be; None of one that was refused, or served."""
    try:
        world.api.act(Call(version, action.name, parameters))
    except ApiError as error:
        refused_late = isinstance(error.__cause__, RefusedError)
        return str(error) if refused_late or not 400 <= error.status < 500 else None
    if world.store.get(LoadBalancer, world.site.balancer) is None:
        return None
    world.start_all()
    for look in LOOKS:
        world.slb(look)
    world.slb("DescribeHealthStatus", LoadBalancerId=world.site.balancer)
    world.ecs("DescribeInstances")
    world.taken += 1
    return None


def test_what_is_taken_is_served(world: World) -> None:
    seed = secrets.randbelow(2**32)
    calls = Calls(seed, world)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        world.ready()
        version, action, parameters = calls.next()
        said = f"seed {seed}: {action.name} {parameters}"
        tried["API requests to be served"] += 1
        try:
            fault = fault_of(world, version, action, parameters)
        except Exception as error:
            raise AssertionError(said) from error
        assert fault is None, f"{said}: {fault}"
    world.serve()
    assert world.taken
