"""Forwarding rules: requests for a domain, or for paths that begin alike, go to another group.

Which rule takes a request: https://help.aliyun.com/document_detail/85955.html
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from localcloud import serving
from localcloud.cloud import Cloud
from localcloud.dataplane import haproxy_syntax as syntax
from localcloud.documents import ForwardingRule, Listener, new_id
from localcloud.errors import ApiError, invalid, missing
from localcloud.products import SLB, Answer
from localcloud.requests import ActionRequest, OnOff, validate_as_served
from localcloud.services import listeners
from localcloud.services.server_lists import read_list

PER_CALL = 10
"""Number of rules that one call takes."""

PER_LISTENER = 40
"""Number of rules of one listener, unless Alibaba Cloud was asked for more."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,40}$")]

RuleDomain = Annotated[str, validate_as_served(syntax.check_server_name, "a domain")]

RuleUrl = Annotated[
    str,
    Field(pattern=r"^/[A-Za-z0-9/.%?#&-]{1,79}$"),
    validate_as_served(syntax.check_rule_url, "the beginning of a path"),
]

OWN = (
    "Scheduler",
    "StickySession",
    "StickySessionType",
    "CookieTimeout",
    "Cookie",
    "HealthCheck",
    "HealthCheckURI",
    "HealthCheckDomain",
    "HealthCheckHttpCode",
    "HealthCheckConnectPort",
    "HealthCheckTimeout",
    "HealthCheckInterval",
    "HealthyThreshold",
    "UnhealthyThreshold",
)
"""Attributes that a rule can have of its own in place of its listener's."""

ALWAYS = ("Scheduler", "StickySession", "HealthCheck")
"""Attributes that a rule with settings of its own must have."""

CHECKED_BY = (
    "HealthCheckURI",
    "HealthCheckHttpCode",
    "HealthCheckTimeout",
    "HealthCheckInterval",
    "HealthyThreshold",
    "UnhealthyThreshold",
)
"""Attributes that a rule of its own settings must also have if it has a health check."""


CHECK_DETAILS = (*CHECKED_BY, "HealthCheckDomain", "HealthCheckConnectPort")
"""Attributes that mean nothing without a health check."""


class GivenRule(BaseModel):
    """Rule that a request brings along, one of `RuleList`."""

    model_config = ConfigDict(extra="forbid")

    RuleName: Name
    VServerGroupId: str
    Domain: RuleDomain | None = None
    Url: RuleUrl | None = None

    @model_validator(mode="after")
    def _some_condition(self) -> GivenRule:
        if not self.Domain and not self.Url:
            raise ValueError("A rule has a Domain, a Url, or both.")
        return self


class CreateRules(listeners.OfAnyListener):
    RuleList: str


class DeleteRules(ActionRequest):
    RuleIds: str


class OfRule(ActionRequest):
    RuleId: str


class SetRule(OfRule):
    RuleName: Name | None = None
    VServerGroupId: str | None = None
    ListenerSync: OnOff | None = None
    Scheduler: Literal["wrr", "rr", "wlc"] | None = None
    StickySession: OnOff | None = None
    StickySessionType: Literal["insert", "server"] | None = None
    CookieTimeout: int | None = None
    Cookie: listeners.CookieName | None = None
    HealthCheck: OnOff | None = None
    HealthCheckURI: listeners.HealthCheckUri | None = None
    HealthCheckDomain: listeners.HealthCheckHost | None = None
    HealthCheckHttpCode: listeners.HttpCodes | None = None
    HealthCheckConnectPort: int | None = None
    HealthCheckTimeout: int | None = None
    HealthCheckInterval: int | None = None
    HealthyThreshold: int | None = None
    UnhealthyThreshold: int | None = None


@SLB.action
def create_rules(cloud: Cloud, request: CreateRules) -> Answer:
    listener = _find_listener(cloud, request)
    requested = read_list(GivenRule, request.RuleList, "RuleList", "rules")
    if not 1 <= len(requested) <= PER_CALL:
        raise invalid("RuleList", f"It has 1 to {PER_CALL} rules.")
    present = serving.list_rules(cloud.store, listener)
    if len(present) + len(requested) > PER_LISTENER:
        raise ApiError(
            400, "OverQuota", f"The Total is over the quota: a listener has {PER_LISTENER} rules."
        )
    new: list[ForwardingRule] = []
    for wanted in requested:
        listeners.require_group(cloud, listener.load_balancer_id, wanted.VServerGroupId)
        rule = ForwardingRule(
            id=new_id("rule", 10),
            region=listener.region,
            load_balancer_id=listener.load_balancer_id,
            port=listener.port,
            name=wanted.RuleName,
            domain=wanted.Domain or "",
            url=wanted.Url or "",
            vserver_group_id=wanted.VServerGroupId,
        )
        _require_unique(rule, [*present, *new])
        new.append(rule)
    for rule in new:
        cloud.store.put(rule)
    cloud.apply()
    return {"Rules": {"Rule": [{"RuleId": rule.id, "RuleName": rule.name} for rule in new]}}


