"""An existing load balancer, made by hand as the tutorial makes it, comes under the program.

Its instance, default server group and HTTPS listener become the stack's by `pulumi import`, as they
are. Certificates do not: the API returns no content of theirs, so the program could only replace
them. It uploads its own beside them, the listener switches in place, and the old ones stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from operations.errors import OperationError
from operations.plan import Plan
from operations.slb import SlbApi
from operations.stack import Stack, project_name
from settings import NAMESPACE, Settings, SettingsError, parse

COMPONENT = "slb-mutual-tls:index:MutualTlsLoadBalancer"
INSTANCE = "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer"
SERVERS = "alicloud:slb/backendServer:BackendServer"
LISTENER = "alicloud:slb/listener:Listener"

Value = str | int | bool


@dataclass(frozen=True)
class Existing:
    """A load balancer, its HTTPS listener and the listener's certificates, as the API tells them.

    Attributes:
        instance: Body of DescribeLoadBalancerAttribute.
        port: Of the listener.
        listener: Body of DescribeLoadBalancerHTTPSListenerAttribute.
        ca_fingerprint: Of the listener's CA certificate, lower-case hex without colons; None for
            one-way TLS.
        other_listeners: Of the same load balancer, such as `http:80`.
    """

    instance: Any
    port: int
    listener: Any
    ca_fingerprint: str | None
    other_listeners: tuple[str, ...]

    @property
    def server_ids(self) -> list[str]:
        """Of the default server group."""
        return [one.server_id for one in self.instance.backend_servers.backend_server]


def look(api: SlbApi, load_balancer_id: str, port: int | None) -> Existing:
    """Look a load balancer up.

    Args:
        api: Of its region.
        load_balancer_id: `lb-…`.
        port: Of its HTTPS listener; None if it has just one.

    Raises:
        OperationError: There is no such load balancer or listener, or the API cannot be asked.
    """
    instance = api.ask("DescribeLoadBalancerAttribute", load_balancer_id=load_balancer_id)
    found = instance.listener_ports_and_protocol.listener_port_and_protocol
    listeners = [(one.listener_protocol, one.listener_port) for one in found]
    https = [number for protocol, number in listeners if protocol == "https"]
    if port is None and len(https) == 1:
        (port,) = https
    if port is None or port not in https:
        have = ", ".join(map(str, https)) or "none"
        wanted = "one HTTPS listener" if port is None else f"an HTTPS listener at port {port}"
        raise OperationError(
            f"{load_balancer_id} does not have {wanted} (ports of HTTPS listeners: {have}); name "
            "the port by ARGS=--port=…."
        )
    listener = api.ask(
        "DescribeLoadBalancerHTTPSListenerAttribute",
        load_balancer_id=load_balancer_id,
        listener_port=port,
    )
    return Existing(
        instance=instance,
        port=port,
        listener=listener,
        ca_fingerprint=_fingerprint(api, listener.cacertificate_id),
        other_listeners=tuple(
            f"{protocol}:{number}"
            for protocol, number in listeners
            if (protocol, number) != ("https", port)
        ),
    )


def _fingerprint(api: SlbApi, certificate_id: str | None) -> str | None:
    if not certificate_id:
        return None
    found = api.ask("DescribeCACertificates", cacertificate_id=certificate_id)
    return str(found.cacertificates.cacertificate[0].fingerprint).replace(":", "").lower()


def configuration(existing: Existing, config: Mapping[str, Any]) -> dict[str, Value]:
    """What the stack's configuration has to say so that the load balancer stays as it is.

    Keys that the configuration sets already stay; the preview shows what they change.

    Args:
        existing: The load balancer.
        config: The stack's configuration, as its file has it.

    Returns:
        Values by path, for `StackFile.change`.

    Raises:
        OperationError: Something is configured that could only be had by replacing it, or the load
            balancer has what the program does not take.
    """
    _require_the_tutorial_s_kind(existing)
    sections = {name: dict(config.get(f"{NAMESPACE}:{name}") or {}) for name in SECTIONS}
    _require_new(sections)
    wanted: dict[str, Value] = {}
    for path, value in _alike(existing):
        configured = _at(sections, path)
        if configured is None:
            _set(sections, path, value)
            if value != _default(path):
                wanted[f"{NAMESPACE}:{path}"] = value
        elif path in FIXED and configured != value:
            raise OperationError(
                f"{path} is configured as {configured}, and it is {value} there: the change would "
                "replace it. Set it to what is there, or leave it out."
            )
    configured_ids = sections["backends"].setdefault("instance_ids", existing.server_ids)
    if set(configured_ids) != set(existing.server_ids):
        raise OperationError(
            f"backends.instance_ids is configured as {', '.join(configured_ids)}, and the default "
            f"server group has {', '.join(existing.server_ids)}: leave the key out, and change the "
            "backends after the import."
        )
    wanted |= {
        f"{NAMESPACE}:backends.instance_ids[{index}]": server_id
        for index, server_id in enumerate(existing.server_ids)
    }
    _require_valid(sections)
    return wanted


SECTIONS = ("load_balancer", "listener", "backends")

FIXED = frozenset({"load_balancer.address_type", "listener.port", "backends.port"})
"""What only a replacement changes."""


def _alike(existing: Existing) -> Iterator[tuple[str, Value]]:
    """The configuration's keys with what they are there."""
    instance, listener = existing.instance, existing.listener
    yield "load_balancer.name", instance.load_balancer_name
    yield "load_balancer.address_type", instance.address_type
    if instance.address_type == "intranet":
        yield "load_balancer.vswitch_id", instance.v_switch_id
    if instance.instance_charge_type == "PayBySpec":
        yield "load_balancer.instance_charge_type", "PayBySpec"
        yield "load_balancer.specification", instance.load_balancer_spec
        if instance.internet_charge_type.lower() == "paybybandwidth":
            yield "load_balancer.internet_charge_type", "PayByBandwidth"
            yield "load_balancer.bandwidth", int(instance.bandwidth)
    yield "load_balancer.deletion_protection", instance.delete_protection == "on"
    yield "backends.port", int(listener.backend_server_port)
    yield "listener.port", existing.port
    yield "listener.scheduler", listener.scheduler
    yield "listener.bandwidth", int(listener.bandwidth)
    yield "listener.idle_timeout", int(listener.idle_timeout)
    yield "listener.request_timeout", int(listener.request_timeout)
    yield "listener.gzip", listener.gzip == "on"
    yield "listener.http2", listener.enable_http_2 == "on"
    if listener.health_check == "on":
        yield "listener.health_check.uri", listener.health_check_uri
        yield "listener.health_check.method", listener.health_check_method
        for key in ("interval", "timeout"):
            value = getattr(listener, f"health_check_{key}")
            yield f"listener.health_check.{key}", int(value)
        for key in ("healthy_threshold", "unhealthy_threshold"):
            yield f"listener.health_check.{key}", int(getattr(listener, key))


