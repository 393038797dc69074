"""Deviations of requests from the API's published metadata, each with its reason.

Three kinds: other ranges and other demands (`DEVIATIONS`), parameters that the metadata lacks
(`ADDED`), and parameters that are not emulated (`LEFT_OUT`). Tests hold all three to the metadata
and the models. docs/localcloud-sources.md says more of those where sources disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[int | None, int | None]


@dataclass(frozen=True)
class Deviation:
    """Demand on a parameter in place of what the metadata says.

    Attributes:
        actions: Actions with their product, such as `Slb.CreateLoadBalancer`.
        parameter: Name of the parameter.
        why: Source that decided, or limit of the local cloud.
        range: Least and greatest value; None for the published one.
        required: Whether a request must have it; None for as published.
    """

    actions: frozenset[str]
    parameter: str
    why: str
    range: Range | None = None
    required: bool | None = None


def _of(product: str, names: str) -> frozenset[str]:
    return frozenset(f"{product}.{name}" for name in names.split())


LISTENERS = _of(
    "Slb",
    "CreateLoadBalancerHTTPListener CreateLoadBalancerHTTPSListener "
    "SetLoadBalancerHTTPListenerAttribute SetLoadBalancerHTTPSListenerAttribute",
)
"""Actions that take a listener's attributes."""

TCP_LISTENERS = _of("Slb", "CreateLoadBalancerTCPListener SetLoadBalancerTCPListenerAttribute")

EVERYWHERE = {"RegionId": "the provider and the SDKs send it with every call"}
"""Parameters that every action takes."""

_TEXT = "the parameter's own text"

DEVIATIONS = (
    Deviation(
        _of("Ecs", "DescribeImageSupportInstanceTypes"),
        "ImageId",
        "there is nothing else to ask for; the provider sends it",
        required=True,
    ),
    Deviation(
        _of("Vpc", "CreateVSwitch ModifyVSwitchAttribute"), "Ipv6CidrBlock", _TEXT, range=(0, 255)
    ),
    Deviation(
        _of("Slb", "CreateLoadBalancer"),
        "Bandwidth",
        "the parameter's text and the provider, two to one",
        range=(1, 5120),
    ),
    Deviation(
        _of("Slb", "CreateLoadBalancerHTTPSListener"),
        "Bandwidth",
        "the provider leaves it out unless it is set, and works in accounts",
        required=False,
    ),
    *(
        Deviation(
            LISTENERS | TCP_LISTENERS | _of("Slb", "SetRule"),
            name,
            "its text and the documentation",
            range=(2, 10),
        )
        for name in ("HealthyThreshold", "UnhealthyThreshold")
    ),
    Deviation(
        TCP_LISTENERS | _of("Slb", "SetRule"),
        "HealthCheckConnectPort",
        "-520 is what the API describes where none is set, and the provider sends it back",
        range=(-520, 65535),
    ),
    Deviation(
        _of("Slb", "CreateLoadBalancerTCPListener"),
        "Bandwidth",
        "the provider leaves it out unless it is set, and works in accounts",
        required=False,
    ),
    Deviation(
        TCP_LISTENERS | _of("Slb", "DescribeLoadBalancerTCPListenerAttribute"),
        "ListenerPort",
        f"{_TEXT}: 0 is of listeners on all ports, which are not emulated",
        range=(1, 65535),
    ),
    Deviation(
        _of("Slb", "CreateLoadBalancerTCPListener"),
        "BackendServerPort",
        f"{_TEXT}: 0 is of listeners on all ports, which are not emulated",
        range=(1, 65535),
    ),
    Deviation(LISTENERS, "IdleTimeout", "its text and the provider", range=(1, 60)),
    Deviation(LISTENERS, "RequestTimeout", "its text and the provider", range=(1, 180)),
    Deviation(
        _of(
            "Slb",
            "CreateDomainExtension CreateRules DescribeDomainExtensions DescribeRules "
            "DeleteLoadBalancerListener "
            "DescribeHealthStatus DescribeLoadBalancerListeners StartLoadBalancerListener "
            "StopLoadBalancerListener",
        ),
        "ListenerPort",
        f"{_TEXT}, and the range of every action that makes a listener",
        range=(1, 65535),
    ),
    Deviation(_of("Slb", "DescribeLoadBalancerListeners"), "MaxResults", _TEXT, range=(1, 100)),
    Deviation(
        _of("Slb", "DescribeAccessControlLists DescribeAccessControlListAttribute"),
        "PageSize",
        _TEXT,
        range=(1, 50),
    ),
    Deviation(_of("Slb", "DescribeAccessControlLists"), "PageNumber", _TEXT, range=(1, None)),
    Deviation(
        _of("Slb", "DescribeAccessControlListAttribute"), "Page", "counted from 1", range=(1, None)
    ),
    Deviation(
        _of("Slb", "AddAccessControlListEntry"),
        "AclId",
        "RemoveAccessControlListEntry demands it: there is no other list to add to",
        required=True,
    ),
    Deviation(
        _of("Slb", "AddBackendServers SetBackendServers"),
        "BackendServers",
        "RemoveBackendServers demands it: there is nothing else to add",
        required=True,
    ),
    Deviation(
        _of("Slb", "CreateDomainExtension SetDomainExtensionAttribute"),
        "ServerCertificateId",
        "a further domain consists of its certificate; the provider demands it",
        required=True,
    ),
    Deviation(
        _of("Ecs", "CreateSecurityGroup"),
        "VpcId",
        "only the classic network does without, which is no longer sold",
        required=True,
    ),
    Deviation(
        _of("Ecs", "JoinSecurityGroup LeaveSecurityGroup"),
        "InstanceId",
        "network interfaces, for which it can be left out, are not emulated",
        required=True,
    ),
    Deviation(
        _of("Ecs", "ModifyInstanceMetadataOptions"),
        "InstanceId",
        "there is nothing else to change; the provider sends it",
        required=True,
    ),
    *(
        Deviation(
            _of("Ecs", "RunInstances"), name, "launch templates are not emulated", required=True
        )
        for name in ("ImageId", "InstanceType")
    ),
    Deviation(
        _of("Ecs", "RunInstances"),
        "VSwitchId",
        "only the classic network does without, which is no longer sold",
        required=True,
    ),
    Deviation(
        _of("Ecs", "RunInstances"), "Amount", "one instance a call, as the provider", range=(1, 1)
    ),
    Deviation(_of("Ecs", "RunInstances"), "InternetMaxBandwidthOut", _TEXT, range=(0, 100)),
    *(
        Deviation(
            _of("Ecs", "DescribeInstanceMaintenanceAttributes DescribeNetworkInterfaces"),
            name,
            "the text of today or before: pages of 1 to 100",
            range=bounds,
        )
        for name, bounds in (("PageNumber", (1, None)), ("PageSize", (1, 100)))
    ),
    *(
        Deviation(_of("Vpc", "DescribeRouteTableList"), name, _TEXT, range=bounds)
        for name, bounds in (("PageNumber", (1, None)), ("PageSize", (1, 50)))
    ),
)

