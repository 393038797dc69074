"""One call of every action at least, so that every answer can be looked at."""

from __future__ import annotations

import json
from typing import Any

from localcloud.products import BSS, LOCATION, RESOURCE_MANAGER, STS
from tests.unit.localcloud.certificates import certificate, private_key, rsa_key
from tests.unit.localcloud.fake_plane import IMAGE, Account

RULE = {"IpProtocol": "tcp", "PortRange": "8080/8080", "SourceCidrIp": "10.0.0.0/8"}
PERMISSION = {f"Permissions__1__{name}": value for name, value in RULE.items()}
RULE_OF_ITS_OWN = {
    "ListenerSync": "off",
    "Scheduler": "rr",
    "StickySession": "on",
    "StickySessionType": "insert",
    "CookieTimeout": 60,
    "HealthCheck": "on",
    "HealthCheckURI": "/a",
    "HealthCheckDomain": "a.example.com",
    "HealthCheckHttpCode": "http_3xx",
    "HealthCheckTimeout": 4,
    "HealthCheckInterval": 3,
    "HealthyThreshold": 2,
    "UnhealthyThreshold": 2,
}
TAG = {"Tag__1__Key": "a", "Tag__1__Value": "b"}


def tour(account: Account) -> None:
    """Make everything, look at everything, change everything, remove everything."""
    account.call(STS, "GetCallerIdentity")
    account.call(LOCATION, "DescribeEndpoints", ServiceCode="slb", Id="cn-hangzhou")
    account.call(BSS, "QueryAvailableInstances", ProductCode="slb")
    for action in ("DescribeZones", "DescribeInstanceTypes", "DescribeImages", "DescribeTags"):
        account.ecs(action)
    account.ecs("DescribeAvailableResource", DestinationResource="InstanceType")
    account.ecs("DescribeImageSupportInstanceTypes", ImageId=IMAGE)
    account.call(RESOURCE_MANAGER, "ListResourceGroups")
    account.slb("DescribeZones")
    account.slb("DescribeRegions")
    account.ecs("DescribeRegions")
    account.slb("DescribeAvailableResource")

    vpc = account.vpc("CreateVpc", CidrBlock="10.0.0.0/8", VpcName="net", **TAG)["VpcId"]
    account.settle()
    switch = account.make_vswitch(vpc)
    _network(account, vpc, switch)
    group = _security_group(account, vpc)
    instance = _instance(account, switch, group)
    other = account.make_instance(VSwitchId=switch, SecurityGroupIds__1=group)
    balancer = _load_balancer(account, instance, other)
    certificates = _certificates(account)
    acl = _access_control_list(account)
    server_group = _vserver_group(account, balancer, instance)
    _listener(account, balancer, *certificates)
    _listener_with_all(account, balancer, certificates[0], acl, server_group)

    account.slb("DeleteServerCertificate", ServerCertificateId=certificates[0])
    account.slb("DeleteCACertificate", CACertificateId=certificates[1])
    account.slb("DeleteLoadBalancer", LoadBalancerId=balancer)
    account.ecs("StopInstance", InstanceId=instance)
    account.ecs("StartInstance", InstanceId=instance)
    for one in (instance, other):
        account.ecs("DeleteInstance", InstanceId=one, Force="true")
    account.ecs("DeleteSecurityGroup", SecurityGroupId=group)
    account.vpc("DeleteVSwitch", VSwitchId=switch)
    account.vpc("DeleteVpc", VpcId=vpc)


def _network(account: Account, vpc: str, switch: str) -> None:
    of = {"ResourceType": "VSWITCH", "ResourceId__1": switch}
    account.vpc("TagResources", **of, **TAG)
    account.vpc("ListTagResources", **of)
    account.vpc("DescribeVpcAttribute", VpcId=vpc)
    account.vpc("DescribeVSwitchAttributes", VSwitchId=switch)
    account.vpc("DescribeRouteTableList", VpcId=vpc)
    changed = {"CidrBlock": "10.0.0.0/8", "EnableDnsHostname": "true"}
    account.vpc("ModifyVpcAttribute", VpcId=vpc, **changed)
    more = {"VpcId": vpc, "SecondaryCidrBlock": "192.168.0.0/16"}
    account.vpc("AssociateVpcCidrBlock", **more)
    account.vpc("DescribeVpcs")
    account.vpc("UnassociateVpcCidrBlock", **more)
    account.vpc("MoveResourceGroup", ResourceType="VPC", ResourceId=vpc, NewResourceGroupId="rg-a")
    [table] = account.vpc("DescribeRouteTableList", VpcId=vpc)["RouterTableList"][
        "RouterTableListType"
    ]
    account.vpc("ModifyRouteTableAttributes", RouteTableId=table["RouteTableId"], Description="a")
    account.vpc("DescribeVSwitches", VpcId=vpc)
    account.vpc("ModifyVpcAttribute", VpcId=vpc, VpcName="b")
    account.vpc("ModifyVSwitchAttribute", VSwitchId=switch, VSwitchName="b")
    account.vpc("UnTagResources", **of, TagKey__1="a")


