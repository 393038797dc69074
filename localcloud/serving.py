"""Listeners as the data plane serves them, made of what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from localcloud.dataplane import model
from localcloud.documents import (
    AccessControlList,
    CaCertificate,
    DomainExtension,
    ForwardingRule,
    GroupMember,
    Listener,
    LoadBalancer,
    UploadedServerCertificate,
    VServerGroup,
)
from localcloud.store import Store

OWN_ADDRESS = "$_ip"
"""HealthCheckDomain that stands for each backend's own address."""

OWN_PORT = -520
"""HealthCheckConnectPort that stands for the backend's own port."""

Sockets = Callable[[str, int], model.SocketAddress]
"""Function that tells where a port of a server, by id, really is."""


def list_members(store: Store, listener: Listener) -> list[GroupMember]:
    """List the servers behind a listener: of its VServer group, or else the default group."""
    if group := store.get(VServerGroup, listener.attributes.get("VServerGroupId", "")):
        return group.members
    balancer = store.get(LoadBalancer, listener.load_balancer_id)
    port = listener.attributes.get("BackendServerPort")
    if balancer is None or port is None:
        return []
    return [
        GroupMember(server_id=backend.server_id, weight=backend.weight, port=port)
        for backend in balancer.backends
    ]


def key(listener: Listener) -> model.ListenerKey:
    """Name of the listener within the data plane."""
    return (listener.load_balancer_id, listener.protocol, listener.port)


def specify_listener(store: Store, listener: Listener, sockets: Sockets) -> model.ListenerSpec:
    """Listener as the data plane takes it.

    Raises:
        LookupError: A listener refers to what is not there.
    """
    values = listener.attributes
    balancer = store.get(LoadBalancer, listener.load_balancer_id)
    if balancer is None:
        raise LookupError(f"{listener.id} has no load balancer")
    plain = model.ListenerSpec(
        load_balancer_id=balancer.id,
        address=balancer.address,
        port=listener.port,
        protocol=listener.protocol,
        backends=(),
        access_control=_access_control(store, listener),
    )
    if listener.protocol == "tcp":
        return replace(
            plain,
            backends=tuple(
                _backend(member, values, sockets) for member in list_members(store, listener)
            ),
            scheduler=values["Scheduler"],
            health_check=_tcp_health_check(values),
            proxy_protocol=values.get("ProxyProtocolV2Enabled", False),
            persistence_timeout=values["PersistenceTimeout"],
            established_timeout=values["EstablishedTimeout"],
        )
    if values["ListenerForward"] == "on":
        return replace(plain, forward_port=values["ForwardPort"])
    forwarding = replace(
        plain,
        backends=tuple(
            _backend(member, values, sockets) for member in list_members(store, listener)
        ),
        scheduler=values["Scheduler"],
        sticky_session=_sticky_session(values),
        health_check=_health_check(values),
        idle_timeout=values["IdleTimeout"],
        request_timeout=values["RequestTimeout"],
        forwarded=model.ForwardedHeaders(
            slb_ip=values["XForwardedFor_SLBIP"] == "on",
            slb_id=values["XForwardedFor_SLBID"] == "on",
            proto=values["XForwardedFor_proto"] == "on",
        ),
        gzip=values["Gzip"] == "on",
        rules=tuple(_rule(store, listener, rule, sockets) for rule in list_rules(store, listener)),
    )
    return forwarding if listener.protocol == "http" else _with_tls(store, listener, forwarding)


def list_rules(store: Store, listener: Listener) -> list[ForwardingRule]:
    """List the forwarding rules of a listener."""
    return store.all(ForwardingRule, load_balancer_id=listener.load_balancer_id, port=listener.port)


def rule_values(listener: Listener, rule: ForwardingRule) -> Mapping[str, Any]:
    """Scheduler, health check and session persistence of a rule: its own, or the listener's."""
    return rule.attributes if rule.listener_sync == "off" else listener.attributes


