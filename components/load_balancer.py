"""The load balancer with its certificates and the HTTPS listener that demands a client's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_alicloud as alicloud

from components.private_ca import PrivateCertificateAuthority
from components.server_certificate import ServerCertificate
from settings import Listener, LoadBalancer, Server

BACKEND_WEIGHT = 100


class MutualTlsLoadBalancer(pulumi.ComponentResource):
    """A CLB instance, both certificates, the default server group and the listener.

    Attributes:
        load_balancer_id: `lb-…`.
        address: The IP address that clients connect to.
        listener_id: Of the HTTPS listener, once it runs with all its settings.
        server_certificate: What the listener shows.
    """

    load_balancer_id: pulumi.Output[str]
    address: pulumi.Output[str]
    listener_id: pulumi.Output[str]
    server_certificate: ServerCertificate

    def __init__(
        self,
        name: str,
        *,
        load_balancer: LoadBalancer,
        listener: Listener,
        server: Server,
        authority: PrivateCertificateAuthority,
        server_ids: Sequence[pulumi.Input[str]],
        backend_port: int,
        vswitch_id: pulumi.Input[str] | None,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slb-mutual-tls:index:MutualTlsLoadBalancer", name, None, opts)
        self._name = name
        self._tags = dict(tags)
        child = pulumi.ResourceOptions(parent=self)
        instance = self._instance(load_balancer, vswitch_id)
        self.server_certificate = ServerCertificate(
            name,
            server=server,
            authority=authority,
            address=instance.address,
            tags=tags,
            opts=child,
        )
        # Its own name would make the provider delete the old certificate first; this one is free
        # to differ with each certificate.
        ca_certificate = alicloud.slb.CaCertificate(
            name,
            ca_certificate_name=authority.fingerprint_sha256.apply(
                lambda fingerprint: f"{name}-{fingerprint[:8]}"
            ),
            ca_certificate=authority.certificate,
            tags=self._tags,
            opts=child,
        )
        attached = alicloud.slb.BackendServer(
            name,
            load_balancer_id=instance.id,
            backend_servers=[
                alicloud.slb.BackendServerBackendServerArgs(
                    server_id=server_id, weight=BACKEND_WEIGHT, type="ecs"
                )
                for server_id in server_ids
            ],
            opts=child,
        )
        check = listener.health_check
        https = alicloud.slb.Listener(
            name,
            load_balancer_id=instance.id,
            description=f"{name}: HTTPS with client certificates",
            protocol="https",
            frontend_port=listener.port,
            backend_port=backend_port,
            scheduler=listener.scheduler,
            bandwidth=listener.bandwidth,
            server_certificate_id=self.server_certificate.id,
            ca_certificate_id=ca_certificate.id,
            tls_cipher_policy=listener.tls_cipher_policy,
            enable_http2="on" if listener.http2 else "off",
            gzip=listener.gzip,
            sticky_session="off",
            idle_timeout=listener.idle_timeout,
            request_timeout=listener.request_timeout,
            x_forwarded_for=alicloud.slb.ListenerXForwardedForArgs(
                retrive_slb_proto=listener.forwarded_headers.proto,
                retrive_slb_id=listener.forwarded_headers.slb_id,
                retrive_slb_ip=listener.forwarded_headers.slb_ip,
            ),
            health_check="on",
            health_check_uri=check.uri,
            health_check_method=check.method,
            health_check_http_code=",".join(check.http_codes),
            health_check_connect_port=backend_port,
            health_check_interval=check.interval,
            health_check_timeout=check.timeout,
            healthy_threshold=check.healthy_threshold,
            unhealthy_threshold=check.unhealthy_threshold,
            # Backends first, so that the listener's first request finds one.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[attached]),
        )
        self.load_balancer_id = instance.id
        self.address = instance.address
        self.listener_id = https.id
        self.register_outputs({"address": self.address, "load_balancer_id": self.load_balancer_id})

    def _instance(
        self, load_balancer: LoadBalancer, vswitch_id: pulumi.Input[str] | None
    ) -> alicloud.slb.ApplicationLoadBalancer:
        internet = load_balancer.address_type == "internet"
        return alicloud.slb.ApplicationLoadBalancer(
            self._name,
            load_balancer_name=load_balancer.name or self._name,
            address_type=load_balancer.address_type,
            vswitch_id=None if internet else load_balancer.vswitch_id or vswitch_id,
            instance_charge_type=load_balancer.instance_charge_type,
            load_balancer_spec=load_balancer.specification,
            internet_charge_type=load_balancer.internet_charge_type if internet else None,
            bandwidth=load_balancer.bandwidth,
            payment_type="PayAsYouGo",
            delete_protection="on" if load_balancer.deletion_protection else "off",
            resource_group_id=load_balancer.resource_group_id,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
