"""A program of its own that asks the local cloud for all that the provider has for CLB."""

import json

import pulumi
import pulumi_alicloud as alicloud
from pulumi_alicloud import ecs, slb, vpc

config = pulumi.Config()
changed = config.require_object("changed")
given = config.require_object("given")

network = vpc.Network("network", cidr_block="10.0.0.0/8", tags={"for": "features"})
switch = vpc.Switch("switch", vpc_id=network.id, cidr_block="10.1.0.0/24", zone_id="cn-hangzhou-h")
group = ecs.SecurityGroup("group", vpc_id=network.id)
servers = [
    ecs.Instance(
        name,
        instance_name=name,
        image_id="aliyun_3_x64_20G_alibase_20260915.vhd",
        instance_type="ecs.t6-c1m1.large",
        security_groups=[group.id],
        vswitch_id=switch.id,
        system_disk_category="cloud_essd",
        user_data=given["user_data"],
    )
    for name in ("web-1", "web-2")
]

balancer = slb.ApplicationLoadBalancer(
    "balancer",
    address_type="internet",
    instance_charge_type="PayByCLCU",
    internet_charge_type="PayByTraffic",
    master_zone_id="cn-hangzhou-i",
    slave_zone_id="cn-hangzhou-h",
    delete_protection=changed["delete_protection"],
    modification_protection_status="ConsoleProtection",
    modification_protection_reason="managed-by-pulumi",
    resource_group_id="rg-features",
    tags={"for": "features"},
)


def server_certificate(name: str) -> slb.ServerCertificate:
    pair = given[name]
    return slb.ServerCertificate(
        name,
        server_certificate=pair["certificate"],
        private_key=pulumi.Output.secret(pair["private_key"]),
        resource_group_id="rg-features",
    )


own, first, second = (server_certificate(name) for name in ("own", changed["domain"], "wild"))
authority = slb.CaCertificate(
    "authority", ca_certificate_name="authority", ca_certificate=given["authority"]
)

default_group = slb.BackendServer(
    "default-group",
    load_balancer_id=balancer.id,
    backend_servers=[
        slb.BackendServerBackendServerArgs(server_id=one.id, weight=weight, type="ecs")
        for one, weight in zip(servers, changed["weights"], strict=True)
    ],
)
web = slb.ServerGroup(
    "web",
    load_balancer_id=balancer.id,
    name="web",
    # The provider reads servers of one port and weight as one block.
    servers=[
        slb.ServerGroupServerArgs(
            server_ids=[
                one.id
                for one, its in zip(servers, changed["weights"], strict=True)
                if its == weight
            ],
            port=8080,
            weight=weight,
            type="ecs",
        )
        for weight in dict.fromkeys(changed["weights"])
    ],
    tags={"for": "features"},
)
attached = slb.ServerGroup("attached", load_balancer_id=balancer.id, name="attached")
attachment = slb.ServerGroupServerAttachment(
    "attachment",
    server_group_id=attached.id,
    server_id=servers[0].id,
    port=8080,
    weight=70,
    type="ecs",
)

shut_out = slb.Acl("shut-out", name="shut-out", ip_version="ipv4", tags={"for": "features"})
entries = [
    slb.AclEntryAttachment(f"shut-out-{entry}", acl_id=shut_out.id, entry=entry, comment="tests")
    for entry in changed["shut_out"]
]
admitted = slb.Acl(
    "admitted",
    name="admitted",
    ip_version="ipv4",
    entry_lists=[slb.AclEntryListArgs(entry="127.0.0.0/8", comment="loopback")],
)