def _rule(
    store: Store, listener: Listener, rule: ForwardingRule, sockets: Sockets
) -> model.RuleSpec:
    group = store.get(VServerGroup, rule.vserver_group_id)
    if group is None:
        raise LookupError(f"There is no VServer group {rule.vserver_group_id}")
    values = rule_values(listener, rule)
    return model.RuleSpec(
        rule_id=rule.id,
        domain=rule.domain,
        url=rule.url,
        backends=tuple(_backend(member, values, sockets) for member in group.members),
        scheduler=values["Scheduler"],
        sticky_session=_sticky_session(values),
        # A rule of its own has no method: SetRule takes none.
        health_check=_health_check({"HealthCheckMethod": "head", **values}),
    )


def _with_tls(store: Store, listener: Listener, plain: model.ListenerSpec) -> model.ListenerSpec:
    values = listener.attributes
    authority = store.get(CaCertificate, values.get("CACertificateId", ""))
    extensions = store.all(
        DomainExtension, load_balancer_id=listener.load_balancer_id, port=listener.port
    )
    return replace(
        plain,
        server_certificate=_pem(store, values["ServerCertificateId"]),
        domain_extensions=tuple(
            model.DomainSpec(extension.domain, _pem(store, extension.server_certificate_id))
            for extension in extensions
        ),
        ca_certificate=authority.certificate if authority else None,
        tls_cipher_policy=values["TLSCipherPolicy"],
        http2=values["EnableHttp2"] == "on",
    )


def _pem(store: Store, certificate_id: str) -> str:
    certificate = store.get(UploadedServerCertificate, certificate_id)
    if certificate is None:
        raise LookupError(f"There is no server certificate {certificate_id}")
    return f"{certificate.certificate.strip()}\n{certificate.private_key.strip()}\n"


def _backend(member: GroupMember, values: Mapping[str, Any], sockets: Sockets) -> model.BackendSpec:
    checked = values.get("HealthCheckConnectPort", OWN_PORT)
    return model.BackendSpec(
        member.server_id,
        sockets(member.server_id, member.port),
        member.weight,
        None if checked in {OWN_PORT, member.port} else sockets(member.server_id, checked).port,
    )


def _sticky_session(values: Mapping[str, Any]) -> model.StickySession | None:
    if values["StickySession"] != "on":
        return None
    if values["StickySessionType"] == "insert":
        return model.StickySession(timeout=values["CookieTimeout"])
    return model.StickySession(values["Cookie"])


def _access_control(store: Store, listener: Listener) -> model.AccessControl | None:
    if listener.attributes["AclStatus"] != "on":
        return None
    lists = (store.get(AccessControlList, key) for key in listener.acl_ids)
    entries = (entry.entry for acl in lists if acl is not None for entry in acl.entries)
    return model.AccessControl(listener.attributes["AclType"], tuple(entries))


def _tcp_health_check(values: Mapping[str, Any]) -> model.HealthCheck | None:
    """Health check of a TCP listener, which may all the same be over HTTP, by HEAD."""
    if values["HealthCheckType"] == "http":
        timeout = {"HealthCheckTimeout": values["HealthCheckConnectTimeout"]}
        return _health_check({**values, **timeout, "HealthCheckMethod": "head"})
    if values["HealthCheck"] != "on":
        return None
    return model.HealthCheck(
        kind="tcp",
        interval=values["HealthCheckInterval"],
        timeout=values["HealthCheckConnectTimeout"],
        healthy_threshold=values["HealthyThreshold"],
        unhealthy_threshold=values["UnhealthyThreshold"],
    )


def _health_check(values: Mapping[str, Any]) -> model.HealthCheck | None:
    if values["HealthCheck"] != "on":
        return None
    domain = values.get("HealthCheckDomain", "")
    return model.HealthCheck(
        uri=values["HealthCheckURI"],
        method=values["HealthCheckMethod"],
        domain=None if domain in {"", OWN_ADDRESS} else domain,
        http_codes=tuple(values["HealthCheckHttpCode"].split(",")),
        interval=values["HealthCheckInterval"],
        timeout=values["HealthCheckTimeout"],
        healthy_threshold=values["HealthyThreshold"],
        unhealthy_threshold=values["UnhealthyThreshold"],
    )
