"""Server groups that answer a listener's requests: the default one, or a VServer group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_alicloud as alicloud

from ..backend_servers import Backend


def default_group(
    name: str,
    load_balancer_id: pulumi.Input[str],
    backends: Sequence[Backend],
    parent: pulumi.Resource,
) -> alicloud.slb.BackendServer:
    """Fill the default server group of a load balancer that is the stack's own.

    The resource takes every server of the group for its own, also those that it never added: of a
    load balancer that others use as well it would throw theirs out.
    """
    return alicloud.slb.BackendServer(
        name,
        load_balancer_id=load_balancer_id,
        backend_servers=[
            alicloud.slb.BackendServerBackendServerArgs(
                server_id=backend.server_id, weight=backend.weight, type="ecs"
            )
            for backend in backends
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )


def vserver_group(
    name: str,
    load_balancer_id: pulumi.Input[str],
    backends: Sequence[Backend],
    *,
    port: int,
    tags: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
) -> tuple[pulumi.Output[str], tuple[pulumi.Resource, ...]]:
    """A VServer group of its own on a load balancer that others use as well.

    Returns:
        The group's id, and what has to be there before it can answer.
    """
    group = alicloud.slb.ServerGroup(
        # No name of its own, as for certificates: a listener may still use the old one.
        name,
        load_balancer_id=load_balancer_id,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    attached: list[pulumi.Resource] = []
    for backend in backends:
        attached.append(
            alicloud.slb.ServerGroupServerAttachment(
                f"{name}-{backend.key}",
                server_group_id=group.id,
                server_id=backend.server_id,
                port=port,
                weight=backend.weight,
                type="ecs",
                opts=pulumi.ResourceOptions(
                    parent=parent,
                    # Another weight replaces it, and its successor is the same server and port:
                    # added before the old one is removed, it would be removed with it. One after
                    # the other, so that the group is not empty in between.
                    delete_before_replace=True,
                    depends_on=attached[-1:],
                ),
            )
        )
    return group.id, (group, *attached)
