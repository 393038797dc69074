"""A load balancer that was made by hand as the tutorial does, and what `make up` changes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes

from components.pki import certificates
from configuration.settings import Settings
from operations.clb.api import SlbApi
from operations.errors import OperationError
from operations.stacks.environment import section


@dataclass(frozen=True)
class ObservedLoadBalancer:
    """Existing load balancer, its HTTPS listener and the listener's certificates, as the API tells.

    Attributes:
        instance: Body of DescribeLoadBalancerAttribute.
        port: Port of the HTTPS listener.
        listener: Body of DescribeLoadBalancerHTTPSListenerAttribute.
        ca_fingerprint: Fingerprint of the listener's CA certificate, lower-case hex without
            colons; None for one-way TLS.
        redirect_port: Port of an HTTP listener that redirects to it; None if there is none.
        other_listeners: Other listeners of the same load balancer, such as `http:8080`.
    """

    instance: Any
    port: int
    listener: Any
    ca_fingerprint: str | None
    redirect_port: int | None
    other_listeners: tuple[str, ...]

    @property
    def weights(self) -> dict[str, int]:
        """Weights in the default server group, by server id."""
        servers = self.instance.backend_servers.backend_server
        return {server.server_id: int(server.weight) for server in servers}

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the load balancer, without those that Alibaba Cloud sets."""
        tags = self.instance.tags.tag if self.instance.tags else []
        return {
            tag.tag_key: tag.tag_value
            for tag in tags
            if not tag.tag_key.startswith(("acs:", "aliyun"))
        }

    @property
    def domain_extensions(self) -> dict[str, str]:
        """Ids of the listener's domain extensions, by domain."""
        container = self.listener.domain_extensions
        extensions = container.domain_extension if container else []
        return {extension.domain: extension.domain_extension_id for extension in extensions}


def read_existing(api: SlbApi, load_balancer_id: str, port: int | None) -> ObservedLoadBalancer:
    """Read a load balancer and its HTTPS listener from the API.

    Args:
        api: API of the load balancer's region.
        load_balancer_id: `lb-…`.
        port: Port of the HTTPS listener; None if there is just one.

    Raises:
        OperationError: There is no such load balancer or listener, it is of a kind that the program
            does not take, or the API cannot be asked.
    """
    instance = api.ask("DescribeLoadBalancerAttribute", load_balancer_id=load_balancer_id)
    listeners = instance.listener_ports_and_protocol.listener_port_and_protocol
    https = [
        listener.listener_port for listener in listeners if listener.listener_protocol == "https"
    ]
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
    redirect_port = _redirect_port(listeners, port)
    existing = ObservedLoadBalancer(
        instance=instance,
        port=port,
        listener=listener,
        ca_fingerprint=_fingerprint(api, listener.cacertificate_id),
        redirect_port=redirect_port,
        other_listeners=tuple(
            f"{listener.listener_protocol}:{listener.listener_port}"
            for listener in listeners
            if listener.listener_port not in {port, redirect_port}
        ),
    )
    _require_adoptable(existing)
    return existing


def _redirect_port(listeners: Sequence[Any], port: int) -> int | None:
    """Port of the first listener that redirects to `port`; the program makes only one."""
    return min(
        (
            int(listener.listener_port)
            for listener in listeners
            if listener.listener_protocol == "http"
            and listener.listener_forward == "on"
            and int(listener.forward_port) == port
        ),
        default=None,
    )


def _fingerprint(api: SlbApi, certificate_id: str | None) -> str | None:
    if not certificate_id:
        return None
    answer = api.ask("DescribeCACertificates", cacertificate_id=certificate_id)
    return str(answer.cacertificates.cacertificate[0].fingerprint).replace(":", "").lower()


