"""One resource for each rule that it breaks, and for each thing that a rule must let pass."""

import pulumi_alicloud as alicloud

from components.dynamic.certificate_register import CertificateRegister
from components.dynamic.server_certificate import ServerCertificate

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"

alicloud.slb.ApplicationLoadBalancer("deletable", delete_protection="off")
alicloud.slb.Listener(
    "one-way",
    load_balancer_id="lb-1",
    protocol="https",
    frontend_port=443,
    backend_port=80,
    bandwidth=-1,
    server_certificate_id="1",
    tls_cipher_policy="tls_cipher_policy_1_1",
    health_check="off",
)
alicloud.slb.Listener(
    "redirect",
    load_balancer_id="lb-1",
    protocol="http",
    frontend_port=80,
    listener_forward="on",
    forward_port=443,
)
alicloud.ecs.SecurityGroupRule(
    "open",
    security_group_id="sg-1",
    type="ingress",
    ip_protocol="tcp",
    port_range="22/22",
    cidr_ip="0.0.0.0/0",
)
alicloud.slb.ServerCertificate("plain", server_certificate="PEM", private_key=KEY)
ServerCertificate(
    "long-lived",
    ca_certificate="PEM",
    ca_private_key=KEY,
    ca_key_id="1",
    ca_id="1",
    common_name="service.example.com",
    dns_names=["service.example.com"],
    ip_addresses=[],
    key_bits=2048,
    validity="3000d",
    renew_before="30d",
)
client = {"validity": "365d", "renew_before": "30d"}
CertificateRegister(
    "ordinary-keys",
    ca_certificate="PEM",
    ca_private_key=KEY,
    ca_key_id="1",
    ca_id="1",
    clients={
        "browser": {**client, "subject": {"common_name": "browser"}, "key_bits": 2048},
        "phone": {
            **client,
            "subject": {"common_name": "phone"},
            "key_algorithm": "ECDSA",
            "key_curve": "P-256",
        },
    },
)