def _security_group(account: Account, vpc: str) -> str:
    group = account.ecs("CreateSecurityGroup", VpcId=vpc, **TAG)["SecurityGroupId"]
    of = {"SecurityGroupId": group}
    account.ecs("AuthorizeSecurityGroup", **of, **PERMISSION)
    account.ecs("AuthorizeSecurityGroupEgress", **of, **PERMISSION)
    account.ecs("ModifySecurityGroupRule", **of, **RULE, Description="b")
    account.ecs("ModifySecurityGroupEgressRule", **of, **RULE, Description="b")
    account.ecs("DescribeSecurityGroups", **of)
    account.ecs("DescribeSecurityGroupAttribute", **of)
    account.ecs("ModifySecurityGroupAttribute", **of, Description="b")
    account.ecs("ModifySecurityGroupPolicy", **of, InnerAccessPolicy="Drop")
    account.ecs("RevokeSecurityGroup", **of, **RULE)
    account.ecs("RevokeSecurityGroupEgress", **of, **RULE)
    return group


def _instance(account: Account, switch: str, group: str) -> str:
    key = account.make_instance(VSwitchId=switch, SecurityGroupIds__1=group, **TAG)
    of, tagged = {"InstanceId": key}, {"ResourceType": "instance", "ResourceId__1": key}
    account.ecs("TagResources", **tagged, **TAG)
    account.ecs("ListTagResources", **tagged)
    wanted = json.dumps([key])
    account.ecs("DescribeInstances", InstanceIds=wanted)
    account.ecs("DescribeInstanceRamRole", InstanceIds=wanted)
    account.ecs("DescribeInstanceAttachmentAttributes", InstanceIds=wanted)
    account.ecs("DescribeInstanceMaintenanceAttributes", InstanceId__1=key)
    for action in (
        "DescribeUserData",
        "DescribeInstanceAttribute",
        "DescribeDisks",
        "DescribeNetworkInterfaces",
        "ModifyInstanceAttribute",
    ):
        account.ecs(action, **of)
    account.ecs("ModifyInstanceMetadataOptions", **of, HttpEndpoint="enabled")
    other = account.make_group(account.store.everything()["vpc"][0].id)
    account.ecs("JoinSecurityGroup", **of, SecurityGroupId=other)
    account.ecs("LeaveSecurityGroup", **of, SecurityGroupId=other)
    account.ecs("DeleteSecurityGroup", SecurityGroupId=other)
    account.ecs("UntagResources", **tagged, TagKey__1="a")
    return key


def _load_balancer(account: Account, *instances: str) -> str:
    key = account.make_load_balancer(
        InstanceChargeType="PayBySpec", LoadBalancerSpec="slb.s1.small", **TAG
    )
    of = {"LoadBalancerId": key}
    tagged = {"ResourceType": "instance", "ResourceId__1": key}
    account.slb("TagResources", **tagged, **TAG)
    account.slb("ListTagResources", **tagged)
    account.slb("SetLoadBalancerName", **of, LoadBalancerName="b")
    account.slb("SetLoadBalancerStatus", **of, LoadBalancerStatus="active")
    account.slb("SetLoadBalancerDeleteProtection", **of, DeleteProtection="off")
    account.slb(
        "SetLoadBalancerModificationProtection",
        **of,
        ModificationProtectionStatus="NonProtection",
    )
    account.slb("ModifyLoadBalancerInternetSpec", **of, Bandwidth=5)
    account.slb("ModifyLoadBalancerInstanceSpec", **of, LoadBalancerSpec="slb.s2.small")
    account.slb("ModifyLoadBalancerInstanceChargeType", **of, InstanceChargeType="PayByCLCU")
    servers = json.dumps([{"ServerId": instance} for instance in instances])
    account.slb("AddBackendServers", **of, BackendServers=servers)
    account.slb("SetBackendServers", **of, BackendServers=servers)
    account.slb("DescribeLoadBalancers")
    account.slb("DescribeLoadBalancerAttribute", **of)
    account.slb("UntagResources", **tagged, TagKey__1="a")
    return key


