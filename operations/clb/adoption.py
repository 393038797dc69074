"""Adoption of an existing load balancer: a configuration that keeps it, and its import."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import reduce
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.arguments.cloud import DEFAULT_WEIGHT
from components.arguments.errors import SettingsError
from components.arguments.model import NAMESPACE
from configuration.settings import Settings, parse
from operations.clb.api import LOAD_BALANCER_TYPE
from operations.clb.existing import ObservedLoadBalancer
from operations.errors import OperationError, undisturbed
from operations.project import project_name
from operations.review.plan import Plan
from operations.stacks.environment import section
from operations.stacks.stack import Stack
from operations.stacks.stack_file import Scalar

Value = Scalar | tuple[str, ...] | Mapping[str, Scalar | tuple[str, ...]]
"""Value of one configuration key; a sticky session or an access control list is one value."""

SECTIONS = ("load_balancer", "listener", "additional_listeners", "backends", "tags")
"""Sections of the configuration that describe the load balancer."""

FIXED = frozenset(
    {
        "load_balancer.address_type",
        "load_balancer.address_ip_version",
        "load_balancer.vswitch_id",
        "load_balancer.master_zone_id",
        "load_balancer.slave_zone_id",
        "load_balancer.resource_group_id",
        "listener.port",
        "backends.port",
    }
)
"""Keys whose change replaces the load balancer or its listener."""

KEPT_UNSET = frozenset(
    {
        "load_balancer.master_zone_id",
        "load_balancer.slave_zone_id",
        "load_balancer.resource_group_id",
    }
)
"""Keys that stay as they are in the cloud where the configuration does not set them."""

STRICT = frozenset({"tls_cipher_policy_1_2_strict", "tls_cipher_policy_1_2_strict_with_1_3"})
"""TLS policies that the rules for every stack let through."""

COMPONENT = "slb-mutual-tls:index:MutualTlsLoadBalancer"
SERVERS = "alicloud:slb/backendServer:BackendServer"
LISTENER = "alicloud:slb/listener:Listener"
DOMAIN_EXTENSION = "alicloud:slb/domainExtension:DomainExtension"
IMPORTED_TYPES = frozenset({COMPONENT, LOAD_BALANCER_TYPE, SERVERS, LISTENER, DOMAIN_EXTENSION})
PROGRAM_TYPES = "pulumi-python:dynamic"
"""Prefix of the resource types that only the program makes: they cannot be imported."""


def adopt_settings(
    existing: ObservedLoadBalancer, config: Mapping[str, Any]
) -> tuple[dict[str, Scalar], Settings]:
    """Derive the configuration under which the load balancer stays as it is.

    Keys that the configuration sets already stay; the preview shows what they change.

    Args:
        existing: The load balancer.
        config: The stack's configuration, as its file has it.

    Returns:
        Values by path, for `propose`; and the settings that come of it, as far as they
        are about load balancer, listeners and backends.

    Raises:
        OperationError: Something is configured that could only be had by replacing it, or the load
            balancer has what the program does not take.
    """
    sections = {name: section(config, name) for name in SECTIONS}
    _require_new(sections)
    _require_way_back(existing, sections)
    _require_domain_extensions(existing, sections)
    wanted: dict[str, Scalar] = {}
    for path, value in _observed_settings(existing):
        if not _has(sections, path):
            if path in KEPT_UNSET:
                continue
            _set(sections, path, value)
            if value != _default(path):
                wanted |= _leaves(f"{NAMESPACE}:{path}", value)
        elif path in FIXED and _at(sections, path) != value:
            raise OperationError(
                f"{path} is configured as {_at(sections, path)}, and it is {value} there: the "
                "change would replace it. Set it to what is there, or leave it out."
            )
    wanted |= _backends(existing, sections["backends"])
    wanted |= _tags(existing, sections["tags"])
    _require_free_ports(existing, sections)
    return wanted, _validate(sections)


def _observed_settings(existing: ObservedLoadBalancer) -> Iterator[tuple[str, Value]]:
    """Yield each configuration key with the value that the existing load balancer has for it."""
    instance, listener = existing.instance, existing.listener
    yield "load_balancer.name", instance.load_balancer_name
    yield "load_balancer.address_type", instance.address_type
    yield "load_balancer.address_ip_version", instance.address_ipversion or "ipv4"
    if instance.address_type == "intranet":
        yield "load_balancer.vswitch_id", instance.v_switch_id
    yield "load_balancer.master_zone_id", instance.master_zone_id
    yield "load_balancer.slave_zone_id", instance.slave_zone_id
    yield "load_balancer.resource_group_id", instance.resource_group_id
    if not _is_charged_by_lcu(existing):
        yield "load_balancer.instance_charge_type", "PayBySpec"
        yield "load_balancer.specification", instance.load_balancer_spec
        if instance.internet_charge_type.lower() == "paybybandwidth":
            yield "load_balancer.internet_charge_type", "PayByBandwidth"
            yield "load_balancer.bandwidth", int(instance.bandwidth)
    yield "load_balancer.deletion_protection", instance.delete_protection == "on"
    if instance.modification_protection_status == "ConsoleProtection":
        yield "load_balancer.modification_protection", True
    yield "backends.port", int(listener.backend_server_port)
    yield "listener.port", existing.port
    if existing.redirect_port is not None:
        yield "listener.redirect_port", existing.redirect_port
    if listener.tlscipher_policy in STRICT:
        yield "listener.tls_cipher_policy", listener.tlscipher_policy
    yield "listener.http2", listener.enable_http_2 == "on"
    yield "listener.gzip", listener.gzip == "on"
    yield "listener.scheduler", listener.scheduler
    if listener.sticky_session == "on":
        yield "listener.sticky_session", _sticky_session(listener)
    if listener.acl_status == "on":
        # The lists stay whose they are: the listener goes on using them, by their ids.
        ids = tuple(listener.acl_ids.acl_id) if listener.acl_ids else (listener.acl_id,)
        yield "listener.acl", {"type": listener.acl_type, "ids": ids}
    yield "listener.bandwidth", int(listener.bandwidth)
    yield "listener.idle_timeout", int(listener.idle_timeout)
    yield "listener.request_timeout", int(listener.request_timeout)
    yield "listener.forwarded_headers.proto", listener.xforwarded_for_proto == "on"
    yield "listener.forwarded_headers.slb_id", listener.xforwarded_for_slbid == "on"
    yield "listener.forwarded_headers.slb_ip", listener.xforwarded_for_slbip == "on"
    yield from _health_check(listener)


def _is_charged_by_lcu(existing: ObservedLoadBalancer) -> bool:
    return bool(existing.instance.instance_charge_type == "PayByCLCU")


def _sticky_session(listener: Any) -> dict[str, Scalar | tuple[str, ...]]:
    if listener.sticky_session_type == "insert":
        return {"type": "insert", "cookie_timeout": int(listener.cookie_timeout)}
    return {"type": listener.sticky_session_type, "cookie": listener.cookie}


def _health_check(listener: Any) -> Iterator[tuple[str, Value]]:
    """Yield the health check's keys. Without a check, the API tells nothing else of it."""
    yield "listener.health_check.enabled", listener.health_check == "on"
    if listener.health_check != "on":
        return
    yield "listener.health_check.uri", listener.health_check_uri
    yield "listener.health_check.method", listener.health_check_method
    codes = tuple(listener.health_check_http_code.split(","))
    yield "listener.health_check.http_codes", codes
    if listener.health_check_domain:
        yield "listener.health_check.domain", listener.health_check_domain
    port = listener.health_check_connect_port
    # -520 stands for the backend port.
    if port is not None and int(port) not in {-520, int(listener.backend_server_port)}:
        yield "listener.health_check.port", int(port)
    yield "listener.health_check.interval", int(listener.health_check_interval)
    yield "listener.health_check.timeout", int(listener.health_check_timeout)
    yield "listener.health_check.healthy_threshold", int(listener.healthy_threshold)
    yield "listener.health_check.unhealthy_threshold", int(listener.unhealthy_threshold)


