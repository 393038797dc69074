"""Measurement of the local cloud by itself: answers and memory."""

from __future__ import annotations

import ssl
import statistics
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.figures import print_figure
from localcloud import control
from localcloud.api.signatures import sign_v1, string_to_sign_v1
from localcloud.documents import LoadBalancer
from localcloud.home import Home

CALLS = 500


def run(home: Path) -> None:
    """Ask for the stack's load balancer again and again, over one connection, each time signed."""
    cloud = Home(home / "cloud")
    status = control.ask(cloud, "GET", "/status")
    load_balancer = control.ask(cloud, "GET", "/dump")[LoadBalancer.kind][0]["id"]
    trust = ssl.create_default_context(cafile=str(cloud.trust))
    spent = []
    with httpx.Client(base_url=status["endpoint"], verify=trust, trust_env=False) as client:
        for _ in range(CALLS):
            parameters = _sign(cloud, load_balancer)
            began = time.perf_counter()
            client.post("/", params=parameters).raise_for_status()
            spent.append((time.perf_counter() - began) * 1000)
    spent.sort()
    print_figure("api_call_median", statistics.median(spent), "ms")
    print_figure("api_call_99_percent", spent[len(spent) * 99 // 100], "ms")
    print_figure("local_cloud_memory", control.ask(cloud, "GET", "/status")["memory_mib"], "MiB")


def _sign(cloud: Home, load_balancer: str) -> dict[str, str]:
    credentials = cloud.credentials()
    parameters = {
        "Action": "DescribeLoadBalancerAttribute",
        "Version": "2014-05-15",
        "RegionId": "cn-hangzhou",
        "LoadBalancerId": load_balancer,
        "AccessKeyId": credentials.access_key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": uuid.uuid4().hex,
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    text = string_to_sign_v1("POST", parameters.items())
    return {**parameters, "Signature": sign_v1(credentials.access_key_secret, text)}
