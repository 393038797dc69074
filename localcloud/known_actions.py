"""Actions of the emulated products, whether or not the local cloud emulates them.

Source: Alibaba Cloud's SDKs for Python; a test compares the lists with those that are installed,
which are the ones of SLB, ECS and VPC.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("known_actions.json")


@cache
def known_actions() -> dict[str, frozenset[str]]:
    """Names of actions by product."""
    names_by_product = json.loads(FILE.read_text(encoding="utf-8"))
    return {product: frozenset(names) for product, names in names_by_product.items()}