def _backends(existing: ObservedLoadBalancer, section: dict[str, Any]) -> dict[str, Scalar]:
    """Yield the default server group's instances, and their weights in the same order.

    Raises:
        OperationError: Others are configured.
    """
    there = existing.weights
    wanted: dict[str, Scalar] = {}
    configured = section.setdefault("instance_ids", wanted_ids := tuple(there))
    if configured is wanted_ids:
        wanted |= _leaves(f"{NAMESPACE}:backends.instance_ids", wanted_ids)
    elif set(configured) != set(there):
        raise OperationError(
            f"backends.instance_ids is configured as {', '.join(configured)}, and the default "
            f"server group has {', '.join(there)}: leave the key out, and change the "
            "backends after the import."
        )
    if "weights" not in section and set(there.values()) != {DEFAULT_WEIGHT}:
        section["weights"] = [there[server_id] for server_id in configured]
        wanted |= {
            f"{NAMESPACE}:backends.weights[{index}]": weight
            for index, weight in enumerate(section["weights"])
        }
    return wanted


def _tags(existing: ObservedLoadBalancer, section: Mapping[str, Any]) -> dict[str, Scalar]:
    """Yield the load balancer's tags, which then are every resource's."""
    return {
        f"{NAMESPACE}:tags{_quoted(key)}": value
        for key, value in existing.tags.items()
        if key not in section
    }


