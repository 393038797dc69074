"""Arguments about the cloud: network, backends and load balancer. `args.py` describes them.

Ranges are those of the Alibaba Cloud APIs (CreateLoadBalancer, AddBackendServers, CreateVpc,
TagResources) and of the provider, whichever is narrower.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from typing import Annotated, Self

from pydantic import AfterValidator, Field, IPvAnyNetwork, model_validator

from ..pki.mistakes import WrongValueError
from .identifiers import (
    InstanceId,
    SecurityGroupId,
    VpcId,
    VSwitchId,
)
from .late import InputOf, is_known
from .model import Model

MOST_BACKENDS = 19
"""AddBackendServers takes 20 in a call. Of 20, the provider would remove or change all in a first
call, and send a second one with none, which the API has no reason to take."""

DEFAULT_WEIGHT = 100
"""Weight of a backend for which none is set, as the API has it."""

STACK_TAGS = ("project", "stack")
"""Tags that the program adds to every resource unless the configuration sets them."""

MOST_TAGS = 20
"""Tags of a resource, at most (SLB, TagResources)."""


def _tag(longest: int) -> AfterValidator:
    def check(value: str) -> str:
        if len(value) > longest:
            raise ValueError(f"this tag's text has {len(value)} characters: {longest} at most")
        # The provider says nothing of such a tag, and would find it missing for ever.
        if value.lower().startswith(("aliyun", "acs:")):
            raise ValueError("aliyun and acs: begin Alibaba Cloud's own tags: begin otherwise")
        if re.search(r"https?://", value):
            raise ValueError("a tag cannot have http:// or https:// in it: leave that out")
        return value

    return AfterValidator(check)


def _tags(value: dict[str, InputOf[str]]) -> dict[str, InputOf[str]]:
    if "" in value:
        raise ValueError("there is a tag without a name: give it one")
    if len(value.keys() | set(STACK_TAGS)) > MOST_TAGS:
        raise ValueError(
            f"{len(value)} are given, and with {' and '.join(STACK_TAGS)}, which are added, a "
            f"resource has at most {MOST_TAGS}: leave some out"
        )
    return value


TagKey = Annotated[str, _tag(64)]
TagValue = Annotated[str, _tag(128)]
Tags = Annotated[dict[TagKey, InputOf[TagValue]], AfterValidator(_tags)]
"""Tags of every resource that takes any; their lengths are SLB's, which has the shortest."""


def _ids(value: tuple[InputOf[str], ...]) -> tuple[InputOf[str], ...]:
    known = Counter(name for name in value if is_known(name))
    repeated = [name for name, times in known.items() if times > 1]
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is given more than once: give each once")
    return value


def _instance_ids(value: tuple[InputOf[str], ...]) -> tuple[InputOf[str], ...]:
    if len(value) > MOST_BACKENDS:
        raise ValueError(
            f"{len(value)} instances are given, and the load balancer takes {MOST_BACKENDS} at "
            "once: leave some out"
        )
    return _ids(value)


def _private_block(value: IPvAnyNetwork) -> IPvAnyNetwork:
    if value.version != 4 or not value.is_private or not 8 <= value.prefixlen <= 24:
        sentence = "a VPC takes a private IPv4 block between /8 and /24, such as 192.168.0.0/16"
        raise WrongValueError(f"it is {value}, and {sentence}", sentence)
    return value


class NetworkArguments(Model):
    """Network of new backends: a VPC that is made for them, or an existing one."""

    cidr_block: Annotated[IPvAnyNetwork, AfterValidator(_private_block)] = Field(
        default=ipaddress.ip_network("192.168.0.0/16")
    )
    vpc_id: InputOf[VpcId] | None = None
    vswitch_ids: Annotated[tuple[InputOf[VSwitchId], ...], AfterValidator(_ids)] = ()

    @property
    def existing(self) -> bool:
        """Whether the VPC is not the stack's own."""
        return self.vpc_id is not None or bool(self.vswitch_ids)

    @model_validator(mode="after")
    def _block_of_new_switches(self) -> Self:
        given = "cidr_block" in self.model_fields_set
        if self.vswitch_ids and given:
            raise ValueError(
                "cidr_block is for new vSwitches, and vswitch_ids names existing ones: keep one"
            )
        if self.vpc_id is not None and not self.vswitch_ids and not given:
            raise ValueError(
                "vpc_id is given without vswitch_ids: name its vSwitches there, or give a free "
                "block of it as cidr_block, where new ones are made"
            )
        return self


class BackendsArguments(Model):
    """The ECS instances that answer requests: new ones, or existing ones by id."""

    count: Annotated[int, Field(ge=1, le=MOST_BACKENDS)] = 2
    weights: tuple[Annotated[int, Field(ge=0, le=100)], ...] = ()
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    instance_type: str | None = None
    image_id: InputOf[str] | None = None
    system_disk_category: str = "cloud_essd"
    instance_ids: Annotated[tuple[InputOf[InstanceId], ...], AfterValidator(_instance_ids)] = ()
    security_group_id: InputOf[SecurityGroupId] | None = None

    @model_validator(mode="after")
    def _a_weight_for_each(self) -> Self:
        count = len(self.instance_ids) or self.count
        if self.weights and len(self.weights) != count:
            raise ValueError(
                f"weights has {len(self.weights)}, and there are {count} backends: give one for "
                "each, in their order"
            )
        if self.weights and not any(self.weights):
            raise ValueError("weights are all 0: no backend would get a request; raise one of them")
        return self

    @model_validator(mode="after")
    def _made_or_existing(self) -> Self:
        if self.instance_ids and self.security_group_id is not None:
            raise ValueError(
                "security_group_id is for new instances, and instance_ids names existing ones, "
                "which keep theirs: leave security_group_id out"
            )
        return self