@SLB.action_named("DescribeRules")
def describe_rules(cloud: Cloud, request: listeners.OfAnyListener) -> Answer:
    listener = _find_listener(cloud, request)
    rules = [_describe(listener, rule) for rule in serving.list_rules(cloud.store, listener)]
    return {"Rules": {"Rule": rules}}


@SLB.action_named("DescribeRuleAttribute")
def describe_rule_attribute(cloud: Cloud, request: OfRule) -> Answer:
    rule = _find_rule(cloud, request.RuleId, request.RegionId)
    return {
        **_describe(_listener_of(cloud, rule), rule),
        "LoadBalancerId": rule.load_balancer_id,
        "ListenerPort": str(rule.port),
    }


@SLB.action
def set_rule(cloud: Cloud, request: SetRule) -> Answer:
    rule = _find_rule(cloud, request.RuleId, request.RegionId)
    if request.VServerGroupId is not None:
        listeners.require_group(cloud, rule.load_balancer_id, request.VServerGroupId)
        rule.vserver_group_id = request.VServerGroupId
    if request.RuleName is not None:
        rule.name = request.RuleName
        others = serving.list_rules(cloud.store, _listener_of(cloud, rule))
        _require_unique(rule, [other for other in others if other.id != rule.id])
    rule.listener_sync = request.ListenerSync or rule.listener_sync
    if rule.listener_sync == "on":
        rule.attributes = {}
    else:
        values = request.model_dump(exclude_none=True)
        rule.attributes |= {name: values[name] for name in OWN if name in values}
        _require_consistent(rule.attributes)
    cloud.store.put(rule)
    cloud.apply()
    return {}


@SLB.action
def delete_rules(cloud: Cloud, request: DeleteRules) -> Answer:
    keys = read_list(str, request.RuleIds, "RuleIds", "ids")
    if not 1 <= len(keys) <= PER_CALL:
        raise invalid("RuleIds", f"It has 1 to {PER_CALL} ids.")
    rules = [_find_rule(cloud, key, request.RegionId) for key in keys]
    for rule in rules:
        cloud.store.delete(rule)
    cloud.apply()
    return {}


def _require_unique(rule: ForwardingRule, others: list[ForwardingRule]) -> None:
    condition = (rule.domain.lower(), rule.url)
    if any((other.domain.lower(), other.url) == condition for other in others):
        raise invalid("RuleList", "The listener has a rule for the same Domain and Url.")
    if any(other.name == rule.name for other in others):
        raise invalid("RuleName", "The listener has a rule of the same name.")


def _require_consistent(values: dict[str, Any]) -> None:
    """Check what a rule's own attributes say together, and drop those that then mean nothing."""
    checked = values.get("HealthCheck") == "on"
    for name in (*ALWAYS, *(CHECKED_BY if checked else ())):
        if name not in values:
            raise missing(name)
    listeners.settle_sticky_session(values)
    if not checked:
        for name in CHECK_DETAILS:
            values.pop(name, None)
        return
    listeners.require_port(values.setdefault("HealthCheckConnectPort", serving.OWN_PORT))


def _describe(listener: Listener, rule: ForwardingRule) -> Answer:
    values = serving.rule_values(listener, rule)
    checked = values["HealthCheck"] == "on"
    return {
        **listeners.describe_rule(rule),
        "ListenerSync": rule.listener_sync,
        **{
            name: values[name]
            for name in OWN
            if name in values and (checked or name not in CHECK_DETAILS)
        },
    }


def _find_listener(cloud: Cloud, request: listeners.OfAnyListener) -> Listener:
    listener = listeners.find_any_protocol(cloud, request)
    if listener.protocol == "tcp" or listener.attributes["ListenerForward"] == "on":
        raise ApiError(
            400,
            "Operation.NotAllowed",
            "Operation Denied. A listener of TCP, or one that redirects, has no forwarding rules.",
        )
    return listener


def _listener_of(cloud: Cloud, rule: ForwardingRule) -> Listener:
    [listener] = cloud.store.all(Listener, load_balancer_id=rule.load_balancer_id, port=rule.port)
    return listener


def _find_rule(cloud: Cloud, key: str, region: str) -> ForwardingRule:
    rule = cloud.store.get(ForwardingRule, key)
    if rule is None or region not in {"", rule.region}:
        # The provider looks for this code.
        raise ApiError(404, "InvalidRuleId.NotFound", "The specified RuleId does not exist.")
    return rule
