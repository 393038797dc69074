"""The load balancer with its certificates and the HTTPS listeners that demand a client's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_alicloud as alicloud

from ..args import MutualTlsLoadBalancerArgs
from ..arguments.late import is_known
from ..dynamic.certificate_record import CertificateRecord, Present, read_entries
from ..inputs import read_arguments, when_known
from ..names import LONGEST_OF_SLB, LONGEST_TO_COMPLETE, bound_name
from ..private_ca import PrivateCertificateAuthority
from . import existing
from .arguments import LoadBalancerArguments, MutualTlsLoadBalancerArguments
from .listener_arguments import AdditionalListenerArguments, ListenerOptions, require_ip_version
from .listeners import (
    Certificates,
    ListenerTarget,
    acl,
    domain_extension,
    https_listener,
    redirect,
)
from .server_certificate import ServerCertificate, compose_arguments
from .server_groups import default_group, vserver_group

PARTS = {
    "authority": "the PrivateCertificateAuthority whose clients are admitted",
    "backends": "what answers, such as the backends of a BackendServers",
}

MODIFICATION_PROTECTION = {True: "ConsoleProtection", False: "NonProtection", None: None}


@dataclass(frozen=True)
class _Instance:
    """The CLB instance, new or existing."""

    id: pulumi.Output[str]
    address: pulumi.Output[str]
    ip_version: pulumi.Input[str]


class MutualTlsLoadBalancer(pulumi.ComponentResource):
    """A CLB instance, its certificates, who answers, and the listeners.

    ```python
    balancer = MutualTlsLoadBalancer(
        "shop",
        {"authority": authority, "backends": servers.backends, "vswitch_id": servers.vswitch_id},
    )
    pulumi.export("address", balancer.address)
    ```

    Attributes:
        load_balancer_id: `lb-…`.
        address: The IP address that clients connect to.
        listener_id: Id of the HTTPS listener, once it runs with all its settings.
        server_certificate: Certificate that the listener presents.
        domain_certificates: Certificates for additional domains, by domain.
        certificate_record: Every certificate of the CA and of servers that has not expired, those
            of before first.
    """

    load_balancer_id: pulumi.Output[str]
    address: pulumi.Output[str]
    listener_id: pulumi.Output[str]
    server_certificate: ServerCertificate
    domain_certificates: Mapping[str, ServerCertificate]
    certificate_record: pulumi.Output[list[dict[str, str]]]

    def __init__(
        self,
        name: str,
        args: MutualTlsLoadBalancerArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the load balancer, upload both certificates and start its listeners.

        Args:
            name: Name of the component and of most of its children.
            args: The CA, the backends, and what differs from the defaults.
            opts: The component's options.

        Raises:
            pulumi.RunError: Something in `args` is wrong; one sentence for each mistake.
        """
        settings = read_arguments(MutualTlsLoadBalancerArguments, args, name, PARTS)
        load_balancer, listener = settings.load_balancer, settings.listener
        authority, tags = args["authority"], dict(settings.tags)
        super().__init__("slb-mutual-tls:index:MutualTlsLoadBalancer", name, None, opts)
        self._name = name
        self._tags = tags
        self._backends = args["backends"]
        self._targets: dict[int, ListenerTarget] = {}
        others = settings.completed_listeners()
        child = pulumi.ResourceOptions(parent=self)
        if load_balancer.id is None:
            instance = self._new(load_balancer, settings.vswitch_id, others)
        else:
            instance = self._existing(
                load_balancer.id,
                {
                    "listener": listener,
                    **{f"additional_listeners.{key}": other for key, other in others.items()},
                },
            )
        self._instance = instance
        self.server_certificate = ServerCertificate(
            name,
            compose_arguments(settings.server, authority, tags, address=instance.address),
            opts=child,
        )
        self.domain_certificates = {
            domain: ServerCertificate(
                bound_name(f"{name}-{_label(domain)}", LONGEST_TO_COMPLETE),
                compose_arguments(extension.server(domain), authority, tags),
                opts=child,
            )
            for domain, extension in listener.domain_extensions.items()
        }
        # Its own name would make the provider delete the old certificate first; this one is free
        # to differ with each certificate.
        ca_certificate = alicloud.slb.CaCertificate(
            name,
            ca_certificate_name=authority.fingerprint_sha256.apply(
                lambda fingerprint: bound_name(name, LONGEST_OF_SLB, f"-{fingerprint[:8]}")
            ),
            ca_certificate=authority.certificate,
            tags=self._tags,
            opts=child,
        )
        self._certificates = Certificates(self.server_certificate.id, ca_certificate.id)
        # Only one that is the stack's own has a default server group to itself.
        self._default_group = (
            default_group(name, instance.id, self._backends, self)
            if load_balancer.id is None
            else None
        )
        acl_ids = self._acl_ids(name, listener)
        https = self._listener(
            name, listener, listener.port, self._target(settings.backend_port), acl_ids
        )
        if listener.redirect_port is not None:
            redirect(f"{name}-redirect", port=listener.redirect_port, to=https, parent=self)
        for key, other in others.items():
            other_name = f"{name}-listener-{key}"
            self._listener(
                other_name,
                other,
                other.port,
                ListenerTarget(None, other.server_group_id)
                if other.server_group_id
                else self._target(other.backend_port or settings.backend_port),
                acl_ids if other.acl is listener.acl else self._acl_ids(other_name, other),
            )
        self.certificate_record = self._record(authority)
        self.load_balancer_id = instance.id
        self.address = instance.address
        self.listener_id = https.id
        self.register_outputs({"address": self.address, "load_balancer_id": self.load_balancer_id})

    def _listener(
        self,
        name: str,
        options: ListenerOptions,
        port: int,
        target: ListenerTarget,
        acl_ids: Sequence[pulumi.Input[str]] | None,
    ) -> alicloud.slb.Listener:
        """A listener, and the extensions with which it shows additional domains' certificates."""
        listener = https_listener(
            name,
            port=port,
            options=options,
            load_balancer_id=self._instance.id,
            certificates=self._certificates,
            target=target,
            acl_ids=acl_ids,
            description=bound_name(self._name, LONGEST_OF_SLB, ": HTTPS with client certificates"),
            parent=self,
        )
        for domain, certificate in self.domain_certificates.items():
            domain_extension(f"{name}-{_label(domain)}", domain, certificate.id, listener, self)
        return listener

    def _record(
        self, authority: PrivateCertificateAuthority
    ) -> pulumi.Output[list[dict[str, str]]]:
        """Record what the listeners check clients against, and what they present."""
        authorities = {
            "CA": authority.certificate,
            "next CA": authority.next_certificate,
            "next CA, signed by the CA": authority.cross_certificate,
        }
        servers = {"server": self.server_certificate, **self.domain_certificates}
        present: list[Present] = [
            {"role": "ca", "name": name, "certificate": certificate}
            for name, certificate in authorities.items()
            if certificate is not None
        ]
        present += [
            {"role": "server", "name": name, "certificate": server.certificate}
            for name, server in servers.items()
        ]
        record = CertificateRecord(
            self._name, certificates=present, opts=pulumi.ResourceOptions(parent=self)
        )
        return record.entries.apply(read_entries)

    def _acl_ids(self, name: str, options: ListenerOptions) -> Sequence[pulumi.Input[str]] | None:
        if options.acl is None:
            return None
        if options.acl.ids:
            return options.acl.ids
        made = acl(
            bound_name(name, LONGEST_TO_COMPLETE),
            options.acl,
            ip_version=self._instance.ip_version,
            tags=self._tags,
            parent=self,
        )
        return [made.id]

    def _target(self, port: int) -> ListenerTarget:
        """The backends at a port, which the default server group leaves to the listener."""
        if self._default_group is not None:
            return ListenerTarget(port, ready=(self._default_group,))
        if port not in self._targets:
            group, ready = vserver_group(
                bound_name(self._name, LONGEST_TO_COMPLETE, f"-{port}"),
                self._instance.id,
                self._backends,
                port=port,
                tags=self._tags,
                parent=self,
            )
            self._targets[port] = ListenerTarget(port, group, ready)
        return self._targets[port]

    def _existing(
        self, load_balancer_id: pulumi.Input[str], listeners: Mapping[str, ListenerOptions]
    ) -> _Instance:
        invoke = pulumi.InvokeOptions(parent=self)

        def look_up(known: str) -> existing.ExistingLoadBalancer:
            balancer = existing.find_load_balancer(known, invoke)
            try:
                require_ip_version(listeners, balancer.ip_version)
            except ValueError as error:
                raise pulumi.RunError(str(error)) from None
            return balancer

        found = when_known(load_balancer_id, look_up)
        return _Instance(
            pulumi.Output.from_input(load_balancer_id),
            pulumi.Output.from_input(when_known(found, lambda known: known.address)),
            when_known(found, lambda known: known.ip_version),
        )

    def _new(
        self,
        load_balancer: LoadBalancerArguments,
        vswitch_id: pulumi.Input[str] | None,
        others: Mapping[str, AdditionalListenerArguments],
    ) -> _Instance:
        internet = load_balancer.address_type == "internet"
        protected = load_balancer.modification_protection
        groups = groups_of(others)
        existing.require_load_balancer_zones(load_balancer, pulumi.InvokeOptions(parent=self))
        made = alicloud.slb.ApplicationLoadBalancer(
            self._name,
            load_balancer_name=load_balancer.name or bound_name(self._name, LONGEST_OF_SLB),
            address_type=load_balancer.address_type,
            address_ip_version="ipv6" if load_balancer.address_ip_version == "ipv6" else None,
            vswitch_id=None if internet else load_balancer.vswitch_id or vswitch_id,
            master_zone_id=load_balancer.master_zone_id,
            slave_zone_id=load_balancer.slave_zone_id,
            instance_charge_type=load_balancer.instance_charge_type,
            load_balancer_spec=load_balancer.specification,
            internet_charge_type=load_balancer.internet_charge_type if internet else None,
            bandwidth=load_balancer.bandwidth,
            payment_type="PayAsYouGo",
            delete_protection="on" if load_balancer.deletion_protection else "off",
            modification_protection_status=MODIFICATION_PROTECTION[protected],
            modification_protection_reason=self._name[:80] if protected else None,
            resource_group_id=load_balancer.resource_group_id,
            tags=self._tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                hooks=pulumi.ResourceHookBinding(
                    before_create=[
                        pulumi.ResourceHook(
                            f"{self._name}-server-groups",
                            refusing_groups_of_others(groups),
                            pulumi.ResourceHookOptions(on_dry_run=True),
                        )
                    ]
                    if groups
                    else None,
                    before_update=[
                        pulumi.ResourceHook(
                            f"{self._name}-charge-type",
                            refuse_the_way_back,
                            pulumi.ResourceHookOptions(on_dry_run=True),
                        )
                    ],
                ),
            ),
        )
        return _Instance(made.id, made.address, load_balancer.address_ip_version)


