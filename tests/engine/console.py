"""Somebody at the console: changes that the program knows nothing of, by the official SDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alibabacloud_ecs20140526.client import Client as EcsClient
from alibabacloud_slb20140515.client import Client as SlbClient
from alibabacloud_tea_openapi.utils_models import Config
from alibabacloud_vpc20160428.client import Client as VpcClient

from localcloud import control
from localcloud.home import Home
from tests.official_sdk import hang_up, without_proxy

REGION = "cn-hangzhou"


@dataclass(frozen=True)
class Console:
    """Clients of the three products, for one local cloud."""

    slb: Any
    ecs: Any
    vpc: Any


@contextmanager
def console(home: Home) -> Iterator[Console]:
    """Sign in at the local cloud that keeps its files in `home`."""
    credentials = home.credentials()
    running = control.find_running(home)
    assert running is not None
    config = Config(
        access_key_id=credentials.access_key_id,
        access_key_secret=credentials.access_key_secret,
        endpoint=f"127.0.0.1:{running.port}",
        region_id=REGION,
        protocol="HTTPS",
        ca=str(home.trust),
    )
    with without_proxy():
        yield Console(*(client(config) for client in (SlbClient, EcsClient, VpcClient)))
    hang_up()