def _quoted(key: str) -> str:
    """Quote a key that is no plain word, for a path of the Pulumi CLI."""
    escaped = key.replace('"', '\\"')
    return f'["{escaped}"]'


def _has(sections: Mapping[str, Any], path: str) -> bool:
    *above, last = path.split(".")
    owner = _at(sections, ".".join(above))
    return isinstance(owner, Mapping) and last in owner


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


def _leaves(path: str, value: Value) -> dict[str, Scalar]:
    """Yield plain values by path: the Pulumi CLI sets no others."""
    leaves: dict[str, Scalar] = {}
    if isinstance(value, Mapping):
        for key, below in value.items():
            leaves |= _leaves(f"{path}.{key}", below)
    elif isinstance(value, tuple):
        for index, text in enumerate(value):
            leaves[f"{path}[{index}]"] = text
    else:
        leaves[path] = value
    return leaves


def _require_new(sections: Mapping[str, Any]) -> None:
    if "id" in sections["load_balancer"]:
        raise OperationError(
            "load_balancer.id uses a load balancer without managing it: remove the key first."
        )


def _require_way_back(existing: ObservedLoadBalancer, sections: Mapping[str, Any]) -> None:
    if sections["load_balancer"].get("instance_charge_type") == "PayBySpec" and _is_charged_by_lcu(
        existing
    ):
        raise OperationError(
            "load_balancer.instance_charge_type is configured as PayBySpec, and it is PayByCLCU "
            "there, from which there is no way back. Leave it out."
        )


def _require_domain_extensions(existing: ObservedLoadBalancer, sections: Mapping[str, Any]) -> None:
    """Check that each additional domain's certificate is configured: the API does not return it."""
    configured = {domain.lower() for domain in _at(sections, "listener.domain_extensions") or {}}
    missing = [domain for domain in existing.domain_extensions if domain.lower() not in configured]
    if missing:
        example = ", ".join(f'"{domain}": {{}}' for domain in missing)
        raise OperationError(
            f"The listener has certificates of their own for {', '.join(missing)}, whose content "
            "the API does not return. Say in listener.domain_extensions where the stack has its "
            f"own from, with a certificate, or as {{{example}}} from the private CA."
        )


def _require_free_ports(existing: ObservedLoadBalancer, sections: Mapping[str, Any]) -> None:
    """Check that no configured port is that of a listener that is left alone."""
    wanted = {"listener.redirect_port": _at(sections, "listener.redirect_port")}
    wanted |= {
        f"additional_listeners.{name}.port": (section or {}).get("port")
        for name, section in sections["additional_listeners"].items()
    }
    if wanted["listener.redirect_port"] == existing.redirect_port:
        del wanted["listener.redirect_port"]
    for place, port in wanted.items():
        for other in existing.other_listeners:
            if other.endswith(f":{port}"):
                raise OperationError(
                    f"{place} is configured as {port}, where the load balancer has a listener "
                    f"already ({other}), which is not taken over: remove it, or give another port."
                )


def _validate(sections: Mapping[str, Any]) -> Settings:
    """Check that the configuration can express the load balancer; else `up` would change it."""
    checked = {name: dict(section) for name, section in sections.items()}
    if checked["listener"].get("domain_extensions"):
        # Their certificates are none of this, and their keys are secrets.
        domains = checked["listener"]["domain_extensions"]
        checked["listener"]["domain_extensions"] = {domain: {} for domain in domains}
    try:
        return parse(checked, file="As it is there")
    except SettingsError as error:
        health = "health_check.uri" in str(error)
        raise OperationError(
            f"{error}\nSet these keys to what you want before the import."
            + (" Every backend has to answer the path of the health check." if health else "")
        ) from None