def _certificates(account: Account) -> tuple[str, str]:
    text = certificate(rsa_key())
    server = account.slb(
        "UploadServerCertificate",
        ServerCertificate=text,
        PrivateKey=private_key(rsa_key()),
        **TAG,
    )["ServerCertificateId"]
    authority = account.slb("UploadCACertificate", CACertificate=text, **TAG)["CACertificateId"]
    account.slb("DescribeServerCertificates", ServerCertificateId=server)
    account.slb("DescribeCACertificates", CACertificateId=authority)
    account.slb("SetServerCertificateName", ServerCertificateId=server, ServerCertificateName="b")
    account.slb("SetCACertificateName", CACertificateId=authority, CACertificateName="b")
    return server, authority


def _access_control_list(account: Account) -> str:
    key = account.slb("CreateAccessControlList", AclName="a", **TAG)["AclId"]
    of = {"AclId": key}
    entries = json.dumps([{"entry": "10.0.0.0/8", "comment": "b"}, {"entry": "127.0.0.0/8"}])
    account.slb("AddAccessControlListEntry", **of, AclEntrys=entries)
    gone = json.dumps([{"entry": "10.0.0.0/8"}])
    account.slb("RemoveAccessControlListEntry", **of, AclEntrys=gone)
    account.slb("SetAccessControlListAttribute", **of, AclName="b")
    account.slb("DescribeAccessControlListAttribute", **of)
    account.slb("DescribeAccessControlLists")
    account.slb("TagResources", ResourceType="acl", ResourceId__1=key, **TAG)
    return key


def _vserver_group(account: Account, balancer: str, instance: str) -> str:
    member = [{"ServerId": instance, "Port": 8080, "Weight": 10}]
    key = account.slb(
        "CreateVServerGroup", LoadBalancerId=balancer, BackendServers=json.dumps(member), **TAG
    )["VServerGroupId"]
    of, other = {"VServerGroupId": key}, json.dumps([{**member[0], "Port": 9090}])
    account.slb("SetVServerGroupAttribute", **of, VServerGroupName="b")
    account.slb("AddVServerGroupBackendServers", **of, BackendServers=other)
    account.slb("RemoveVServerGroupBackendServers", **of, BackendServers=other)
    account.slb("ModifyVServerGroupBackendServers", **of, NewBackendServers=other)
    account.slb("DescribeVServerGroupAttribute", **of)
    account.slb("DescribeVServerGroups", LoadBalancerId=balancer, IncludeListener="true")
    return key