listener = slb.Listener(
    "listener",
    load_balancer_id=balancer.id,
    frontend_port=8443,
    backend_port=8080,
    protocol="https",
    bandwidth=100,
    scheduler="wrr",
    server_group_id=web.id,
    description="every-feature",
    server_certificate_id=own.id,
    ca_certificate_id=authority.id,
    tls_cipher_policy="tls_cipher_policy_1_2_strict_with_1_3",
    enable_http2="on",
    gzip=True,
    idle_timeout=20,
    request_timeout=changed["request_timeout"],
    sticky_session="on",
    sticky_session_type="insert",
    cookie_timeout=600,
    acl_status="on",
    acl_type="black",
    acl_ids=[shut_out.id],
    x_forwarded_for=slb.ListenerXForwardedForArgs(
        retrive_slb_id=True, retrive_slb_ip=True, retrive_slb_proto=True
    ),
    health_check="on",
    health_check_uri="/healthz",
    health_check_method="get",
    health_check_domain="app.example.com",
    health_check_http_code="http_2xx,http_3xx",
    health_check_connect_port=8080,
    healthy_threshold=2,
    unhealthy_threshold=2,
    health_check_interval=1,
    health_check_timeout=2,
    opts=pulumi.ResourceOptions(depends_on=entries),
)
domains = [
    slb.DomainExtension(
        f"domain-{name}",
        load_balancer_id=balancer.id,
        frontend_port=listener.frontend_port,
        domain=name,
        server_certificate_id=certificate.id,
    )
    for name, certificate in (("api.example.com", first), ("*.wild.example.com", second))
]
other_listener = slb.Listener(
    "other-listener",
    load_balancer_id=balancer.id,
    frontend_port=9443,
    backend_port=8080,
    protocol="https",
    scheduler="rr",
    server_certificate_id=own.id,
    tls_cipher_policy="tls_cipher_policy_1_2_strict",
    enable_http2="off",
    gzip=False,
    sticky_session="on",
    sticky_session_type="server",
    cookie="app",
    acl_status="on",
    acl_type="white",
    acl_ids=[admitted.id],
    health_check_uri="/healthz",
    health_check_interval=1,
    healthy_threshold=2,
    opts=pulumi.ResourceOptions(depends_on=[default_group]),
)
redirect = slb.Listener(
    "redirect",
    load_balancer_id=balancer.id,
    frontend_port=8080,
    protocol="http",
    listener_forward="on",
    forward_port=listener.frontend_port,
    acl_status="on",
    acl_type="black",
    acl_ids=[shut_out.id],
)
plain = slb.Listener(
    "plain",
    load_balancer_id=balancer.id,
    frontend_port=8081,
    protocol="http",
    server_group_id=attached.id,
    health_check="off",
    opts=pulumi.ResourceOptions(depends_on=[attachment]),
)

inner = slb.ApplicationLoadBalancer(
    "inner",
    address_type="intranet",
    vswitch_id=switch.id,
    load_balancer_spec=changed["spec"],
    instance_charge_type="PayBySpec",
)
sixth = slb.ApplicationLoadBalancer(
    "sixth",
    address_type="internet",
    address_ip_version="ipv6",
    instance_charge_type="PayByCLCU",
)
sixth_group = slb.BackendServer(
    "sixth-group",
    load_balancer_id=sixth.id,
    backend_servers=[
        slb.BackendServerBackendServerArgs(server_id=servers[0].id, weight=100, type="ecs")
    ],
)
sixth_listener = slb.Listener(
    "sixth-listener",
    load_balancer_id=sixth.id,
    frontend_port=18443,
    backend_port=8080,
    protocol="https",
    server_certificate_id=own.id,
    ca_certificate_id=authority.id,
    tls_cipher_policy="tls_cipher_policy_1_2_strict",
    health_check="off",
    opts=pulumi.ResourceOptions(depends_on=[sixth_group]),
)

# What was made is found again, as a program would that uses what is there already.
waiting = pulumi.InvokeOutputOptions(
    depends_on=[
        listener,
        other_listener,
        redirect,
        plain,
        sixth_listener,
        inner,
        admitted,
        authority,
        *domains,
    ]
)
found = {
    "networks": vpc.get_networks_output(ids=[network.id], opts=waiting).names,
    "switches": vpc.get_switches_output(vpc_id=network.id, opts=waiting).ids,
    "groups": ecs.get_security_groups_output(vpc_id=network.id, opts=waiting).ids,
    "instances": ecs.get_instances_output(vpc_id=network.id, opts=waiting).names,
    "balancers": slb.get_application_load_balancers_output(
        ids=[balancer.id], enable_details=True, opts=waiting
    ).balancers.apply(lambda all_: [one.address for one in all_]),
    "listeners": slb.get_listeners_output(
        load_balancer_id=balancer.id, opts=waiting
    ).slb_listeners.apply(lambda all_: [one.frontend_port for one in all_]),
    "acls": slb.get_acls_output(ids=[shut_out.id, admitted.id], opts=waiting).names,
    "server_groups": slb.get_server_groups_output(load_balancer_id=balancer.id, opts=waiting).names,
    "domains": slb.get_domain_extensions_output(
        load_balancer_id=balancer.id, frontend_port=8443, opts=waiting
    ).extensions.apply(lambda all_: [one.domain for one in all_]),
    "server_certificates": slb.get_server_certificates_output(
        ids=[own.id], opts=waiting
    ).certificates.apply(lambda all_: [one.common_name for one in all_]),
    "ca_certificates": slb.get_ca_certificates_output(ids=[authority.id], opts=waiting).names,
    "backends": slb.get_backend_servers_output(
        load_balancer_id=balancer.id, opts=waiting
    ).backend_servers.apply(len),
    "zones": slb.get_zones_output(opts=waiting).ids,
    "regions": alicloud.get_regions_output(current=True, opts=waiting).ids,
    "all_zones": alicloud.get_zones_output(opts=waiting).ids,
}
pulumi.export("found", pulumi.Output.json_dumps(found))
pulumi.export("address", balancer.address)
pulumi.export("sixth", sixth.address)
pulumi.export("inner", inner.address)
pulumi.export("names", json.dumps([alicloud.__name__]))
