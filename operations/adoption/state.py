"""Import of a load balancer into a stack's state by `pulumi import`, and its undoing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from configuration.settings import Settings
from operations.adoption.existing import Existing
from operations.errors import OperationError, undisturbed
from operations.project import project_name
from operations.review.plan import Plan
from operations.stacks.environment import section
from operations.stacks.stack import Stack

COMPONENT = "slb-mutual-tls:index:MutualTlsLoadBalancer"
INSTANCE = "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer"
SERVERS = "alicloud:slb/backendServer:BackendServer"
LISTENER = "alicloud:slb/listener:Listener"
DOMAIN_EXTENSION = "alicloud:slb/domainExtension:DomainExtension"
IMPORTED = frozenset({COMPONENT, INSTANCE, SERVERS, LISTENER, DOMAIN_EXTENSION})
PROGRAM = "pulumi-python:dynamic"
"""Prefix of the resource types that only the program makes: they cannot be imported."""


def require_none(stack: Stack, config: Mapping[str, Any]) -> None:
    """Check that the stack has no load balancer; forget what an import left that was killed.

    Raises:
        OperationError: It has one.
    """
    present = stack.deployment().get("resources") or []
    types = {one["type"] for one in present}
    if COMPONENT not in types:
        return
    # What was imported in full is in the configuration, and what is up has certificates.
    whole = "instance_ids" in section(config, "backends")
    if whole or any(one.startswith(PROGRAM) for one in types):
        raise OperationError(f"Stack {stack.name} has a load balancer already.")
    let_go(stack, {one["urn"] for one in present if one["type"] not in IMPORTED})


@contextlib.contextmanager
def brought_in(
    stack: Stack, existing: Existing, settings: Settings
) -> Iterator[Callable[[], None]]:
    """Import the load balancer into the stack by `pulumi import`; nothing changes in the cloud.

    Gives a function after whose call the stack keeps it. However the block ends without it, the
    stack forgets what was imported.

    Raises:
        OperationError: The engine refuses; it has said why.
    """
    before = {one["urn"] for one in stack.deployment().get("resources") or []}
    with contextlib.ExitStack() as undo:
        undo.callback(let_go, stack, before)
        _import(stack, existing, settings)

        def keep() -> None:
            undo.pop_all()

        yield keep


def _import(stack: Stack, existing: Existing, settings: Settings) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "import.json")
        document = resources(f"{project_name()}-{stack.name}", existing, settings)
        file.write_text(json.dumps(document), encoding="utf-8")
        options = ("--protect=false", "--generate-code=false", "--yes", "--skip-preview")
        # Apart from the terminal: an engine that dies with it leaves a lock.
        if stack.run("import", "--file", str(file), *options, apart=True) != 0:
            raise OperationError("The load balancer cannot be imported.")


def resources(name: str, existing: Existing, settings: Settings) -> dict[str, Any]:
    """Write the document that `pulumi import --file` takes.

    Args:
        name: Of the program's resources.
        existing: The load balancer.
        settings: The stack's: what they do not have stays as it is in the cloud.
    """
    load_balancer_id = existing.instance.load_balancer_id
    imported = [
        (INSTANCE, name, load_balancer_id),
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


def let_go(stack: Stack, kept: Collection[str]) -> None:
    """Forget every resource of the stack but these, by URN; the cloud is left as it is."""
    with undisturbed():
        for one in reversed(stack.deployment().get("resources") or []):
            if one["urn"] not in kept:
                stack.capture("state", "delete", one["urn"], "--yes")


def require_in_place(plan: Plan, status: int) -> None:
    """Check that `up` would change what was imported, and neither replace nor delete any of it.

    Raises:
        OperationError: It would, or the preview failed.
    """
    broken = sorted({one.policy for one in plan.violations if one.mandatory})
    if broken:
        raise OperationError(
            f"What is there breaks a rule for every stack ({', '.join(broken)}): the preview above "
            "says what would be right. Configure that before the import."
        )
    if status != 0:
        raise OperationError("The preview fails.")
    lost = [one.type for one in plan.changes if one.operation in {"replace", "delete"}]
    if lost:
        raise OperationError(f"`make up` would replace {', '.join(lost)}.")
