"""The APIs' actions, one module a resource. `services.load()` imports them all."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "account",
    "resource_groups",
    "vpc",
    "vswitches",
    "route_tables",
    "security_groups",
    "instances",
    "instance_descriptions",
    "catalogue",
    "slb_zones",
    "load_balancers",
    "load_balancer_lists",
    "backend_servers",
    "certificates",
    "acls",
    "vserver_groups",
    "listeners",
    "http_listeners",
    "https_listeners",
    "tcp_listeners",
    "domain_extensions",
    "rules",
    "tags",
)


def load() -> None:
    """Register every action with its product."""
    for name in MODULES:
        import_module(f"{__name__}.{name}")