_SENT = "the provider sends it"
_ONE_SHAPE = "one shape for rules of both directions; the provider sends both"
_GROUPS_APART = {"MasterSlaveServerGroupId": _SENT, "ProxyProtocolV2Enabled": _SENT}
_CHANGED = {
    **_GROUPS_APART,
    "BackendServerPort": _SENT,
    "HealthCheckConnectTimeout": _SENT,
    "MasterSlaveServerGroup": _SENT,
}

_OF_HTTP = dict.fromkeys(
    (
        "Cookie",
        "CookieTimeout",
        "Gzip",
        "HealthCheck",
        "HealthCheckMethod",
        "HealthCheckTimeout",
        "IdleTimeout",
        "RequestTimeout",
        "StickySession",
        "StickySessionType",
    ),
    "the provider sends it whatever the protocol, and it means nothing",
)

ADDED: dict[str, dict[str, str]] = {
    "Slb.CreateLoadBalancerHTTPListener": _GROUPS_APART,
    "Slb.CreateLoadBalancerHTTPSListener": _GROUPS_APART,
    "Slb.SetLoadBalancerHTTPListenerAttribute": _CHANGED,
    "Slb.SetLoadBalancerHTTPSListenerAttribute": _CHANGED,
    "Slb.SetLoadBalancerTCPListenerAttribute": {"BackendServerPort": _SENT, **_OF_HTTP},
    "Ecs.DescribeInstanceTypes": {"InstanceType": _SENT, "SystemDiskCategory": _SENT},
    "Ecs.ModifyInstanceAttribute": {"ClientToken": _SENT},
    "Ecs.ModifySecurityGroupRule": {"DestGroupId": _ONE_SHAPE},
    "Ecs.ModifySecurityGroupEgressRule": {
        "SourceGroupId": _ONE_SHAPE,
        "SourceGroupOwnerAccount": _ONE_SHAPE,
    },
    "Ecs.RevokeSecurityGroup": {"DestGroupId": _ONE_SHAPE},
    "Ecs.RevokeSecurityGroupEgress": {
        "SourceGroupId": _ONE_SHAPE,
        "SourceGroupOwnerAccount": _ONE_SHAPE,
    },
}
"""Parameters that the metadata lacks, by action, and why they are taken all the same."""

