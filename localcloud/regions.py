"""Regions of Alibaba Cloud and their zones.

Source: Alibaba Cloud's list of regions and zones, and the provider's list.
"""

from __future__ import annotations

import re

from localcloud.errors import ApiError

REGIONS = {
    "cn-qingdao": ("China (Qingdao)", "华北1（青岛）"),
    "cn-beijing": ("China (Beijing)", "华北2（北京）"),
    "cn-zhangjiakou": ("China (Zhangjiakou)", "华北3（张家口）"),
    "cn-huhehaote": ("China (Hohhot)", "华北5（呼和浩特）"),
    "cn-wulanchabu": ("China (Ulanqab)", "华北6（乌兰察布）"),
    "cn-hangzhou": ("China (Hangzhou)", "华东1（杭州）"),
    "cn-shanghai": ("China (Shanghai)", "华东2（上海）"),
    "cn-nanjing": ("China (Nanjing)", "华东5（南京）"),
    "cn-fuzhou": ("China (Fuzhou)", "华东6（福州）"),
    "cn-wuhan-lr": ("China (Wuhan)", "华中1（武汉）"),
    "cn-zhengzhou-jva": ("China (Zhengzhou)", "华中2（郑州）"),
    "cn-zhongwei": ("China (Zhongwei)", "西北1（中卫）"),
    "cn-shenzhen": ("China (Shenzhen)", "华南1（深圳）"),
    "cn-heyuan": ("China (Heyuan)", "华南2（河源）"),
    "cn-guangzhou": ("China (Guangzhou)", "华南3（广州）"),
    "cn-chengdu": ("China (Chengdu)", "西南1（成都）"),
    "cn-hongkong": ("China (Hong Kong)", "中国香港"),
    "ap-northeast-1": ("Japan (Tokyo)", "日本（东京）"),
    "ap-northeast-2": ("South Korea (Seoul)", "韩国（首尔）"),
    "ap-southeast-1": ("Singapore", "新加坡"),
    "ap-southeast-2": ("Australia (Sydney)", "澳大利亚（悉尼）"),
    "ap-southeast-3": ("Malaysia (Kuala Lumpur)", "马来西亚（吉隆坡）"),
    "ap-southeast-5": ("Indonesia (Jakarta)", "印度尼西亚（雅加达）"),
    "ap-southeast-6": ("Philippines (Manila)", "菲律宾（马尼拉）"),
    "ap-southeast-7": ("Thailand (Bangkok)", "泰国（曼谷）"),
    "ap-southeast-8": ("Malaysia (Johor)", "马来西亚（柔佛）"),
    "ap-south-1": ("India (Mumbai)", "印度（孟买）"),
    "us-west-1": ("US (Silicon Valley)", "美国（硅谷）"),
    "us-east-1": ("US (Virginia)", "美国（弗吉尼亚）"),
    "us-southeast-1": ("US (Atlanta)", "美国（亚特兰大）"),
    "na-south-1": ("Mexico", "墨西哥"),
    "eu-central-1": ("Germany (Frankfurt)", "德国（法兰克福）"),
    "eu-west-1": ("UK (London)", "英国（伦敦）"),
    "me-east-1": ("UAE (Dubai)", "阿联酋（迪拜）"),
    "me-central-1": ("Saudi Arabia (Riyadh)", "沙特（利雅得）"),
    "rus-west-1": ("Russia (Moscow)", "俄罗斯（莫斯科）"),
    "cn-hangzhou-finance": ("China East 1 Finance", "华东1 金融云"),
    "cn-shanghai-finance-1": ("China East 2 Finance", "华东2 金融云"),
    "cn-shenzhen-finance-1": ("China South 1 Finance", "华南1 金融云"),
    "cn-shenzhen-finance": ("China South 1 Finance", "华南1 金融云"),
    "cn-beijing-finance-1": ("China North 2 Finance", "华北2 金融云"),
    "cn-north-2-gov-1": ("China North 2 Ali Gov 1", "华北2 阿里政务云1"),
}
"""Names of regions by id, English and Chinese, in the order of the API's answers."""


def local_name(region: str, language: str) -> str:
    """A region's name in a language; Chinese is the API's default."""
    english, chinese = REGIONS[region]
    return chinese if language in {"", "zh-CN"} else english


def zone_name(zone: str, language: str) -> str:
    """A zone's name in a language, as the documentation of DescribeZones has it: `Hangzhou Zone B`.

    Args:
        zone: Id of the zone.
        language: Language as `AcceptLanguage` names it.
    """
    region, _, letter = zone.rpartition("-")
    name = local_name(region, language)
    city = re.search("[(（](.+)[)）]", name)
    place = city[1] if city else name
    zone_of = "Zone " if name.isascii() else "可用区"
    return f"{place} {zone_of}{letter.upper()}"


def require_known(region: str) -> None:
    """Check a region that a request names; one that it may leave out is empty.

    Raises:
        ApiError: The region is unknown.
    """
    if region and region not in REGIONS:
        raise ApiError(
            404,
            "InvalidRegionId.NotFound",
            "The specified RegionId does not exist: cn-hangzhou is one.",
        )
