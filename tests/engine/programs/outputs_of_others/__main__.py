"""Everything that a service can be given comes from other resources."""

import secrets

import pulumi
import pulumi_alicloud as alicloud
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from slb_mutual_tls import MutualTlsService, MutualTlsServiceArgs


class Provider(ResourceProvider):
    """Generates pass phrases."""

    def create(self, props):
        return CreateResult("phrase", {"text": secrets.token_urlsafe(16)})


class PassPhrase(Resource):
    """A generated pass phrase."""

    text: pulumi.Output[str]

    def __init__(self, name):
        secret = pulumi.ResourceOptions(additional_secret_outputs=["text"])
        super().__init__(Provider(), name, {"text": None}, secret)


config = pulumi.Config()
phrase = PassPhrase("partner")
zone = alicloud.get_zones(available_resource_creation="VSwitch").zones[0].id
vpc = alicloud.vpc.Network("own", vpc_name="own", cidr_block="10.0.0.0/16")
switch = alicloud.vpc.Switch("own", vpc_id=vpc.id, zone_id=zone, cidr_block="10.0.1.0/24")
group = alicloud.ecs.SecurityGroup("own", security_group_name="own", vpc_id=vpc.id)

args: MutualTlsServiceArgs = {
    "network": {"vpc_id": vpc.id, "vswitch_ids": [switch.id]},
    "backends": {"count": 1, "security_group_id": group.id},
    "clients": {"partner": {"pass_phrase": phrase.text}},
    # What is no IP address is refused once it is known.
    "server": {"ip_addresses": [vpc.id if config.get_bool("wrong") else "203.0.113.20"]},
    "tags": {"vpc": vpc.id},
}
service = MutualTlsService("shop", args)
pulumi.export("address", service.address)
pulumi.export("ca_certificate", service.ca_certificate)
pulumi.export("client_bundles", service.client_bundles)
pulumi.export("pass_phrase", phrase.text)
