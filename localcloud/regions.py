"""Regions that there are.

Source: Alibaba Cloud's list of regions and zones, and the provider's list.
"""

from __future__ import annotations

from localcloud.errors import ApiError

REGIONS = {
    "cn-hangzhou": "China (Hangzhou)",
    "cn-shanghai": "China (Shanghai)",
    "cn-nanjing": "China (Nanjing)",
    "cn-fuzhou": "China (Fuzhou)",
    "cn-wuhan-lr": "China (Wuhan)",
    "cn-zhengzhou-jva": "China (Zhengzhou)",
    "cn-qingdao": "China (Qingdao)",
    "cn-beijing": "China (Beijing)",
    "cn-zhangjiakou": "China (Zhangjiakou)",
    "cn-huhehaote": "China (Hohhot)",
    "cn-wulanchabu": "China (Ulanqab)",
    "cn-zhongwei": "China (Zhongwei)",
    "cn-shenzhen": "China (Shenzhen)",
    "cn-heyuan": "China (Heyuan)",
    "cn-guangzhou": "China (Guangzhou)",
    "cn-chengdu": "China (Chengdu)",
    "cn-hongkong": "China (Hong Kong)",
    "ap-northeast-1": "Japan (Tokyo)",
    "ap-northeast-2": "South Korea (Seoul)",
    "ap-southeast-1": "Singapore",
    "ap-southeast-2": "Australia (Sydney)",
    "ap-southeast-3": "Malaysia (Kuala Lumpur)",
    "ap-southeast-5": "Indonesia (Jakarta)",
    "ap-southeast-6": "Philippines (Manila)",
    "ap-southeast-7": "Thailand (Bangkok)",
    "ap-southeast-8": "Malaysia (Johor)",
    "ap-south-1": "India (Mumbai)",
    "us-west-1": "US (Silicon Valley)",
    "us-east-1": "US (Virginia)",
    "us-southeast-1": "US (Atlanta)",
    "na-south-1": "Mexico",
    "eu-central-1": "Germany (Frankfurt)",
    "eu-west-1": "UK (London)",
    "me-east-1": "UAE (Dubai)",
    "me-central-1": "Saudi Arabia (Riyadh)",
    "rus-west-1": "Russia (Moscow)",
    "cn-hangzhou-finance": "China East 1 Finance",
    "cn-shanghai-finance-1": "China East 2 Finance",
    "cn-shenzhen-finance-1": "China South 1 Finance",
    "cn-shenzhen-finance": "China South 1 Finance",
    "cn-beijing-finance-1": "China North 2 Finance",
    "cn-north-2-gov-1": "China North 2 Ali Gov 1",
}
"""Names by id."""


def require_known(region: str) -> None:
    """Check a region that a request names; one that it may leave out is empty.

    Raises:
        ApiError: There is no such region.
    """
    if region and region not in REGIONS:
        raise ApiError(
            404,
            "InvalidRegionId.NotFound",
            "The specified RegionId does not exist: cn-hangzhou is one.",
        )