def _at(sections: Mapping[str, Any], path: str) -> Any:
    value: Any = sections
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _default(path: str) -> Any:
    return reduce(getattr, path.split("."), Settings())


def _set(sections: dict[str, Any], path: str, value: Value) -> None:
    *above, last = path.split(".")
    for part in above:
        sections[part] = dict(sections.get(part) or {})
        sections = sections[part]
    sections[last] = value


def _require_new(sections: Mapping[str, Any]) -> None:
    if "id" in sections["load_balancer"]:
        raise OperationError(
            "load_balancer.id uses a load balancer without managing it: remove the key first."
        )


def _require_valid(sections: Mapping[str, Any]) -> None:
    """Check that the configuration can say what is there; else it would change without a word."""
    try:
        parse(sections, file="As it is there")
    except SettingsError as error:
        raise OperationError(
            f"{error}\nSet these keys to what you want before the import. Every backend has to "
            "answer the path of the health check."
        ) from None


def _require_the_tutorial_s_kind(existing: Existing) -> None:
    listener = existing.listener
    if listener.vserver_group_id:
        raise OperationError(
            f"The listener at port {existing.port} answers from VServer group "
            f"{listener.vserver_group_id}; only one that answers from the default server group can "
            "be imported. To use the load balancer without managing it: load_balancer.id."
        )
    if not existing.server_ids:
        raise OperationError("The default server group is empty: add its servers first.")


