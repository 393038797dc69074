"""The load balancer's listeners: HTTPS ones that demand a client certificate, and a redirect.

A listener is its load balancer's only one on its port, so a successor can only be made once it is
gone: where the provider has to replace it (another backend port, say), it is deleted first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_alicloud as alicloud

from .listener_arguments import AclArguments, ListenerOptions


@dataclass(frozen=True)
class ListenerTarget:
    """Backends that a listener sends requests to.

    Attributes:
        backend_port: Port of the default server group's instances; with a VServer group, the port
            that health checks ask. None: each server's own.
        server_group_id: A VServer group in place of the default one.
        ready: Resources that have to be there before the first request.
    """

    backend_port: int | None
    server_group_id: pulumi.Input[str] | None = None
    ready: tuple[pulumi.Resource, ...] = ()


@dataclass(frozen=True)
class Certificates:
    """Ids of what the listeners share."""

    server: pulumi.Input[str]
    ca: pulumi.Input[str]


def https_listener(
    name: str,
    *,
    port: int,
    options: ListenerOptions,
    load_balancer_id: pulumi.Input[str],
    certificates: Certificates,
    target: ListenerTarget,
    acl_ids: Sequence[pulumi.Input[str]] | None,
    description: str,
    parent: pulumi.Resource,
) -> alicloud.slb.Listener:
    """An HTTPS listener that admits nobody without a client certificate.

    Args:
        name: Name of the resource.
        port: Port that clients connect to.
        options: Settings of the listener.
        load_balancer_id: Load balancer that it belongs to.
        certificates: Certificates that it presents, and checks clients against.
        target: Backends that requests go to.
        acl_ids: Ids of the lists that `options.acl` is about.
        description: For people.
        parent: The component that it belongs to.
    """
    sticky, check = options.sticky_session, options.health_check
    default_group = target.server_group_id is None
    return alicloud.slb.Listener(
        name,
        load_balancer_id=load_balancer_id,
        description=description,
        protocol="https",
        frontend_port=port,
        backend_port=target.backend_port if default_group else None,
        server_group_id=target.server_group_id,
        scheduler=options.scheduler,
        bandwidth=options.bandwidth,
        server_certificate_id=certificates.server,
        ca_certificate_id=certificates.ca,
        tls_cipher_policy=options.tls_cipher_policy,
        enable_http2="on" if options.http2 else "off",
        gzip=options.gzip,
        sticky_session="on" if sticky else "off",
        sticky_session_type=sticky.type if sticky else None,
        cookie_timeout=sticky.cookie_timeout if sticky else None,
        cookie=sticky.cookie if sticky else None,
        acl_status="on" if options.acl else None,
        acl_type=options.acl.type if options.acl else None,
        acl_ids=acl_ids,
        idle_timeout=options.idle_timeout,
        request_timeout=options.request_timeout,
        x_forwarded_for=alicloud.slb.ListenerXForwardedForArgs(
            retrive_slb_proto=options.forwarded_headers.proto,
            retrive_slb_id=options.forwarded_headers.slb_id,
            retrive_slb_ip=options.forwarded_headers.slb_ip,
        ),
        health_check="on" if check.enabled else "off",
        health_check_uri=check.uri,
        health_check_method=check.method,
        health_check_http_code=",".join(check.http_codes),
        health_check_domain=check.domain,
        health_check_connect_port=check.port or target.backend_port,
        health_check_interval=check.interval,
        health_check_timeout=check.timeout,
        healthy_threshold=check.healthy_threshold,
        unhealthy_threshold=check.unhealthy_threshold,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # Backends first, so that the listener's first request finds one.
            depends_on=target.ready,
            delete_before_replace=True,
            # What the API tells of it where nobody set it must not replace the listener.
            ignore_changes=None if default_group else ["backendPort"],
        ),
    )


def domain_extension(
    name: str,
    domain: str,
    certificate_id: pulumi.Input[str],
    listener: alicloud.slb.Listener,
    parent: pulumi.Resource,
) -> alicloud.slb.DomainExtension:
    """A certificate of its own for clients that ask the listener for this domain (SNI)."""
    return alicloud.slb.DomainExtension(
        name,
        # The listener's own values: a listener that is replaced takes its extensions with it.
        load_balancer_id=listener.load_balancer_id,
        frontend_port=listener.frontend_port,
        domain=domain,
        server_certificate_id=certificate_id,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[listener]),
    )


def redirect(
    name: str, *, port: int, to: alicloud.slb.Listener, parent: pulumi.Resource
) -> alicloud.slb.Listener:
    """An HTTP listener that redirects every request to an HTTPS one.

    It takes no other setting: the provider cannot change a redirecting listener, and with a backend
    port it sends a parameter without a name.
    """
    return alicloud.slb.Listener(
        name,
        load_balancer_id=to.load_balancer_id,
        protocol="http",
        frontend_port=port,
        listener_forward="on",
        forward_port=to.frontend_port,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # Its target has to be there, and is not deleted before it.
            depends_on=[to],
            delete_before_replace=True,
            ignore_changes=["backendPort"],
        ),
    )


def acl(
    name: str,
    entries: AclArguments,
    *,
    ip_version: pulumi.Input[str],
    tags: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
) -> alicloud.slb.Acl:
    """An access control list with these entries.

    Other entries make another list, to which the listener switches at once. Changed in place, a
    white list could be empty for a moment, and an empty one admits everybody.

    Each entry as a resource of its own (AclEntryAttachment) is what the provider recommends; but it
    splits that resource's id at colons, of which an IPv6 block has some, and an entry whose comment
    changes would be added, which does nothing, and then removed.
    """
    return alicloud.slb.Acl(
        # No name of its own: with one, the provider would delete the list that a listener still
        # uses before it makes the next.
        name,
        ip_version=ip_version,
        entry_lists=[
            {"entry": block, "comment": comment or ""} for block, comment in entries.entries.items()
        ],
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, replace_on_changes=["entryLists"]),
    )