def groups_of(listeners: Mapping[str, AdditionalListenerArguments]) -> dict[str, str]:
    """The VServer groups that listeners name, by the place in the configuration."""
    return {
        f"additional_listeners.{name}.server_group_id": listener.server_group_id
        for name, listener in listeners.items()
        if is_known(listener.server_group_id)
    }


def refusing_groups_of_others(
    groups: Mapping[str, str],
) -> Callable[[pulumi.ResourceHookArgs], None]:
    """Make the hook that refuses, in a preview too, VServer groups for a new load balancer.

    Args:
        groups: Groups by their place in the configuration.
    """

    def refuse(_args: pulumi.ResourceHookArgs) -> None:
        for place, group in groups.items():
            raise ValueError(
                f"{place} is {group}, and the load balancer that it would be a VServer group of is "
                "about to be made: leave the key out, or set load_balancer.id to the one that has "
                "the group. A group that you add to this one can be named once it is there."
            )

    return refuse


def refuse_the_way_back(args: pulumi.ResourceHookArgs) -> None:
    """Refuse, in a preview too, what the provider would plan as an update.

    Raises:
        ValueError: A PayByCLCU instance is to be charged by specification
            (ModifyLoadBalancerInstanceChargeType).
    """
    before, after = (
        (inputs or {}).get("instanceChargeType") for inputs in (args.old_inputs, args.new_inputs)
    )
    if (before, after) == ("PayByCLCU", "PayBySpec"):
        raise ValueError(
            "load_balancer.instance_charge_type is PayBySpec, and this instance is PayByCLCU, from "
            "which there is no way back: leave it, or make another load balancer, in a new stack."
        )


def _label(domain: str) -> str:
    """A domain as a part of names: certificates' names have no `*`, and no domain has a `_`."""
    return domain.replace("*", "_")
