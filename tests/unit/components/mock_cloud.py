"""Runs a program as the engine would, against a monitor that answers for the cloud and records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pulumi
from pulumi.runtime import config, mocks, rpc, stack
from pulumi.runtime.settings import SETTINGS, set_root_resource

from components.dynamic.properties import pack
from tests.unit.components.deployment import Deployment, Registration

PROJECT, STACK = "slb-mutual-tls", "test"
ADDRESS = "203.0.113.10"
CA_FINGERPRINT = "0123456789abcdef" * 4
CA_KEY_ID = "id of the CA's key"

SMALL_TYPES = {"ecs.z.large": ["cn-hangzhou-b"], "ecs.a.large": ["cn-hangzhou-h", "cn-hangzhou-g"]}
"""Offered where a size is asked for: zones by instance type, in the cloud's order."""

ISSUED: Mapping[str, Mapping[str, Any]] = {
    "CertificateAuthority": {
        "certificate": "certificate of the CA",
        "private_key": "key of the CA",
        "key_id": CA_KEY_ID,
        "fingerprint_sha256": CA_FINGERPRINT,
        "expired_probe": {"certificate": "of the probe", "private_key": "key of the probe"},
    },
    "CertificateRecord": {
        "entries": pack(
            [
                {
                    "role": "ca",
                    "name": "CA",
                    "subject": "CN=CA",
                    "serial_number": "0c",
                    "fingerprint_sha256": "0d",
                    "not_before": "2026-03-14T00:00:00Z",
                    "not_after": "2036-03-10T23:59:59Z",
                    "status": "valid",
                }
            ]
        )
    },
    "CertificateRegister": {
        "issued": pack(
            [
                {
                    "name": "browser",
                    "serial_number": "0a",
                    "fingerprint_sha256": "0b",
                    "subject": "CN=browser",
                    "not_before": "2026-03-14T00:00:00Z",
                    "not_after": "2027-03-13T23:59:59Z",
                    "status": "valid",
                    "key": "RSA 2048",
                }
            ]
        ),
        "revision": "0",
        "bundles": pack(
            {
                "chains": ["certificate of the CA"],
                "clients": {"browser": {"pass_phrase": "of browser", "chain": 0}},
            }
        ),
    },
    "RevocationList": {"revocation_list": "list of the CA", "number": "1"},
    "ServerCertificate": {
        "certificate": "certificate of the server",
        "private_key": "key of the server",
    },
}
"""Outputs of the dynamic resources, each another text, so that a swap shows."""


BALANCER = {
    "address": "203.0.113.20",
    "addressIpVersion": "ipv4",
    "loadBalancerSpec": "slb.lcu.elastic",
}
"""An existing load balancer that can be used."""