def require_none(stack: Stack) -> None:
    """Check that the stack has no load balancer.

    Raises:
        OperationError: It has one.
    """
    if COMPONENT in stack.capture("stack", "export").stdout:
        raise OperationError(f"Stack {stack.name} has a load balancer already.")


def bring_in(stack: Stack, existing: Existing) -> None:
    """Make the load balancer the stack's, by `pulumi import`; nothing is changed in the cloud.

    Raises:
        OperationError: The engine refuses; it has said why.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder, "import.json")
        document = resources(f"{project_name()}-{stack.name}", existing)
        file.write_text(json.dumps(document), encoding="utf-8")
        options = ("--protect=false", "--generate-code=false", "--yes", "--skip-preview")
        if stack.run("import", "--file", str(file), *options) != 0:
            raise OperationError("The load balancer cannot be imported.")


def resources(name: str, existing: Existing) -> dict[str, Any]:
    """The document that `pulumi import --file` takes.

    Args:
        name: Of the program's resources.
        existing: The load balancer.
    """
    load_balancer_id = existing.instance.load_balancer_id
    imported = [
        (INSTANCE, load_balancer_id),
        (SERVERS, load_balancer_id),
        (LISTENER, f"{load_balancer_id}:https:{existing.port}"),
    ]
    return {
        "resources": [
            {"type": COMPONENT, "name": "component", "logicalName": name, "component": True},
            *(
                {
                    "type": kind,
                    "name": kind,
                    "logicalName": name,
                    "id": identifier,
                    "parent": "component",
                    "version": version("pulumi-alicloud"),
                }
                for kind, identifier in imported
            ),
        ]
    }


def let_go(stack: Stack) -> None:
    """Forget what was imported; the cloud is left as it is."""
    deployment = json.loads(stack.capture("stack", "export").stdout)["deployment"] or {}
    imported = (LISTENER, SERVERS, INSTANCE, COMPONENT)
    urns = {one["type"]: one["urn"] for one in deployment.get("resources", [])}
    for kind in imported:
        if kind in urns:
            stack.capture("state", "delete", urns[kind], "--yes")


def require_in_place(plan: Plan, status: int) -> None:
    """Check that `up` would change what was imported, and neither replace nor delete any of it.

    Raises:
        OperationError: It would, or the preview failed.
    """
    if status != 0:
        raise OperationError("The preview fails.")
    lost = [one.type for one in plan.changes if one.operation in {"replace", "delete"}]
    if lost:
        raise OperationError(f"`make up` would replace {', '.join(lost)}.")


def remarks(existing: Existing, config: Mapping[str, Any]) -> Iterator[str]:
    """What a person has to know before `make up`."""
    listener = existing.listener
    yield (
        f"Left alone: server certificate {listener.server_certificate_id}"
        + (f" and CA certificate {listener.cacertificate_id}" if existing.ca_fingerprint else "")
        + ". After `make up` nothing refers to them; delete them by hand."
    )
    if existing.other_listeners:
        yield f"Left alone: listeners {', '.join(existing.other_listeners)}."
    if existing.ca_fingerprint is None:
        yield "The listener asks for no client certificate today; after `make up` it does."
    elif _same_ca(existing.ca_fingerprint, config):
        yield "The CA stays the same: client certificates of before go on working."
    else:
        yield (
            "The CA is another: after `make up` the listener refuses every client certificate of "
            "before. To keep them, bring the CA along: certificate_authority.certificate and "
            ".private_key."
        )


def _same_ca(fingerprint: str, config: Mapping[str, Any]) -> bool:
    text = (config.get(f"{NAMESPACE}:certificate_authority") or {}).get("certificate")
    if text is None:
        return False
    certificate = x509.load_pem_x509_certificate(text.encode())
    # The API's fingerprint is SHA-1.
    return certificate.fingerprint(hashes.SHA1()).hex() == fingerprint  # noqa: S303