def _listener_with_all(
    account: Account, balancer: str, server: str, acl: str, server_group: str
) -> None:
    """An HTTPS listener with another domain, one that redirects to it, and one of HTTP."""
    at = {"LoadBalancerId": balancer}
    of = {**at, "ListenerPort": 443}
    sticky = {"StickySession": "on", "StickySessionType": "insert", "CookieTimeout": 60}
    guarded = {"AclStatus": "on", "AclType": "white", "AclId": acl}
    account.slb(
        "CreateLoadBalancerHTTPSListener",
        **of,
        **sticky,
        **guarded,
        ServerCertificateId=server,
        VServerGroupId=server_group,
        **TAG,
    )
    domain = {"Domain": "app.example.com", "ServerCertificateId": server}
    extension = account.slb("CreateDomainExtension", **of, **domain)["DomainExtensionId"]
    extended = {"DomainExtensionId": extension}
    account.slb("SetDomainExtensionAttribute", **extended, ServerCertificateId=server)
    account.slb("DescribeDomainExtensionAttribute", **extended)
    account.slb("DescribeDomainExtensions", **of)
    account.slb("DescribeLoadBalancerHTTPSListenerAttribute", **of)
    _rule(account, of, server_group, "HTTPS")
    account.slb("DescribeAccessControlListAttribute", AclId=acl)
    account.slb("DescribeVServerGroups", **at, IncludeListener="true")
    forward = {"ListenerForward": "on", "ForwardPort": 443}
    account.slb("CreateLoadBalancerHTTPListener", **at, ListenerPort=80, **forward)
    account.slb("DescribeLoadBalancerHTTPListenerAttribute", **at, ListenerPort=80)
    plain = {**at, "ListenerPort": 81, "BackendServerPort": 8080}
    account.slb("CreateLoadBalancerHTTPListener", **plain, **TAG)
    _rule(account, {**at, "ListenerPort": 81}, server_group, "HTTP")
    cookie = {"StickySession": "on", "StickySessionType": "server", "Cookie": "a"}
    account.slb("SetLoadBalancerHTTPListenerAttribute", **at, ListenerPort=81, **cookie)
    account.slb("DescribeLoadBalancerHTTPListenerAttribute", **at, ListenerPort=81)
    account.slb("DescribeLoadBalancerListeners")
    named = {"HealthCheckDomain": "a.example.com"}
    account.slb(
        "SetLoadBalancerHTTPListenerAttribute", **at, ListenerPort=81, **sticky, **guarded, **named
    )
    account.slb("SetLoadBalancerHTTPSListenerAttribute", **of, **cookie, **named)
    account.slb("DescribeLoadBalancerHTTPListenerAttribute", **at, ListenerPort=81)
    account.slb("DescribeLoadBalancerHTTPSListenerAttribute", **of)
    account.slb("DescribeLoadBalancerAttribute", **at)
    account.slb("DescribeHealthStatus", **at)
    account.slb("DescribeLoadBalancers", PageSize=50)
    account.slb("DescribeLoadBalancerListeners", LoadBalancerId__1=balancer)
    account.slb("DeleteDomainExtension", **extended)
    for check in ({}, {"HealthCheckType": "http"}):
        tcp = {**at, "ListenerPort": 82}
        account.slb("CreateLoadBalancerTCPListener", **tcp, BackendServerPort=80, **check, **TAG)
        account.slb("SetLoadBalancerTCPListenerAttribute", **tcp, **guarded)
        account.slb("DescribeLoadBalancerTCPListenerAttribute", **tcp)
        account.slb("DescribeLoadBalancerListeners")
        account.slb("DeleteLoadBalancerListener", **tcp)
    for port in (81, 80, 443):
        account.slb("DeleteLoadBalancerListener", **at, ListenerPort=port)
    account.slb("DeleteVServerGroup", VServerGroupId=server_group)
    account.slb("DeleteAccessControlList", AclId=acl)


def _rule(account: Account, of: dict[str, Any], server_group: str, protocol: str) -> None:
    given = {"RuleName": "a", "Domain": "*.example.com", "VServerGroupId": server_group}
    [made] = account.slb("CreateRules", **of, RuleList=json.dumps([{**given, "Url": "/a"}]))[
        "Rules"
    ]["Rule"]
    rule = {"RuleId": made["RuleId"]}
    account.slb("SetRule", **rule, RuleName="b", **RULE_OF_ITS_OWN)
    account.slb("DescribeRules", **of)
    account.slb("DescribeRuleAttribute", **rule)
    account.slb("SetRule", **rule, StickySessionType="server", Cookie="a")
    account.slb("DescribeRules", **of)
    account.slb("DescribeRuleAttribute", **rule)
    account.slb(f"DescribeLoadBalancer{protocol}ListenerAttribute", **of)
    balancer = of["LoadBalancerId"]
    account.slb("DescribeVServerGroups", LoadBalancerId=balancer, IncludeRule="true")
    account.slb("DeleteRules", RuleIds=json.dumps([made["RuleId"]]))


def _listener(account: Account, balancer: str, server: str, authority: str) -> None:
    of = {"LoadBalancerId": balancer, "ListenerPort": 443}
    given = {"ServerCertificateId": server, "CACertificateId": authority}
    account.slb("CreateLoadBalancerHTTPSListener", **of, **given, BackendServerPort=8080)
    account.slb("StartLoadBalancerListener", **of)
    account.slb("SetLoadBalancerHTTPSListenerAttribute", **of, HealthCheckDomain="a.example.com")
    account.slb("DescribeLoadBalancerHTTPSListenerAttribute", **of)
    account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=balancer)
    account.slb("DescribeHealthStatus", **of)
    servers = account.slb("DescribeLoadBalancerAttribute", LoadBalancerId=balancer)
    for one in servers["BackendServers"]["BackendServer"]:
        gone = json.dumps([{"ServerId": one["ServerId"]}])
        account.slb("RemoveBackendServers", LoadBalancerId=balancer, BackendServers=gone)
    account.slb("StopLoadBalancerListener", **of)
    account.slb("DescribeLoadBalancerHTTPSListenerAttribute", **of)
    account.slb("DeleteLoadBalancerListener", **of)