def _require_adoptable(existing: ObservedLoadBalancer) -> None:
    instance, listener = existing.instance, existing.listener
    if instance.pay_type == "PrePay":
        raise OperationError(
            "The load balancer is a subscription (PrePay); only a pay-as-you-go one can be "
            "imported. To use it without managing it: load_balancer.id."
        )
    if not instance.load_balancer_spec:
        raise OperationError(
            "The load balancer is a shared-performance instance, which takes no TLS policy: give "
            "it a specification, or have it charged by LCU, first."
        )
    if listener.vserver_group_id:
        raise OperationError(
            f"The listener at port {existing.port} answers from VServer group "
            f"{listener.vserver_group_id}; only one that answers from the default server group can "
            "be imported. To use the load balancer without managing it: load_balancer.id."
        )
    servers = instance.backend_servers.backend_server
    if not servers:
        raise OperationError("The default server group is empty: add its servers first.")
    others = [server.server_id for server in servers if server.type not in {None, "", "ecs"}]
    if others:
        raise OperationError(
            f"The default server group has {', '.join(others)}, no ECS instances: only these can "
            "be the stack's backends. Remove the others from it first."
        )


def list_remarks(
    existing: ObservedLoadBalancer, settings: Settings, config: Mapping[str, Any]
) -> Iterator[str]:
    """List what a person has to know before `make up` changes an imported load balancer.

    Args:
        existing: The load balancer.
        settings: Settings that the stack is to have, as far as they are about the load balancer.
        config: The stack's configuration, as its file has it.
    """
    yield from _list_left_alone(existing, settings)
    yield from _list_not_kept(existing, settings)
    if existing.ca_fingerprint is None:
        yield "The listener asks for no client certificate today; after `make up` it does."
    elif _is_same_ca(existing.ca_fingerprint, config):
        yield "The CA stays the same: client certificates of before go on working."
    else:
        yield (
            "The CA is another: after `make up` the listener refuses every client certificate of "
            "before. To keep them, bring the CA along: certificate_authority.certificate and "
            ".private_key."
        )


def _list_left_alone(existing: ObservedLoadBalancer, settings: Settings) -> Iterator[str]:
    listener = existing.listener
    extensions = existing.domain_extensions
    yield (
        f"Left alone: server certificate {listener.server_certificate_id}"
        + (f" and CA certificate {listener.cacertificate_id}" if existing.ca_fingerprint else "")
        + (f", and the certificates for {', '.join(extensions)}" if extensions else "")
        + ". After `make up` this listener does not refer to them; once no other does, delete them "
        "by hand."
    )
    others = list(existing.other_listeners)
    if existing.redirect_port not in {None, settings.listener.redirect_port}:
        others.append(f"http:{existing.redirect_port}")
    if others:
        yield f"Left alone: listeners {', '.join(others)}."
    rules = listener.rules.rule if listener.rules else []
    if rules:
        yield f"Left alone: forwarding rules {', '.join(rule.rule_name for rule in rules)}."
    if listener.status == "stopped":
        yield "The listener is stopped, and `make up` does not start it: start it by hand."
    if existing.instance.load_balancer_status == "inactive":
        yield "The load balancer is stopped, and `make up` does not start it: start it by hand."


def _list_not_kept(existing: ObservedLoadBalancer, settings: Settings) -> Iterator[str]:
    """List the attributes of the load balancer that the configuration does not keep as they are."""
    instance, listener = existing.instance, existing.listener
    before, after = listener.tlscipher_policy, settings.listener.tls_cipher_policy
    if before != after:
        yield (
            f"The TLS policy {before} becomes {after}: who speaks only what that leaves out does "
            "not get through any more."
        )
    if listener.description:
        yield f"The listener's description, {listener.description}, becomes the stack's."
    if instance.modification_protection_reason and settings.load_balancer.modification_protection:
        yield (
            "The reason of the load balancer's protection, "
            f"{instance.modification_protection_reason}, becomes the stack's name."
        )


def _is_same_ca(fingerprint: str, config: Mapping[str, Any]) -> bool:
    text = section(config, "certificate_authority").get("certificate")
    if not isinstance(text, str):
        return False
    try:
        certificate = certificates.load(text)
    except ValueError:
        return False  # The preview says what is wrong with it.
    # The API's fingerprint is SHA-1.
    return certificate.fingerprint(hashes.SHA1()).hex() == fingerprint  # noqa: S303