class MockCloud(mocks.Mocks):
    """Answers of the provider and of the dynamic resources.

    Args:
        preview: What creation tells is not known yet.
        types: Zones by instance type that the region sells.
        images: Ids of the images that it has.
        instances: Ids of the account's instances.
        issued: Outputs of the dynamic resources.
        switches: VPC and zone of each of its vSwitches, by id.
        taken: Name and block of each vSwitch in its VPCs, by id.
        vpcs: Ids of its VPCs, which have 10.0.0.0/8.
        groups: VPC of each of its security groups, by id.
        balancers: Its load balancers by id: what differs from `BALANCER`.
        slb_zones: Master and slave zones in which the region sells load balancers.
        address: Of a load balancer that is made.
        standing: Zones of vSwitches that stand already, by the resource's name.
        zones: Of the region, beside those that sell an instance type.
        outputs: Of the stack, as the last update left them.
        urns: Of its resources, likewise.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        preview: bool = False,
        types: Mapping[str, list[str]] = SMALL_TYPES,
        images: tuple[str, ...] = ("aliyun_3_x64_20G_alibase.vhd",),
        instances: tuple[str, ...] = (),
        issued: Mapping[str, Mapping[str, Any]] = ISSUED,
        switches: Mapping[str, tuple[str, str]] | None = None,
        taken: Mapping[str, tuple[str, str]] | None = None,
        vpcs: tuple[str, ...] = (),
        groups: Mapping[str, str] | None = None,
        balancers: Mapping[str, Mapping[str, str]] | None = None,
        slb_zones: tuple[tuple[str, str], ...] = (),
        address: str = ADDRESS,
        standing: Mapping[str, str] | None = None,
        zones: tuple[str, ...] = (),
        outputs: Mapping[str, Any] | None = None,
        urns: tuple[str, ...] = (),
    ) -> None:
        self._issued = issued
        self._deployment = deployment
        self._preview = preview
        self._types = types
        self._images = images
        self._instances = instances
        self._switches = switches or {}
        self._taken = taken or {}
        self._vpcs = vpcs
        self._groups = groups or {}
        self._balancers = balancers or {}
        self._slb_zones = slb_zones
        self._address = address
        self._standing = standing or {}
        self._zones = zones
        self._outputs = outputs or {}
        self._urns = urns

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = {key: plain(value) for key, value in args.inputs.items()}
        if not args.custom:
            return None, inputs
        kind = args.typ.rsplit(":", 1)[1]
        if self._preview:
            # The CA's check adds it to the inputs.
            known = {"key_id": CA_KEY_ID} if kind == "CertificateAuthority" else {}
            return None, {**inputs, **known}
        if args.typ.startswith("pulumi-python:dynamic"):
            return f"{kind} {args.name}", {**inputs, **self._issued[kind]}
        made = {"address": self._address} if kind == "ApplicationLoadBalancer" else {}
        if kind == "Switch" and args.name in self._standing:
            made = {"zoneId": self._standing[args.name]}
        return f"{kind} {args.name}", {**inputs, **made}

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        if args.token.startswith("pulumi:pulumi:"):
            return {"outputs": self._state(args.token.rsplit(":", 1)[1], args.args)}
        self._deployment.invokes.append((args.token, args.args))
        if args.token == "alicloud:index/getZones:getZones":
            sold = {zone for zones in self._types.values() for zone in zones}
            return {"ids": sorted({*sold, *self._zones})}
        return self._answers(args.token.rsplit(":", 1)[1], args.args)

    def _state(self, function: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the engine knows of the stack."""
        own = f"organization/{PROJECT}/{STACK}"
        match function, asked:
            case "readStackOutputs", {"name": name} if name == own:
                return self._outputs
            case "readStackResourceOutputs", {"stackName": name} if name == own:
                return {urn: {} for urn in self._urns}
        raise AssertionError(f"no mock of {function} with {asked}")

    def _answers(self, function: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        ids = asked.get("ids", [])
        match function:
            case "getInstanceTypes":
                wanted = asked.get("instanceType")
                types = {
                    name: zones
                    for name, zones in self._types.items()
                    if wanted is None or name == wanted
                }
                key, found = (
                    "instanceTypes",
                    [{"id": name, "availabilityZones": zones} for name, zones in types.items()],
                )
            case "getImages":
                key, found = "images", [{"id": image} for image in self._images]
            case "getInstances":
                key, found = "instances", [{"id": one} for one in self._instances if one in ids]
            case "getSwitches" if "vpcId" in asked:
                key, found = (
                    "vswitches",
                    [
                        {"id": one, "vswitchName": name, "cidrBlock": block}
                        for one, (name, block) in self._taken.items()
                    ],
                )
            case "getSwitches":
                key, found = (
                    "vswitches",
                    [
                        {"id": one, "vpcId": vpc, "zoneId": zone}
                        for one, (vpc, zone) in self._switches.items()
                        if one in ids
                    ],
                )
            case "getNetworks":
                blocks = {"cidrBlock": "10.0.0.0/8", "secondaryCidrBlocks": ["172.16.0.0/16"]}
                key, found = "vpcs", [{"id": one, **blocks} for one in self._vpcs if one in ids]
            case "getSecurityGroups":
                key, found = (
                    "groups",
                    [{"id": one, "vpcId": vpc} for one, vpc in self._groups.items() if one in ids],
                )
            case "getApplicationLoadBalancers":
                key, found = (
                    "balancers",
                    [
                        {"id": one, **BALANCER, **own}
                        for one, own in self._balancers.items()
                        if one in ids
                    ],
                )
            case "getZones":
                key, found = (
                    "zones",
                    [
                        {"masterZoneId": master, "slaveZoneId": slave}
                        for master, slave in self._slb_zones
                    ],
                )
            case _:
                raise AssertionError(f"no mock of {function}")
        return {key: found}


class RecordingMonitor(mocks.MockMonitor):
    """Keeps whole requests: mocks see inputs only, not what the engine does with options."""

    def __init__(self, cloud: MockCloud, deployment: Deployment) -> None:
        super().__init__(cloud)
        self._deployment = deployment

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            self._deployment.registrations.append(
                Registration(
                    type=request.type,
                    name=request.name,
                    urn=response.urn,
                    parent=request.parent,
                    inputs={key: plain(value) for key, value in inputs.items()},
                    secret_inputs=frozenset(k for k, v in inputs.items() if rpc.is_rpc_secret(v)),
                    request=request,
                )
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        if "::pulumi:pulumi:Stack::" in request.urn:
            found = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
            self._deployment.outputs = {key: plain(value) for key, value in found.items()}
            self._deployment.secret_outputs = {k for k, v in found.items() if rpc.is_rpc_secret(v)}
        return super().RegisterResourceOutputs(request)


def plain(value: Any) -> Any:
    """A value without the envelopes of secrets in it."""
    if rpc.is_rpc_secret(value):
        return plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def _tell_what_nobody_raises(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Leave out exceptions that nobody awaited: the first of a program's is raised.

    They are told of when the collector finds them, in whatever runs then: a traceback parses code,
    and if that is what runs, CPython 3.11.7 ends it by a SystemError (gh-106905).
    """
    if not str(context.get("message")).endswith("exception was never retrieved"):
        loop.default_exception_handler(context)


def deploy(
    program: Callable[[], Any],
    *,
    preview: bool = False,
    configuration: Mapping[str, str] | None = None,
    secret_keys: tuple[str, ...] = (),
    **cloud: Any,
) -> Deployment:
    """Run a program to its end, with all that it left to be done later.

    Args:
        program: Called inside of a stack.
        preview: As `pulumi preview` runs it.
        configuration: Texts by full key.
        secret_keys: Those of them that hold secrets.
        cloud: Arguments of `Cloud`.
    """
    deployment = Deployment()

    loops: list[asyncio.AbstractEventLoop] = []

    def equip_thread() -> None:
        # The mock monitor would make one for each of its threads, and leave it open.
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(_tell_what_nobody_raises)
        executor = ThreadPoolExecutor(initializer=equip_thread)
        asyncio.get_running_loop().set_default_executor(executor)
        # In the task, so that settings, configuration and root resource (context variables) end
        # with it.
        monitor = RecordingMonitor(MockCloud(deployment, preview=preview, **cloud), deployment)
        # Where there is a root, `set_mocks` makes none: its outputs, none at all, would be
        # registered too, and now and then after the program's.
        set_root_resource(SimpleNamespace())
        mocks.set_mocks(
            monitor.mocks,
            PROJECT,
            STACK,
            preview=preview,
            monitor=monitor,
            organization="organization",
        )
        config.set_all_config(dict(configuration or {}), list(secret_keys))
        set_root_resource(None)
        await stack.run_in_stack(lambda: program() and None)

    try:
        # On a thread of its own, as the SDK tells the engine of each resource where the program
        # made it: the whole stack, which is pytest's for the most part.
        with ThreadPoolExecutor(1) as alone:
            alone.submit(asyncio.run, run()).result()
    finally:
        # Of a program that failed, the SDK would wait for the rest within the next one.
        SETTINGS.outputs.clear()
        for loop in loops:
            loop.close()
    return deployment


def existing_authority() -> Any:
    """What the load balancer needs of a `PrivateCertificateAuthority`."""
    issued = ISSUED["CertificateAuthority"]
    return SimpleNamespace(
        certificate=pulumi.Output.from_input(issued["certificate"]),
        private_key=pulumi.Output.secret(issued["private_key"]),
        key_id=pulumi.Output.from_input(issued["key_id"]),
        id=pulumi.Output.from_input("id of the CA"),
        fingerprint_sha256=pulumi.Output.from_input(issued["fingerprint_sha256"]),
        name_constraints={},
        next_certificate=None,
        cross_certificate=None,
    )