def require_no_load_balancer(stack: Stack, config: Mapping[str, Any]) -> None:
    """Check that the stack has no load balancer; forget what an import left that was killed.

    Raises:
        OperationError: It has one.
    """
    present = stack.deployment().get("resources") or []
    types = {resource["type"] for resource in present}
    if COMPONENT not in types:
        return
    # What was imported in full is in the configuration, and what is up has certificates.
    whole = "instance_ids" in section(config, "backends")
    if whole or any(kind.startswith(PROGRAM_TYPES) for kind in types):
        raise OperationError(f"Stack {stack.name} has a load balancer already.")
    forget_all_but(
        stack, {resource["urn"] for resource in present if resource["type"] not in IMPORTED_TYPES}
    )


@contextlib.contextmanager
def import_load_balancer(
    stack: Stack, existing: ObservedLoadBalancer, settings: Settings
) -> Iterator[Callable[[], None]]:
    """Import the load balancer into the stack by `pulumi import`; nothing changes in the cloud.

    Gives a function after whose call the stack keeps it. However the block ends without it, the
    stack forgets what was imported.

    Raises:
        OperationError: The engine refuses; it has said why.
    """
    before = {resource["urn"] for resource in stack.deployment().get("resources") or []}
    with contextlib.ExitStack() as undo:
        undo.callback(forget_all_but, stack, before)
        _import(stack, existing, settings)

        def keep() -> None:
            undo.pop_all()

        yield keep


def _import(stack: Stack, existing: ObservedLoadBalancer, settings: Settings) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "import.json")
        document = import_document(f"{project_name()}-{stack.name}", existing, settings)
        file.write_text(json.dumps(document), encoding="utf-8")
        options = ("--protect=false", "--generate-code=false", "--yes", "--skip-preview")
        # Apart from the terminal: an engine that dies with it leaves a lock.
        if stack.run("import", "--file", str(file), *options, apart=True) != 0:
            raise OperationError("The load balancer cannot be imported.")


def import_document(
    name: str, existing: ObservedLoadBalancer, settings: Settings
) -> dict[str, Any]:
    """Write the document that `pulumi import --file` takes.

    Args:
        name: Name of the program's resources.
        existing: The load balancer.
        settings: The stack's: what they do not have stays as it is in the cloud.
    """
    load_balancer_id = existing.instance.load_balancer_id
    imported = [
        (LOAD_BALANCER_TYPE, name, load_balancer_id),
        (SERVERS, name, load_balancer_id),
        (LISTENER, name, f"{load_balancer_id}:https:{existing.port}"),
    ]
    redirect_port = settings.listener.redirect_port
    if redirect_port is not None and redirect_port == existing.redirect_port:
        identifier = f"{load_balancer_id}:http:{redirect_port}"
        imported.append((LISTENER, f"{name}-redirect", identifier))
    imported += [
        (DOMAIN_EXTENSION, f"{name}-{domain.replace('*', '_')}", identifier)
        for domain, identifier in existing.domain_extensions.items()
    ]
    return {
        "resources": [
            {"type": COMPONENT, "name": "component", "logicalName": name, "component": True},
            *(
                {
                    "type": kind,
                    "name": f"{kind} {logical_name}",
                    "logicalName": logical_name,
                    "id": identifier,
                    "parent": "component",
                    "version": version("pulumi-alicloud"),
                }
                for kind, logical_name, identifier in imported
            ),
        ]
    }


def forget_all_but(stack: Stack, kept: Collection[str]) -> None:
    """Forget every resource of the stack but these, by URN; the cloud is left as it is."""
    with undisturbed():
        for resource in reversed(stack.deployment().get("resources") or []):
            if resource["urn"] not in kept:
                stack.capture("state", "delete", resource["urn"], "--yes")


def require_in_place(plan: Plan, status: int) -> None:
    """Check that `up` would change what was imported, and neither replace nor delete any of it.

    Raises:
        OperationError: It would, or the preview failed.
    """
    broken = sorted({violation.policy for violation in plan.violations if violation.mandatory})
    if broken:
        raise OperationError(
            f"What is there breaks a rule for every stack ({', '.join(broken)}): the preview above "
            "says what would be right. Configure that before the import."
        )
    if status != 0:
        raise OperationError("The preview fails.")
    lost = [change.type for change in plan.changes if change.operation in {"replace", "delete"}]
    if lost:
        raise OperationError(f"`make up` would replace {', '.join(lost)}.")