_DRY = "dry runs"
_FILTER = "filters that the resources and data sources of this program do not need"
_PAGES = "pages by token, beside those by number"
_PREPAID = "subscriptions, which are no longer sold, and their renewal"
_IPV6 = "IPv6 within VPCs"
_ENI = "network interfaces apart from their instance"
_GROUPS_OF_OTHERS = "security groups of other accounts, and prefix lists"
_OLD_RULES = "rules in the form of before Permissions, which the provider does not send"
_HARDWARE = "hardware, dedicated hosts and placement"
_LOGIN = "logins to instances, and roles"
_HEADERS = "further headers of requests"

_LISTENER = {_HEADERS: "XForwardedFor_ClientSrcPort XForwardedFor_SLBPORT"}
_LISTENER_CHANGES = {_DRY: "DryRun", **_LISTENER}

LEFT_OUT: dict[str, dict[str, str]] = {
    "Slb.CreateLoadBalancer": {_PREPAID: "AutoPay Duration PricingCycle"},
    "Slb.CreateLoadBalancerHTTPListener": _LISTENER,
    "Slb.CreateLoadBalancerHTTPSListener": _LISTENER,
    "Slb.SetLoadBalancerHTTPListenerAttribute": _LISTENER_CHANGES,
    "Slb.SetLoadBalancerHTTPSListenerAttribute": _LISTENER_CHANGES,
    "Slb.SetLoadBalancerTCPListenerAttribute": {_DRY: "DryRun"},
    "Slb.CreateRules": {_DRY: "DryRun"},
    "Slb.SetRule": {_DRY: "DryRun"},
    "Slb.DescribeLoadBalancers": {"tags as JSON, beside Tag": "Tags"},
    "Ecs.AuthorizeSecurityGroup": {
        _OLD_RULES: "Description DestCidrIp IpProtocol NicType Policy PortRange Priority "
        "SourceCidrIp SourceGroupId SourcePortRange",
        _IPV6: "Ipv6DestCidrIp Ipv6SourceCidrIp",
        _GROUPS_OF_OTHERS: "SourceGroupOwnerAccount SourceGroupOwnerId SourcePrefixListId",
    },
    "Ecs.AuthorizeSecurityGroupEgress": {
        _OLD_RULES: "Description DestCidrIp DestGroupId IpProtocol NicType Policy PortRange "
        "Priority SourceCidrIp SourcePortRange",
        _IPV6: "Ipv6DestCidrIp Ipv6SourceCidrIp",
        _GROUPS_OF_OTHERS: "DestGroupOwnerAccount DestGroupOwnerId DestPrefixListId",
    },
    "Ecs.CreateSecurityGroup": {"security groups of cloud services": "ServiceManaged"},
    "Ecs.DeleteInstance": {_DRY: "DryRun", "ForceStop, beside Force": "ForceStop"},
    "Ecs.DescribeAvailableResource": {
        _FILTER: "DataDiskCategory ResourceType Scope SpotDuration",
        _HARDWARE: "DedicatedHostId",
    },
    "Ecs.DescribeDisks": {
        _FILTER: "AdditionalAttributes AutoSnapshotPolicyId Category DeleteAutoSnapshot "
        "DeleteWithInstance DiskChargeType DiskName EnableAutoSnapshot "
        "EnableAutomatedSnapshotPolicy EnableShared Encrypted Filter KMSKeyId LockReason "
        "MultiAttach Portable ResourceGroupId SnapshotId Status Tag ZoneId",
        _PAGES: "MaxResults NextToken",
    },
    "Ecs.DescribeImageSupportInstanceTypes": {_FILTER: "ActionType Filter"},
    "Ecs.DescribeImages": {
        _FILTER: "ActionType Filter ImageFamily ImageOwnerId IsPublic "
        "IsSupportCloudinit IsSupportIoOptimized ResourceGroupId ShowExpired SnapshotId Tag Usage",
    },
    "Ecs.DescribeInstanceTypes": {
        _FILTER: "AdditionalAttributes CpuArchitecture CpuArchitectures GPUSpec GpuSpecs "
        "InstanceCategories InstanceCategory InstanceFamilyLevel InstanceTypeFamilies "
        "LocalStorageCategories LocalStorageCategory MaximumCpuCoreCount MaximumCpuSpeedFrequency "
        "MaximumCpuTurboFrequency MaximumGPUAmount MaximumMemorySize MinimumBaselineCredit "
        "MinimumCpuCoreCount MinimumCpuSpeedFrequency MinimumCpuTurboFrequency "
        "MinimumDiskQuantity MinimumEniIpv6AddressQuantity MinimumEniPrivateIpAddressQuantity "
        "MinimumEniQuantity MinimumEriQuantity MinimumGPUAmount MinimumInitialCredit "
        "MinimumInstanceBandwidthRx MinimumInstanceBandwidthTx MinimumInstancePpsRx "
        "MinimumInstancePpsTx MinimumLocalStorageAmount MinimumLocalStorageCapacity "
        "MinimumMemorySize MinimumPrimaryEniQueueNumber MinimumQueuePairNumber "
        "MinimumSecondaryEniQueueNumber NvmeSupport PhysicalProcessorModel "
        "PhysicalProcessorModels",
    },
    "Ecs.DescribeInstances": {
        _FILTER: "DeviceAvailable EipAddresses Filter HpcClusterId HttpEndpoint "
        "HttpPutResponseHopLimit HttpTokens ImageId InnerIpAddresses InstanceChargeType "
        "InstanceNetworkType InstanceType InstanceTypeFamily InternetChargeType IoOptimized "
        "Ipv6Address KeyPairName LockReason NeedSaleCycle PrivateIpAddresses PublicIpAddresses "
        "RdmaIpAddresses",
    },
    "Ecs.DescribeNetworkInterfaces": {
        _FILTER: "Ipv6Address NetworkInterfaceName PrimaryIpAddress PrivateIpAddress "
        "ResourceGroupId SecurityGroupId ServiceManaged Status Tag Type VSwitchId VpcId",
        _PAGES: "MaxResults NextToken",
    },
    "Ecs.DescribeSecurityGroupAttribute": {
        _FILTER: "Attribute",
        _PAGES: "MaxResults NextToken",
    },
    "Ecs.DescribeSecurityGroups": {
        _FILTER: "FuzzyQuery IsQueryEcsCount NetworkType SecurityGroupIds SecurityGroupType "
        "ServiceManaged",
        _PAGES: "MaxResults NextToken",
    },
    "Ecs.DescribeTags": {_FILTER: "Category Tag"},
    "Ecs.JoinSecurityGroup": {_ENI: "NetworkInterfaceId"},
    "Ecs.LeaveSecurityGroup": {_ENI: "NetworkInterfaceId"},
    "Ecs.ListTagResources": {_FILTER: "TagFilter"},
    "Ecs.ModifyInstanceAttribute": {
        _HARDWARE: "CpuOptions CreditSpecification EnableJumboFrame EnableNetworkEncryption "
        "NetworkInterfaceQueueNumber",
        _LOGIN: "Password RemoteConnectionOptions",
        "a recycle bin": "Recyclable",
        "names within VPCs": "PrivateDnsNameOptions",
        "changes that RunInstances, JoinSecurityGroup and LeaveSecurityGroup make": "UserData "
        "SecurityGroupIds",
    },
    "Ecs.ModifyInstanceMetadataOptions": {"tags in an instance's metadata": "InstanceMetadataTags"},
    "Ecs.ModifySecurityGroupRule": {
        "rules by id": "SecurityGroupRuleId",
        _GROUPS_OF_OTHERS: "SourceGroupOwnerId SourcePrefixListId",
        "lists of ports, and source ports": "PortRangeListId SourcePortRange",
    },
    "Ecs.ModifySecurityGroupEgressRule": {
        "rules by id": "SecurityGroupRuleId",
        _GROUPS_OF_OTHERS: "DestGroupOwnerAccount DestGroupOwnerId DestPrefixListId",
        "lists of ports, and source ports": "PortRangeListId SourcePortRange",
    },
    "Ecs.RevokeSecurityGroup": {
        "rules by id or in the form of Permissions": "Permissions SecurityGroupRuleId",
        "repeated calls by ClientToken, which change nothing here": "ClientToken",
        _GROUPS_OF_OTHERS: "SourceGroupOwnerId SourcePrefixListId",
        "source ports": "SourcePortRange",
    },
    "Ecs.RevokeSecurityGroupEgress": {
        "rules by id or in the form of Permissions": "Permissions SecurityGroupRuleId",
        "repeated calls by ClientToken, which change nothing here": "ClientToken",
        _GROUPS_OF_OTHERS: "DestGroupOwnerAccount DestGroupOwnerId DestPrefixListId",
        "source ports": "SourcePortRange",
    },
    "Ecs.RunInstances": {
        _PREPAID: "AutoPay AutoRenew AutoRenewPeriod Period PeriodUnit",
        _HARDWARE: "Affinity ClockOptions CpuOptions CreditSpecification DedicatedHostId "
        "DeploymentSetGroupNo DeploymentSetId HibernationOptions HpcClusterId "
        "NetworkInterfaceQueueNumber NetworkOptions PrivatePoolOptions SchedulerOptions "
        "SecurityOptions StorageSetId StorageSetPartitionNumber Tenancy",
        _LOGIN: "ImageOptions KeyPairName Password PasswordInherit RamRoleName",
        _ENI: "NetworkInterface",
        _IPV6: "Ipv6Address Ipv6AddressCount",
        "launch templates, and images by family": "ImageFamily LaunchTemplateId "
        "LaunchTemplateName LaunchTemplateVersion",
        "more than one instance a call": "HostNames MinAmount UniqueSuffix",
        "spot instances, and an end that is set beforehand": "AutoReleaseTime SpotDuration "
        "SpotInterruptionBehavior SpotPriceLimit",
        "further disks, and snapshots": "DataDisk SystemDisk.AutoSnapshotPolicyId",
        "addresses of one's own choice, and further networks": "InternetMaxBandwidthIn Isp "
        "PrivateIpAddress",
        "names within VPCs": "PrivateDnsNameOptions",
        "calls in the name of another": "Arn",
    },
    "Ecs.StartInstance": {_DRY: "DryRun", "local disks": "InitLocalDisk"},
    "Ecs.StopInstance": {_DRY: "DryRun", "hibernation": "ConfirmStop Hibernate"},
    "Vpc.CreateVpc": {
        "IPv6 blocks of one's own choice": "Ipv6CidrBlock Ipv6CidrMask Ipv6IpamPoolId",
        "address pools": "Ipv4CidrMask Ipv4IpamPoolId",
    },
    "Vpc.DescribeRouteTableList": {_FILTER: "RouteTableType Tag"},
    "Vpc.DescribeVpcAttribute": {_FILTER: "IsDefault"},
    "Vpc.ListTagResources": {"tags in pages": "MaxResults"},
    "Vpc.ModifyVpcAttribute": {
        "IPv6 blocks of one's own choice": "Ipv6CidrBlock",
    },
    "Vpc.AssociateVpcCidrBlock": {
        "IPv6 blocks of one's own choice": "IPv6CidrBlock Ipv6CidrMask Ipv6Isp",
        "address pools": "IpamPoolId SecondaryCidrMask",
    },
    "Vpc.UnassociateVpcCidrBlock": {"IPv6 blocks of one's own choice": "IPv6CidrBlock"},
    "BssOpenApi.QueryAvailableInstances": {
        _FILTER: "CreateTimeEnd CreateTimeStart EndTimeEnd EndTimeStart InstanceIDs RenewStatus"
    },
}
"""Parameters that ask for what the local cloud does not emulate, by action, and what that is."""

VALUES_LEFT_OUT: dict[str, dict[str, str]] = {
    "XForwardedFor": {"off": "requests without X-Forwarded-For"},
    "ListenerProtocol": {"udp": "UDP"},
    "InstanceChargeType": {"PrePaid": _PREPAID},
    "Ipv6Isp": dict.fromkeys(
        ("ChinaMobile", "ChinaTelecom", "ChinaUnicom"), "IPv6 addresses of one carrier"
    ),
    "IpVersion": {"IPV6": "IPv6 blocks of one's own choice"},
    "SpotStrategy": dict.fromkeys(("SpotWithPriceLimit", "SpotAsPriceGo"), "spot instances"),
}
"""Values that the local cloud does not emulate, by parameter, and what they ask for."""
